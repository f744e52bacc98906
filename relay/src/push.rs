//! Web Push: wakes devices that watch a lane, when there is something new and none of their connections is open.
//!
//! 1. The committer notes which lanes have news (`news`), and thinks no more of it.
//! 2. A task of its own looks up who watches them (`store`), and whom of these nobody has told yet (`bells`).
//! 3. Each of them is woken by a task of its own, after a time drawn at random: what it says is always the same (`seal`), signed
//!    with a key that services know the relay by (`key`), and goes to a service that the operator lists (`endpoint`, `carrier`).
//!
//! A push is a hint. Where there is too much of anything, one falls away, and nobody else waits for it.

mod bells;
mod carrier;
mod endpoint;
mod key;
mod news;
mod seal;
#[cfg(test)]
mod tests;

pub(crate) use bells::{Bells, Presence};
pub(crate) use endpoint::{Endpoint, Rules, is_origin};
pub(crate) use key::PushKey;
pub(crate) use news::News;

use crate::{
    commit::now,
    config::{Config, WebPush},
    server::{Core, asked},
    store::{Device, DeviceId, DeviceWrite, Write},
    tls::TlsError,
};
use bells::Rung;
use carrier::{Carrier, Letter, Sent};
use rand_core::{OsRng, RngCore};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinSet, time};
use ume_wire::limits::PUSH_AUTH_BYTES;

/// What comes within this time is looked up together.
const GATHER: Duration = Duration::from_millis(100);
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// Devices that are woken at once, most of which wait for their time or their turn.
const RINGS_MAX: usize = 4096;
/// A device that could not be told for so long is given up, until there is something new again.
const GIVE_UP_AFTER: Duration = Duration::from_mins(10);
/// By how much the wait grows from one try to the next.
const WAIT_GROWS: u32 = 4;
/// How long a token holds; services take up to a day (RFC 8292, section 2).
const TOKEN_SECONDS: u64 = 12 * 3600;

/// All about it.
pub(crate) struct Push {
    pub(crate) news: Arc<News>,
    pub(crate) bells: Arc<Bells>,
    carrier: Carrier,
}

impl Push {
    pub(crate) fn new(config: &Config) -> Result<Self, TlsError> {
        let news = Arc::new(News::default());
        Ok(Self {
            bells: Arc::new(Bells::new(news.clone())),
            news,
            carrier: Carrier::new(config.push.roots.as_deref())?,
        })
    }
}

/// Whether a browser can have given such a key and such a secret.
pub(crate) fn are_keys(key: &[u8], auth: &[u8]) -> bool {
    auth.len() == PUSH_AUTH_BYTES && seal::is_key(key)
}

/// Wakes devices until the relay stops.
pub(crate) async fn run(core: Arc<Core>, mut stopped: watch::Receiver<bool>) {
    let mut rings = JoinSet::new();
    let mut sweeps = time::interval(SWEEP_EVERY);
    sweeps.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    let push = core.push.clone();
    loop {
        tokio::select! {
            () = asked(&mut stopped) => break,
            _ = sweeps.tick() => {
                push.bells.sweep(Instant::now());
                continue;
            }
            () = push.news.wait() => {}
        }
        time::sleep(GATHER).await;
        while rings.try_join_next().is_some() {}
        for (id, at) in concerned(&core).await {
            if !push.bells.news(&id, at, Instant::now()) {
                continue;
            }
            if rings.len() >= RINGS_MAX {
                core.metrics.pushed("dropped");
                push.bells.rung(&id, Rung::Needless, Duration::ZERO);
                continue;
            }
            let core = core.clone();
            rings.spawn(async move {
                let rung = ring(&core, &id).await;
                let pause = core.config.get().push.pause;
                core.push.bells.rung(&id, rung, pause);
            });
        }
    }
    rings.shutdown().await;
}

/// Devices for which something is new, and since when.
async fn concerned(core: &Core) -> Vec<(DeviceId, Instant)> {
    let noted = core.push.news.take();
    if !core.config.get().push.is_on() {
        return Vec::new();
    }
    let mut concerned: HashMap<DeviceId, Instant> = noted.missed.into_iter().collect();
    let (lanes, times): (Vec<_>, Vec<_>) = noted.lanes.into_iter().unzip();
    let store = core.store.clone();
    let found = tokio::task::spawn_blocking(move || store.watchers(&lanes)).await;
    // A store that fails is seen elsewhere.
    for (place, id) in found.map(Result::unwrap_or_default).unwrap_or_default() {
        let last = concerned.entry(id).or_insert(times[place]);
        *last = times[place].max(*last);
    }
    concerned.into_iter().collect()
}

/// Wakes one device, however long that takes.
async fn ring(core: &Core, id: &DeviceId) -> Rung {
    let push = core.config.get().push.clone();
    time::sleep(drawn(push.delay)).await;
    let give_up = Instant::now() + GIVE_UP_AFTER;
    let mut wait = push.retry;
    loop {
        if !core.push.bells.is_away(id) {
            return Rung::Needless;
        }
        let (store, of) = (core.store.clone(), *id);
        let device = tokio::task::spawn_blocking(move || store.device(&of)).await;
        let Ok(Ok(Some(device))) = device else {
            return Rung::Needless;
        };
        let sent = send(core, &device, give_up).await;
        core.metrics.pushed(sent.name());
        match sent {
            Sent::Taken => return Rung::Told,
            Sent::Gone => {
                let gone = Write::Device(DeviceWrite::Gone(*id, device));
                drop(core.commit.submit(gone).await);
                return Rung::Needless;
            }
            Sent::Refused => return Rung::Failed(push.pause),
            Sent::Later(after) => {
                let after = after.unwrap_or_default();
                let wait_now = after.max(wait / 2 + drawn(wait));
                if Instant::now() + wait_now > give_up {
                    return Rung::Failed(push.pause.max(after));
                }
                time::sleep(wait_now).await;
                wait *= WAIT_GROWS;
            }
        }
    }
}

async fn send(core: &Core, device: &Device, give_up: Instant) -> Sent {
    let config = core.config.get();
    let Some(letter) = letter(core, &config, device) else {
        return Sent::Refused;
    };
    let carrier = &core.push.carrier;
    carrier.carry(letter, give_up, config.push.timeout).await
}

/// What a device is sent; nothing if its service is not one that may be asked (any more).
fn letter(core: &Core, config: &Config, device: &Device) -> Option<Letter> {
    let endpoint = Endpoint::parse(&device.endpoint)?;
    let is_private = Rules::of(&config.push).rule(&endpoint)?.is_private;
    let text = seal::text(core.app.name.as_deref(), &device.origin);
    let contact = contact(config);
    let until = now() / 1000 + TOKEN_SECONDS;
    let key = core.identity.push_key()?;
    Some(Letter {
        authorization: key.authorization(&endpoint.audience(), until, contact.as_deref()),
        body: seal::seal(text, &device.key, &device.auth)?,
        endpoint,
        is_private,
    })
}

/// Whom a service may ask about this relay (RFC 8292, section 2.1).
fn contact(config: &Config) -> Option<String> {
    let WebPush { contact, .. } = &config.push;
    match contact.as_ref().or(config.acme.contact.as_ref()) {
        Some(page) if page.starts_with("https://") => Some(page.clone()),
        Some(mail) => Some(format!("mailto:{mail}")),
        None => {
            let domain = config.acme.domains.first()?;
            Some(format!("https://{domain}"))
        }
    }
}

/// A time from none to this one.
fn drawn(most: Duration) -> Duration {
    most.mul_f64(f64::from(OsRng.next_u32()) / f64::from(u32::MAX))
}
