//! What is not as it should be, and is being seen to, in words for people.

use super::Community;
use super::restored::ROUNDS;
use crate::audit::Rejected;
use crate::entry::Refusal;
use ume_api::Trouble;

impl Community {
    /// The gravest first.
    pub(super) fn troubles(&self) -> Vec<Trouble> {
        if self.departed().is_some() || self.saved.join.is_some() {
            return vec![];
        }
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let undecided = count(self.parked.len());
        let refused = self.forged();
        let all = [
            self.watch.is_some().then_some(Trouble::KeysLost),
            self.waits_for_a_removal().then_some(Trouble::Undone),
            self.is_putting_back().then_some(Trouble::PuttingBack),
            (self.tampered > 0).then_some(Trouble::Damaged {
                count: self.tampered,
            }),
            (undecided > 0).then_some(Trouble::Undecided { count: undecided }),
            (refused > 0).then_some(Trouble::Refused { count: refused }),
        ];
        all.into_iter().flatten().collect()
    }

    pub(super) fn waits_for_a_removal(&self) -> bool {
        let watched = self.watch.as_ref();
        let outside = watched.is_some_and(|watch| self.waits_for_an_owner(&watch.chain.ledger));
        outside || self.holds_back()
    }

    fn is_putting_back(&self) -> bool {
        self.saved.recount == ROUNDS || self.is_comparing()
    }

    /// What nobody makes by accident. Who loses the right to post may have written before they knew.
    fn forged(&self) -> u32 {
        let innocent = |what: &Rejected| {
            matches!(
                what,
                Rejected::Entry(Refusal::Role | Refusal::Backdated) | Rejected::Contest(_)
            )
        };
        let forged = self.rejected.iter().filter(|(what, _)| !innocent(what));
        forged.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }
}
