//! Entries as they come in, from whichever lane, and what becomes of those here when somebody loses a right.

use super::outbox::What;
use super::posts::EntryRow;
use super::{Community, Ctx, Kept};
use crate::audit::Rejected;
use crate::entry::{self, Entry, Kind, Standing};
use crate::io::{Key, Table};
use crate::proto;
use ume_api::EntryId;
use ume_wire::auth::Hash;

/// Entries kept until what decides about them is known.
const PARKED_MAX: usize = 4096;

impl Community {
    /// Takes an entry from wherever it came.
    pub(super) fn receive(&mut self, ctx: &mut Ctx<'_>, written: &proto::Written) {
        let Some(id) = entry::id(written) else {
            return;
        };
        if let Some(known) = self.feed.get(&id) {
            let lacks = known.entry.is_bare() && !known.entry.has_ended();
            if lacks && !written.body.is_empty() {
                self.fill(ctx, written);
            }
            return;
        }
        if self.parked.contains_key(&id) {
            return;
        }
        match entry::verify(written, &self.chain.ledger.community) {
            Ok(entry) => self.receive_sound(ctx, entry),
            Err(error) => self.reject(Rejected::Unsound(error)),
        }
    }

    /// Takes an entry that is not here and whose signature holds.
    pub(super) fn receive_sound(&mut self, ctx: &mut Ctx<'_>, mut entry: Entry) {
        // Its text may still be shown: whoever has it is waited for.
        if self.lacks_its_text(ctx, &entry) {
            return;
        }
        if entry.is_over(ctx.time.0) {
            entry.erase();
        }
        let leaf = entry.leaf;
        if self.admit_entry(ctx, entry) {
            self.retry_parked(ctx, |waiting| waiting.leaf == leaf);
        }
    }

    /// Whether what lasts for a time came without its text before that was over, and nobody took it back.
    fn lacks_its_text(&self, ctx: &Ctx<'_>, entry: &Entry) -> bool {
        let taken_back = |one: &Entry| matches!(one.kind, Kind::Unpublish(_));
        entry.has_ended()
            && !entry.is_over(ctx.time.0)
            && !self
                .feed
                .about(&entry.kind.target().unwrap_or(entry.id))
                .any(taken_back)
    }

    /// Keeps an entry if it stands; whether it does.
    fn admit_entry(&mut self, ctx: &mut Ctx<'_>, entry: Entry) -> bool {
        match self.standing(&entry) {
            Standing::Stands => {
                let own = entry.leaf == self.leaf_public();
                let kept = Kept {
                    entry,
                    waiting: false,
                    own,
                    refused: false,
                };
                self.keep(ctx, kept);
                true
            }
            Standing::Undecided => {
                if self.parked.len() < PARKED_MAX {
                    self.parked.insert(entry.id, entry);
                }
                false
            }
            Standing::Refused(refusal) => {
                self.reject(Rejected::Entry(refusal));
                self.feed.never(entry.id);
                self.missing_changed = true;
                self.give_up(ctx, entry);
                false
            }
        }
    }

    pub(super) fn standing(&mut self, entry: &Entry) -> Standing {
        let feed = &mut self.feed;
        entry::judge(entry, &self.chain.ledger, |from, seq| {
            feed.ancestor(from, seq)
        })
    }

    /// An entry that was set aside and does not stand. If it was written here, its author keeps it, marked.
    fn give_up(&mut self, ctx: &mut Ctx<'_>, entry: Entry) {
        let outs = self.outs_of(&What::Entry(entry.id));
        if outs.is_empty() {
            return;
        }
        for out in outs {
            self.erase_out(ctx, out);
        }
        let kept = Kept {
            entry,
            waiting: false,
            own: true,
            refused: true,
        };
        self.keep(ctx, kept);
    }

    /// Looks again at entries about which nothing could be said.
    pub(super) fn retry_parked(&mut self, ctx: &mut Ctx<'_>, which: impl Fn(&Entry) -> bool) {
        let mut again: Vec<Entry> = Vec::new();
        self.parked.retain(|_, entry| {
            let take = which(entry);
            if take {
                again.push(entry.clone());
            }
            !take
        });
        // Later ones first: they decide about those before them.
        again.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.seq));
        for entry in again {
            self.admit_entry(ctx, entry);
        }
    }

    /// Judges again what is here of devices whose right to post ended after a point of the ledger.
    pub(super) fn recheck(&mut self, ctx: &mut Ctx<'_>, since: u32) {
        for (leaf, last) in self.chain.ledger.cut_since(since) {
            if let Some(last) = last {
                self.feed.expect(&leaf, last);
            }
            self.recheck_leaf(ctx, &leaf);
        }
        self.missing_changed = true;
    }

    fn recheck_leaf(&mut self, ctx: &mut Ctx<'_>, leaf: &Hash) {
        let mut entries: Vec<Entry> = self.feed.of_leaf(leaf).cloned().collect();
        entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.seq));
        for entry in entries {
            match self.standing(&entry) {
                Standing::Stands => {}
                Standing::Undecided => {
                    let about = entry.kind.target();
                    self.feed.remove(&entry.id);
                    self.desk.recount();
                    self.parked.insert(entry.id, entry);
                    self.changed_again(ctx, about);
                }
                Standing::Refused(refusal) => {
                    self.reject(Rejected::Entry(refusal));
                    self.drop_refused(ctx, &entry.id);
                }
            }
        }
    }

    /// An entry that was shown here does not stand. Its author keeps it, marked.
    pub(super) fn drop_refused(&mut self, ctx: &mut Ctx<'_>, id: &EntryId) {
        let Some(kept) = self.feed.remove(id) else {
            return;
        };
        self.feed.never(*id);
        self.desk.recount();
        if kept.own {
            let kept = Kept {
                waiting: false,
                refused: true,
                ..kept
            };
            for out in self.outs_of(&What::Entry(*id)) {
                self.erase_out(ctx, out);
            }
            self.send_no_files_of(ctx, &kept.entry);
            self.keep(ctx, kept);
        } else {
            let key = Key {
                table: Table::Entry,
                id: self.row_id(&id.0),
            };
            ctx.batch.0.insert(key, None);
            ctx.news.gone.push(*id);
            self.show_above(ctx, &kept.entry);
            self.changed_again(ctx, kept.entry.kind.target());
        }
    }

    pub(super) fn keep(&mut self, ctx: &mut Ctx<'_>, kept: Kept) {
        let id = kept.entry.id;
        if kept.entry.kind == Kind::Pack {
            self.packs.announced(ctx.now);
        }
        self.put_row(ctx, Table::Entry, &id.0, &EntryRow::of(&kept));
        self.feed.add(kept);
        self.plan_expiry(ctx);
        self.missing_changed = true;
        self.take_changes(ctx, &id);
        self.note_new(&id);
    }

    /// Notes that something was not taken, and why.
    pub(super) fn reject(&mut self, what: Rejected) {
        let count = self.rejected.entry(what).or_default();
        *count = count.saturating_add(1);
    }
}
