//! libFuzzer drives the target for WebSocket.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::WEBSOCKET.check(bytes));
