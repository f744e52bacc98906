//! Those whom this profile asks to let it in: begun by a visit to a private invite, and ended by coming in, by an answer,
//! or by taking it back.

use super::{Engine, FIRST_ASKING, Told};
use crate::asking::{Asking, Words};
use crate::community::{Community, Ctx, Newcomer};
use crate::visit::{Errand, Visit};
use ume_api::{CommunityRef, Failure, Notice, Refusal, Reply};
use ume_wire::auth::Hash;

impl Engine {
    /// The asking that waits at a community.
    pub(super) fn asking_of(&self, community: &Hash) -> Option<CommunityRef> {
        let mut askings = self.askings.iter();
        let found = askings.find(|(_, one)| one.community() == *community && one.waits());
        found.map(|(number, _)| CommunityRef(*number))
    }

    /// Begins to ask by the card that a visit found.
    pub(super) fn ask_by(&mut self, number: u32, owner: u32, persona: &str, note: String) {
        let Some(visit) = self.visits.remove(&owner) else {
            return;
        };
        let Some(relay) = visit.relay().cloned() else {
            return;
        };
        if let Some(line) = self.lines.get_mut(&relay.address) {
            line.forget(owner);
        }
        let link = visit.link.clone();
        let Some(card) = visit.into_card() else {
            return;
        };
        self.forget_refused(&link.community);
        let name = self.persona(persona);
        let community = self.next_community();
        let root = self.profile.root.clone();
        let words = Words { name, note };
        let begun = self.with_ctx(&relay, |ctx| {
            Asking::begin(ctx, &root, community, &link, &card, words)
        });
        let Some(asking) = begun else {
            self.answer(number, Err(Failure::InviteForged));
            return;
        };
        self.askings.insert(community, asking);
        self.with_asking(community, Asking::line_up);
        self.answer(number, Ok(Reply::Community(CommunityRef(community))));
    }

    /// Who asks again, or comes in by another way, no longer looks at an old no.
    pub(super) fn forget_refused(&mut self, community: &Hash) {
        let refused = self.askings.iter().filter(|(number, one)| {
            let joining = self.communities.contains_key(number);
            one.community() == *community && one.view().is_some() && !one.waits() && !joining
        });
        let refused: Vec<u32> = refused.map(|(number, _)| *number).collect();
        for number in refused {
            self.end_asking(number);
        }
    }

    pub(super) fn with_asking(&mut self, number: u32, act: impl FnOnce(&mut Asking, &mut Ctx<'_>)) {
        let Some(mut asking) = self.askings.remove(&number) else {
            return;
        };
        let relay = asking.relay().clone();
        let asks = self.with_ctx(&relay, |ctx| {
            act(&mut asking, ctx);
            asking.flush(ctx);
            std::mem::take(&mut ctx.asks)
        });
        let over = asking.is_over();
        self.askings.insert(number, asking);
        if over {
            self.end_asking(number);
        } else {
            self.request(&relay.address, FIRST_ASKING + number, asks);
            self.go_in(number);
        }
    }

    /// Follows an answer that says yes, unless that is under way.
    fn go_in(&mut self, number: u32) {
        let visiting = |visit: &Visit| visit.errand == Some(Errand::LetIn(number));
        if self.communities.contains_key(&number) || self.visits.values().any(visiting) {
            return;
        }
        let Some(asking) = self.askings.get_mut(&number) else {
            return;
        };
        let Some(bundle) = asking.take_bundle() else {
            return;
        };
        match Visit::by_answer(asking.link(), &bundle, number) {
            Ok(visit) => {
                let owner = self.begin_visit(visit);
                self.with_visit(owner, Visit::refresh);
            }
            Err(_) => self.distrust(number),
        }
    }

    /// An answer that does not verify leads nowhere; perhaps another one comes.
    fn distrust(&mut self, number: u32) {
        let now = self.now;
        if let Some(asking) = self.askings.get_mut(&number) {
            asking.try_again(now);
        }
        self.tell(Told::Notice(Notice::AnswerForged {
            community: CommunityRef(number),
        }));
    }

    /// The answer's bundle and the records since have been read.
    pub(super) fn conclude_answer(&mut self, owner: u32, number: u32) {
        if self.visits.get(&owner).and_then(Visit::arrived).is_none() {
            return;
        }
        let Some(visit) = self.visits.remove(&owner) else {
            return;
        };
        let arrived = visit.arrived() == Some(true);
        let (now, ready) = (self.now, visit.into_ready().filter(|_| arrived));
        let Some(asking) = self.askings.get_mut(&number).filter(|one| one.waits()) else {
            return;
        };
        let relay = asking.relay().clone();
        if let Some(line) = self.lines.get_mut(&relay.address) {
            line.forget(owner);
        }
        let Some(ready) = ready else {
            // Its generation is over; whoever said yes makes another.
            asking.try_again(now);
            return;
        };
        match asking.is_let_in(&ready.watch.chain.ledger) {
            Ok(true) => {}
            Ok(false) => return asking.try_again(now),
            Err(_) => return self.distrust(number),
        }
        let (device, invite) = (asking.device(), asking.link().secret);
        let who = Newcomer {
            number,
            relay: relay.clone(),
            name: asking.name().to_owned(),
            access: ready.access,
        };
        let joined = self.with_ctx(&relay, |ctx| {
            Community::join(ctx, who, device, ready.watch, invite, ready.history)
        });
        self.communities.insert(number, joined);
        self.with(number, Community::line_up);
    }

    /// How coming in by an answer ended. If it cannot be, the asking goes on, or ends as well.
    pub(super) fn came_in(&mut self, number: u32, result: Result<(), Failure>) {
        if !self.askings.contains_key(&number) {
            return;
        }
        let now = self.now;
        match result {
            Ok(()) => self.end_asking(number),
            Err(Failure::InviteWithdrawn) => {
                self.with_asking(number, |asking, _| asking.refuse(Refusal::Withdrawn));
            }
            Err(_) => self.with_asking(number, |asking, _| asking.try_again(now)),
        }
    }

    /// Takes an asking back. Whoever was let in meanwhile, and is on the way in, comes in.
    pub(super) fn take_back(&mut self, community: CommunityRef) -> Result<Reply, Failure> {
        let asking = self.askings.get(&community.0);
        if !asking.is_some_and(Asking::waits) {
            return Err(Failure::NotHere);
        }
        if self.communities.contains_key(&community.0) {
            return Err(Failure::AlreadySo);
        }
        self.visits
            .retain(|_, visit| visit.errand != Some(Errand::LetIn(community.0)));
        self.with_asking(community.0, Asking::take_back);
        Ok(Reply::Done)
    }

    /// Nothing of an asking stays.
    pub(super) fn end_asking(&mut self, number: u32) {
        let Some(asking) = self.askings.remove(&number) else {
            return;
        };
        let relay = asking.relay().clone();
        self.with_ctx(&relay, |ctx| asking.erase(ctx));
        if let Some(line) = self.lines.get_mut(&relay.address) {
            line.forget(FIRST_ASKING + number);
        }
    }
}
