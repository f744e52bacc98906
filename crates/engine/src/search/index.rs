//! Which texts of a community have which words.
//!
//! A text is numbered when it is put in and struck out when it is taken away; a text never changes, an edit is another one.
//! Words that came last are in a tree; when they are many they are merged into the segment, and the words of what was struck
//! out are left behind. So a word may stay for a while whose text was erased: in memory, where nothing finds it any more.

use super::query::Term;
use super::segment::{Fresh, Segment};
use super::words;
use crate::entry::{Entry, Kind};
use std::collections::BTreeMap;
use std::ops::{Bound, Range};
use ume_api::EntryId;
use ume_wire::auth::Hash;

/// Words that are fresh before they are merged, at least.
const FRESH_MIN: usize = if cfg!(test) { 16 } else { 8_192 };
/// They may be one in so many of all: a small tree is quick to look into, and merging it is mostly copying.
const FRESH_SHARE: usize = 16;
/// Texts that may be struck out before the whole is made anew, at least; they may be half of all.
const DEAD_MIN: usize = if cfg!(test) { 8 } else { 1_024 };
/// What a text without any word is known by.
const WORDLESS: &str = "\0";

/// When something was written, and its id.
pub(crate) type Stamp = (u64, EntryId);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The first text of a post or comment.
    First,
    /// A later one.
    Edit,
    Dead,
}

#[derive(Clone, Debug)]
struct Doc {
    stamp: Stamp,
    /// Place among the authors.
    author: u32,
    state: State,
}

/// What is looked for.
pub(crate) struct Wanted<'a> {
    pub(crate) terms: &'a [Term],
    pub(crate) times: Range<u64>,
    /// Whether what somebody wrote is meant, and which of the words their name has.
    pub(crate) author: &'a dyn Fn(&Hash) -> (bool, Vec<bool>),
    /// When and by whom the post was written that an edit is about.
    pub(crate) post: &'a dyn Fn(&EntryId) -> Option<(u64, Hash)>,
}

/// The index of a community's texts.
#[derive(Debug)]
pub(crate) struct Index {
    docs: Vec<Doc>,
    dead: usize,
    /// Of them, those whose words are still here.
    unswept: usize,
    authors: Vec<Hash>,
    places: BTreeMap<Hash, u32>,
    fresh: Fresh,
    fresh_count: usize,
    base: Segment,
    /// It has the entries from this one on; `None`: all.
    from: Option<Stamp>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            docs: vec![],
            dead: 0,
            unswept: 0,
            authors: vec![],
            places: BTreeMap::new(),
            fresh: Fresh::new(),
            fresh_count: 0,
            base: Segment::default(),
            from: Some((u64::MAX, EntryId([u8::MAX; 32]))),
        }
    }
}

impl Index {
    /// What it does not have yet: entries before this one. `None`: it has all.
    pub(crate) fn lacks(&self) -> Option<Stamp> {
        self.from
    }

    /// Puts an older entry in than all that it has.
    pub(crate) fn go_back(&mut self, entry: &Entry) {
        self.from = Some((entry.time_ms, entry.id));
        self.put(entry);
    }

    /// There is nothing older.
    pub(crate) fn complete(&mut self) {
        self.merge();
        self.docs.shrink_to_fit();
        self.from = None;
    }

    /// An entry has come in, or its text.
    pub(crate) fn put(&mut self, entry: &Entry) {
        let (Some(text), true) = (text_of(entry), self.covers(entry)) else {
            return;
        };
        let Ok(number) = u32::try_from(self.docs.len()) else {
            return;
        };
        let author = self.author(&entry.author);
        self.docs.push(Doc {
            stamp: (entry.time_ms, entry.id),
            author,
            state: match entry.kind {
                Kind::Edit(_) => State::Edit,
                _ => State::First,
            },
        });
        let (fresh, count) = (&mut self.fresh, &mut self.fresh_count);
        each_key(text, &mut |key| {
            let list = match fresh.get_mut(key) {
                Some(list) => list,
                None => fresh.entry(key.into()).or_default(),
            };
            if list.last() != Some(&number) {
                list.push(number);
                *count += 1;
            }
        });
        if self.fresh_count > FRESH_MIN.max(self.base.count() / FRESH_SHARE) {
            self.merge();
        }
    }

