//! Devices that are woken by Web Push.

use bytes::Bytes;
use ume_wire::auth::LaneId;

/// What a device chose for itself. Who knows it may change and end what is kept under it.
pub(crate) type DeviceId = [u8; 32];

/// Where and how a device is woken.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Device {
    /// Its address at a push service.
    #[prost(string, tag = "1")]
    pub(crate) endpoint: String,
    /// Its browser's key.
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) key: Bytes,
    /// Its browser's secret.
    #[prost(bytes = "bytes", tag = "3")]
    pub(crate) auth: Bytes,
    /// Where the app is that a tap opens; or empty.
    #[prost(string, tag = "4")]
    pub(crate) origin: String,
}

/// A change of what is kept of devices.
#[derive(Clone, Debug)]
pub(crate) enum DeviceWrite {
    /// Makes a device, or gives it another address.
    Set(DeviceId, Device),
    /// Wakes it for this lane from now on.
    Watch(DeviceId, LaneId),
    /// Does so no more.
    Unwatch(DeviceId, LaneId),
    /// Forgets it.
    End(DeviceId),
    /// Forgets it, if this is its address still: there is nobody there.
    Gone(DeviceId, Device),
}
