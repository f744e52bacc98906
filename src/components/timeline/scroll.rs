//! Where somebody is in a feed of which only the rows near the view are drawn.
//!
//! The place is a row and how far into it the lower edge of the view is, or else the end. Whatever comes, goes or turns out to be
//! higher than was guessed: the box is scrolled so that the place stays where it is on the screen. That happens once a frame,
//! after everything was drawn and before it is shown.
use super::heights::Heights;
use crate::components::live::{effect, memo};
use crate::platform::{rows, tabs};
use crate::state::{Feed, Stamp, State};
use leptos::html;
use leptos::prelude::*;
use ume_api::EntryId;
use web_sys::{HtmlDivElement, HtmlOListElement};

/// So near to the end, pixels, counts as being there.
const NEAR_NEWEST: f64 = 48.0;
/// So near to the oldest that is here, in heights of the view, older posts are fetched.
const NEAR_OLDEST: f64 = 4.0;
/// How far below the upper edge something is shown that was aimed at, in heights of the view.
const AIMED: f64 = 0.2;
/// Rows are as high as they are drawn; what was aimed at is there after so many frames at the latest.
const FRAMES: u32 = 30;

/// Copies are the same place.
#[derive(Clone, Copy)]
pub(super) struct Scroll {
    pub(super) scroller: NodeRef<html::Div>,
    pub(super) list: NodeRef<html::Ol>,
    state: State,
    feed: Feed,
    thread: Option<EntryId>,
    here: StoredValue<Here>,
    /// Counts what the rows that are drawn follow beside the feed.
    turn: RwSignal<u32>,
    /// Which rows are drawn.
    pub(super) drawn: Memo<(usize, usize)>,
}

/// The place, and the box as it was looked at last.
struct Here {
    heights: Heights,
    /// Which state of the feed they are of.
    version: u32,
    /// None: at the end.
    place: Option<(Stamp, f64)>,
    drawn: (usize, usize),
    /// More rows are to be drawn.
    more: bool,
    view: f64,
    width: i32,
    /// How far the box is scrolled from its end.
    top: f64,
    /// Frames in which what was aimed at may still move.
    aiming: u32,
    /// A frame is under way.
    due: bool,
    /// The row that has the focus.
    focused: Option<Stamp>,
}

impl Here {
    /// How far the lower edge of the view is from the end.
    fn distance(&self) -> f64 {
        match self.place {
            None => self.top.min(NEAR_NEWEST),
            Some((stamp, into)) => self.heights.edge(self.heights.place(stamp) + 1) + into,
        }
    }

    /// The same, when a post is in view as it is to be.
    fn distance_of(&self, aim: Stamp) -> f64 {
        self.heights.edge(self.heights.place(aim)) - (1.0 - AIMED) * self.view
    }

    /// The place is so far from the end from now on; whether that is another one.
    fn put(&mut self, distance: f64) -> bool {
        let row = self.heights.at(distance);
        let row = row.filter(|_| distance >= NEAR_NEWEST);
        let place = row.and_then(|(at, into)| Some((self.heights.stamp(at)?, into)));
        std::mem::replace(&mut self.place, place) != place
    }
}

impl Scroll {
    pub(super) fn new(state: State, thread: Option<EntryId>) -> Self {
        let feed = state.feed_of(thread);
        // What came while another page was shown.
        feed.at_newest.set(true);
        feed.come_back();
        let turn = RwSignal::new(0u32);
        let here = StoredValue::new(Here {
            heights: Heights::default(),
            version: 0,
            place: None,
            drawn: (0, 0),
            more: false,
            view: tabs::height(),
            width: 0,
            top: 0.0,
            aiming: 0,
            due: false,
            focused: None,
        });
        let drawn = memo(move || {
            turn.get();
            feed.posts.with(|posts| {
                let version = feed.now().version;
                let drawn = here.try_update_value(|here| {
                    if std::mem::replace(&mut here.version, version) != version {
                        let posts = posts.as_deref().unwrap_or_default();
                        here.heights.follow(posts);
                    }
                    let (distance, view) = (here.distance(), here.view);
                    (here.drawn, here.more) = here.heights.drawn(distance, view, here.drawn);
                    here.drawn
                });
                drawn.unwrap_or_default()
            })
        });
        Self {
            scroller: NodeRef::new(),
            list: NodeRef::new(),
            state,
            feed,
            thread,
            here,
            turn,
            drawn,
        }
    }