    /// An entry, or its text, goes away.
    pub(crate) fn take(&mut self, entry: &Entry) {
        let (Some(text), true) = (text_of(entry), self.covers(entry)) else {
            return;
        };
        // The rarest would be quicker to look through; the first does.
        let mut first = None;
        each_key(text, &mut |key| {
            first.get_or_insert_with(|| key.to_owned());
        });
        let Some(key) = first else { return };
        let fresh = self.fresh.get(&*key).into_iter().flatten().copied();
        let is_it = |number: &u32| {
            let doc = self.docs.get(*number as usize);
            doc.is_some_and(|doc| doc.stamp.1 == entry.id && doc.state != State::Dead)
        };
        let number = fresh.chain(self.base.of(&key)).find(is_it);
        let doc = number.and_then(|number| self.docs.get_mut(number as usize));
        if let Some(doc) = doc {
            doc.state = State::Dead;
            self.dead += 1;
            self.unswept += 1;
        }
        if self.dead > DEAD_MIN && self.dead > self.docs.len() / 2 {
            *self = Self::default();
        }
    }

    /// The texts that have all these words, in themselves or in their authors' names, and are by those and of the time that are
    /// wanted: when the post was written, and the number of the text.
    pub(crate) fn hits(&self, wanted: &Wanted<'_>, take: &mut dyn FnMut(u64, u32)) {
        let terms = wanted.terms;
        let authors: Vec<_> = self.authors.iter().map(wanted.author).collect();
        let sets: Vec<Bits> = terms.iter().map(|term| self.with(term)).collect();
        // The author of a post that was edited may have written nothing else that is here.
        let edits = self.docs.iter().any(|doc| doc.state == State::Edit);
        let mut left = Bits::full(self.docs.len());
        for (place, set) in sets.iter().enumerate() {
            let named = |author: usize| {
                let author = authors.get(author);
                author.is_some_and(|(_, named)| named.get(place) == Some(&true))
            };
            if !edits && !(0..authors.len()).any(named) {
                left.keep(set);
                continue;
            }
            let mut either = set.clone();
            for (number, doc) in (0..).zip(&self.docs) {
                // Who edits a post may be another than who wrote it, whose name counts: that is looked at below.
                if doc.state == State::Edit || named(doc.author as usize) {
                    either.add(number);
                }
            }
            left.keep(&either);
        }
        left.each(&mut |number| {
            let Some(doc) = self.docs.get(number as usize) else {
                return;
            };
            let (at, meant) = match doc.state {
                State::Dead => return,
                State::First => {
                    let author = authors.get(doc.author as usize);
                    (doc.stamp.0, author.is_some_and(|(meant, _)| *meant))
                }
                State::Edit => {
                    let Some((at, author)) = (wanted.post)(&doc.stamp.1) else {
                        return;
                    };
                    // Whoever wrote a post is mostly known by it.
                    let known = self.places.get(&author);
                    let known = known.and_then(|place| authors.get(*place as usize));
                    let asked = known.is_none().then(|| (wanted.author)(&author));
                    let Some((meant, named)) = known.or(asked.as_ref()) else {
                        return;
                    };
                    let mut all = sets.iter().zip(named);
                    let all = all.all(|(set, named)| *named || set.has(number));
                    (at, *meant && all)
                }
            };
            if meant && wanted.times.contains(&at) {
                take(at, number);
            }
        });
    }

    /// The entry that has a text.
    pub(crate) fn entry(&self, number: u32) -> Option<EntryId> {
        self.docs.get(number as usize).map(|doc| doc.stamp.1)
    }

