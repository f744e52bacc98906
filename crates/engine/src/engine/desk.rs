//! Commands about what a person keeps to themselves: how far they have read, and what they are writing.

use super::Engine;
use crate::community::{Community, Ctx};
use ume_api::{Command, CommunityRef, Failure, Reply};

impl Engine {
    pub(super) fn desk(&mut self, command: Command) -> Result<Reply, Failure> {
        match command {
            Command::Saw { community, upto } => {
                self.at_desk(community, |found, _| found.saw(&upto))
            }
            Command::SawAll { community } => self.at_desk(community, |found, _| {
                found.saw_all();
                Ok(())
            }),
            Command::Mute { community, on } => self.at_desk(community, |found, _| {
                found.mute(on);
                Ok(())
            }),
            Command::Keep {
                community,
                place,
                text,
            } => self.at_desk(community, |found, ctx| found.keep_draft(ctx, place, text)),
            Command::Draft { community, place } => {
                let found = self.communities.get(&community.0);
                let draft = found.map(|found| found.draft(place));
                Ok(Reply::Draft(draft.unwrap_or_default()))
            }
            _ => Err(Failure::Internal),
        }
    }

    fn at_desk(
        &mut self,
        community: CommunityRef,
        act: impl FnOnce(&mut Community, &mut Ctx<'_>) -> Result<(), Failure>,
    ) -> Result<Reply, Failure> {
        let done = self.with(community.0, act).ok_or(Failure::NotHere)?;
        done.map(|()| Reply::Done)
    }
}
