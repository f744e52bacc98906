//! The communities of this profile: beside the feed where there is room, in a sheet elsewhere.
use super::icon::{Icon, icon};
use super::live::list;
use super::portrait::portrait_in;
use super::preferences::Preferences;
use crate::i18n::{t, use_i18n};
use crate::state::{Page, state};
use leptos::prelude::*;
use ume_api::{CommunityView, Departure, Phase};

/// The list, the way to another one, and the few settings there are.
#[component]
pub(crate) fn Communities(
    /// Called when the person chose something.
    #[prop(into)]
    chosen: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let add = move |_| {
        chosen.run(());
        state.go(Page::Add);
    };
    let see = move |_| {
        chosen.run(());
        state.go(Page::Traffic);
    };
    let keys = move |_| {
        chosen.run(());
        state.go(Page::Keys);
    };
    let here = move || (state.page.get() == Page::Traffic).then_some("page");
    view! { class="u",
        <nav class="communities" aria-label=t!(i18n, communities.title)>
            <ul role="list">
                {list(
                    move || state.communities.get().unwrap_or_default(),
                    |one| (one.id, one.name.clone(), one.members, one.phase, one.me.picture),
                    move |community| view! { class="u", <One community=community chosen=chosen/> }.into_any(),
                )}
            </ul>
            <button type="button" class="button quiet wide" on:click=add>
                {icon(Icon::Plus)}
                {t!(i18n, communities.add)}
            </button>
            <button type="button" class="button quiet wide" data-test="traffic-open" aria-current=here on:click=see>
                {icon(Icon::Eye)}
                {t!(i18n, traffic.title)}
            </button>
            <button type="button" class="button quiet wide" data-test="keys-open" on:click=keys>
                {icon(Icon::Key)}
                {t!(i18n, keys.title)}
            </button>
        </nav>
        <Preferences/>
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
