//! Those who ask to come in by a private invite: their requests are read from the invites' request lanes by every device
//! whose person may answer, and what they were answered is put into the lanes in which they look for it.
//!
//! The lanes are the memory: requests are read anew by every start, and only what was said is stored.

use super::outbox::{Out, Sealed, What};
use super::slots::Place;
use super::watch::Watch;
use super::{Community, Ctx, Intent, LogReader, Tag, generation, mark};
use crate::audit::Rejected;
use crate::cell;
use crate::io::Millis;
use crate::keys::{LaneKeys, answer_lane, request_lane};
use crate::ledger::{Invite, LedgerError};
use crate::line::Request as Ask;
use crate::proto::{self, answer::Body};
use crate::request::{ANSWER, REQUEST, Request, ended, open_request, refusal_number};
use prost::Message;
use std::collections::BTreeMap;
use ume_api::{Act, HistoryWindow, InviteId, Person, PersonId, Refusal, RequestId, RequestView};
use ume_wire::auth::Hash;
use ume_wire::relay::LaneNew;

/// Private invites that have ended and whose lanes are still read: who has an old card may still ask.
const ENDED_MAX: usize = 64;
/// Requests by one invite that are looked at: a holder of the link could ask without end.
const REQUESTS_MAX: usize = 64;
/// Who was answered and did not come in for this long is told by others than whoever answered, milliseconds.
const LATE_MS: u64 = 5 * 60_000;
/// A bundle is made anew when the group is this many slots past it.
const SLOTS_PER_BUNDLE: u64 = 32;

/// The request lane of an invite, and what was found there.
#[derive(Debug)]
pub(super) struct Asked {
    reader: LogReader,
    new: LaneNew,
    requests: BTreeMap<Hash, Request>,
}

/// What an asker was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Told {
    /// How to come in, by a bundle that reaches to this place.
    Bundle(Place),
    Refused(Refusal),
}

/// What the people of a community ask, as this device sees it.
#[derive(Debug, Default)]
pub(super) struct Requests {
    lanes: BTreeMap<Hash, Asked>,
    /// Invite and request of those who wait for an answer.
    open: Vec<(Hash, Hash)>,
    /// Counts changes of the above.
    changes: u32,
    /// Since when this device has known that somebody is answered and not in.
    late: BTreeMap<Hash, Millis>,
}

impl Requests {
    pub(super) fn readers(&self) -> impl Iterator<Item = &LogReader> {
        self.lanes.values().map(|asked| &asked.reader)
    }

    pub(super) fn readers_mut(&mut self) -> impl Iterator<Item = &mut LogReader> {
        self.lanes.values_mut().map(|asked| &mut asked.reader)
    }

