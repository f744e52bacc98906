//! libFuzzer drives the target for rows of the vault.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::VAULT.check(bytes));
