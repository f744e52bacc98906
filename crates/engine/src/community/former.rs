//! Those who are no longer in.

use super::Community;
use ume_api::{Departure, FormerView};

impl Community {
    /// Everybody who left or was taken out, by name.
    pub(crate) fn former(&self) -> Vec<FormerView> {
        let ledger = &self.chain.ledger;
        let mut former: Vec<_> = ledger
            .former
            .keys()
            .map(|persona| FormerView {
                person: self.person(persona),
                now: ledger
                    .recovery_from(persona)
                    .map(|one| self.person(&one.new)),
                contested: ledger
                    .recovery_from(persona)
                    .is_some_and(|one| one.contested),
                how: if ledger.banned.contains(persona) {
                    Departure::Banned
                } else if ledger.left.contains(persona) {
                    Departure::Left
                } else {
                    Departure::Removed
                },
            })
            .collect();
        former.sort_by_cached_key(|one| (one.person.name.to_lowercase(), one.person.id));
        former
    }
}
