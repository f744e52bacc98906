//! Whether an entry stands: its author might post when they wrote it, and did write it then.
//!
//! The verdict depends on the ledger and on the entries of the same device only, so all members come to the same one,
//! in whatever order things reach them.

use super::{Entry, Kind};
use crate::ledger::Ledger;
use ume_api::EntryId;

/// The verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Stands,
    /// The author's admission, or an entry that decides, is still to come.
    Undecided,
    Refused(Refusal),
}

/// Why an entry does not stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// The device belongs to another person than the author.
    #[error("the device is somebody else's")]
    Author,
    /// The author had not the right at the point at which they say to have written.
    #[error("the author might not post")]
    Role,
    /// The author says to have written before they lost the right, and who took it knows of no such entry.
    #[error("not written before the author lost the right to post")]
    Backdated,
    /// The post was not the author's to edit or take back.
    #[error("the post is not the author's to change")]
    Foreign,
}

/// Judges an entry whose signature holds. `ancestor` walks a device's chain back from an entry with a number, and gives
/// the id of the one with a lower number, as far as the chain is known.
pub(crate) fn judge(
    entry: &Entry,
    ledger: &Ledger,
    ancestor: impl FnOnce((u64, EntryId), u64) -> Option<EntryId>,
) -> Standing {
    match ledger.persona_of(&entry.leaf) {
        Some(persona) if *persona != entry.author => return Standing::Refused(Refusal::Author),
        Some(_) if entry.ledger <= ledger.len() => {}
        _ => return Standing::Undecided,
    }
    // Who may no longer post can still take back what they wrote, look as they like, and keep what is old.
    let might = match entry.kind {
        Kind::Post | Kind::Edit(_) | Kind::Reaction(_) | Kind::Comment(_) => {
            ledger.might_post(&entry.author, entry.ledger)
        }
        // Nobody knows what more a kind of a later version asks for.
        Kind::Unpublish(_) | Kind::Portrait | Kind::Pack | Kind::Other { .. } => {
            ledger.role_at(&entry.author, entry.ledger).is_some()
        }
    };
    // Whoever came back did so with another device.
    if !might
        || ledger
            .end_of(&entry.leaf)
            .is_some_and(|end| entry.ledger >= end)
    {
        return Standing::Refused(Refusal::Role);
    }
    let cuts = ledger.cuts(&entry.leaf);
    let later = cuts.partition_point(|cut| cut.point <= entry.ledger);
    let before = later.checked_sub(1).and_then(|at| cuts.get(at));
    let backdated = Standing::Refused(Refusal::Backdated);
    // After a cut the device goes on from where it was cut.
    if before.is_some_and(|cut| cut.last.is_some_and(|(seq, _)| entry.seq <= seq)) {
        return backdated;
    }
    let Some(cut) = cuts.get(later) else {
        return Standing::Stands;
    };
    match cut.last {
        Some(last) if entry.seq <= last.0 => match ancestor(last, entry.seq) {
            Some(id) if id == entry.id => Standing::Stands,
            Some(_) => backdated,
            None => Standing::Undecided,
        },
        _ => backdated,
    }
}

#[cfg(test)]
mod tests;