    /// Follows what is drawn, and what is aimed at.
    pub(super) fn follow(self, drawn: impl Fn() + 'static) {
        effect(move || {
            drawn();
            if let Some(list) = self.list.get_untracked() {
                self.pad(&list);
            }
            self.settle_soon();
        });
        let mut aimed = None;
        effect(move || {
            let aim = self.feed.marks().aim;
            if std::mem::replace(&mut aimed, aim) == aim {
                return;
            }
            let Some(aim) = aim else { return };
            // The rows of the feed as it is now.
            let _ = self.drawn.get_untracked();
            self.change(|here| {
                here.aiming = FRAMES;
                here.put(here.distance_of(aim))
            });
            self.settle_soon();
        });
        let watched = StoredValue::new_local(None::<rows::Watch>);
        effect(move || {
            if let Some(list) = self.list.get() {
                watched.set_value(rows::watch(&list, move || self.settle_soon()));
            }
        });
        on_cleanup(move || drop(watched.try_update_value(Option::take)));
    }

    /// Somebody scrolled, or this did.
    pub(super) fn scrolled(self) {
        let Some(scroller) = self.scroller.get_untracked() else {
            return;
        };
        let top = f64::from(scroller.scroll_top().abs());
        self.change(|here| {
            let moved = top - std::mem::replace(&mut here.top, top);
            if moved.abs() > 1.0 {
                here.aiming = 0;
            }
            let distance = match here.place {
                _ if top < NEAR_NEWEST => 0.0,
                None => top,
                // What lies below may have changed since the box was put here.
                Some(_) => here.distance() + moved,
            };
            here.put(distance)
        });
        self.look();
    }

    /// Leads to what is new, or else to the end; the keyboard goes on from there.
    pub(super) fn go_on_reading(self, fresh: u32) {
        if fresh > 0 {
            self.feed.go_to_fresh();
        } else {
            self.to_newest();
        }
        if let Some(scroller) = self.scroller.get_untracked() {
            rows::focus(&scroller);
        }
    }

    /// A row has the focus now. It may be gone before anything else happens.
    pub(super) fn note_focus(self) {
        let Some(list) = self.list.get_untracked() else {
            return;
        };
        let (first, _) = self.drawn.get_untracked();
        let focused = rows::focused(&list);
        self.here.update_value(|here| {
            here.focused = focused.and_then(|at| here.heights.stamp(first + at));
        });
    }

    /// Leads to the end.
    pub(super) fn to_newest(self) {
        if let Some(scroller) = self.scroller.get_untracked() {
            scroller.set_scroll_top(0);
        }
        self.change(|here| {
            (here.aiming, here.top) = (0, 0.0);
            here.put(0.0)
        });
        self.settle_soon();
    }

    /// Changes where somebody is. What it says is whether rows are to be drawn for that.
    fn change(self, change: impl FnOnce(&mut Here) -> bool) {
        let moved = self.here.try_update_value(|here| {
            let moved = change(here);
            (moved, here.place.is_none())
        });
        let Some((moved, at_newest)) = moved else {
            return;
        };
        if self.feed.at_newest.get_untracked() != at_newest {
            self.feed.at_newest.set(at_newest);
        }
        if moved {
            self.next();
        }
    }

    fn next(self) {
        let _ = self.turn.try_update(|turn| *turn = turn.wrapping_add(1));
    }

    fn settle_soon(self) {
        let due = self
            .here
            .try_update_value(|here| std::mem::replace(&mut here.due, true));
        if due == Some(false) {
            request_animation_frame(move || {
                // The feed may be gone by then.
                if self
                    .here
                    .try_update_value(|here| here.due = false)
                    .is_some()
                {
                    self.settle();
                }
            });
        }
    }

