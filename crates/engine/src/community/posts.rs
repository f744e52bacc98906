//! Posts: written into the store and the outbox ([`super::outbox`] has their way out), and read as they come in.
//!
//! In: each epoch has a lane; the newest is followed, older ones are read to their end and then forgotten together with
//! their secret.

use super::gaps::TALK;
use super::outbox::{Out, What};
use super::post_lane::Retirement;
use super::{Community, Ctx, Kept, Tag};
use crate::entry::{self, Draft, Kind, LIFETIME_MS_MAX, Standing};
use crate::line::Request;
use crate::mls::MlsError;
use crate::proto;
use prost::Message;
use rand_core::RngCore;
use ume_api::{EntryId, Failure, Place, Right};
use ume_wire::fragment;

/// Kind of the message in a post lane: an MLS message.
pub(super) const MLS: u8 = 1;
/// How far a foreign clock may pull this device's own times ahead, milliseconds.
const AHEAD_MS: u64 = 5 * 60 * 1000;

/// An entry as it is stored.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct EntryRow {
    pub(super) content: Vec<u8>,
    pub(super) signature: Vec<u8>,
    /// Empty: there is no text, or none any more.
    pub(super) body: Vec<u8>,
    pub(super) waiting: bool,
    pub(super) own: bool,
    pub(super) refused: bool,
}

impl EntryRow {
    pub(super) fn of(kept: &Kept) -> Self {
        let written = kept.entry.written.clone();
        let signed = written.entry.unwrap_or_default();
        Self {
            content: signed.content,
            signature: signed.signature,
            body: written.body,
            waiting: kept.waiting,
            own: kept.own,
            refused: kept.refused,
        }
    }

    pub(super) fn written(&self) -> proto::Written {
        proto::Written {
            entry: Some(proto::Signed {
                content: self.content.clone(),
                signature: self.signature.clone(),
            }),
            body: self.body.clone(),
        }
    }
}

impl Community {
    /// Writes a post, or a comment in the thread of one.
    pub(crate) fn post(
        &mut self,
        ctx: &mut Ctx<'_>,
        thread: Option<EntryId>,
        text: String,
        lifetime_ms: Option<u64>,
    ) -> Result<EntryId, Failure> {
        let kind = match thread {
            None => Kind::Post,
            Some(post) => self.comment_on(post)?,
        };
        let id = self.write(ctx, kind, text.into_bytes(), lifetime_ms)?;
        self.drop_draft(ctx, thread.map_or(Place::Feed, Place::Thread));
        Ok(id)
    }

    /// Writes an entry: durable with this batch, on its way as soon as it can be.
    pub(super) fn write(
        &mut self,
        ctx: &mut Ctx<'_>,
        kind: Kind,
        content: Vec<u8>,
        lifetime_ms: Option<u64>,
    ) -> Result<EntryId, Failure> {
        self.write_with(ctx, kind, content, lifetime_ms, &[])
    }

    /// The same, with a list of files (`crate::attachment`) after the content.
    pub(super) fn write_with(
        &mut self,
        ctx: &mut Ctx<'_>,
        kind: Kind,
        content: Vec<u8>,
        lifetime_ms: Option<u64>,
        files: &[u8],
    ) -> Result<EntryId, Failure> {
        if lifetime_ms.is_some_and(|ms| !(1..=LIFETIME_MS_MAX).contains(&ms)) {
            return Err(Failure::NotAllowed);
        }
        let ledger = &self.chain.ledger;
        let may = match kind {
            Kind::Post | Kind::Edit(_) | Kind::Reaction(_) | Kind::Comment(_) => {
                ledger.may(&self.saved.persona, Right::Post)
            }
            Kind::Unpublish(_) | Kind::Portrait | Kind::Pack | Kind::Other { .. } => {
                ledger.role(&self.saved.persona).is_some()
            }
        };
        if !may {
            return Err(Failure::NotAllowed);
        }
        let leaf = self.leaf_public();
        let (seq, previous) = self
            .feed
            .last_of(&leaf)
            .map_or((1, None), |(seq, id)| (seq.saturating_add(1), Some(id)));
        let latest = self
            .feed
            .latest_ms()
            .min(ctx.time.0.saturating_add(AHEAD_MS));
        let mut salt = [0; 16];
        ctx.rng.fill_bytes(&mut salt);
        let time_ms = ctx.time.0.max(latest.saturating_add(1));
        let end_of = |post: &EntryId| self.feed.get(post).and_then(|kept| kept.entry.expires_ms);
        let own_end = lifetime_ms.map(|ms| time_ms.saturating_add(ms));
        let expires_ms = match kind {
            // The texts of a post end together.
            Kind::Edit(post) | Kind::Reaction(post) => end_of(&post),
            // Nobody finds the thread of a post that is over.
            Kind::Comment(post) => own_end.into_iter().chain(end_of(&post)).min(),
            _ => own_end,
        };
        if expires_ms.is_some_and(|at| at <= time_ms) {
            return Err(Failure::NotHere);
        }
        let draft = Draft {
            kind,
            salt,
            seq,
            previous,
            parents: self.feed.tips(&leaf),
            time_ms,
            expires_ms,
            content,
            ledger: self.chain.ledger.len(),
        };
        let community = self.chain.ledger.community;
        let written = entry::write_with(
            &community,
            &self.saved.persona,
            &self.saved.leaf.signing_key(),
            draft,
            files,
        );
        let entry = entry::verify(&written, &community).map_err(|_| Failure::Internal)?;
        // A restored profile whose own last entries are still missing would not be believed.
        if self.standing(&entry) != Standing::Stands {
            return Err(Failure::Internal);
        }
        let id = entry.id;
        let kept = Kept {
            entry,
            waiting: true,
            own: true,
            refused: false,
        };
        self.keep(ctx, kept);
        self.put_out(ctx, Out::new(What::Entry(id), None));
        self.advance(ctx);
        Ok(id)
    }

