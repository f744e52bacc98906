//! The posts of a community, the newest at the bottom.
//!
//! The scrolling box is laid out from its end (`column-reverse`): the newest post stays in view while posts arrive, and
//! older ones appear above without a jump. Only the rows near the view are drawn ([`scroll`]).
mod heights;
mod scroll;

use super::icon::{Icon, icon};
use super::live::{effect, list, memo, part};
use super::post::{Form, GhostPost, Post, Row, root};
use super::trouble::Trouble;
use crate::i18n::{choose, t, t_string, use_i18n};
use crate::platform::{intl, rows};
use crate::state::{Stamp, Voice, stamp, state, voice};
use leptos::ev;
use leptos::prelude::*;
use scroll::Scroll;
use std::sync::Arc;
use ume_api::{CommunityView, EntryId, PostView};

/// Posts of one person within this time form one block.
const BLOCK_MS: u64 = 5 * 60 * 1000;

/// The list, with everything that can stand in its place.
#[component]
pub(crate) fn Timeline(
    community: Memo<Option<CommunityView>>,
    /// Of which post, if it is its comments.
    #[prop(optional_no_strip)]
    thread: Option<EntryId>,
) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let feed = state.feed_of(thread);
    let is_thread = thread.is_some();
    let scroll = Scroll::new(state, thread);
    let loaded = memo(move || !feed.seeking.get() && feed.posts.with(Option::is_some));
    let news = memo(move || feed.marks().news);
    let rows = memo(move || {
        if !loaded.get() {
            return vec![];
        }
        let care = Care {
            held: state.posts.held.get(),
            editing: state.posts.editing.get(),
            peeked: state.posts.peeked.get(),
            news: news.get(),
        };
        let drawn = scroll.drawn.get();
        feed.posts
            .with(|posts| rows(posts.as_deref().unwrap_or_default(), drawn, &care))
    });
    scroll.follow(move || rows.with(|_| ()));
    let empty =
        memo(move || loaded.get() && rows.with(Vec::is_empty) && feed.ghosts.with(Vec::is_empty));
    let fresh = memo(move || feed.fresh());
    // What one writes, one wants to see.
    let mut before = usize::MAX;
    effect(move || {
        let count = feed.ghosts.with(Vec::len);
        if count > before {
            scroll.to_newest();
        }
        before = count;
    });

    view! { class="u",
        <div class="timeline">
            <div
                node_ref=scroll.scroller
                class="timeline-box"
                role="region"
                tabindex="0"
                aria-label=choose(move || is_thread, t!(i18n, threads.comments), t!(i18n, feed.posts))
                aria-busy=move || (!loaded.get() || feed.fetching.get()).to_string()
                on:scroll=move |_| scroll.scrolled()
            >
                <div class="timeline-column">
                    {is_thread.then(|| root(i18n, state.thread.of, state.now))}
                    {move || feed.failure.get().map(|failure| view! { class="u",
                        <Trouble failure=failure retry=move |()| state.reopen()/>
                    })}
                    {part(move || !loaded.get() && feed.failure.with(Option::is_none), move || view! { class="u",
                        <Skeleton/>
                    }.into_any())}
                    {part(move || empty.get(), move || view! { class="u",
                        {if is_thread {
                            view! { class="u", <p class="timeline-beginning">{t!(i18n, threads.empty)}</p> }.into_any()
                        } else {
                            view! { class="u", <Empty community=community/> }.into_any()
                        }}
                    }.into_any())}
                    {part(move || feed.older.get(), move || view! { class="u",
                        <button
                            type="button"
                            class="button quiet timeline-older"
                            disabled=move || feed.fetching.get()
                            on:click=move |_| state.older(thread)
                        >
                            {icon(Icon::ArrowUp)}
                            {t!(i18n, feed.older)}
                        </button>
                    }.into_any())}
                    {part(move || !is_thread && loaded.get() && !feed.older.get() && !empty.get(), move || view! { class="u",
                        <p class="timeline-beginning">{t!(i18n, feed.beginning)}</p>
                    }.into_any())}
                    <Posts community=community thread=thread rows=rows scroll=scroll/>
                </div>
            </div>
            {part(move || !feed.at_newest.get(), move || view! { class="u",
                // First to what is new, and from there to the end.
                <button
                    type="button"
                    class="button newest"
                    data-test="newest"
                    on:click=move |_| scroll.go_on_reading(fresh.get_untracked())
                >
                    {icon(Icon::ArrowDown)}
                    {move || match fresh.get() {
                        0 => t_string!(i18n, feed.newest).to_string(),
                        fresh => t_string!(i18n, feed.fresh, count = fresh),
                    }}
                </button>
            }.into_any())}
        </div>
    }
}