    /// Looks how high the rows are, and puts the box where the place is.
    fn settle(self) {
        let (Some(scroller), Some(list)) =
            (self.scroller.get_untracked(), self.list.get_untracked())
        else {
            return;
        };
        let (view, width) = (scroller.client_height(), scroller.client_width());
        if view == 0 {
            return;
        }
        let view = f64::from(view);
        let (first, end) = self.drawn.get_untracked();
        let heights = rows::heights(&list, end - first);
        let (aim, focused) = (self.feed.now().aim, rows::focused(&list));
        let mut go_on = false;
        let (mut aiming, mut strayed) = (false, false);
        self.change(|here| {
            if std::mem::replace(&mut here.width, width) != width {
                here.heights.forget();
            }
            let other = (std::mem::replace(&mut here.view, view) - view).abs() > 0.5;
            let news = here.heights.learn(first, &heights);
            go_on = other || news || here.more;
            aiming = here.aiming > 0;
            let focused = focused.and_then(|at| here.heights.stamp(first + at));
            let before = std::mem::replace(&mut here.focused, focused);
            strayed = focused.is_none()
                && before.is_some_and(|row| !(first..end).contains(&here.heights.place(row)));
            let Some(aim) = aim.filter(|_| aiming) else {
                return false;
            };
            let (from, to) = (here.distance(), here.distance_of(aim).max(0.0));
            let there = !news && !here.more && (to - from).abs() < 1.0;
            here.aiming = if there { 0 } else { here.aiming - 1 };
            here.put(to)
        });
        self.pad(&list);
        self.stay(&scroller, aiming);
        if aim.is_some() && !aiming {
            self.feed.aim_at(None);
        }
        let known = !self.feed.older.get_untracked();
        let all = self.here.with_value(|here| here.heights.count());
        rows::count(&list, first, known.then_some(all));
        // Whoever goes on by keyboard does so from here, if the row that they were in is not drawn any more.
        if strayed {
            rows::take_focus(&scroller);
        }
        self.look();
        if go_on {
            // In the next frame a few rows more are drawn, and measured before they are shown.
            request_animation_frame(move || self.next());
        }
        if go_on || aiming {
            self.settle_soon();
        }
    }

    /// In the place of the rows that are not drawn.
    fn pad(self, list: &HtmlOListElement) {
        let (first, end) = self.drawn.get_untracked();
        let (above, below) = self.here.with_value(|Here { heights, .. }| {
            let above = heights.edge(0) - heights.edge(first);
            (above, heights.edge(end))
        });
        rows::pad(list, above, below);
    }

    /// Scrolls the box to the place.
    fn stay(self, scroller: &HtmlDivElement, aiming: bool) {
        let wanted = self.here.with_value(|here| match here.place {
            None if !aiming => None,
            None => Some(0.0),
            Some(_) => Some(here.distance()),
        });
        let Some(wanted) = wanted else { return };
        let top = f64::from(scroller.scroll_top().abs());
        if (wanted - top).abs() >= 1.0 {
            // Pixels, and far fewer than 2^31.
            #[allow(clippy::cast_possible_truncation)]
            scroller.set_scroll_top(-(wanted.round() as i32));
        }
        let top = f64::from(scroller.scroll_top().abs());
        self.here.update_value(|here| here.top = top);
    }

    /// What follows from where somebody is: what they have seen, and that they want to see older posts.
    fn look(self) {
        let found = self.here.with_value(|here| {
            let distance = here.distance();
            // What is cut off by the edge counts once its first line is there.
            let (seen, _) = here
                .heights
                .at(distance + 8.0)
                .filter(|_| here.aiming == 0)?;
            let above = here.heights.edge(0) - distance - here.view;
            Some((here.heights.stamp(seen)?, above < NEAR_OLDEST * here.view))
        });
        let shown = self.scroller.get_untracked();
        let Some((seen, near_oldest)) =
            found.filter(|_| shown.is_some_and(|one| one.client_height() > 0))
        else {
            return;
        };
        self.state.saw(self.thread, seen);
        if near_oldest {
            self.state.older(self.thread);
        }
    }
}
