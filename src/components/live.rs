//! Parts and lists that come and go as things change. Whoever uses them hands closures in boxes to one function each, so
//! that what keeps the page in step is compiled once and not for every use: a twentieth of the app.
use leptos::prelude::*;
use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

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
    let holds = memo_of(holds);
    (move || holds.get().then(&what)).into_any()
}

/// What is made of other things, and is news only where it is another.
pub(crate) fn memo<T: PartialEq + Send + Sync + 'static>(
    of: impl Fn() -> T + Send + Sync + 'static,
) -> Memo<T> {
    memo_of(Box::new(of))
}

fn memo_of<T: PartialEq + Send + Sync + 'static>(of: Box<dyn Fn() -> T + Send + Sync>) -> Memo<T> {
    Memo::new(move |_| of())
}

/// Does something now, and again whenever what it read changes.
pub(crate) fn effect(run: impl FnMut() + 'static) {
    effect_of(Box::new(run));
}

fn effect_of(mut run: Box<dyn FnMut()>) {
    Effect::new(move |_: Option<()>| run());
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
    K: Eq + Hash + Send + Sync + 'static,
{
    let row = move |one: T| {
        let key = Key(Arc::new(key(&one)));
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

/// A key of whatever type. All keys of a list are of one.
trait Keyed: Any {
    fn feed(&self, hasher: &mut dyn Hasher);
    fn is(&self, other: &dyn Any) -> bool;
}

impl<K: Eq + Hash + 'static> Keyed for K {
    fn feed(&self, mut hasher: &mut dyn Hasher) {
        self.hash(&mut hasher);
    }

    fn is(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<K>() == Some(self)
    }
}

#[derive(Clone)]
struct Key(Arc<dyn Keyed + Send + Sync>);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.feed(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        let other: &dyn Any = &*other.0;
        self.0.is(other)
    }
}

impl Eq for Key {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Equal by one half, hashed by the other.
    #[derive(PartialEq, Eq)]
    struct Halves(u8, u8);

    impl Hash for Halves {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.1.hash(state);
        }
    }

    #[test]
    fn keys_are_equal_exactly_where_what_they_are_of_is() {
        let key = |first, second| Key(Arc::new(Halves(first, second)));
        let hash = |key: &Key| {
            let mut hasher = std::hash::DefaultHasher::new();
            key.hash(&mut hasher);
            hasher.finish()
        };
        assert!(key(1, 2) == key(1, 2));
        assert!(key(1, 2) != key(3, 2));
        assert_eq!(hash(&key(1, 2)), hash(&key(3, 2)));
        assert!(key(1, 2) != Key(Arc::new(1u8)));
    }
}
