//! libFuzzer drives the target for packs.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::PACK.check(bytes));
