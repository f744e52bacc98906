//! libFuzzer drives the target for sealed cells.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::CELL.check(bytes));
