//! Looking for posts in all communities on this device. What is looked for leaves neither the device nor memory.
use crate::components::icon::{Icon, icon};
use crate::components::live::{effect, list, memo, part};
use crate::components::portrait::portrait_in;
use crate::components::room::room;
use crate::components::trouble::Trouble;
use crate::i18n::{I18n, choose, t, t_string, use_i18n};
use crate::platform::intl;
use crate::state::{Filter, State, handle, state};
use leptos::prelude::*;
use ume_api::{CommunityRef, Found, Piece};

/// As many letters as fit into what the engine takes, whichever they are.
const LETTERS_MAX: &str = "66";

/// The page.
#[component]
pub(crate) fn SearchPage() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let searching = state.searching;
    // Things may have changed since the last time.
    state.look(None);
    let gone = RwSignal::new(false);
    let found = memo(move || {
        searching.found.with(|page| {
            let page = page.as_ref()?;
            Some((page.found.len(), page.more))
        })
    });
    effect(move || {
        found.track();
        gone.set(false);
    });
    let counted = move |(count, more)| match (count, more) {
        (0, _) => t_string!(i18n, search.nothing).to_owned(),
        (count, true) => t_string!(i18n, search.at_least, count = count),
        (count, false) => t_string!(i18n, search.found, count = count),
    };
    let content = view! { class="u",
        <form role="search" class="search-form" on:submit=move |event| {
            event.prevent_default();
            state.look(None);
        }>
            <div class="field">
                <label for="search-text" class="unseen">{t!(i18n, search.label)}</label>
                <input
                    id="search-text"
                    type="search"
                    autocomplete="off"
                    enterkeyhint="search"
                    dir="auto"
                    maxlength=LETTERS_MAX
                    placeholder=t!(i18n, search.label)
                    prop:value=move || searching.text.get()
                    on:input=move |event| {
                        searching.text.set(event_target_value(&event));
                        state.look_soon();
                    }
                />
            </div>
            {filters(i18n, state)}
        </form>
        <p class="unseen" role="status" data-test="search-said">
            {move || searching.said.get().map(counted)}
        </p>
        {part(move || gone.get(), move || view! { class="u",
            <p class="field-wrong" role="alert">{t!(i18n, search.gone)}</p>
        }.into_any())}
        {move || searching.failure.get().map(|failure| view! { class="u",
            <Trouble failure=failure retry=move |()| state.look(None)/>
        })}
        {part(move || found.with(Option::is_none) && !searching.busy.get() && searching.failure.with(Option::is_none), move || view! { class="u",
            <div class="empty">
                {icon(Icon::Search)}
                <p>{t!(i18n, search.about)}</p>
            </div>
        }.into_any())}
        {part(move || found.with(Option::is_none) && searching.busy.get(), move || view! { class="u",
            <p class="bone" role="status" data-test="loading"><span class="unseen">{t!(i18n, search.reading)}</span></p>
        }.into_any())}
        <p class="hint search-count" data-test="search-count">
            {move || found.get().filter(|(count, _)| *count > 0).map(|(count, more)| counted((count, more.is_some())))}
        </p>
        {part(move || found.with(|found| matches!(found, Some((0, _)))), move || view! { class="u",
            <div class="empty" data-test="search-nothing">
                <h2>{t!(i18n, search.nothing)}</h2>
                <p>{t!(i18n, search.nothing_hint)}</p>
            </div>
        }.into_any())}
        <ol class="found" role="list" aria-label=t!(i18n, search.title)>
            {list(
                move || searching.found.with(|page| page.as_ref().map(|page| page.found.clone()).unwrap_or_default()),
                // A text is drawn anew where something else of it is marked.
                |one| (one.id, pieces_key(&one.text), pieces_key(&one.name)),
                move |one| found_one(i18n, state, one, gone),
            )}
        </ol>
        {part(move || found.with(|found| matches!(found, Some((_, Some(_))))), move || view! { class="u",
            <button
                type="button"
                class="button quiet timeline-older"
                disabled=move || searching.busy.get()
                on:click=move |_| state.look(found.get_untracked().and_then(|(_, more)| more))
            >
                {icon(Icon::ArrowDown)}
                {t!(i18n, search.more)}
            </button>
        }.into_any())}
    };
    room("search", t!(i18n, search.title), content.into_any())
}

