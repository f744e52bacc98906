//! How high the rows of a feed are, as far as they have been drawn, and which of them are near the view. The box is laid out
//! from its end, so every distance is from there, in pixels.
use crate::state::{Stamp, stamp};
use std::sync::Arc;
use ume_api::PostView;

/// A row that nobody has drawn yet, until some were.
const GUESS: f64 = 72.0;
/// Rows beyond those in view that are drawn at once, on each side: the others come one frame after the other.
const STEP: usize = 2;

/// Rows from which is guessed how high the others are. Then the guess stands, or all that was not drawn would go on moving.
const SAMPLE: u32 = 32;

/// The rows, oldest first.
#[derive(Debug, Default)]
pub(super) struct Heights {
    /// None: not known.
    rows: Vec<(Stamp, Option<f64>)>,
    /// How far the upper edge of each row is from the end, and then the end itself.
    edges: Vec<f64>,
    sample: (f64, u32),
}

impl Heights {
    /// The feed has these rows now; what is known of those that stay is kept.
    pub(super) fn follow(&mut self, posts: &[Arc<PostView>]) {
        let before = std::mem::take(&mut self.rows);
        let mut at = 0;
        for post in posts {
            let stamp = stamp(post);
            while before.get(at).is_some_and(|(other, _)| *other < stamp) {
                at += 1;
            }
            let known = before.get(at).filter(|(other, _)| *other == stamp);
            self.rows.push((stamp, known.and_then(|(_, known)| *known)));
        }
        self.add_up();
    }

    /// Rows from one on were drawn, so high; whether that is news.
    pub(super) fn learn(&mut self, first: usize, heights: &[f64]) -> bool {
        let mut news = false;
        for ((_, known), height) in self.rows.iter_mut().skip(first).zip(heights) {
            let height = *height;
            if known.is_some_and(|known| (known - height).abs() < 0.5) {
                continue;
            }
            news = true;
            if known.replace(height).is_none() && self.sample.1 < SAMPLE {
                self.sample = (self.sample.0 + height, self.sample.1 + 1);
            }
        }
        if news {
            self.add_up();
        }
        news
    }

    /// Nothing is known any more: the feed has another width.
    pub(super) fn forget(&mut self) {
        self.rows.iter_mut().for_each(|(_, known)| *known = None);
        self.add_up();
    }

    fn add_up(&mut self) {
        let guess = match self.sample {
            (_, 0) => GUESS,
            (sum, count) => sum / f64::from(count),
        };
        self.edges.clear();
        self.edges.push(0.0);
        let mut edge = 0.0;
        for (_, known) in self.rows.iter().rev() {
            edge += known.unwrap_or(guess);
            self.edges.push(edge);
        }
        self.edges.reverse();
    }

    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    /// The row of a post, or of the one that comes after its place.
    pub(super) fn place(&self, stamp: Stamp) -> usize {
        self.rows.partition_point(|(other, _)| *other < stamp)
    }

    pub(super) fn stamp(&self, at: usize) -> Option<Stamp> {
        self.rows.get(at).map(|(stamp, _)| *stamp)
    }

    /// How far the upper edge of a row is from the end; of the row after the last: none.
    pub(super) fn edge(&self, at: usize) -> f64 {
        self.edges.get(at).copied().unwrap_or_default()
    }

    /// The row at a distance from the end, and how far into it that is, from its lower edge.
    pub(super) fn at(&self, distance: f64) -> Option<(usize, f64)> {
        self.rows.len().checked_sub(1)?;
        let above = self.edges.partition_point(|edge| *edge > distance);
        let at = above.saturating_sub(1).min(self.rows.len() - 1);
        Some((at, distance - self.edge(at + 1)))
    }

