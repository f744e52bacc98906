//! Which posts and comments of a community are meant by what somebody looks for. The index of the feed names those that may
//! be; whether they are is decided here, from what they say now.

use super::Community;
use crate::entry::Kind;
use crate::search::{Query, Sought};
use std::ops::Range;
use ume_api::{CommunityRef, EntryId, Found, Hidden, PersonId, PostView};
use ume_wire::auth::Hash;

/// What is looked for.
pub(crate) struct Wanted {
    pub(crate) query: Query,
    pub(crate) author: Option<Hash>,
    pub(crate) times: Range<u64>,
}

/// A text by which a post or comment may be meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// When the post was written.
    pub(crate) at: u64,
    /// The text's number in the index.
    pub(crate) number: u32,
    pub(crate) community: u32,
}

impl Community {
    /// Puts some texts into the index; `false` if they all were.
    pub(crate) fn index_some(&mut self, bytes: &mut usize) -> bool {
        self.feed.index_some(bytes)
    }

    /// Whatever may be meant, in no order.
    pub(crate) fn candidates(&self, wanted: &Wanted, take: &mut dyn FnMut(Candidate)) {
        let author = |author: &Hash| {
            let hidden = Hidden::Person(PersonId(*author));
            let other = wanted.author.is_some_and(|one| one != *author);
            let named = wanted.query.look(self.name(author)).has;
            (!other && !self.saved.hidden.contains(&hidden), named)
        };
        let post = |edit: &EntryId| {
            let post = self.feed.get(edit)?.entry.kind.target()?;
            let entry = &self.feed.get(&post)?.entry;
            Some((entry.time_ms, entry.author))
        };
        let sought = Sought {
            terms: &wanted.query.terms,
            times: wanted.times.clone(),
            author: &author,
            post: &post,
        };
        let community = self.saved.number;
        self.feed.index().hits(&sought, &mut |at, number| {
            take(Candidate {
                at,
                number,
                community,
            });
        });
    }

    /// The post of a candidate, and the entry whose text it is: the post itself, or an edit.
    pub(crate) fn named_by(&self, candidate: Candidate) -> Option<(EntryId, EntryId)> {
        let text = self.feed.index().entry(candidate.number)?;
        let kind = self.feed.get(&text)?.entry.kind;
        Some((kind.target().unwrap_or(text), text))
    }

    /// What is shown of a candidate, if it is meant.
    pub(crate) fn meant(&self, wanted: &Wanted, candidate: Candidate) -> Option<Found> {
        let (post, text) = self.named_by(candidate)?;
        let kept = self.feed.get(&post)?;
        let entry = &kept.entry;
        let newest = self.newest_edit(entry).unwrap_or(entry);
        let stands = self.feed.is_shown(kept) && self.unpublished(entry).is_none();
        if newest.id != text || !stands || self.hides(entry).is_some() {
            return None;
        }
        let text = newest.text.as_deref().filter(|text| !text.is_empty())?;
        let (seen, named) = (
            wanted.query.look(text),
            wanted.query.look(self.name(&entry.author)),
        );
        if !seen.is_all(&named) {
            return None;
        }
        let author = self.person(&entry.author);
        let thread = match entry.kind {
            Kind::Comment(post) => {
                let of = self.feed.get(&post).map(|kept| &kept.entry);
                let of = of.filter(|of| self.hides(of).is_none());
                Some((post, of.map(|of| self.beginning(of)).unwrap_or_default()))
            }
            _ => None,
        };
        Some(Found {
            community: CommunityRef(self.saved.number),
            id: entry.id,
            thread,
            name: named.whole(&author.name),
            author,
            at: entry.time_ms,
            text: seen.around(text),
        })
    }

    fn name(&self, person: &Hash) -> &str {
        let member = self.chain.ledger.person(person);
        member.map(|member| &*member.name).unwrap_or_default()
    }

    /// All posts and comments that have a place, for tests.
    pub(crate) fn all_shown(&self) -> impl Iterator<Item = PostView> {
        let shown = self.feed.all().filter(|kept| self.feed.is_shown(kept));
        shown.map(|kept| self.post_view(kept))
    }

    /// What everybody sees of a post or comment that is here.
    pub(crate) fn single(&self, id: &EntryId) -> Option<PostView> {
        let kept = self.feed.get(id)?;
        self.feed.is_shown(kept).then(|| self.post_view(kept))
    }
}
