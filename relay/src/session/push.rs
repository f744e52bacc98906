//! Requests about Web Push: where a device is woken, for which lanes, and that it is there itself.

use super::{Session, Step, id, is_slot};
use crate::{
    push::{Endpoint, Rules, are_keys, is_origin},
    refusal::Refusal,
    store::{Device, DeviceId, DeviceWrite, Write},
};
use bytes::Bytes;
use std::time::Instant;
use ume_wire::relay;

impl Session {
    /// The connection has ended; this is when it was heard of last.
    pub(crate) fn leave(&mut self, heard: Instant) {
        if let Some(presence) = self.presence.take() {
            presence.leave(heard);
        }
    }

    /// What push services know this relay by; empty if it asks none.
    pub(super) fn push_key(&self) -> Bytes {
        let key = self.core.identity.push_key();
        let is_on = self.core.config.get().push.is_on();
        let key = key.filter(|_| is_on).map(|key| &key.public()[..]);
        Bytes::copy_from_slice(key.unwrap_or_default())
    }

    pub(super) fn push_set(&mut self, set: relay::PushSet) -> Result<Step, Refusal> {
        let config = self.core.config.get();
        if !config.push.is_on() {
            return Err(Refusal::UNKNOWN);
        }
        let device = id(&set.id)?;
        if !are_keys(&set.p256dh, &set.auth) || !is_origin(&set.origin) {
            return Err(Refusal::MALFORMED);
        }
        let endpoint = Endpoint::parse(&set.endpoint).ok_or(Refusal::MALFORMED)?;
        if Rules::of(&config.push).rule(&endpoint).is_none() {
            return Err(Refusal::DENIED);
        }
        if self.core.store.device(&device)?.is_none() {
            let admission = &self.core.admission;
            admission.device(&self.visitor, Instant::now())?;
        }
        self.is_there(device);
        let set = Device {
            endpoint: set.endpoint,
            key: Bytes::copy_from_slice(&set.p256dh),
            auth: Bytes::copy_from_slice(&set.auth),
            origin: set.origin,
        };
        Ok(write(DeviceWrite::Set(device, set)))
    }

    pub(super) fn push_watch(&mut self, watch: &relay::PushWatch) -> Result<Step, Refusal> {
        let (device, lane) = (id(&watch.id)?, id(&watch.lane)?);
        if watch.stop {
            return Ok(write(DeviceWrite::Unwatch(device, lane)));
        }
        let known = self.lane(&lane)?;
        self.may_read(&known.new, &lane, &watch.signature)?;
        // Whoever is woken for what is not stored finds nothing.
        if known.new.ttl_seconds == 0 && !is_slot(&known.new) {
            return Err(Refusal::MALFORMED);
        }
        Ok(write(DeviceWrite::Watch(device, lane)))
    }

    pub(super) fn push_end(&mut self, end: &relay::PushEnd) -> Result<Step, Refusal> {
        let device = id(&end.id)?;
        let is_own = |presence: &crate::push::Presence| *presence.id() == device;
        if self.presence.as_ref().is_some_and(is_own) {
            self.presence = None;
        }
        Ok(write(DeviceWrite::End(device)))
    }

    /// From now on this connection is the device's. A `POST` is nobody's.
    fn is_there(&mut self, device: DeviceId) {
        let is_known = self
            .presence
            .as_ref()
            .is_some_and(|presence| *presence.id() == device);
        if self.challenge.is_some() && !is_known {
            self.presence = Some(self.core.push.bells.arrive(device));
        }
    }
}

fn write(write: DeviceWrite) -> Step {
    Step::Write(Write::Device(write))
}