    pub(super) fn advance_posts(&mut self, ctx: &mut Ctx<'_>) {
        let epochs: Vec<u64> = self.posts.keys().copied().collect();
        for epoch in epochs {
            let Some(lane) = self.posts.get_mut(&epoch) else {
                continue;
            };
            let before = lane.reader.cursor();
            let (messages, ask) = lane.reader.take();
            self.lanes_changed |= lane.reader.cursor() != before;
            let id = lane.reader.id();
            if ctx.up {
                ctx.ask(Tag::Read(id), ask);
                let follow = self.follow_lane(ctx, epoch);
                ctx.ask(Tag::Read(id), follow);
            }
            let tampered = self
                .posts
                .get(&epoch)
                .map_or(0, |lane| lane.reader.tampered);
            self.count_tampered(ctx, tampered);
            for message in messages {
                match message.kind {
                    MLS => self.open_message(ctx, epoch, &message),
                    TALK => self.hear(ctx, epoch, &message.bytes),
                    _ => {}
                }
            }
        }
    }

    fn follow_lane(&mut self, ctx: &mut Ctx<'_>, epoch: u64) -> Option<Request> {
        let lane = self.posts.get(&epoch)?;
        let (id, new) = (lane.reader.id(), lane.new.clone());
        if !self.ensure_lane(ctx, id, || new) {
            return None;
        }
        let lane = self.posts.get_mut(&epoch)?;
        match lane.retirement {
            Retirement::No => lane.reader.follow().or_else(|| {
                if lane.reader.is_caught_up() {
                    None
                } else {
                    lane.reader.read()
                }
            }),
            Retirement::Wanted => {
                let ask = lane.reader.read()?;
                lane.retirement = Retirement::Asked;
                Some(ask)
            }
            Retirement::Asked if lane.reader.is_caught_up() => {
                self.posts.remove(&epoch);
                self.lanes.remove(&id);
                self.lanes_changed = true;
                None
            }
            Retirement::Asked => lane.reader.read(),
        }
    }

    fn open_message(&mut self, ctx: &mut Ctx<'_>, epoch: u64, message: &fragment::Message) {
        let opened = match self
            .group
            .as_mut()
            .map(|group| group.unprotect(&message.bytes))
        {
            Some(Ok(opened)) => opened,
            Some(Err(MlsError::OwnMessage)) => {
                let Some(lane) = self.posts.get_mut(&epoch) else {
                    return;
                };
                self.lanes_changed = true;
                if lane.echo.heard(message.first_seq) && self.watch.is_none() {
                    // This store is older than the device: new keys first, then everything else.
                    self.heal(ctx, None);
                }
                return;
            }
            // It was made by a member's hand, or is a repetition; a post that is missing because of it is noticed by
            // the entries that name it.
            _ => return,
        };
        let Ok(post) = proto::Post::decode(&opened[..]) else {
            return;
        };
        match post.body {
            Some(proto::post::Body::Entry(written)) => self.receive(ctx, &written),
            Some(proto::post::Body::Keys(keys)) => self.take_keys(&keys),
            None => {}
        }
    }
}
