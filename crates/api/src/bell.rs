//! Being woken when no page is open.

use serde::{Deserialize, Serialize};

/// Where a browser can be woken, as it says itself (`PushSubscription`). Never printed: who knows it can wake the browser.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushAddress {
    /// Address at the push service of the browser's vendor, at most 1,024 bytes.
    pub endpoint: String,
    /// The browser's key, P-256, 65 bytes, uncompressed.
    pub p256dh: Vec<u8>,
    /// The browser's secret, 16 bytes.
    pub auth: Vec<u8>,
    /// Where this copy of the app is, as `location.origin`, if it has TLS: a tap opens it. At most 128 bytes, or empty.
    pub origin: String,
}

impl std::fmt::Debug for PushAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PushAddress(..)")
    }
}

/// A relay that wakes this device, or could.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BellView {
    /// Its address.
    pub relay: String,
    /// Its key for push services (P-256, 65 bytes, uncompressed); empty while it is not connected.
    pub key: Vec<u8>,
    /// It is to wake this device.
    pub on: bool,
    /// It does not want to: its push service is another one, or it has too many devices.
    pub refused: bool,
}
