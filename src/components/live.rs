//! Parts and lists that come and go as things change. Whoever uses them hands closures in boxes to one function each, so
//! that what keeps the page in step is compiled once and not for every use: a twentieth of the app.
use leptos::prelude::*;
use std::hash::{Hash, Hasher};

/// A part that is there while something holds.
pub(crate) fn part(
    holds: impl Fn() -> bool + Send + Sync + 'static,
    what: impl Fn() -> AnyView + Send + Sync + 'static,
) -> AnyView {
    part_of(Box::new(holds), Box::new(what))
}

fn part_of(
    holds: Box<dyn Fn() -> bool + Send + Sync>,
    what: Box<dyn Fn() -> AnyView + Send + Sync>,
) -> AnyView {
    let holds = Memo::new(move |_| holds());
    (move || holds.get().then(&what)).into_any()
}

/// The rows of all that there is. A row is drawn once for its key and never again, so a key holds what the row does not
/// follow by itself.
pub(crate) fn list<T, K>(
    all: impl Fn() -> Vec<T> + Send + 'static,
    key: impl Fn(&T) -> K + Send + 'static,
    draw: impl Fn(T) -> AnyView + Clone + Send + 'static,
) -> AnyView
where
    T: Send + 'static,
    K: Hash,
{
    let row = move |one: T| {
        let key = Key::of(&key(&one));
        let draw = draw.clone();
        Row {
            key,
            draw: Box::new(move || draw(one)),
        }
    };
    list_of(Box::new(move || all().into_iter().map(&row).collect()))
}

fn list_of(rows: Box<dyn Fn() -> Vec<Row> + Send>) -> AnyView {
    view! { class="u", <For each=rows key=|row| row.key.clone() children=|row| (row.draw)()/> }
        .into_any()
}

struct Row {
    key: Key,
    draw: Box<dyn FnOnce() -> AnyView + Send>,
}

/// A key of whatever type: all that it gives to be hashed, which differs wherever keys differ.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Key(Vec<u8>);

impl Key {
    fn of(key: &impl Hash) -> Self {
        let mut all = Self::default();
        key.hash(&mut all);
        all
    }
}

impl Hasher for Key {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Nobody asks for it: what was written is the key.
    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn keys_are_equal_exactly_where_what_they_are_of_is() {
        let of = |parts: (&str, Option<u32>, &str)| Key::of(&parts);
        assert!(of(("ab", None, "c")) == of(("ab", None, "c")));
        assert!(of(("ab", None, "c")) != of(("a", None, "bc")));
        assert!(of(("ab", Some(0), "c")) != of(("ab", None, "c")));
        assert!(Key::of(&vec![1u8, 2]) != Key::of(&vec![1u8]));
    }
}
