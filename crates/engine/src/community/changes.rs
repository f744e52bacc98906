//! What becomes of posts after they were written: edited, taken back, given to somebody else, hidden by whoever does not
//! want to see them.
//!
//! Edits and unpublishings are entries like posts, and need no order: which of them count follows from the post, the
//! ledger and the author's own entries, so all members see the same, whatever reaches them first. A text that was taken
//! back is erased wherever it is known, and never handed on; what is left of the entry keeps chains verifiable.

use super::posts::EntryRow;
use super::{Community, Ctx};
use crate::attachment::{self, Attachment};
use crate::audit::Rejected;
use crate::entry::{self, Entry, Kind, Refusal};
use crate::io::Table;
use crate::markdown;
use crate::proto;
use ume_api::{
    EntryId, Failure, Hidden, OwnerView, PICTURE_BYTES_MAX, Place, PostState, PostView, Role,
    TEXT_BYTES_MAX, VersionView,
};
use ume_wire::auth::Hash;

impl Community {
    /// Gives a post of this person's another text.
    pub(crate) fn edit(
        &mut self,
        ctx: &mut Ctx<'_>,
        post: EntryId,
        text: String,
    ) -> Result<EntryId, Failure> {
        if text.is_empty() || text.len() > TEXT_BYTES_MAX {
            return Err(Failure::BadText);
        }
        let entry = self.published(&post)?;
        if self.chain.ledger.post_owner(entry) != self.saved.persona {
            return Err(Failure::NotAllowed);
        }
        let id = self.write(ctx, Kind::Edit(post), text.into_bytes(), None)?;
        self.drop_draft(ctx, Place::Edit(post));
        Ok(id)
    }

    /// Takes a post back, for everybody and for good.
    pub(crate) fn unpublish(
        &mut self,
        ctx: &mut Ctx<'_>,
        post: EntryId,
    ) -> Result<EntryId, Failure> {
        let entry = self.published(&post)?;
        if !self.may_unpublish(entry, &self.saved.persona, self.chain.ledger.len()) {
            return Err(Failure::NotAllowed);
        }
        self.write(ctx, Kind::Unpublish(post), vec![], None)
    }

    /// A post that is here and has its text.
    pub(super) fn published(&self, post: &EntryId) -> Result<&Entry, Failure> {
        let kept = self.feed.get(post).filter(|kept| !kept.refused);
        let entry = kept.map(|kept| &kept.entry).ok_or(Failure::NotHere)?;
        if !entry.kind.is_writing() || entry.has_ended() {
            return Err(Failure::NotHere);
        }
        if self.unpublished(entry).is_some() {
            return Err(Failure::AlreadySo);
        }
        Ok(entry)
    }

    /// Hides something from this person, or shows it again.
    pub(crate) fn hide(
        &mut self,
        ctx: &mut Ctx<'_>,
        what: Hidden,
        on: bool,
    ) -> Result<(), Failure> {
        let known = match &what {
            Hidden::Post(post) => self.feed.get(post).is_some(),
            Hidden::Person(person) => self.chain.ledger.knows(&person.0),
        };
        if !known {
            return Err(Failure::NotHere);
        }
        self.saved.hidden.retain(|one| *one != what);
        if on {
            self.saved.hidden.push(what);
        }
        self.saved_changed = true;
        self.desk.recount();
        let about = |entry: &Entry| match &what {
            Hidden::Post(post) => entry.id == *post,
            Hidden::Person(person) => entry.author == person.0,
        };
        let posts = self.feed.all().map(|kept| &kept.entry);
        let shown: Vec<EntryId> = posts.filter(|one| about(one)).map(|one| one.id).collect();
        for id in shown {
            self.show(ctx, &id);
        }
        Ok(())
    }

    /// What this person does not want to see, the newest first.
    pub(crate) fn hidden(&self) -> Vec<Hidden> {
        self.saved.hidden.iter().rev().copied().collect()
    }

