//! The part of an index that does not change: words in their order, each with the numbers of what it stands in, all in a few
//! pieces of memory however many words there are. A word that stands in one text only, as most do and as all do that somebody
//! writes to fill others' memory, costs a dozen bytes more than its letters.

use std::collections::BTreeMap;

/// Words that came since, by themselves.
pub(super) type Fresh = BTreeMap<Box<str>, Vec<u32>>;

#[derive(Debug, Default)]
pub(super) struct Segment {
    words: String,
    word_ends: Vec<u32>,
    /// For each word the first number, and how much larger each further one is than the one before.
    lists: Vec<u8>,
    list_ends: Vec<u32>,
    /// The last number of each.
    lasts: Vec<u32>,
    /// Numbers in all lists.
    count: usize,
}

impl Segment {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Bytes that it takes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let ends = self.word_ends.capacity() + self.list_ends.capacity() + self.lasts.capacity();
        self.words.capacity() + self.lists.capacity() + ends * size_of::<u32>()
    }

    fn word(&self, at: usize) -> &str {
        let range = range(&self.word_ends, at);
        self.words.get(range).unwrap_or_default()
    }

    fn bytes_of(&self, at: usize) -> &[u8] {
        let bytes = self.lists.get(range(&self.list_ends, at));
        bytes.unwrap_or_default()
    }

    fn list(&self, at: usize) -> Numbers<'_> {
        Numbers {
            bytes: self.bytes_of(at),
            last: 0,
        }
    }

    /// The numbers of each word that begins so.
    pub(super) fn each(&self, start: &str, take: &mut dyn FnMut(u32)) {
        for at in self.place(start)..self.word_ends.len() {
            if !self.word(at).starts_with(start) {
                return;
            }
            self.list(at).for_each(&mut *take);
        }
    }

    /// The numbers of one word.
    pub(super) fn of(&self, word: &str) -> impl Iterator<Item = u32> {
        let at = self.place(word);
        let there = at < self.word_ends.len() && self.word(at) == word;
        there.then(|| self.list(at)).into_iter().flatten()
    }

    /// Where a word is, or would be.
    fn place(&self, word: &str) -> usize {
        let (mut low, mut high) = (0, self.word_ends.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.word(middle) < word {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Both in one, or only what is to be kept of them. All fresh numbers are larger than those here.
    pub(super) fn merged(&self, fresh: &Fresh, keep: Option<&dyn Fn(u32) -> bool>) -> Self {
        let mut made = Self {
            words: String::with_capacity(self.words.len()),
            lists: Vec::with_capacity(self.lists.len()),
            count: if keep.is_none() { self.count } else { 0 },
            ..Self::default()
        };
        let mut at = 0;
        let all = self.word_ends.len();
        for (word, list) in fresh {
            while at < all && self.word(at) < &**word {
                made.push(self.word(at), Some((self, at)), &[], keep);
                at += 1;
            }
            let here = at < all && self.word(at) == &**word;
            made.push(word, here.then_some((self, at)), list, keep);
            at += usize::from(here);
        }
        for at in at..all {
            made.push(self.word(at), Some((self, at)), &[], keep);
        }
        made.words.shrink_to_fit();
        made.lists.shrink_to_fit();
        made.word_ends.shrink_to_fit();
        made.list_ends.shrink_to_fit();
        made.lasts.shrink_to_fit();
        made
    }

    /// Adds a word with what it had before and what came since.
    fn push(
        &mut self,
        word: &str,
        before: Option<(&Self, usize)>,
        since: &[u32],
        keep: Option<&dyn Fn(u32) -> bool>,
    ) {
        let (mut below, start) = (0, self.lists.len());
        match (before, keep) {
            // As it is, which takes a tenth of the time.
            (Some((from, at)), None) => {
                self.lists.extend_from_slice(from.bytes_of(at));
                below = from.lasts.get(at).copied().unwrap_or_default();
            }
            (Some((from, at)), Some(keep)) => {
                for one in from.list(at).filter(|one| keep(*one)) {
                    self.number(one, &mut below);
                }
            }
            (None, _) => {}
        }
        for one in since {
            if keep.is_none_or(|keep| keep(*one)) {
                self.number(*one, &mut below);
            }
        }
        if self.lists.len() > start {
            self.words.push_str(word);
            self.word_ends.push(end(self.words.len()));
            self.list_ends.push(end(self.lists.len()));
            self.lasts.push(below);
        }
    }

    fn number(&mut self, one: u32, below: &mut u32) {
        let mut rest = one.wrapping_sub(*below);
        *below = one;
        while rest >= 0x80 {
            self.lists.push(rest.to_le_bytes()[0] | 0x80);
            rest >>= 7;
        }
        self.lists.push(rest.to_le_bytes()[0]);
        self.count += 1;
    }
}

fn end(at: usize) -> u32 {
    // Beyond it are four gigabytes of words.
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn range(ends: &[u32], at: usize) -> std::ops::Range<usize> {
    let end = |at: usize| ends.get(at).map_or(0, |end| *end as usize);
    at.checked_sub(1).map_or(0, end)..end(at)
}

struct Numbers<'a> {
    bytes: &'a [u8],
    last: u32,
}

impl Iterator for Numbers<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (mut more, mut shift) = (0_u32, 0);
        loop {
            let (byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            more |= u32::from(byte & 0x7f).wrapping_shl(shift);
            if byte & 0x80 == 0 {
                break;
            }
            shift += 7;
        }
        self.last = self.last.wrapping_add(more);
        Some(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn merging_loses_nothing(
            parts in vec(btree_map("[ab]{1,3}|[あ東]{1,2}", btree_set(0_u32..1 << 20, 1..6), 0..12), 0..5),
            dead in btree_set(0_u32..1 << 22, 0..8),
            start in "[ab]{0,2}|あ",
        ) {
            let mut all: BTreeMap<String, Vec<u32>> = BTreeMap::new();
            let mut segment = Segment::default();
            let count = parts.len();
            for (round, part) in parts.into_iter().enumerate() {
                let mut fresh = Fresh::new();
                for (word, list) in part {
                    let base = u32::try_from(round).unwrap() << 20;
                    let list: Vec<u32> = list.into_iter().map(|one| one + base).collect();
                    all.entry(word.clone()).or_default().extend(&list);
                    fresh.insert(word.into(), list);
                }
                // Most of the time nothing has gone.
                let keep = |one: u32| !dead.contains(&one);
                let last = round == count - 1;
                segment = segment.merged(&fresh, last.then_some(&keep as &dyn Fn(u32) -> bool));
            }
            for list in all.values_mut() {
                list.retain(|one| !dead.contains(one));
            }
            all.retain(|_, list| !list.is_empty());
            prop_assert_eq!(segment.count(), all.values().map(Vec::len).sum::<usize>());
            let mut found = vec![];
            segment.each(&start, &mut |one| found.push(one));
            let begins = all.iter().filter(|(word, _)| word.starts_with(&start));
            let expected: Vec<u32> = begins.flat_map(|(_, list)| list.clone()).collect();
            prop_assert_eq!(found, expected);
            for (word, list) in &all {
                prop_assert_eq!(&segment.of(word).collect::<Vec<_>>(), list);
            }
            prop_assert_eq!(segment.of("zz").count(), 0);
        }
    }
}
