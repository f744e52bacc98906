//! libFuzzer drives the target for cards of private invites.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::CARD.check(bytes));