/// The rows, and below them what is not stored yet.
#[component]
fn Posts(
    community: Memo<Option<CommunityView>>,
    thread: Option<EntryId>,
    rows: Memo<Vec<Row>>,
    scroll: Scroll,
) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let (feed, now) = (state.feed_of(thread), state.now);
    let is_thread = thread.is_some();
    let on_key = move |event: ev::KeyboardEvent| {
        let down = event.key() == "PageDown";
        if (down || event.key() == "PageUp") && rows::step(down) {
            event.prevent_default();
        }
    };
    view! { class="u",
        <ol node_ref=scroll.list class="posts" role=move || rows.with(|rows| !rows.is_empty()).then_some("feed") aria-busy=move || feed.fetching.get().to_string() on:keydown=on_key on:focusin=move |_| scroll.note_focus() aria-label=choose(move || is_thread, t!(i18n, threads.comments), t!(i18n, feed.posts))>
            {list(
                move || rows.get(),
                Clone::clone,
                move |row| view! { class="u", <Post row=row now=now/> }.into_any(),
            )}
            {list(
                move || feed.ghosts.get(),
                |ghost| ghost.number,
                move |ghost| community.get_untracked().map(|community| view! { class="u",
                    <GhostPost author=community.me text=ghost.text/>
                }).into_any(),
            )}
        </ol>
    }
}

/// Nobody has written anything.
#[component]
fn Empty(community: Memo<Option<CommunityView>>) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let may_invite =
        move || community.with(|community| community.as_ref().is_some_and(|one| one.may_invite));
    let writes =
        move || community.with(|one| one.as_ref().is_some_and(|one| voice(one) == Voice::Speaks));
    view! { class="u",
        <div class="empty" data-test="empty">
            {super::mark::mark()}
            <h2>{t!(i18n, feed.empty_title)}</h2>
            <p>{choose(writes, t!(i18n, feed.empty_text), t!(i18n, feed.empty_reader))}</p>
            {part(may_invite, move || view! { class="u",
                <button type="button" class="button" on:click=move |_| state.share()>
                    {icon(Icon::Share)}
                    {t!(i18n, feed.empty_share)}
                </button>
            }.into_any())}
        </div>
    }
}

/// Posts to come.
#[component]
pub(crate) fn Skeleton() -> impl IntoView {
    let i18n = use_i18n();
    let one = |_| {
        view! { class="u",
            <div class="post">
                <span class="post-picture bone"></span>
                <span class="bone bone-short"></span>
                <span class="bone bone-long"></span>
            </div>
        }
    };
    view! { class="u",
        <div class="skeleton" role="status" data-test="loading">
            <span class="unseen">{t!(i18n, app.loading)}</span>
            {(0..4).map(one).collect_view()}
        </div>
    }
}

/// What of this person's doing shows in the rows.
struct Care {
    held: Option<Arc<PostView>>,
    editing: Option<EntryId>,
    peeked: Vec<EntryId>,
    news: Option<Stamp>,
}

impl Care {
    fn form(&self, post: &PostView) -> Form {
        let held = self.held.as_ref().is_some_and(|held| held.id == post.id);
        if self.editing == Some(post.id) {
            Form::Edited
        } else if post.hidden.is_some() && !held && !self.peeked.contains(&post.id) {
            Form::Folded
        } else {
            Form::Whole
        }
    }
}

/// The rows that are drawn.
fn rows(posts: &[Arc<PostView>], (first, end): (usize, usize), care: &Care) -> Vec<Row> {
    let above = first.checked_sub(1).and_then(|above| posts.get(above));
    let mut above = above.map(AsRef::as_ref);
    let mut day = above.map(|above| intl::day_number(above.at));
    let mut rows = Vec::with_capacity(end.saturating_sub(first));
    for post in posts.get(first..end).unwrap_or_default() {
        let today = Some(intl::day_number(post.at));
        let first_of_day = day != today;
        day = today;
        let form = care.form(post);
        // What was the first may be gone.
        let first_new = care.news.is_some_and(|news| {
            stamp(post) >= news && above.is_none_or(|above| stamp(above) < news)
        });
        let continues = !first_of_day
            && !first_new
            && form == Form::Whole
            && above.is_some_and(|other| {
                // Who wrote a hidden post is not drawn above the next one.
                care.form(other) != Form::Folded
                    && other.author == post.author
                    && post.at.saturating_sub(other.at) < BLOCK_MS
            });
        let held = care.held.as_ref().filter(|held| held.id == post.id);
        rows.push(Row {
            post: held.unwrap_or(post).clone(),
            first_of_day,
            first_new,
            continues,
            form,
        });
        above = Some(post);
    }
    rows
}
