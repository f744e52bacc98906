//! Answering others. All hear an ask; whose turn it is follows from a hash, so that one answers at once and the others
//! only if nothing comes of it, in ever larger numbers.

use super::super::{Community, Ctx};
use super::talk::Envelope;
use super::{ASK_IDS_MAX, ASKS_PER_HOUR, GIVEN_BYTES, GIVEN_MAX, GIVEN_PER_HOUR, Request};
use crate::entry::Kind;
use crate::io::Millis;
use crate::proto;
use prost::Message;
use proto::talk_body::Body as Said;
use std::collections::{BTreeMap, BTreeSet};
use ume_api::EntryId;
use ume_wire::auth::{Hash, hash};

/// How long each turn takes, milliseconds: an answer has come to everybody by then.
const TURN_MS: u64 = 1_500;

/// What this device is about to say to others, by whom it is for: one thing to each.
#[derive(Debug, Default)]
pub(super) struct Answering {
    pending: BTreeMap<Hash, Pending>,
}

#[derive(Debug)]
struct Pending {
    request: Request,
    place: u64,
    at: Millis,
    what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Entries(BTreeSet<EntryId>),
    /// To a step of a comparison.
    Step(Vec<u8>),
}

impl Answering {
    pub(super) fn clear(&mut self) {
        self.pending.clear();
    }

    /// Which ask of somebody's is about to be answered.
    #[cfg(test)]
    pub(super) fn request_of(&self, asker: &Hash) -> Option<Request> {
        self.pending.get(asker).map(|pending| pending.request)
    }

    pub(super) fn due(&self) -> Option<Millis> {
        self.pending.values().map(|pending| pending.at).min()
    }

    /// Somebody else answered: with these entries, or with what this device may not open.
    pub(super) fn answered(&mut self, envelope: &Envelope, ids: Option<&BTreeSet<EntryId>>) {
        let Some(asker) = envelope.to else { return };
        let same = |pending: &mut Pending| pending.request == envelope.request;
        let Some(mut pending) = self.pending.remove(&asker) else {
            return;
        };
        if !same(&mut pending) {
            self.pending.insert(asker, pending);
            return;
        }
        // What they did not have may still be here.
        if let (What::Entries(open), Some(ids)) = (&mut pending.what, ids) {
            open.retain(|id| !ids.contains(id));
            if !open.is_empty() {
                self.pending.insert(asker, pending);
            }
        }
    }
}

/// After how long a device does what any of them may do, milliseconds. Of `others` who could, about one does it in the first
/// turn, one more in the second, and then twice as many in each.
pub(in crate::community) fn turn(
    leaf: &Hash,
    request: &Request,
    others: usize,
    turn_ms: u64,
) -> u64 {
    let digest = hash(&[&b"ume/1/turn"[..], leaf, request].concat());
    let [high, low, ..] = digest.as_chunks::<8>().0 else {
        return 0;
    };
    let turns = others.max(1).next_power_of_two().trailing_zeros();
    let zeros = u64::from_le_bytes(*high).leading_zeros().min(turns);
    u64::from(turns - zeros) * turn_ms + u64::from_le_bytes(*low) % turn_ms
}

impl Community {
    /// Somebody asks for entries.
    pub(super) fn asked(&mut self, ctx: &mut Ctx<'_>, envelope: &Envelope, ask: &proto::Ask) {
        if ask.entries.len() > ASK_IDS_MAX || envelope.to.is_some() {
            return;
        }
        let heard = self.gaps.asks_heard.entry(envelope.from).or_default();
        if !heard.take(ctx.now, ASKS_PER_HOUR) {
            return;
        }
        let ids = ask.entries.iter().filter_map(|id| id[..].try_into().ok());
        let here = ids.map(EntryId).filter(|id| self.gives(id, envelope.place));
        let here: BTreeSet<EntryId> = here.collect();
        if here.is_empty() {
            self.gaps.answering.pending.remove(&envelope.from);
        } else {
            self.answer_in_turn(ctx, envelope, What::Entries(here), 0);
        }
    }

    /// Answers when it is this device's turn, and `later` milliseconds after that.
    pub(super) fn answer_in_turn(
        &mut self,
        ctx: &mut Ctx<'_>,
        envelope: &Envelope,
        what: What,
        later: u64,
    ) {
        let others = self.chain.ledger.members.len().saturating_sub(1);
        let wait = turn(&self.leaf_public(), &envelope.request, others, TURN_MS);
        self.answer_at(ctx.now.plus(wait.saturating_add(later)), envelope, what);
    }

    pub(super) fn answer_at(&mut self, at: Millis, envelope: &Envelope, what: What) {
        let pending = Pending {
            request: envelope.request,
            place: envelope.place,
            at,
            what,
        };
        self.gaps.answering.pending.insert(envelope.from, pending);
    }

