//! Invites that are looked at or joined by: one visit per link, and everybody who asked about it.

use super::{Engine, FIRST_VISIT, Wanted};
use crate::community::{Community, Ctx, NewDevice, Newcomer};
use crate::link::Link;
use crate::names;
use crate::visit::{Errand, Purpose, Visit};
use ume_api::{Card, Failure, Reply};

impl Engine {
    pub(super) fn visit(
        &mut self,
        number: u32,
        link: &str,
        purpose: Purpose,
    ) -> Option<Result<Reply, Failure>> {
        let link = match Link::parse(link) {
            Ok(link) => link,
            Err(error) => return Some(Err(error.into())),
        };
        if let Err(failure) = purpose.fits(link.kind) {
            return Some(Err(failure));
        }
        let comes = purpose != Purpose::Look;
        if let (true, Some(known)) = (comes, self.member_of(&link.community)) {
            let joining = self
                .communities
                .get(&known.0)
                .is_some_and(Community::is_joining);
            if joining {
                self.wait(number, Wanted::Joined { community: known.0 });
                return None;
            }
            return Some(Ok(Reply::Community(known)));
        }
        if let (Purpose::Ask { .. }, Some(asking)) = (&purpose, self.asking_of(&link.community)) {
            return Some(Ok(Reply::Community(asking)));
        }
        let known = self
            .visits
            .iter()
            .find(|(_, visit)| visit.link == link && visit.errand.is_none())
            .map(|(owner, _)| *owner);
        let owner = known.unwrap_or_else(|| self.begin_visit(Visit::new(link)));
        if let Some(visit) = self.visits.get_mut(&owner) {
            visit.asked.push((number, purpose));
            let relay = visit
                .relay()
                .map(|relay| relay.address.clone())
                .unwrap_or_default();
            self.wait(number, Wanted::Visit { visit: owner });
            self.want(&relay);
            self.with_visit(owner, Visit::refresh);
        }
        None
    }

    pub(super) fn begin_visit(&mut self, visit: Visit) -> u32 {
        let last = self.visits.last_key_value();
        let owner = last.map_or(FIRST_VISIT, |(last, _)| last + 1);
        self.visits.insert(owner, visit);
        owner
    }

    /// A community lost its way: looks at the invite by which it came.
    pub(super) fn look_for_way_in(&mut self, number: u32) {
        self.visits
            .retain(|_, visit| visit.errand != Some(Errand::Return(number)));
        let community = self.communities.get(&number);
        if let Some(link) = community.and_then(Community::way_in) {
            let mut visit = Visit::new(link);
            visit.errand = Some(Errand::Return(number));
            let owner = self.begin_visit(visit);
            self.with_visit(owner, Visit::refresh);
        }
    }

    /// Takes a community back to where its invite leads. If it leads nowhere yet, the community looks again later.
    fn conclude_return(&mut self, owner: u32, number: u32) {
        let arrived = self.visits.get(&owner).and_then(Visit::arrived);
        if arrived.is_none() {
            return;
        }
        // A bundle from before a generation that nobody can find is no way in.
        let visit = self.visits.remove(&owner);
        let visit = visit.filter(|_| arrived == Some(true));
        let Some(ready) = visit.and_then(Visit::into_ready) else {
            return;
        };
        if let Some(relay) = self.communities.get(&number).map(Community::relay).cloned()
            && let Some(line) = self.lines.get_mut(&relay.address)
        {
            line.forget(owner);
        }
        self.with(number, |community, ctx| {
            community.begin_again(ctx, ready.watch, ready.history);
        });
    }

