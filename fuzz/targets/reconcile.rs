//! libFuzzer drives the target for steps of a comparison.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::RECONCILE.check(bytes));