/// In which community, by whom, from which day to which.
fn filters(i18n: I18n, state: State) -> AnyView {
    let searching = state.searching;
    let filter = searching.filter;
    let narrow = memo(move || filter.with(|filter| *filter != Filter::default()));
    let clear = move |_| {
        filter.set(Filter::default());
        state.look(None);
    };
    let day = move |id: &'static str, label: Signal<String>, of: fn(&mut Filter) -> &mut String| {
        view! { class="u",
            <p class="search-filter">
                <label for=id>{label}</label>
                <input
                    id=id
                    type="date"
                    prop:value=move || of(&mut filter.get()).clone()
                    on:change=move |event| {
                        filter.update(|filter| *of(filter) = event_target_value(&event));
                        state.look(None);
                    }
                />
            </p>
        }
        .into_any()
    };
    view! { class="u",
        <details class="past search-filters" open=narrow.get_untracked()>
            <summary>{choose(move || narrow.get(), t!(i18n, search.narrowed), t!(i18n, search.narrow))}</summary>
            <div class="search-grid">
                <p class="search-filter">
                    <label for="search-community">{t!(i18n, search.community)}</label>
                    <select id="search-community" on:change=move |event| {
                        let chosen = event_target_value(&event).parse().ok();
                        state.look_in(chosen.map(CommunityRef));
                    }>
                        <option value="" prop:selected=move || filter.with(|filter| filter.community.is_none())>{t!(i18n, search.everywhere)}</option>
                        {list(
                            move || state.communities.get().unwrap_or_default(),
                            |one| (one.id, one.name.clone()),
                            move |one| {
                                let id = one.id;
                                view! { class="u",
                                    <option value=id.0 prop:selected=move || filter.with(|filter| filter.community == Some(id))>{one.name}</option>
                                }.into_any()
                            },
                        )}
                    </select>
                </p>
                {part(move || searching.people.with(|people| !people.is_empty()), move || authors(i18n, state))}
                {day("search-from", t!(i18n, search.from), |filter| &mut filter.from)}
                {day("search-until", t!(i18n, search.until), |filter| &mut filter.until)}
            </div>
            {part(move || narrow.get(), move || view! { class="u",
                <button type="button" class="button quiet" on:click=clear>{t!(i18n, search.clear)}</button>
            }.into_any())}
        </details>
    }
    .into_any()
}

fn authors(i18n: I18n, state: State) -> AnyView {
    let searching = state.searching;
    let choose = move |event| {
        let chosen: Option<usize> = event_target_value(&event).parse().ok();
        let people = searching.people.get_untracked();
        let author = chosen.and_then(|at| people.get(at)).map(|person| person.id);
        searching.filter.update(|filter| filter.author = author);
        state.look(None);
    };
    let author = searching.filter.with_untracked(|filter| filter.author);
    let people = searching.people.get_untracked().into_iter().enumerate();
    let option = |(at, person): (usize, ume_api::Person)| {
        view! { class="u", <option value=at selected=author == Some(person.id)>{person.name}</option> }
    };
    view! { class="u",
        <p class="search-filter">
            <label for="search-author">{t!(i18n, search.author)}</label>
            <select id="search-author" on:change=choose>
                <option value="">{t!(i18n, search.anybody)}</option>
                {people.map(option).collect_view()}
            </select>
        </p>
    }
    .into_any()
}

fn found_one(i18n: I18n, state: State, one: Found, gone: RwSignal<bool>) -> AnyView {
    let at = one.at;
    let community = one.community;
    let place = move || {
        state.communities.with(|all| {
            let mut all = all.iter().flatten();
            let name = all.find(|one| one.id == community);
            name.map(|one| one.name.clone()).unwrap_or_default()
        })
    };
    let exact = move || {
        let locale = i18n.get_locale();
        format!("{}, {}", intl::day(locale, at), intl::time(locale, at))
    };
    let under = one.thread.as_ref().map(|(_, post)| {
        let post = post.clone();
        view! { class="u",
            <span class="found-under">
                {icon(Icon::Comment)}
                <span>{t!(i18n, search.comment)} " " <bdi>{post}</bdi></span>
            </span>
        }
    });
    let (name, said) = (pieces(&one.name), pieces(&one.text));
    let picture = portrait_in(community, &one.author);
    let id = handle(one.id);
    let sorry = Callback::new(move |()| gone.set(true));
    view! { class="u",
        <li>
            <button id=id type="button" class="found-one" data-test="found" on:click=move |_| state.open_found(&one, sorry)>
                <span class="found-picture">{picture}</span>
                <span class="found-head">
                    <bdi class="post-author">{name}</bdi>
                    <bdi class="post-time">{place}</bdi>
                    <time class="post-time" datetime=intl::iso(at)>{exact}</time>
                </span>
                {under}
                <span class="found-text" dir="auto">{said}</span>
            </button>
        </li>
    }
    .into_any()
}

/// Only text, and what was looked for is marked.
fn pieces(all: &[Piece]) -> Vec<AnyView> {
    let draw = |one: &Piece| {
        let text = one.text.clone();
        if one.hit {
            view! { class="u", <mark>{text}</mark> }.into_any()
        } else {
            text.into_any()
        }
    };
    all.iter().map(draw).collect()
}

fn pieces_key(all: &[Piece]) -> String {
    let mut key = String::new();
    for one in all {
        key.push(if one.hit { '\u{1}' } else { '\u{2}' });
        key.push_str(&one.text);
    }
    key
}