    /// Which rows are to be drawn when the lower edge of a view is so far from the end, and these were drawn before: those in
    /// view at once; of the others, up to a view's height on each side, a few more in each frame. The second part says whether
    /// there are still more to come.
    pub(super) fn drawn(
        &self,
        below: f64,
        view: f64,
        before: (usize, usize),
    ) -> ((usize, usize), bool) {
        let row = |distance: f64| self.at(distance).map_or(0, |(at, _)| at);
        let end_of = |distance: f64| (row(distance) + 1).min(self.rows.len());
        let (first, end) = (row(below + view), end_of(below));
        let want = (row(below + 2.0 * view), end_of(below - view));
        let near = before.0 < end && first < before.1;
        let (from, to) = if near { before } else { (first, end) };
        let drawn = (
            want.0.max(from.min(first).saturating_sub(STEP)),
            want.1.min(to.max(end) + STEP),
        );
        (drawn, drawn != want)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ume_api::{Comments, EntryId, Person, PersonId, PostState};

    fn at(time: u64) -> Stamp {
        (time, EntryId([0; 32]))
    }

    fn posts(times: &[u64]) -> Vec<Arc<PostView>> {
        let who = Person {
            id: PersonId([1; 32]),
            name: String::new(),
            mark: [1; 8],
            picture: None,
            me: false,
        };
        let post = |time: &u64| PostView {
            id: EntryId([0; 32]),
            author: who.clone(),
            owner: who.clone(),
            at: *time,
            text: String::new(),
            nodes: vec![],
            expires_at: None,
            edited_at: None,
            unpublished_by: None,
            hidden: None,
            state: PostState::Received,
            thread: None,
            comments: Comments::default(),
            reactions: vec![],
            files: vec![],
        };
        times.iter().map(|time| Arc::new(post(time))).collect()
    }

    fn feed(times: &[u64]) -> Heights {
        let mut heights = Heights::default();
        heights.follow(&posts(times));
        heights
    }

    fn near(one: f64, other: f64) -> bool {
        (one - other).abs() < 0.001
    }

    #[test]
    fn what_is_known_of_a_row_stays_with_it_whatever_comes_and_goes_around_it() {
        let mut heights = feed(&[10, 20, 30]);
        assert!(near(heights.edge(0), 3.0 * GUESS));
        assert!(heights.learn(1, &[100.0, 50.0]));
        assert!(!heights.learn(1, &[100.2]), "not worth a move");
        heights.follow(&posts(&[5, 7, 20, 25, 30, 40]));
        let known: Vec<_> = heights.rows.iter().map(|(_, known)| *known).collect();
        assert_eq!(known, [None, None, Some(100.0), None, Some(50.0), None]);
        assert!(near(heights.edge(3), 75.0 + 50.0 + 75.0));
        assert!(near(heights.edge(99), 0.0));
        assert_eq!(heights.place(at(20)), 2);
        assert_eq!(heights.place(at(21)), 3);
        assert_eq!(heights.stamp(3), Some(at(25)));
        heights.forget();
        heights.follow(&posts(&[20]));
        assert!(near(heights.edge(0), 75.0));
    }

    #[test]
    fn the_guess_stands_once_there_were_some_rows() {
        let times: Vec<u64> = (0..100).collect();
        let mut heights = feed(&times);
        heights.learn(0, &[10.0; 40]);
        heights.learn(40, &[500.0; 20]);
        assert!(near(heights.edge(60), 400.0));
    }

    #[test]
    fn a_distance_is_in_one_row() {
        let mut heights = feed(&[10, 20, 30]);
        heights.learn(0, &[100.0, 40.0, 60.0]);
        assert_eq!(heights.at(-5.0), Some((2, -5.0)));
        assert_eq!(heights.at(0.0), Some((2, 0.0)));
        assert_eq!(heights.at(59.0), Some((2, 59.0)));
        assert_eq!(heights.at(60.0), Some((1, 0.0)));
        assert_eq!(heights.at(150.0), Some((0, 50.0)));
        assert_eq!(heights.at(1_000.0), Some((0, 900.0)));
        assert_eq!(feed(&[]).at(10.0), None);
    }

    #[test]
    fn what_is_in_view_is_drawn_at_once_and_what_is_near_comes_after_it() {
        let times: Vec<u64> = (0..1_000).collect();
        let mut heights = feed(&times);
        heights.learn(0, &[10.0; 1_000]);
        // At the end: ten rows in view, ten more above.
        let (first, more) = heights.drawn(0.0, 100.0, (0, 0));
        assert_eq!((first, more), ((987, 1_000), true));
        let mut drawn = first;
        for _ in 0..4 {
            drawn = heights.drawn(0.0, 100.0, drawn).0;
        }
        assert_eq!(heights.drawn(0.0, 100.0, drawn), ((979, 1_000), false));
        // One row on: one comes.
        let (next, more) = heights.drawn(10.0, 100.0, (979, 1_000));
        assert_eq!((next, more), ((978, 1_000), false));
        // Far away: nothing of before, and what is in view at least.
        let ((first, end), more) = heights.drawn(5_000.0, 100.0, next);
        assert!(more && first <= 489 && end >= 500 && end - first < 20);
        // Beyond the oldest.
        assert_eq!(heights.drawn(99_000.0, 100.0, next).0.0, 0);
        assert_eq!(feed(&[]).drawn(0.0, 100.0, (0, 0)), ((0, 0), false));
    }
}
