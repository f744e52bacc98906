use super::*;
use crate::search::Query;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What happens to a feed.
#[derive(Clone, Debug)]
enum Act {
    Write {
        time_ms: u64,
        author: u8,
        edit: bool,
        text: String,
    },
    /// The text of one of them goes, or the whole entry.
    Erase(usize),
    Remove(usize),
    /// Some older ones are put into the index.
    Slice(usize),
}

/// A feed with its index, as `community/feed.rs` keeps them.
#[derive(Default)]
struct Feed {
    entries: BTreeMap<Stamp, Entry>,
    index: Index,
    next: u16,
}

impl Feed {
    fn act(&mut self, act: Act) {
        match act {
            Act::Write {
                time_ms,
                author,
                edit,
                text,
            } => {
                let entry = self.entry(time_ms, author, edit, text);
                self.index.put(&entry);
                self.entries.insert((time_ms, entry.id), entry);
            }
            Act::Erase(at) => {
                if let Some(entry) = self.nth(at) {
                    self.index.take(&entry);
                    let erased = Entry {
                        text: None,
                        ..entry
                    };
                    self.index.put(&erased);
                    self.entries.insert((erased.time_ms, erased.id), erased);
                }
            }
            Act::Remove(at) => {
                if let Some(entry) = self.nth(at) {
                    self.entries.remove(&(entry.time_ms, entry.id));
                    self.index.take(&entry);
                }
            }
            Act::Slice(count) => self.slice(count),
        }
    }

    fn slice(&mut self, count: usize) {
        let Some(from) = self.index.lacks() else {
            return;
        };
        let older = self.entries.range(..from).rev();
        let some: Vec<Entry> = older.take(count).map(|(_, entry)| entry.clone()).collect();
        for entry in &some {
            self.index.go_back(entry);
        }
        if some.len() < count {
            self.index.complete();
        }
    }

    fn nth(&self, at: usize) -> Option<Entry> {
        let at = at.checked_rem(self.entries.len())?;
        self.entries.values().nth(at).cloned()
    }

    fn entry(&mut self, time_ms: u64, author: u8, edit: bool, text: String) -> Entry {
        self.next += 1;
        let mut id = [0; 32];
        id[..2].copy_from_slice(&self.next.to_be_bytes());
        Entry {
            id: EntryId(id),
            community: [0; 32],
            kind: if edit {
                Kind::Edit(EntryId([9; 32]))
            } else {
                Kind::Post
            },
            author: [author; 32],
            leaf: [author; 32],
            seq: 1,
            previous: None,
            parents: vec![],
            time_ms,
            expires_ms: None,
            text: Some(text),
            picture: None,
            files: vec![],
            ledger: 1,
            written: crate::proto::Written::default(),
        }
    }
}

/// What anybody would call having a word, of texts in plain letters.
fn has(text: &str, start: &str) -> bool {
    let text = text.to_lowercase();
    let mut words = text.split(|sign: char| !sign.is_alphanumeric());
    words.any(|word| word.starts_with(&start.to_lowercase()))
}

const NAMES: [&str; 3] = ["Anna", "Bab a", "Ca"];

fn name(author: &Hash) -> &'static str {
    NAMES[usize::from(author[0])]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let text = "[abAB]{1,3}([ .][abc]{1,3}){0,5}|[.]{1,2}";
    let write = (0_u64..20, 0_u8..3, prop::bool::weighted(0.2), text);
    let write = write.prop_map(|(time_ms, author, edit, text)| Act::Write {
        time_ms,
        author,
        edit,
        text,
    });
    let act = prop_oneof![
        6 => write,
        1 => any::<usize>().prop_map(Act::Erase),
        1 => any::<usize>().prop_map(Act::Remove),
        1 => (1_usize..10).prop_map(Act::Slice),
    ];
    vec(act, 0..120)
}

proptest! {
    #[test]
    fn it_finds_what_a_look_at_every_text_finds(
        acts in acts(),
        queries in vec("[abAB]{1,3}( [abc]{1,2}){0,2}|", 1..4),
        wanted in prop::option::of(0_u8..3),
        from in 0_u64..20,
    ) {
        let mut feed = Feed::default();
        for act in acts {
            feed.act(act);
        }
        while feed.index.lacks().is_some() {
            feed.slice(7);
        }
        for text in queries {
            let query = Query::parse(&text).unwrap();
            let author = |author: &Hash| {
                let wanted = wanted.is_none_or(|wanted| author[0] == wanted);
                (wanted, query.look(name(author)).has)
            };
            // What is edited is somebody else's, and older.
            let of = |entry: &Entry| match entry.kind {
                Kind::Edit(_) => (entry.time_ms / 2, [(entry.author[0] + 1) % 3; 32]),
                _ => (entry.time_ms, entry.author),
            };
            let post = |id: &EntryId| {
                let mut all = feed.entries.values();
                all.find(|entry| entry.id == *id).map(of)
            };
            let sought = Wanted {
                terms: &query.terms,
                times: from..u64::MAX,
                author: &author,
                post: &post,
            };
            let mut found = BTreeSet::new();
            feed.index.hits(&sought, &mut |at, number| {
                let id = feed.index.entry(number).unwrap();
                assert!(found.insert((at, id)), "each once");
            });
            let meant = |entry: &&Entry| {
                let (at, author) = of(entry);
                let by = wanted.is_none_or(|wanted| author[0] == wanted) && at >= from;
                let said = entry.text.as_deref();
                let mut words = text.split(' ').filter(|word| !word.is_empty());
                let all = words.all(|word| said.is_some_and(|said| has(said, word)) || has(name(&author), word));
                said.is_some() && by && all
            };
            let meant = feed.entries.values().filter(meant);
            let expected: BTreeSet<Stamp> = meant.map(|entry| (of(entry).0, entry.id)).collect();
            prop_assert_eq!(&found, &expected, "{}", text);
        }
    }

    #[test]
    fn nothing_of_what_went_stays_when_all_is_merged(acts in acts()) {
        let mut feed = Feed::default();
        for act in acts {
            feed.act(act);
        }
        while feed.index.lacks().is_some() {
            feed.slice(7);
        }
        feed.index.merge();
        let mut again = Feed { entries: feed.entries, ..Feed::default() };
        again.slice(usize::MAX);
        prop_assert_eq!(feed.index.base.count(), again.index.base.count());
        prop_assert_eq!(feed.index.size().0, again.index.size().0);
    }
}

#[test]
fn words_of_no_sense_cost_little_more_than_themselves() {
    let mut feed = Feed::default();
    feed.index.complete();
    let mut bytes = 0;
    for time_ms in 0..64_u64 {
        let words =
            (0..2_000_u64).map(|word| format!("{:x} ", (time_ms * 2_000 + word) * 0x9e37_79b1));
        let text: String = words.collect();
        bytes += text.len();
        feed.act(Act::Write {
            time_ms,
            author: 0,
            edit: false,
            text,
        });
    }
    feed.index.merge();
    let (texts, size) = feed.index.size();
    assert_eq!(texts, 64);
    assert!(size < 4 * bytes, "{size} for {bytes}");
}
