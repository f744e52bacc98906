//! The communities of this profile: beside the feed where there is room, in a sheet elsewhere.
use super::icon::{Icon, icon};
use super::live::{list, memo, part};
use super::portrait::portrait_in;
use crate::i18n::{t, t_string, use_i18n};
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
            {part(move || state.unread_in_all() > 0, move || view! { class="u",
                <button type="button" class="button quiet wide" data-test="read-all" on:click=move |_| state.saw_all()>
                    {icon(Icon::Check)}
                    {t!(i18n, communities.read_all)}
                </button>
            }.into_any())}
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
    // How much is unread, whether that is told, and whether something is being written.
    let desk = memo(move || {
        state.communities.with(|all| {
            let one = all.iter().flatten().find(|one| one.id == id)?;
            Some((state.unread(one), one.muted, one.drafts))
        })
    });
    let (muted, drafts) = (
        move || desk.get().is_some_and(|desk| desk.1),
        move || desk.get().is_some_and(|desk| desk.2),
    );
    let signs = move || {
        let unread = desk.get().map_or(0, |desk| desk.0);
        (unread > 0).then(|| view! { class="u",
            <span class="badge" data-test="unread">
                <span aria-hidden="true">{unread}</span>
                <span class="unseen">{t_string!(i18n, communities.unread, count = unread)}</span>
            </span>
        })
    };
    let sign = move |which, words: Signal<String>| {
        view! { class="u",
        <span class="community-sign" title=words>{icon(which)}<span class="unseen">{words}</span></span>
    }.into_any()
    };
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
                <span class="community-signs">
                    {part(drafts, move || sign(Icon::Pen, t!(i18n, communities.draft)))}
                    {part(muted, move || sign(Icon::BellOff, t!(i18n, communities.muted)))}
                    {signs}
                </span>
            </button>
        </li>
    }
}
