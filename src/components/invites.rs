//! The links by which people come in. Everybody sees the list; a link itself is only with whoever made it.
use super::ask::{Ask, deed};
use super::icon::{Icon, icon};
use super::live::{list, memo, part};
use super::roles;
use super::sheet::Sheet;
use crate::i18n::{t, t_string, text, use_i18n};
use crate::platform::intl;
use crate::state::state;
use leptos::prelude::*;
use ume_api::{
    Act, CommunityView, HistoryWindow, InviteId, InviteKind, InviteState, InviteView, Phase, Role,
};

/// The links that let people in, those that no longer do, and the way to another one.
#[component]
pub(crate) fn Invites(community: Memo<Option<CommunityView>>) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let people = state.people;
    let asked = RwSignal::new(None::<InviteId>);
    let sheet = RwSignal::new(false);
    let of = move |open: bool| {
        move || -> Vec<InviteView> {
            let all = people.invites.get().unwrap_or_default().into_iter();
            all.filter(|one| (one.state == InviteState::Open) == open)
                .collect()
        }
    };
    let past = memo(move || of(false)());
    let banned =
        memo(move || past.with(|past| past.iter().any(|one| one.state == InviteState::Banned)));
    let may_invite = move || community.with(|one| one.as_ref().is_some_and(|one| one.may_invite));
    let withdraws = memo(move || {
        let out = |one: &CommunityView| matches!(one.phase, Phase::Ended(_));
        community.with(|one| {
            let one = one.as_ref().filter(|one| !out(one))?;
            Some(one.role >= Role::Admin)
        })
    });
    let withdraw = Callback::new(move |id| {
        people.failure.set(None);
        asked.set(Some(id));
        sheet.set(true);
    });
    let links = move |open: bool| {
        view! { class="u",
            <ul class="invites" role="list">
                {list(
                    of(open),
                    |one| (one.id, one.uses, one.state),
                    move |one| view! { class="u", <One invite=one withdraws=withdraws withdraw=withdraw/> }.into_any(),
                )}
            </ul>
        }
    };
    view! { class="u",
        <p class="hint">{t!(i18n, invites.about)}</p>
        {part(move || banned.get() && of(true)().is_empty(), move || view! { class="u",
            <p class="ask-links" data-test="ended-by-ban">{icon(Icon::Alert)}<span>{t!(i18n, invites.after_ban)}</span></p>
        }.into_any())}
        {part(may_invite, move || view! { class="u",
            <div class="actions">
                <button type="button" class="button primary" aria-haspopup="dialog" on:click=move |_| state.share()>
                    {icon(Icon::Plus)}{t!(i18n, invites.make)}
                </button>
            </div>
        }.into_any())}
        {part(move || people.invites.with(Option::is_some) && !banned.get() && of(true)().is_empty(), move || view! { class="u",
            <p class="nothing">{t!(i18n, invites.none)}</p>
        }.into_any())}
        {links(true)}
        {part(move || past.with(|past| !past.is_empty()), move || view! { class="u",
            <details class="past" data-test="past-invites">
                <summary>{t!(i18n, invites.past, count = past.with(Vec::len))}</summary>
                {links(false)}
            </details>
        }.into_any())}
        <Sheet open=sheet title=t!(i18n, invites.withdraw_title) name="withdraw">
            <Ask
                text=t!(i18n, invites.withdraw_text)
                go=t!(i18n, invites.withdraw)
                on_go=move |()| {
                    let Some(invite) = asked.get_untracked() else { return };
                    let said = t_string!(i18n, invites.said_withdrawn).to_owned();
                    state.govern(Act::RevokeInvite { invite }, move || {
                        people.said.set(said);
                        let _ = sheet.try_set(false);
                    });
                }
                on_back=move |()| sheet.set(false)
            />
        </Sheet>
    }
}

/// One link's terms, and how far it is used.
#[component]
fn One(
    invite: InviteView,
    /// Whether this person may withdraw anybody's; `None`: not even their own.
    withdraws: Memo<Option<bool>>,
    withdraw: Callback<InviteId>,
) -> impl IntoView {
    let i18n = use_i18n();
    let now = state().now;
    let InviteView {
        id,
        kind,
        issuer,
        uses,
        max_uses,
        expires_at,
        history,
        role,
        state,
    } = invite;
    // When it expires means nothing once it has ended otherwise.
    let timed = matches!(state, InviteState::Open | InviteState::Expired);
    let withdrawn = matches!(state, InviteState::Withdrawn | InviteState::Banned);
    // A private link that works is not called open.
    let named = kind == InviteKind::Open || state != InviteState::Open;
    let may = move || withdraws.get().is_some_and(|any| any || issuer.me) && !withdrawn;
    let used = text(move || {
        max_uses.map_or_else(
            || t_string!(i18n, invites.used, count = uses),
            |most| t_string!(i18n, invites.used_of, uses = uses, count = most),
        )
    });
    let word = match state {
        InviteState::Open => t!(i18n, invites.open),
        InviteState::Expired => t!(i18n, invites.expired),
        InviteState::UsedUp => t!(i18n, invites.used_up),
        InviteState::Withdrawn => t!(i18n, invites.withdrawn),
        InviteState::Banned => t!(i18n, invites.banned),
    };
    let expiry = text(move || match expires_at {
        Some(at) => {
            let when = intl::relative(i18n.get_locale(), at, now.get());
            if at <= now.get() {
                t_string!(i18n, invites.expired_when, when = when)
            } else {
                t_string!(i18n, invites.expires, when = when)
            }
        }
        None => t_string!(i18n, invites.expires_never).to_owned(),
    });
    let past = match history {
        HistoryWindow::None => t!(i18n, invites.history_none),
        HistoryWindow::Days(days) => t!(i18n, invites.history_days, count = days),
        HistoryWindow::All => t!(i18n, invites.history_all),
    };
    let by = issuer.name;
    view! { class="u",
        <li class="link" data-test="invite-line" data-state=format!("{state:?}")>
            <p class="link-head">
                <strong>{used}</strong>
                {(kind == InviteKind::Private).then(|| view! { class="u",
                    <span class="badge" data-test="private">{t!(i18n, invites.private)}</span>
                })}
                {named.then(|| view! { class="u",
                    <span class="badge" class:badge-past=state != InviteState::Open>{word}</span>
                })}
            </p>
            <ul class="link-facts" role="list">
                {timed.then(|| view! { class="u", <li>{icon(Icon::Hourglass)}<span>{expiry}</span></li> })}
                <li>{icon(Icon::History)}<span>{past}</span></li>
                <li>{icon(Icon::People)}<span>{t!(i18n, invites.makes, role = roles::name(i18n, role), name = by.clone())}</span></li>
            </ul>
            {part(may, move || deed("", "button", None, t!(i18n, invites.withdraw), Callback::new(move |()| withdraw.run(id))))}
        </li>
    }
}
