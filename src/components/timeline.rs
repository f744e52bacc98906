//! The posts of a community, the newest at the bottom.
//!
//! The scrolling box is laid out from its end (`column-reverse`): the newest post stays in view while posts arrive, and
//! older ones appear above without a jump, with no script at all.
use super::icon::{Icon, icon};
use super::live::{effect, list, memo, part};
use super::post::{Form, GhostPost, Post, Row, root};
use super::trouble::Trouble;
use crate::i18n::{choose, t, t_string, use_i18n};
use crate::platform::{intl, pointer, tabs};
use crate::state::{State, Voice, state, voice};
use leptos::html;
use leptos::prelude::*;
use std::sync::Arc;
use ume_api::{CommunityView, EntryId, PostView};
use web_sys::{HtmlDivElement, ScrollBehavior, ScrollToOptions};

/// Posts of one person within this time form one block.
const BLOCK_MS: u64 = 5 * 60 * 1000;
/// So near to the end, pixels, counts as being there.
const NEAR_NEWEST: i32 = 48;
/// So near to the beginning, pixels, older posts are fetched.
const NEAR_OLDEST: i32 = 600;

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
    let rows = memo(move || {
        let care = Care {
            held: state.posts.held.get(),
            editing: state.posts.editing.get(),
            peeked: state.posts.peeked.get(),
        };
        feed.posts
            .with(|posts| rows(posts.as_deref().unwrap_or_default(), &care))
    });
    let loaded = memo(move || feed.posts.with(Option::is_some));
    let empty =
        memo(move || loaded.get() && rows.with(Vec::is_empty) && feed.ghosts.with(Vec::is_empty));

    let scroller = NodeRef::<html::Div>::new();
    let to_newest = move |smooth: bool| {
        scroller
            .get_untracked()
            .iter()
            .for_each(|one| scroll_to_newest(one, smooth));
    };
    // What one writes, one wants to see.
    let mut before = usize::MAX;
    effect(move || {
        let count = feed.ghosts.with(Vec::len);
        if count > before {
            to_newest(false);
        }
        before = count;
    });

    view! { class="u",
        <div class="timeline">
            <div
                node_ref=scroller
                class="timeline-box"
                role="region"
                tabindex="0"
                aria-label=choose(move || is_thread, t!(i18n, threads.comments), t!(i18n, feed.posts))
                aria-busy=move || (!loaded.get() || feed.fetching.get()).to_string()
                on:scroll=move |_| scroller.get_untracked().iter().for_each(|one| scrolled(state, thread, one))
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
                    <Posts community=community thread=thread rows=rows/>
                </div>
            </div>
            {part(move || !feed.at_newest.get() || feed.fresh.get() != 0, move || view! { class="u",
                <button type="button" class="button newest" data-test="newest" on:click=move |_| {
                    feed.fresh.set(0);
                    to_newest(true);
                }>
                    {icon(Icon::ArrowDown)}
                    {move || match feed.fresh.get() {
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
) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let (feed, now) = (state.feed_of(thread), state.now);
    let is_thread = thread.is_some();
    view! { class="u",
        <ol class="posts" role="list" aria-label=choose(move || is_thread, t!(i18n, threads.comments), t!(i18n, feed.posts))>
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

/// Follows where the person is: at the newest post, or near the oldest that is here.
fn scrolled(state: State, thread: Option<EntryId>, scroller: &HtmlDivElement) {
    let feed = state.feed_of(thread);
    let below = scroller.scroll_top().abs();
    let above = scroller.scroll_height() - scroller.client_height() - below;
    let at_newest = below < NEAR_NEWEST;
    if at_newest != feed.at_newest.get_untracked() {
        feed.at_newest.set(at_newest);
    }
    if at_newest && !tabs::hidden() && feed.fresh.get_untracked() > 0 {
        feed.fresh.set(0);
    }
    if above < NEAR_OLDEST {
        state.older(thread);
    }
}

fn scroll_to_newest(scroller: &HtmlDivElement, smooth: bool) {
    let options = ScrollToOptions::new();
    options.set_top(0.0);
    if smooth && !pointer::wants_less_motion() {
        options.set_behavior(ScrollBehavior::Smooth);
    }
    scroller.scroll_to_with_scroll_to_options(&options);
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
}

fn rows(posts: &[Arc<PostView>], care: &Care) -> Vec<Row> {
    let mut day = None;
    let mut above: Option<&PostView> = None;
    let mut rows = Vec::with_capacity(posts.len());
    for post in posts {
        let today = Some(intl::day_number(post.at));
        let first_of_day = day != today;
        day = today;
        let held = care.held.as_ref().filter(|held| held.id == post.id);
        let form = if care.editing == Some(post.id) {
            Form::Edited
        } else if post.hidden.is_some() && held.is_none() && !care.peeked.contains(&post.id) {
            Form::Folded
        } else {
            Form::Whole
        };
        let continues = !first_of_day
            && form == Form::Whole
            && above.is_some_and(|other| {
                other.author == post.author && post.at.saturating_sub(other.at) < BLOCK_MS
            });
        rows.push(Row {
            post: held.unwrap_or(post).clone(),
            first_of_day,
            continues,
            form,
        });
        // Who wrote a hidden post is not drawn above the next one.
        above = (form != Form::Folded).then_some(post);
    }
    rows
}
