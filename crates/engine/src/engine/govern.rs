//! Commands about how a community is run: who is in it, and what changes by its ledger.

use super::{Engine, Wanted};
use crate::community::Community;
use ume_api::{Act, CommunityRef, Failure, Reply};

impl Engine {
    pub(super) fn members(&self, community: CommunityRef) -> Result<Reply, Failure> {
        let found = self.communities.get(&community.0);
        found
            .map(|found| Reply::Members(found.members()))
            .ok_or(Failure::NotHere)
    }

    pub(super) fn former(&self, community: CommunityRef) -> Result<Reply, Failure> {
        let found = self.communities.get(&community.0);
        found
            .map(|found| Reply::Former(found.former()))
            .ok_or(Failure::NotHere)
    }

    pub(super) fn invites(&self, community: CommunityRef) -> Result<Reply, Failure> {
        let found = self.communities.get(&community.0).ok_or(Failure::NotHere)?;
        let time = self.time(&found.relay().address);
        Ok(Reply::Invites(found.invite_list(time)))
    }

    /// Erases a community that this profile is out of.
    pub(super) fn forget(&mut self, community: CommunityRef) -> Result<Reply, Failure> {
        let asking = self.askings.get(&community.0);
        if asking.is_some_and(|one| !one.waits()) && !self.communities.contains_key(&community.0) {
            self.end_asking(community.0);
            return Ok(Reply::Done);
        }
        let found = self.communities.get(&community.0).ok_or(Failure::NotHere)?;
        if found.departed().is_none() {
            return Err(Failure::NotAllowed);
        }
        let relay = found.relay().clone();
        if let Some(mut gone) = self.communities.remove(&community.0) {
            self.abandon_reads(&gone);
            self.with_ctx(&relay, |ctx| gone.erase(ctx));
        }
        Ok(Reply::Done)
    }

    pub(super) fn govern(
        &mut self,
        number: u32,
        community: CommunityRef,
        act: Act,
    ) -> Option<Result<Reply, Failure>> {
        let found = self.communities.get(&community.0);
        if found.is_none_or(Community::is_joining) {
            return Some(Err(Failure::NotHere));
        }
        match self.with(community.0, |community, ctx| community.govern(ctx, act))? {
            Ok(wish) => {
                let community = community.0;
                self.wait(number, Wanted::Done { community, wish });
                None
            }
            Err(failure) => Some(Err(failure)),
        }
    }

    /// Answers whoever asked for what has happened, or never will.
    pub(super) fn answer_wishes(&mut self, number: u32, wishes: Vec<(u32, Result<(), Failure>)>) {
        for (wish, result) in wishes {
            let answered = |what: &Wanted| match what {
                Wanted::Done {
                    community,
                    wish: one,
                } => (*community, *one) == (number, wish),
                // The link follows when the invite's bundle is at the relay.
                Wanted::Link {
                    community,
                    wish: one,
                    ..
                } => result.is_err() && (*community, *one) == (number, wish),
                _ => false,
            };
            let askers = self.waiting.iter().filter(|one| answered(&one.what));
            let askers: Vec<u32> = askers.map(|one| one.number).collect();
            for asker in askers {
                self.answer(asker, result.map(|()| Reply::Done));
            }
        }
    }
}