    pub(super) fn with_visit(&mut self, owner: u32, act: impl FnOnce(&mut Visit, &mut Ctx<'_>)) {
        let Some(mut visit) = self.visits.remove(&owner) else {
            return;
        };
        let Some(relay) = visit.relay().cloned() else {
            return;
        };
        let (asks, goes_on) = self.with_ctx(&relay, |ctx| {
            act(&mut visit, ctx);
            (std::mem::take(&mut ctx.asks), ctx.news.goes_on)
        });
        self.visits.insert(owner, visit);
        if goes_on {
            self.be_patient(owner);
        }
        self.request(&relay.address, owner, asks);
        self.conclude_visit(owner);
    }

    /// Answers whoever asked about an invite, once there is an answer.
    fn conclude_visit(&mut self, owner: u32) {
        match self.visits.get(&owner).and_then(|visit| visit.errand) {
            Some(Errand::Return(number)) => return self.conclude_return(owner, number),
            Some(Errand::LetIn(number)) => return self.conclude_answer(owner, number),
            None => {}
        }
        let name = names::random(&mut self.rng);
        let Some(visit) = self.visits.get(&owner) else {
            return;
        };
        let time = visit
            .relay()
            .map_or(self.now, |relay| self.time(&relay.address));
        let Some(visit) = self.visits.get_mut(&owner) else {
            return;
        };
        let Some(outcome) = visit.outcome(time.0, name) else {
            return;
        };
        let asked = std::mem::take(&mut visit.asked);
        let already = visit.link.community;
        let already = self
            .member_of(&already)
            .or_else(|| self.asking_of(&already));
        let (mut joining, mut asking) = (None, None);
        for (number, purpose) in asked {
            match (&outcome, purpose) {
                (Err(failure), Purpose::Look) if already.is_none() => {
                    self.answer(number, Err(*failure));
                }
                (Err(failure), Purpose::Join { .. } | Purpose::Ask { .. }) => {
                    self.answer(number, Err(*failure));
                }
                (Ok(card), Purpose::Look) => {
                    let card = Card {
                        already,
                        ..card.clone()
                    };
                    self.answer(number, Ok(Reply::Card(card)));
                }
                (Err(_), Purpose::Look) => {
                    // A member who follows an old link is not turned away.
                    let opened = already.map(Reply::Community).ok_or(Failure::NotHere);
                    self.answer(number, opened);
                }
                (Ok(_), Purpose::Join { persona }) => joining = Some((number, persona)),
                (Ok(_), Purpose::Ask { persona, note }) => asking = Some((number, persona, note)),
            }
        }
        match (joining, outcome) {
            (Some((number, persona)), Ok(_)) => self.join(number, owner, &persona),
            (None, Ok(_)) => {
                if let Some((number, persona, note)) = asking {
                    self.ask_by(number, owner, &persona, note);
                }
            }
            (_, Err(_)) => {
                self.visits.remove(&owner);
            }
        }
    }

    fn join(&mut self, number: u32, owner: u32, persona: &str) {
        let Some(visit) = self.visits.remove(&owner) else {
            return;
        };
        let Some(relay) = visit.relay().cloned() else {
            return;
        };
        if let Some(line) = self.lines.get_mut(&relay.address) {
            line.forget(owner);
        }
        let secret = visit.link.secret.clone();
        let Some(ready) = visit.into_ready() else {
            return;
        };
        let name = self.persona(persona);
        let at = relay.clone();
        let who = Newcomer {
            number: self.next_community(),
            relay,
            name,
            access: ready.access,
        };
        let community = who.number;
        let root = self.profile.root.clone();
        // Who comes in by another way no longer asks.
        let id = ready.watch.chain.ledger.community;
        self.forget_refused(&id);
        if let Some(asking) = self.asking_of(&id) {
            let _taken_back = self.take_back(asking);
        }
        let joined = self.with_ctx(&at, |ctx| {
            let device = NewDevice::in_ledger(ctx, &root, &ready.watch.chain.ledger);
            Community::join(ctx, who, device, ready.watch, secret, ready.history)
        });
        self.communities.insert(community, joined);
        self.waiting.retain(|one| one.number != number);
        self.wait(number, Wanted::Joined { community });
        self.with(community, Community::line_up);
    }

    pub(super) fn end_visit(&mut self, owner: u32, failure: Failure) {
        let asked = self
            .visits
            .remove(&owner)
            .map(|visit| visit.asked)
            .unwrap_or_default();
        for (number, _) in asked {
            self.answer(number, Err(failure));
        }
    }

    pub(super) fn fail_visits(&mut self, relay: &str, failure: Failure) {
        for owner in self.owners(relay) {
            if owner >= FIRST_VISIT {
                self.end_visit(owner, failure);
            }
        }
    }
}