    pub(super) fn hides(&self, entry: &Entry) -> Option<Hidden> {
        let about = |one: &&Hidden| match one {
            Hidden::Post(post) => entry.id == *post,
            Hidden::Person(person) => entry.author == person.0,
        };
        self.saved.hidden.iter().find(about).copied()
    }

    /// All texts that a post had, oldest first.
    pub(crate) fn versions(&self, post: &EntryId) -> Result<Vec<VersionView>, Failure> {
        let entry = self.published(post)?;
        let edits = self.feed.about(post).filter(|one| self.counts(entry, one));
        let all = std::iter::once(entry).chain(edits);
        Ok(all
            .map(|version| VersionView {
                author: self.person(&version.author),
                at: version.time_ms,
                nodes: markdown::nodes(version.text.as_deref().unwrap_or_default()),
                text: version.text.clone().unwrap_or_default(),
            })
            .collect())
    }

    /// How a post came to its owner, oldest first; the author is not among them.
    pub(crate) fn owners(&self, post: &EntryId) -> Result<Vec<OwnerView>, Failure> {
        let kept = self.feed.get(post).ok_or(Failure::NotHere)?;
        let chain = self.chain.ledger.owners(&kept.entry);
        let view = |one: &&crate::ledger::Transfer| OwnerView {
            owner: self.person(&one.to),
            by: self.person(&one.by),
            at: one.time_ms,
            contested: self
                .chain
                .ledger
                .recovery_at(one.point)
                .is_some_and(|recovery| recovery.contested),
        };
        Ok(chain.iter().map(view).collect())
    }

    /// Shows what this person looks like here; nothing: the picture drawn from their key.
    pub(crate) fn portray(
        &mut self,
        ctx: &mut Ctx<'_>,
        picture: Vec<u8>,
    ) -> Result<EntryId, Failure> {
        if picture.len() > PICTURE_BYTES_MAX {
            return Err(Failure::BadText);
        }
        self.write(ctx, Kind::Portrait, picture, None)
    }

    /// What somebody looks like.
    pub(crate) fn picture(&self, person: &Hash) -> Option<Vec<u8>> {
        let newest = self.feed.portrait(person)?;
        newest.picture.clone().filter(|picture| !picture.is_empty())
    }

    fn may_unpublish(&self, post: &Entry, who: &Hash, point: u32) -> bool {
        let ledger = &self.chain.ledger;
        post.author == *who
            || ledger.post_owner_at(post, point) == *who
            || ledger.role_at(who, point) == Some(Role::Owner)
    }

    /// Whether an edit or unpublishing comes from somebody who could have made it.
    fn is_theirs(&self, post: &Entry, change: &Entry) -> bool {
        match change.kind {
            _ if !post.kind.is_writing() => false,
            Kind::Edit(_) => self.chain.ledger.post_owner_at(post, change.ledger) == change.author,
            Kind::Unpublish(_) => self.may_unpublish(post, &change.author, change.ledger),
            Kind::Reaction(_) => true,
            _ => false,
        }
    }

    /// Whether an edit is one of a post's versions. Who gave the post away cannot add to them by writing an earlier point.
    fn counts(&self, post: &Entry, edit: &Entry) -> bool {
        let leads_to = |last| self.feed.leads_to(edit, last);
        let in_time = self.chain.ledger.edit_is_in_time(post, edit, leads_to);
        matches!(edit.kind, Kind::Edit(_)) && in_time && self.is_theirs(post, edit)
    }

    /// Who took a post back first.
    pub(super) fn unpublished(&self, post: &Entry) -> Option<Hash> {
        let mut about = self.feed.about(&post.id);
        about
            .find(|one| matches!(one.kind, Kind::Unpublish(_)) && self.is_theirs(post, one))
            .map(|one| one.author)
    }

