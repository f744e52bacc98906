//! libFuzzer drives the target for answers to those who ask.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::ANSWER.check(bytes));
