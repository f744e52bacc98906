//! The head of a community: who one is with, and how the line is.
use super::icon::{Icon, icon};
use super::live::{memo, part};
use crate::i18n::{I18n, t, t_string, use_i18n};
use crate::state::{Page, state};
use leptos::prelude::*;
use ume_api::{CommunityView, Connection, Phase};

/// Name, members, connection, and the ways to the people in it and to invite more.
#[component]
pub(crate) fn Header(
    community: Memo<Option<CommunityView>>,
    /// The sheet of communities, on narrow screens.
    menu: RwSignal<bool>,
) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let name = move || community.with(|one| one.as_ref().map(|one| one.name.clone()));
    let members = memo(move || community.with(|one| one.as_ref().map(|one| one.members)));
    let inside = memo(move || {
        let out = |one: &CommunityView| matches!(one.phase, Phase::Asking | Phase::Refused(_));
        community.with(|one| one.as_ref().is_none_or(|one| !out(one)))
    });
    let requests = memo(move || community.with(|one| one.as_ref().map_or(0, |one| one.requests)));
    let unread = move || state.unread_in_all() > 0;
    let may_invite = move || community.with(|one| one.as_ref().is_some_and(|one| one.may_invite));
    view! { class="u",
        <header class="head">
            <button
                type="button"
                class="button quiet square head-menu"
                class:head-unread=unread
                aria-label=t!(i18n, app.menu)
                aria-haspopup="dialog"
                on:click=move |_| menu.set(true)
            >
                {icon(Icon::Menu)}
            </button>
            <div class="head-names">
                <h1 tabindex="-1" dir="auto">{name}</h1>
                <p class="head-facts">
                    {move || members.get().filter(|_| inside.get()).map(|count| t!(i18n, feed.members, count = count))}
                    <ConnectionDot/>
                </p>
            </div>
            <button
                type="button"
                class="button quiet square head-search"
                data-test="search-open"
                aria-label=t!(i18n, search.title)
                title=t!(i18n, search.key)
                aria-keyshortcuts="Control+K"
                on:click=move |_| state.go_search()
            >
                {icon(Icon::Search)}
            </button>
            {part(move || inside.get(), move || view! { class="u",
                <button type="button" class="button" data-test="people-open" on:click=move |_| state.go(Page::People)>
                    {icon(Icon::People)}
                    <span class="head-word">{t!(i18n, people.title)}</span>
                    {move || (requests.get() > 0).then(|| view! { class="u",
                        <span class="badge" data-test="requests-badge">
                            <span aria-hidden="true">{requests.get()}</span>
                            <span class="unseen">{t!(i18n, requests.badge, count = requests.get())}</span>
                        </span>
                    })}
                </button>
            }.into_any())}
            {part(may_invite, move || view! { class="u",
                <button type="button" class="button" data-test="share-open" aria-haspopup="dialog" on:click=move |_| state.share()>
                    {icon(Icon::Share)}
                    <span class="head-word">{t!(i18n, feed.share)}</span>
                </button>
            }.into_any())}
        </header>
    }
}

#[component]
fn ConnectionDot() -> impl IntoView {
    let i18n = use_i18n();
    let connection = state().connection;
    view! { class="u",
        <span class="line" data-test="connection" data-connection=move || word(connection.get())>
            <span class="line-dot" aria-hidden="true"></span>
            {move || named(i18n, connection.get())}
        </span>
    }
}

const fn word(connection: Connection) -> &'static str {
    match connection {
        Connection::Connecting => "connecting",
        Connection::Online => "online",
        Connection::Offline => "offline",
    }
}

fn named(i18n: I18n, connection: Connection) -> &'static str {
    match connection {
        Connection::Connecting => t_string!(i18n, connection.connecting),
        Connection::Online => t_string!(i18n, connection.online),
        Connection::Offline => t_string!(i18n, connection.offline),
    }
}
