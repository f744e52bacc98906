//! Looking for posts in all communities at once.
//!
//! The first time, all texts have to be put into the index, the newest first. That is done in slices, one a tick, so that
//! whatever else comes in meanwhile is handled; what is looked for waits until it is done.

use super::Engine;
use crate::community::{Candidate, Community, Wanted};
use crate::io::Millis;
use crate::search::Query;
use ume_api::{
    CommunityRef, EntryId, Failure, FeedPage, FoundPage, FoundPlace, PAGE_FOUND, PostView, Reply,
    SEARCH_BYTES_MAX, Search,
};

/// Texts that are put into the index at once, bytes: some ten milliseconds of work in a browser.
const SLICE_BYTES: usize = 128 * 1024;

impl Engine {
    pub(super) fn search(&mut self, number: u32, search: Search) -> Option<Result<Reply, Failure>> {
        if search.text.len() > SEARCH_BYTES_MAX {
            return Some(Err(Failure::BadText));
        }
        let asked = search.community;
        if asked.is_some_and(|one| !self.communities.contains_key(&one.0)) {
            return Some(Err(Failure::NotHere));
        }
        if self.searches.is_empty() && self.index_some() {
            return Some(Ok(Reply::Found(self.find(&search))));
        }
        self.searches.push((number, search));
        None
    }

    /// Goes on with the index, if somebody waits for it, and answers when it is done.
    pub(super) fn search_on(&mut self) {
        if self.searches.is_empty() || !self.index_some() {
            return;
        }
        for (number, search) in std::mem::take(&mut self.searches) {
            let page = self.find(&search);
            self.answer(number, Ok(Reply::Found(page)));
        }
    }

    /// When to go on with it: as soon as may be.
    pub(super) fn search_due(&self) -> Option<Millis> {
        (!self.searches.is_empty()).then_some(self.now)
    }

    /// A slice of the index; whether it has everything now.
    fn index_some(&mut self) -> bool {
        let mut bytes = SLICE_BYTES;
        for community in self.communities.values_mut() {
            community.index_some(&mut bytes);
        }
        bytes > 0
    }

    fn find(&self, search: &Search) -> FoundPage {
        let mut page = FoundPage::default();
        let Some(query) = Query::parse(&search.text) else {
            return page;
        };
        let after = search.after.unwrap_or(FoundPlace {
            at: u64::MAX,
            id: EntryId([u8::MAX; 32]),
        });
        let until = search.until.unwrap_or(u64::MAX);
        let wanted = Wanted {
            query,
            author: search.author.map(|person| person.0),
            times: search.from.unwrap_or(0)..until.min(after.at.saturating_add(1)),
        };
        let mut all: Vec<Candidate> = vec![];
        let communities = self.communities.iter();
        for (_, community) in communities.filter(|(number, _)| {
            let only = search.community;
            only.is_none_or(|only| only.0 == **number)
        }) {
            community.candidates(&wanted, &mut |one| all.push(one));
        }
        let newest_first = |one: &Candidate, other: &Candidate| {
            let id = |one: &Candidate| self.named_by(*one);
            other.at.cmp(&one.at).then_with(|| id(other).cmp(&id(one)))
        };
        // Mostly the first of them are enough.
        let (mut rest, mut size) = (&mut all[..], 2 * PAGE_FOUND);
        while !rest.is_empty() {
            if size < rest.len() {
                rest.select_nth_unstable_by(size - 1, newest_first);
            }
            let count = size.min(rest.len());
            let (some, others) = std::mem::take(&mut rest).split_at_mut(count);
            some.sort_unstable_by(newest_first);
            for one in some {
                let community = self.communities.get(&one.community);
                let found = community.and_then(|community| community.meant(&wanted, *one));
                let Some(found) = found.filter(|found| (found.at, found.id) < (after.at, after.id))
                else {
                    continue;
                };
                if page.found.len() == PAGE_FOUND {
                    let last = page.found.last();
                    page.more = last.map(|last| FoundPlace {
                        at: last.at,
                        id: last.id,
                    });
                    return page;
                }
                page.found.push(found);
            }
            rest = others;
            size *= 4;
        }
        page
    }

    fn named_by(&self, one: Candidate) -> Option<EntryId> {
        let community = self.communities.get(&one.community)?;
        community.named_by(one).map(|(post, _)| post)
    }

    /// For tests: what is found for some plain words, newest first, and what somebody would find who looks at everything that
    /// is shown, one after the other.
    pub fn looked(&mut self, text: &str) -> (Vec<EntryId>, Vec<EntryId>) {
        while !self.index_some() {}
        let mut search = Search {
            text: text.to_owned(),
            ..Search::default()
        };
        let mut found = vec![];
        loop {
            let page = self.find(&search);
            found.extend(page.found.iter().map(|one| one.id));
            search.after = page.more;
            if search.after.is_none() {
                break;
            }
        }
        let all = self.communities.values().flat_map(Community::all_shown);
        let has = |said: &str, start: &str| {
            let said = said.to_lowercase();
            let mut words = said.split(|sign: char| !sign.is_alphanumeric());
            words.any(|word| word.starts_with(&start.to_lowercase()))
        };
        let meant = |post: &PostView| {
            let is_seen = post.hidden.is_none() && post.unpublished_by.is_none();
            let mut words = text.split_whitespace();
            let all = words.all(|word| has(&post.text, word) || has(&post.author.name, word));
            is_seen && !post.text.is_empty() && all
        };
        let mut seen: Vec<_> = all.filter(meant).map(|post| (post.at, post.id)).collect();
        seen.sort_unstable_by(|a, b| b.cmp(a));
        (found, seen.into_iter().map(|(_, id)| id).collect())
    }

    /// A post by itself.
    pub(super) fn single(&self, community: CommunityRef, post: &EntryId) -> Result<Reply, Failure> {
        let found = self.communities.get(&community.0);
        let view = found.and_then(|found| found.single(post));
        Ok(Reply::Feed(FeedPage {
            community,
            posts: vec![view.ok_or(Failure::NotHere)?],
            older: false,
            read: (0, EntryId([0; 32])),
        }))
    }
}
