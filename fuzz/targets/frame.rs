//! libFuzzer drives the target for frames.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::FRAME.check(bytes));