    /// Whether an entry is here, and may be handed to whoever reads from a place on.
    fn gives(&self, id: &EntryId, place: u64) -> bool {
        let kept = self.feed.get(id).filter(|kept| !kept.refused);
        kept.is_some_and(|kept| Self::is_within(&kept.entry, place)) && self.is_whole(id)
    }

    pub(super) fn advance_answering(&mut self, ctx: &mut Ctx<'_>) {
        let due = |pending: &Pending| pending.at <= ctx.now;
        let pending = self.gaps.answering.pending.iter();
        let askers: Vec<Hash> = pending
            .filter(|(_, pending)| due(pending))
            .map(|(asker, _)| *asker)
            .collect();
        for asker in askers {
            let Some(pending) = self.gaps.answering.pending.remove(&asker) else {
                continue;
            };
            match pending.what {
                What::Entries(ids) => {
                    self.give(ctx, pending.place, pending.request, asker, &ids);
                }
                What::Step(step) => {
                    self.answer_step(ctx, pending.place, pending.request, asker, &step);
                }
            }
        }
    }

    /// Hands out as many entries as fit into one message; those that do not.
    pub(super) fn give(
        &mut self,
        ctx: &mut Ctx<'_>,
        place: u64,
        request: Request,
        to: Hash,
        ids: &BTreeSet<EntryId>,
    ) -> BTreeSet<EntryId> {
        let mut left = ids.clone();
        let mut entries: Vec<proto::Written> = vec![];
        let mut bytes = 0;
        for id in ids.iter().filter(|id| self.gives(id, place)) {
            let parts = self.written_with_ends(id);
            let size: usize = parts.iter().map(Message::encoded_len).sum();
            let full = bytes + size > GIVEN_BYTES || entries.len() + parts.len() > GIVEN_MAX;
            if !entries.is_empty() && full {
                break;
            }
            bytes += size;
            entries.extend(parts);
            left.remove(id);
        }
        let said = Said::Given(proto::Given { entries });
        if bytes == 0 || !self.gaps.given.take(ctx.now, GIVEN_PER_HOUR) {
            return BTreeSet::new();
        }
        if !self.say(ctx, place, request, Some(to), said) {
            return BTreeSet::new();
        }
        left
    }

    /// An entry, and, if it was taken back, who said so: without that its text would be missed.
    fn written_with_ends(&self, id: &EntryId) -> Vec<proto::Written> {
        let Some(kept) = self.feed.get(id) else {
            return vec![];
        };
        let mut parts = vec![kept.entry.written.clone()];
        if kept.entry.is_bare() {
            let post = kept.entry.kind.target().unwrap_or(*id);
            let about = self.feed.about(&post);
            let ends = about.filter(|one| matches!(one.kind, Kind::Unpublish(_)));
            parts.extend(ends.take(1).map(|one| one.written.clone()));
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of a thousand members answer within so many turns.
    fn answering(others: u32, turns: u64) -> usize {
        let leaf = |n: u32| hash(&n.to_le_bytes());
        let waits = (0..others).map(|n| turn(&leaf(n), &[7; 16], others as usize, TURN_MS));
        waits.filter(|wait| *wait < turns * TURN_MS).count()
    }

    #[test]
    fn few_answer_first_and_all_in_the_end() {
        assert!(answering(1000, 1) <= 5);
        assert!((1..=10).contains(&answering(1000, 3)));
        assert_eq!(answering(1000, 11), 1000);
        assert_eq!(answering(1, 1), 1, "the only one answers at once");
    }

    #[test]
    fn somebody_elses_answer_is_enough() {
        let envelope = Envelope {
            from: [1; 32],
            request: [2; 16],
            to: Some([3; 32]),
            place: 0,
        };
        let ids: BTreeSet<EntryId> = [EntryId([4; 32]), EntryId([5; 32])].into();
        let begin = || {
            let mut answering = Answering::default();
            let pending = Pending {
                request: [2; 16],
                place: 0,
                at: Millis(9),
                what: What::Entries(ids.clone()),
            };
            answering.pending.insert([3; 32], pending);
            answering
        };
        let mut some = begin();
        some.answered(&envelope, Some(&[EntryId([4; 32])].into()));
        assert!(some.due().is_some(), "one of two is still to be given");
        some.answered(&envelope, Some(&ids));
        assert_eq!(some.due(), None);
        let mut unseen = begin();
        unseen.answered(&envelope, None);
        assert_eq!(unseen.due(), None);
        let mut other = begin();
        let another = Envelope {
            request: [9; 16],
            ..envelope
        };
        other.answered(&another, None);
        assert!(other.due().is_some());
    }
}