    /// Whether nobody is to have the texts of a post any more.
    pub(super) fn is_gone(&self, post: &Entry) -> bool {
        post.has_ended() || self.unpublished(post).is_some()
    }

    /// An entry has come in: what it changes about others, and others about it.
    pub(super) fn take_changes(&mut self, ctx: &mut Ctx<'_>, id: &EntryId) {
        let Some(entry) = self.feed.get(id).map(|kept| &kept.entry) else {
            return;
        };
        let portrayed = (entry.kind == Kind::Portrait).then_some(entry.author);
        let post = entry.kind.target().unwrap_or(*id);
        let Some(of) = self.feed.get(&post).map(|kept| &kept.entry) else {
            if matches!(entry.kind, Kind::Unpublish(_)) {
                // Nobody needs what was taken back.
                self.feed.never(post);
            }
            return;
        };
        let foreign: Vec<EntryId> = self
            .feed
            .about(&post)
            .filter(|one| !self.is_theirs(of, one))
            .map(|one| one.id)
            .collect();
        for id in foreign {
            self.reject(Rejected::Entry(Refusal::Foreign));
            self.drop_refused(ctx, &id);
        }
        self.erase_taken_back(ctx, &post);
        self.show(ctx, &post);
        if let Some(person) = portrayed {
            ctx.news.view = true;
            self.show_posts_with(ctx, &person);
        }
    }

    /// Something that was said about a post does not count any more.
    pub(super) fn changed_again(&mut self, ctx: &mut Ctx<'_>, post: Option<EntryId>) {
        if let Some(post) = post {
            self.erase_taken_back(ctx, &post);
            self.show(ctx, &post);
        }
    }

    pub(super) fn erase_taken_back(&mut self, ctx: &mut Ctx<'_>, post: &EntryId) {
        let Some(entry) = self.feed.get(post).map(|kept| &kept.entry) else {
            return;
        };
        let gone = self.is_gone(entry);
        let edits = self.feed.about(post).cloned();
        let texts: Vec<Entry> = std::iter::once(entry.clone()).chain(edits).collect();
        for mut entry in texts {
            if gone && !entry.written.body.is_empty() {
                self.drop_files_of(ctx, &entry);
                entry.erase();
                let id = entry.id;
                self.feed.put_text(entry, true);
                self.desk.recount();
                self.store_entry(ctx, &id);
                self.reseal_bare(ctx, &id);
            } else {
                self.feed.note_bare(&entry, gone);
            }
        }
        self.missing_changed = true;
    }

    /// The text of an entry that came without one.
    pub(super) fn fill(&mut self, ctx: &mut Ctx<'_>, written: &proto::Written) {
        let Ok(entry) = entry::verify(written, &self.chain.ledger.community) else {
            return;
        };
        let post = entry.kind.target().unwrap_or(entry.id);
        let of = self.feed.get(&post).map(|kept| &kept.entry);
        if of.is_some_and(|of| self.is_gone(of)) {
            return;
        }
        let id = entry.id;
        self.feed.put_text(entry, false);
        self.store_entry(ctx, &id);
        self.missing_changed = true;
        self.note_new(&id);
        self.show(ctx, &post);
    }

    pub(super) fn store_entry(&self, ctx: &mut Ctx<'_>, id: &EntryId) {
        if let Some(kept) = self.feed.get(id) {
            self.put_row(ctx, Table::Entry, &id.0, &EntryRow::of(kept));
        }
    }

    /// Finds out, after loading, which texts are missing.
    pub(super) fn note_bare_posts(&mut self) {
        let bare: Vec<Entry> = self
            .feed
            .all()
            .map(|kept| &kept.entry)
            .filter(|entry| entry.is_bare())
            .cloned()
            .collect();
        for entry in bare {
            let post = entry.kind.target().unwrap_or(entry.id);
            let of = self.feed.get(&post).map(|kept| &kept.entry);
            let gone = of.is_some_and(|of| self.is_gone(of));
            self.feed.note_bare(&entry, gone);
        }
    }

