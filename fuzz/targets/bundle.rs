//! libFuzzer drives the target for bundles of invites.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::BUNDLE.check(bytes));
