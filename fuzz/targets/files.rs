//! libFuzzer drives the target for what entries say of their files.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::FILES.check(bytes));
