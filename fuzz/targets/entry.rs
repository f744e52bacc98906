//! libFuzzer drives the target for entries.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::ENTRY.check(bytes));