    /// Tells what a post looks like now. An edit or unpublishing shows in its post.
    pub(super) fn show(&self, ctx: &mut Ctx<'_>, id: &EntryId) {
        let target = self.feed.get(id).and_then(|kept| kept.entry.kind.target());
        let post = self.feed.get(&target.unwrap_or(*id));
        if let Some(kept) = post.filter(|kept| self.feed.is_shown(kept)) {
            ctx.news.posts.push(self.post_view(kept));
            self.show_above(ctx, &kept.entry);
        }
    }

    /// Tells how the thread looks now in which a comment stands, or stood.
    pub(super) fn show_above(&self, ctx: &mut Ctx<'_>, entry: &Entry) {
        if let Kind::Comment(post) = entry.kind {
            self.show(ctx, &post);
        }
    }

    /// Posts changed hands.
    pub(super) fn show_owned(&self, ctx: &mut Ctx<'_>) {
        for kept in self.feed.all().filter(|kept| self.feed.is_shown(kept)) {
            if !self.chain.ledger.owners(&kept.entry).is_empty() {
                ctx.news.posts.push(self.post_view(kept));
            }
        }
    }

    /// Somebody looks different: so does every post that names them.
    pub(super) fn show_posts_with(&self, ctx: &mut Ctx<'_>, person: &Hash) {
        for kept in self.feed.all().filter(|kept| self.feed.is_shown(kept)) {
            let entry = &kept.entry;
            let named = entry.author == *person
                || self.chain.ledger.post_owner(entry) == *person
                || self.unpublished(entry) == Some(*person)
                || self.takes_part(entry, person);
            if named {
                ctx.news.posts.push(self.post_view(kept));
            }
        }
    }

    /// The edit of a post that counts.
    pub(super) fn newest_edit(&self, post: &Entry) -> Option<&Entry> {
        let edits = self.feed.about(&post.id);
        edits.filter(|one| self.counts(post, one)).last()
    }

    /// The text of a post that counts; empty if it is not here.
    pub(super) fn newest_text<'a>(&'a self, post: &'a Entry) -> &'a str {
        let newest = self.newest_edit(post).unwrap_or(post);
        newest.text.as_deref().unwrap_or_default()
    }

    pub(crate) fn post_view(&self, kept: &super::Kept) -> PostView {
        let entry = &kept.entry;
        let edit = self.newest_edit(entry);
        let waits = |id: &EntryId| self.feed.get(id).is_some_and(|kept| kept.waiting);
        let changing = self.feed.about(&entry.id).any(|one| waits(&one.id));
        let state = match (kept.own, kept.waiting) {
            _ if kept.refused => PostState::Refused,
            (true, true) => PostState::Waiting,
            _ if changing || kept.own && self.sends_files_of(entry) => PostState::Waiting,
            (true, false) => PostState::Sent,
            (false, _) => PostState::Received,
        };
        let text = self.newest_text(entry);
        let files = entry.files.iter();
        let files = files.map(|one| {
            one.as_ref()
                .map_or_else(attachment::unknown, Attachment::view)
        });
        PostView {
            id: entry.id,
            author: self.person(&entry.author),
            owner: self.person(&self.chain.ledger.post_owner(entry)),
            at: entry.time_ms,
            nodes: markdown::nodes(text),
            text: text.to_owned(),
            expires_at: entry.expires_ms,
            edited_at: edit.map(|edit| edit.time_ms),
            unpublished_by: self.unpublished(entry).map(|who| self.person(&who)),
            hidden: self.hides(entry),
            state,
            thread: match entry.kind {
                Kind::Comment(post) => Some(post),
                _ => None,
            },
            comments: self.comments(&entry.id),
            reactions: self.reaction_views(entry),
            files: files.collect(),
        }
    }
}

#[cfg(test)]
mod tests;