    pub(super) fn waiting(&self) -> u32 {
        u32::try_from(self.open.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn changes(&self) -> u32 {
        self.changes
    }
}

impl Community {
    /// Reads who asks, and tells those who are answered.
    pub(super) fn advance_requests(&mut self, ctx: &mut Ctx<'_>) {
        if !self.is_synced() {
            return;
        }
        self.follow_requests(ctx.time);
        let invites: Vec<Hash> = self.requests.lanes.keys().copied().collect();
        for invite in invites {
            self.read_requests(ctx, &invite);
        }
        self.note_late(ctx.now);
        self.tell_askers(ctx);
        let open = self.unanswered(ctx.time);
        if open != self.requests.open {
            self.requests.open = open;
            self.requests.changes = self.requests.changes.wrapping_add(1);
            ctx.news.view = true;
        }
    }

    /// Looks at the lanes of the private invites that this person may answer, and at no others.
    fn follow_requests(&mut self, time: Millis) {
        let ledger = &self.chain.ledger;
        let mut private: Vec<(&Hash, &Invite)> = ledger
            .invites
            .iter()
            .filter(|(_, invite)| invite.private.is_some())
            .filter(|(_, invite)| ledger.may_answer(&self.saved.persona, invite))
            .collect();
        private.sort_by_key(|(_, invite)| std::cmp::Reverse(invite.point));
        let mut dead = 0;
        private.retain(|(id, _)| {
            let alive = ledger.usable(id, time.0).is_ok();
            dead += usize::from(!alive);
            alive || dead <= ENDED_MAX
        });
        let relay = self.saved.relay.id;
        let lanes = &mut self.requests.lanes;
        lanes.retain(|id, _| private.iter().any(|(one, _)| *one == id));
        for (id, invite) in private {
            let Some(private) = invite.private.as_ref() else {
                continue;
            };
            lanes.entry(*id).or_insert_with(|| {
                let lane = request_lane(&private.requests, &private.writer, &relay);
                Asked {
                    reader: LogReader::new(lane.keys, 1),
                    new: lane.new,
                    requests: BTreeMap::new(),
                }
            });
        }
    }

    fn read_requests(&mut self, ctx: &mut Ctx<'_>, invite: &Hash) {
        let Some(asked) = self.requests.lanes.get_mut(invite) else {
            return;
        };
        let (messages, ask) = asked.reader.take();
        let (lane, tampered) = (asked.reader.id(), asked.reader.tampered);
        ctx.ask(Tag::Read(lane), ask);
        let follow = self.follow_request_lane(ctx, invite);
        ctx.ask(Tag::Read(lane), follow);
        self.count_tampered(ctx, tampered);
        for message in messages.into_iter().filter(|one| one.kind == REQUEST) {
            self.take_request(invite, &message.bytes);
        }
    }

    fn follow_request_lane(&mut self, ctx: &mut Ctx<'_>, invite: &Hash) -> Option<Ask> {
        let asked = self.requests.lanes.get(invite)?;
        let (lane, new) = (asked.reader.id(), asked.new.clone());
        if !self.ensure_lane(ctx, lane, || new) {
            return None;
        }
        let reader = &mut self.requests.lanes.get_mut(invite)?.reader;
        reader.follow().or_else(|| {
            if reader.is_caught_up() {
                None
            } else {
                reader.read()
            }
        })
    }

    fn take_request(&mut self, id: &Hash, bytes: &[u8]) {
        let ledger = &self.chain.ledger;
        let community = ledger.community;
        let (Some(invite), Some(suite)) =
            (ledger.invites.get(id), generation::suite(&ledger.genesis))
        else {
            return;
        };
        // What is not for this device is for others who may answer, or was asked before this one could.
        let Some(opened) = open_request(suite, &community, id, &self.saved.leaf, bytes) else {
            return;
        };
        match Request::verify(&community, id, invite, &opened) {
            Ok(request) => {
                if let Some(asked) = self.requests.lanes.get_mut(id) {
                    asked.take(request);
                }
            }
            Err(error) => self.reject(Rejected::Request(error)),
        }
    }

    /// A request that is known and not taken back.
    pub(super) fn requested(&self, invite: &Hash, request: &Hash) -> Option<&Request> {
        let request = self.requests.lanes.get(invite)?.requests.get(request)?;
        (!request.withdrawn).then_some(request)
    }

    fn unanswered(&self, time: Millis) -> Vec<(Hash, Hash)> {
        let ledger = &self.chain.ledger;
        let mut open = vec![];
        for (id, asked) in &self.requests.lanes {
            let Ok(invite) = ledger.usable(id, time.0) else {
                continue;
            };
            let answers = invite.private.as_ref().map(|private| &private.answers);
            let waits = |request: &&Request| {
                !request.withdrawn && answers.is_some_and(|known| !known.contains_key(&request.id))
            };
            let waiting = asked.requests.values().filter(waits);
            open.extend(waiting.map(|request| (*id, request.id)));
        }
        open
    }

    /// Those who wait for an answer, as the app shows them.
    pub(crate) fn request_list(&self) -> Vec<RequestView> {
        let shown = self.requests.open.iter().filter_map(|(id, request)| {
            let (invite, one) = (
                self.chain.ledger.invites.get(id)?,
                self.requested(id, request)?,
            );
            Some(RequestView {
                id: RequestId(one.id),
                invite: InviteId(*id),
                issuer: self.person(&invite.issuer),
                person: Person {
                    id: PersonId(one.persona),
                    name: one.name.clone(),
                    mark: mark(&one.persona),
                    picture: None,
                    me: false,
                },
                note: one.note.clone(),
            })
        });
        shown.collect()
    }

    /// Seals answers to those who are answered and do not know it yet.
    fn tell_askers(&mut self, ctx: &mut Ctx<'_>) {
        for (key, request) in self.outs_to_nobody() {
            self.erase_out(ctx, key);
            self.saved_changed |= self.saved.told.remove(&request).is_some();
        }
        let owed = self.owed(ctx, self.chain.place());
        let points = owed.iter().filter_map(|(invite, request, told)| {
            let is_yes = matches!(told, Told::Bundle(_));
            is_yes.then(|| self.answered_at(invite, request))?
        });
        // Who comes in does so by what lies at the relay already.
        let drafted = (points.max()).and_then(|newest| self.drafted(ctx, newest));
        for (invite, request, told) in owed {
            let (told, snapshot) = match (told, &drafted) {
                (Told::Refused(_), _) => (told, None),
                (Told::Bundle(_), Some((snapshot, at))) => (Told::Bundle(*at), Some(snapshot)),
                (Told::Bundle(_), None) => continue,
            };
            let Some(sealed) = self.seal_answer(&invite, &request, (told, snapshot), ctx) else {
                continue;
            };
            self.saved.told.insert(request, told);
            self.saved_changed = true;
            let what = What::Answer { invite, request };
            // An answer that has not left yet is overtaken by this one.
            for key in self.outs_of(&what) {
                self.erase_out(ctx, key);
            }
            self.put_out(ctx, Out::new(what, Some(sealed)));
        }
    }

    /// The statement that answered a request.
    fn answered_at(&self, invite: &Hash, request: &Hash) -> Option<u32> {
        let invite = self.chain.ledger.invites.get(invite)?;
        let answers = &invite.private.as_ref()?.answers;
        answers.get(request).map(|answered| answered.point)
    }

    fn note_late(&mut self, now: Millis) {
        let ledger = &self.chain.ledger;
        let Requests { lanes, late, .. } = &mut self.requests;
        for (id, asked) in lanes {
            let invite = ledger.invites.get(id);
            let Some(private) = invite.and_then(|invite| invite.private.as_ref()) else {
                continue;
            };
            let out = |one: &&Request| ledger.persona_of(&one.leaf).is_none();
            let told = |one: &&Request| private.answers.contains_key(&one.id);
            for request in asked.requests.values().filter(out).filter(told) {
                late.entry(request.id).or_insert(now);
            }
        }
    }

    /// Answers in the outbox to people who are in by now, whose invite this device no longer looks at, or whose request the
    /// relay has forgotten: they ask again when they are there, and are told anew.
    fn outs_to_nobody(&self) -> Vec<(u64, Hash)> {
        let over = |what: What| match what {
            What::Answer { invite, request } => {
                let over = match self.requests.lanes.get(&invite) {
                    None => true,
                    Some(asked) => match asked.requests.get(&request) {
                        Some(one) => self.chain.ledger.persona_of(&one.leaf).is_some(),
                        None => asked.reader.is_caught_up(),
                    },
                };
                over.then_some(request)
            }
            _ => None,
        };
        let outs = self.outbox.iter();
        outs.filter_map(|(key, out)| Some((*key, over(out.what)?)))
            .collect()
    }

    fn owed(&self, ctx: &Ctx<'_>, (generation, slot): Place) -> Vec<(Hash, Hash, Told)> {
        let mut owed = vec![];
        for (id, asked) in &self.requests.lanes {
            for request in asked.requests.values().filter(|one| !one.withdrawn) {
                let due = self.verdict(id, request, ctx);
                let told = self.saved.told.get(&request.id);
                let due = due.filter(|due| match (due, told) {
                    (Told::Bundle(_), Some(Told::Bundle((of, at)))) => {
                        *of != generation || slot >= at.saturating_add(SLOTS_PER_BUNDLE)
                    }
                    (Told::Refused(due), Some(Told::Refused(told))) => due != told,
                    _ => true,
                });
                owed.extend(due.map(|due| (*id, request.id, due)));
            }
        }
        owed
    }

    /// What this device has to tell somebody who asks. Whoever said yes or no tells; if they may not do so any more, or do not
    /// do it, everybody who may. That an invite has ended, everybody tells as well: whoever ended it may not be able to.
    fn verdict(&self, id: &Hash, request: &Request, ctx: &Ctx<'_>) -> Option<Told> {
        let ledger = &self.chain.ledger;
        if ledger.persona_of(&request.leaf).is_some() {
            return None;
        }
        let invite = ledger.invites.get(id)?;
        let answered = invite.private.as_ref()?.answers.get(&request.id);
        let me = &self.saved.persona;
        let late = self.requests.late.get(&request.id);
        let late = late.is_some_and(|since| since.plus(LATE_MS) <= ctx.now);
        let mine = answered
            .is_some_and(|one| late || one.by == *me || !ledger.may_answer(&one.by, invite));
        let usable = ledger.usable(id, ctx.time.0);
        match (answered, usable) {
            (Some(answered), _) if !answered.yes => {
                mine.then_some(Told::Refused(Refusal::Declined))
            }
            (Some(_), Err(LedgerError::InviteWithdrawn)) => Some(Told::Refused(Refusal::Withdrawn)),
            (Some(_), _) => mine.then(|| Told::Bundle(self.chain.place())),
            (None, Ok(_)) => None,
            (None, Err(error)) => Some(Told::Refused(ended(error))),
        }
    }

    fn seal_answer(
        &self,
        id: &Hash,
        request: &Hash,
        (told, snapshot): (Told, Option<&proto::JoinBundle>),
        ctx: &mut Ctx<'_>,
    ) -> Option<Sealed> {
        let ledger = &self.chain.ledger;
        let suite = generation::suite(&ledger.genesis)?;
        let body = match told {
            Told::Bundle(_) => {
                let bundle = self.bundle_for(id, snapshot?)?;
                #[cfg(feature = "unruly")]
                let bundle = if self.unruly.misleads {
                    crate::unruly::mislead(bundle)
                } else {
                    bundle
                };
                Body::Bundle(bundle.encode_to_vec())
            }
            Told::Refused(refusal) => Body::Refusal(refusal_number(refusal)),
        };
        let request = self.requested(id, request)?;
        let message = request.seal_answer(suite, &ledger.community, id, body)?;
        let lane = answer_lane(&request.answer, &self.saved.relay.id).keys;
        let cells = cell::seal(&lane, ANSWER, &message, ctx.rng).ok()?;
        Some(Sealed::new(self.chain.slot, &cells))
    }

    /// What lets in somebody who was said yes to: as an open invite's bundle, with the history that the invite grants, as far
    /// as this member has it.
    fn bundle_for(&self, id: &Hash, snapshot: &proto::JoinBundle) -> Option<proto::JoinBundle> {
        let invite = self.chain.ledger.invites.get(id)?;
        let first_day = invite.private.as_ref()?.first_day;
        let history = match invite.window {
            HistoryWindow::None => vec![],
            HistoryWindow::Days(_) | HistoryWindow::All => self.granted(first_day),
        };
        let access = self.access();
        Some(proto::JoinBundle {
            history,
            inviter: invite.issuer.to_vec(),
            access: access.map(|key| key.bytes().to_vec()).unwrap_or_default(),
            ..snapshot.clone()
        })
    }

    /// Answers of this person that only the forgotten records knew.
    pub(super) fn answer_again(&mut self, watch: &Watch) {
        let mut lost = vec![];
        for (id, invite) in &self.chain.ledger.invites {
            let known = watch.chain.ledger.invites.get(id);
            let known = known.and_then(|invite| invite.private.as_ref());
            let mine = invite.private.iter().flat_map(|private| &private.answers);
            let mine = mine.filter(|(_, answered)| answered.by == self.saved.persona);
            for (request, answered) in mine {
                if known.is_none_or(|known| !known.answers.contains_key(request)) {
                    lost.push(Act::AnswerRequest {
                        invite: InviteId(*id),
                        request: RequestId(*request),
                        yes: answered.yes,
                    });
                }
            }
        }
        for act in lost {
            self.intend(Intent::Govern(act));
        }
    }

    /// The lane of an answer, once it is known who asked.
    pub(super) fn answer_lane(&self, invite: &Hash, request: &Hash) -> Option<(LaneKeys, LaneNew)> {
        let request = self.requests.lanes.get(invite)?.requests.get(request)?;
        let lane = answer_lane(&request.answer, &self.saved.relay.id);
        Some((lane.keys, lane.new))
    }
}

impl Asked {
    /// Takes a request, or that it is taken back. What comes again changes nothing.
    fn take(&mut self, request: Request) {
        let room = self.requests.len() < REQUESTS_MAX;
        match self.requests.get_mut(&request.id) {
            Some(known) => known.withdrawn |= request.withdrawn,
            None if room => {
                self.requests.insert(request.id, request);
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests;
