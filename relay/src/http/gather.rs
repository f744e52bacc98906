//! The frames of a body as they come, each in memory of its own. What a body takes is bounded by the room that it gets, and
//! by time, of which it gets the more the more of it has come.

use super::{Answer, later, plain, room::Kept};
use crate::{admission::Visitor, config::Limits, server::Core};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{
    StatusCode,
    body::{Body, Incoming},
};
use std::{collections::VecDeque, time::Duration};
use tokio::time::{Instant, timeout_at};
use ume_wire::limits::{FRAME_BYTES, POST_FRAMES_MAX};

const BODY_BYTES_MAX: usize = POST_FRAMES_MAX * FRAME_BYTES;

/// The frames of a body, and the room that they take. Both get less with every frame that is taken out.
pub(super) struct Frames {
    frames: VecDeque<Bytes>,
    room: Kept,
}

impl Frames {
    /// The next one. Its room is free as soon as it is: it is on its way to the store then, which has bounds of its own.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        let frame = self.frames.pop_front()?;
        self.room.give_back();
        Some(frame)
    }
}

/// Why a body is not taken.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refused {
    TooLarge,
    TooSlow,
    NoRoom,
    Malformed,
}

impl Refused {
    pub(super) fn answer(self) -> Answer {
        match self {
            Self::TooLarge => plain(StatusCode::PAYLOAD_TOO_LARGE, "at most 64 frames\n"),
            Self::TooSlow => plain(StatusCode::REQUEST_TIMEOUT, "the body takes too long\n"),
            Self::NoRoom => later(plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "too much is on its way, come back later\n",
            )),
            Self::Malformed => plain(
                StatusCode::BAD_REQUEST,
                "the body is not made of frames of 2048 bytes\n",
            ),
        }
    }
}

/// Takes a body in, or says why not.
pub(super) async fn gather(
    core: &Core,
    visitor: &Visitor,
    body: Incoming,
) -> Result<Frames, Refused> {
    let config = core.config.get();
    let start = Instant::now();
    let size = body.size_hint();
    if size.lower() > BODY_BYTES_MAX as u64 {
        return Err(Refused::TooLarge);
    }
    let bytes = size
        .upper()
        .and_then(|upper| usize::try_from(upper).ok())
        .map_or(BODY_BYTES_MAX, |upper| upper.min(BODY_BYTES_MAX));
    let deadline = start + config.limits.body_timeout;
    let place = timeout_at(deadline, core.intake.place(visitor, bytes)).await;
    let place = place.ok().flatten().ok_or(Refused::NoRoom)?;
    let frames = tokio::select! {
        frames = receive(body, start, &config.limits) => frames?,
        () = place.wanted() => return Err(Refused::NoRoom),
    };
    let room = place.keep();
    Ok(Frames { frames, room })
}

async fn receive(
    mut body: Incoming,
    start: Instant,
    limits: &Limits,
) -> Result<VecDeque<Bytes>, Refused> {
    let (mut frames, mut last, mut received) = (VecDeque::new(), BytesMut::new(), 0);
    loop {
        let earned = Duration::from_millis(received as u64 * 1000 / limits.body_rate.max(1));
        let deadline = start + limits.body_timeout + earned;
        let part = timeout_at(deadline, body.frame()).await;
        let mut part = match part.map_err(|_| Refused::TooSlow)? {
            None => break,
            Some(Ok(part)) => part.into_data().unwrap_or_default(),
            Some(Err(_)) => return Err(Refused::Malformed),
        };
        received += part.len();
        if received > BODY_BYTES_MAX {
            return Err(Refused::TooLarge);
        }
        // Copied, as what came lies in a buffer that may be many times as long.
        while !part.is_empty() {
            if last.is_empty() {
                last.reserve(FRAME_BYTES);
            }
            let count = part.len().min(FRAME_BYTES - last.len());
            last.extend_from_slice(&part.split_to(count));
            if last.len() == FRAME_BYTES {
                frames.push_back(std::mem::take(&mut last).freeze());
            }
        }
    }
    if frames.is_empty() || !last.is_empty() {
        return Err(Refused::Malformed);
    }
    Ok(frames)
}