    /// Texts, and bytes that all of it takes, about.
    #[cfg(test)]
    fn size(&self) -> (usize, usize) {
        let docs = self.docs.capacity() * size_of::<Doc>();
        // A node of the tree is half empty at worst; each allocation costs its head.
        let fresh = self.fresh.iter();
        let fresh = fresh.map(|(word, list)| word.len() + list.capacity() * 4 + 96);
        let people = self.authors.capacity() * 128;
        let bytes = docs + fresh.sum::<usize>() + people + self.base.bytes();
        (self.docs.len() - self.dead, bytes)
    }

    fn covers(&self, entry: &Entry) -> bool {
        self.from
            .is_none_or(|from| (entry.time_ms, entry.id) >= from)
    }

    fn author(&mut self, author: &Hash) -> u32 {
        let next = u32::try_from(self.authors.len()).unwrap_or(u32::MAX);
        let place = *self.places.entry(*author).or_insert(next);
        if place == next {
            self.authors.push(*author);
        }
        place
    }

    fn merge(&mut self) {
        let fresh = std::mem::take(&mut self.fresh);
        self.fresh_count = 0;
        let docs = &self.docs;
        let lives = |number: u32| {
            let doc = docs.get(number as usize);
            doc.is_some_and(|doc| doc.state != State::Dead)
        };
        let sweep = std::mem::take(&mut self.unswept) > 0;
        let keep = sweep.then_some(&lives as &dyn Fn(u32) -> bool);
        self.base = self.base.merged(&fresh, keep);
    }

    /// The texts that have a word.
    fn with(&self, term: &Term) -> Bits {
        let all = self.docs.len();
        let mut set = Bits::new(all);
        match term {
            Term::Word(word) => self.begins(words::beginning(word), &mut set),
            Term::Run(run) => {
                let mut pairs = 0;
                words::neighbours(run, &mut |pair| {
                    let mut one = Bits::new(all);
                    self.begins(pair, &mut one);
                    if pairs == 0 {
                        std::mem::swap(&mut set, &mut one);
                    } else {
                        set.keep(&one);
                    }
                    pairs += 1;
                });
                if pairs == 0 {
                    self.begins(run, &mut set);
                }
            }
        }
        set
    }

    fn begins(&self, start: &str, set: &mut Bits) {
        self.base.each(start, &mut |number| set.add(number));
        let from = (Bound::Included(start), Bound::Unbounded);
        let fresh = self.fresh.range::<str, _>(from);
        for (_, list) in fresh.take_while(|(word, _)| word.starts_with(start)) {
            for number in list {
                set.add(*number);
            }
        }
    }
}

/// The text by which an entry is found.
fn text_of(entry: &Entry) -> Option<&str> {
    let written = matches!(entry.kind, Kind::Post | Kind::Comment(_) | Kind::Edit(_));
    entry.text.as_deref().filter(|_| written)
}

fn each_key(text: &str, take: &mut dyn FnMut(&str)) {
    let mut any = false;
    words::each(text, &mut |word| {
        any = true;
        words::keys(word, take);
    });
    if !any {
        take(WORDLESS);
    }
}

/// A set of numbers below a bound.
#[derive(Clone)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(all: usize) -> Self {
        Self(vec![0; all.div_ceil(64)])
    }

    /// All below the bound, and some above.
    fn full(all: usize) -> Self {
        Self(vec![u64::MAX; all.div_ceil(64)])
    }

    fn add(&mut self, number: u32) {
        if let Some(word) = self.0.get_mut(number as usize / 64) {
            *word |= 1 << (number % 64);
        }
    }

    fn has(&self, number: u32) -> bool {
        let word = self
            .0
            .get(number as usize / 64)
            .copied()
            .unwrap_or_default();
        word >> (number % 64) & 1 == 1
    }

    fn each(&self, take: &mut dyn FnMut(u32)) {
        for (start, word) in (0..).step_by(64).zip(&self.0) {
            let mut rest = *word;
            while rest != 0 {
                take(start + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
    }

    fn keep(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= other;
        }
    }
}

#[cfg(test)]
mod tests;
