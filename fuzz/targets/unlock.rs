//! libFuzzer drives the target for ways to unlock a vault.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::UNLOCK.check(bytes));
