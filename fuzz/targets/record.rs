//! libFuzzer drives the target for records.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::RECORD.check(bytes));
