//! Choosing an emoji: one popover for all posts, with a list that is fetched when it is first needed.
use super::live::{list, memo, part};
use super::post::react;
use crate::i18n::{I18n, t, use_i18n};
use crate::platform::{emoji, focus, memory};
use crate::state::state;
use leptos::prelude::*;
use leptos::{ev, html};
use std::sync::Arc;
use wasm_bindgen_futures::spawn_local;

/// Emoji in a line; the style sheet has the same number.
const COLUMNS: isize = 8;
/// How many a search shows.
const FOUND_MAX: usize = 96;
/// How many are remembered as used last.
const RECENT_MAX: usize = 24;

/// Names of all emoji, a line each.
#[derive(Clone, PartialEq)]
enum Names {
    /// Nobody has asked for them.
    Unknown,
    /// They could not be had.
    Failed,
    Here(Arc<str>),
}

impl Names {
    fn here(self) -> Option<Arc<str>> {
        match self {
            Self::Here(names) => Some(names),
            Self::Unknown | Self::Failed => None,
        }
    }
}

/// A line of the list: the emoji, its group, its name, and other words for it. The line of a group has no emoji.
fn parts(line: &str) -> Option<(&str, &str, &str, &str)> {
    let mut parts = line.split('\t');
    Some((parts.next()?, parts.next()?, parts.next()?, parts.next()?))
}

/// What is shown: of a search, else of a group; nothing chosen: what was used last.
fn shown(all: &str, query: &str, group: &str) -> Vec<(String, String)> {
    let query = query.trim().to_lowercase();
    let lines = all
        .lines()
        .filter_map(parts)
        .filter(|line| !line.0.is_empty());
    let pair = |line: (&str, &str, &str, &str)| (line.0.to_owned(), line.2.to_owned());
    if !query.is_empty() {
        let is_called = |line: &(&str, &str, &str, &str)| {
            let words = format!("{} {}", line.2, line.3).to_lowercase();
            line.0 == query || query.split(' ').all(|word| words.contains(word))
        };
        return lines.filter(is_called).take(FOUND_MAX).map(pair).collect();
    }
    if group.is_empty() {
        let recent = recent();
        let mut found: Vec<_> = lines
            .filter(|line| recent.iter().any(|one| one == line.0))
            .map(pair)
            .collect();
        found.sort_by_key(|one| recent.iter().position(|other| *other == one.0));
        return found;
    }
    lines.filter(|line| line.1 == group).map(pair).collect()
}

fn recent() -> Vec<String> {
    let kept =
        memory::recall(memory::EMOJI).unwrap_or_else(|| "👍️ ❤️ 😂 🎉 😮 😢 🙏 🌸".to_owned());
    kept.split(' ').map(str::to_owned).collect()
}

