//! libFuzzer drives the target for addresses of devices at push services.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::ENDPOINT.check(bytes));
