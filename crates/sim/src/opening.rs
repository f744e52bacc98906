//! How most plays begin: somebody founds a community, and others join by an open link.

use crate::stage::{Stage, go_on};
use ume_api::{CommunityRef, Failure, HistoryWindow, InviteKind, InviteTerms, PersonId, Role};

/// For anybody, at any time, with all history.
pub const OPEN: InviteTerms = InviteTerms {
    kind: InviteKind::Open,
    expires_in: None,
    max_uses: None,
    history: HistoryWindow::All,
    role: Role::Member,
};

/// A device, and a community by the number that it has there.
pub type Place = (usize, CommunityRef);

/// Who is there when a play begins.
pub struct Opening {
    /// The link that the guests came by; its terms are [`OPEN`].
    pub link: String,
    /// Who founded the community.
    pub owner: Place,
    /// Those who joined, in this order.
    pub guests: Vec<Place>,
}

impl Stage {
    /// A stage with a community of an owner and some guests, all there. The seed is as in [`Stage::new`].
    ///
    /// # Panics
    /// If that does not work.
    pub fn opened(seed: u8, guests: usize) -> (Self, Opening) {
        let mut stage = Self::new(seed);
        let owner = stage.device(0);
        let community = stage.found(owner);
        let link = stage.share(owner, community, OPEN);
        let guests = (0..guests).map(|_| {
            let guest = stage.guest(&link);
            go_on(guest.map_err(|failure| failure.to_string()))
        });
        let guests = guests.collect();
        let owner = (owner, community);
        let opening = Opening {
            link,
            owner,
            guests,
        };
        (stage, opening)
    }

    /// Somebody new joins by a link, and five seconds pass.
    ///
    /// # Errors
    /// The engine's.
    pub fn guest(&mut self, link: &str) -> Result<Place, Failure> {
        let device = self.device(0);
        let community = self.join(device, link)?;
        self.run(5_000);
        Ok((device, community))
    }

    /// Who somebody is in their community.
    ///
    /// # Panics
    /// If they are not in it.
    pub fn person(&mut self, (device, community): Place) -> PersonId {
        let members = self.members(device, community);
        let me = members.iter().find(|one| one.person.me);
        go_on(
            me.map(|one| one.person.id)
                .ok_or_else(|| "not in it".into()),
        )
    }
}
