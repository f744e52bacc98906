//! libFuzzer drives the target for the ledger.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::LEDGER.check(bytes));
