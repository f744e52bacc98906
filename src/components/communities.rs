//! The communities of this profile: beside the feed where there is room, in a sheet elsewhere.
use super::icon::{Icon, icon};
use super::live::list;
use super::portrait::portrait_in;
use crate::i18n::{t, use_i18n};
use crate::state::{Page, state};
use leptos::prelude::*;
use ume_api::{CommunityView, Departure, Phase};

/// The list, and the ways to another one, to what the relay sees and to the settings.
#[component]
pub(crate) fn Communities(
    /// Called when the person chose something.
    #[prop(into)]
    chosen: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let to = move |page: Page, name: &'static str, sign, words: Signal<String>| {
        let there = page.clone();
        let here = move || (state.page.get() == there).then_some("page");
        let go = move |_| {
            chosen.run(());
            if page == Page::Search {
                state.go_search();
            } else {
                state.go(page.clone());
            }
        };
        view! { class="u",
            <button type="button" class="button quiet wide" data-test=name aria-current=here on:click=go>
                {icon(sign)}
                {words}
            </button>
        }
    };
    view! { class="u",
        <nav class="communities" aria-label=t!(i18n, communities.title)>
            <ul role="list">
                {list(
                    move || state.communities.get().unwrap_or_default(),
                    |one| (one.id, one.name.clone(), one.members, one.phase, one.me.picture),
                    move |community| view! { class="u", <One community=community chosen=chosen/> }.into_any(),
                )}
            </ul>
            {to(Page::Search, "search-way", Icon::Search, t!(i18n, search.title))}
            {to(Page::Add, "add-open", Icon::Plus, t!(i18n, communities.add))}
            {to(Page::Traffic, "traffic-open", Icon::Eye, t!(i18n, traffic.title))}
            {to(Page::Keys, "keys-open", Icon::Key, t!(i18n, keys.title))}
            {to(Page::Settings, "settings-open", Icon::Gear, t!(i18n, settings.title))}
        </nav>
    }
}

#[component]
fn One(community: CommunityView, chosen: Callback<()>) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let id = community.id;
    let open = move || state.open.get() == Some(id);
    let choose = move |_| {
        chosen.run(());
        state.enter(id);
    };
    let members = community.members;
    let phase = community.phase;
    view! { class="u",
        <li>
            <button
                type="button"
                class="community"
                class:community-open=open
                aria-current=move || open().then_some("true")
                on:click=choose
            >
                <span class="community-picture">{portrait_in(id, &community.me)}</span>
                <span class="community-names">
                    <bdi class="community-name">{community.name}</bdi>
                    <span class="community-facts">
                        {match phase {
                            Phase::Starting => t!(i18n, communities.starting),
                            Phase::Asking => t!(i18n, communities.asking),
                            Phase::Refused(_) => t!(i18n, communities.refused),
                            Phase::Ended(Departure::Left) => t!(i18n, communities.left),
                            Phase::Ended(_) => t!(i18n, communities.out),
                            _ => t!(i18n, feed.members, count = members),
                        }}
                    </span>
                </span>
            </button>
        </li>
    }
}