/// The popover; buttons name it by its id. What is chosen goes to the post that is held.
#[component]
pub(crate) fn EmojiPicker() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let picker = NodeRef::<html::Div>::new();
    let all = RwSignal::new(Names::Unknown);
    let query = RwSignal::new(String::new());
    let group = RwSignal::new(String::new());
    let open = RwSignal::new(false);
    let fetched = StoredValue::new(None);
    let fetch = move || {
        let locale = i18n.get_locale();
        // Once for each language, and again if it failed.
        if fetched.get_value() != Some(locale) || all.with_untracked(|all| *all == Names::Failed) {
            fetched.set_value(Some(locale));
            spawn_local(async move {
                let names = emoji::names(locale).await;
                all.set(names.map_or(Names::Failed, |names| Names::Here(names.into())));
            });
        }
    };
    let toggled = move |_| {
        let is_open = picker
            .get_untracked()
            .is_some_and(|one| one.matches(":popover-open").unwrap_or(false));
        open.set(is_open);
        if is_open {
            query.set(String::new());
            group.set(String::new());
            fetch();
            focus::later("#emoji-find");
        } else if !focus::is_there("#post-menu:popover-open") {
            state.posts.release();
        }
    };
    let choose = move |emoji: String| {
        let mut recent = recent();
        recent.retain(|one| *one != emoji);
        recent.insert(0, emoji.clone());
        recent.truncate(RECENT_MAX);
        memory::keep(memory::EMOJI, Some(&recent.join(" ")));
        if let Some(post) = state.posts.held.get_untracked() {
            react(i18n, state, post.id, emoji);
            focus::settle(crate::state::handle(post.id));
        }
        focus::hide_popovers();
    };
    let rows = memo(move || {
        let all = all.get().here().filter(|_| open.get());
        all.map(|all| shown(&all, &query.get(), &group.get()))
            .unwrap_or_default()
    });
    let first = move || {
        if let Some((first, _)) = rows.get_untracked().into_iter().next() {
            choose(first);
        }
    };
    view! { class="u",
        <div
            node_ref=picker
            id="emoji"
            class="menu emoji-picker"
            popover="auto"
            role="group"
            aria-label=t!(i18n, emoji.title)
            data-test="emoji"
            on:toggle=toggled
            on:keydown=move |event| walk(&event)
        >
            {finder(i18n, query, first)}
            <div class="emoji-groups">
                <button
                    type="button"
                    class="emoji"
                    aria-label=t!(i18n, emoji.recent)
                    aria-pressed=move || (query.with(String::is_empty) && group.with(String::is_empty)).to_string()
                    on:click=move |_| { query.set(String::new()); group.set(String::new()); }
                >
                    {super::icon::icon(super::icon::Icon::Clock)}
                </button>
                {move || all.get().here().map(|all| groups(&all, query, group))}
            </div>
            <div id="emoji-all" class="emoji-all">
                {list(
                    move || rows.get(),
                    |one| one.0.clone(),
                    move |(sign, name)| {
                        let chosen = sign.clone();
                        view! { class="u",
                            <button type="button" class="emoji" title=name.clone() aria-label=name on:click=move |_| choose(chosen.clone())>
                                {sign}
                            </button>
                        }
                        .into_any()
                    },
                )}
            </div>
            {nothing(i18n, open, all, rows)}
        </div>
    }
}

/// Where one says what it is called; with Enter it is the first that is found.
fn finder(i18n: I18n, query: RwSignal<String>, first: impl Fn() + 'static) -> impl IntoView {
    view! { class="u",
        <form on:submit=move |event| {
            event.prevent_default();
            first();
        }>
            <input
                id="emoji-find"
                type="search"
                autocomplete="off"
                aria-label=t!(i18n, emoji.find)
                placeholder=t!(i18n, emoji.find)
                prop:value=move || query.get()
                on:input=move |event| query.set(event_target_value(&event))
            />
        </form>
    }
}

/// The signs of the groups; one of them opens its group.
fn groups(all: &str, query: RwSignal<String>, group: RwSignal<String>) -> Vec<AnyView> {
    let tab = |line: (&str, &str, &str, &str)| {
        let (id, name) = (line.1.to_owned(), line.2.to_owned());
        let sign = line.3.to_owned();
        let (mine, this) = (id.clone(), id);
        view! { class="u",
            <button
                type="button"
                class="emoji"
                aria-label=name
                aria-pressed=move || (query.with(String::is_empty) && group.with(|one| *one == mine)).to_string()
                on:click=move |_| { query.set(String::new()); group.set(this.clone()); }
            >
                {sign}
            </button>
        }
        .into_any()
    };
    let lines = all.lines().filter_map(parts);
    lines.filter(|line| line.0.is_empty()).map(tab).collect()
}

/// Says why there is nothing to choose from.
fn nothing(
    i18n: I18n,
    open: RwSignal<bool>,
    all: RwSignal<Names>,
    rows: Memo<Vec<(String, String)>>,
) -> impl IntoView {
    let none = move || {
        let here = open.get() && all.with(|all| matches!(all, Names::Here(_)));
        here && rows.with(Vec::is_empty)
    };
    view! { class="u",
        {part(none, move || view! { class="u",
            <p class="hint" role="status">{t!(i18n, emoji.none)}</p>
        }.into_any())}
        {part(move || all.with(|all| *all == Names::Failed), move || view! { class="u",
            <p class="hint" role="status">{t!(i18n, emoji.failed)}</p>
        }.into_any())}
    }
}

/// Arrows go from one emoji to the next.
fn walk(event: &ev::KeyboardEvent) {
    let step = match event.key().as_str() {
        "ArrowRight" => 1,
        "ArrowLeft" => -1,
        "ArrowDown" => COLUMNS,
        "ArrowUp" => -COLUMNS,
        _ => return,
    };
    if focus::step("#emoji-find", "#emoji-all button", step) {
        event.prevent_default();
    }
}
