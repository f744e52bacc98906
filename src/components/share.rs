//! The share sheet: a link, its picture, and what it gives away.
use super::icon::{Icon, icon};
use super::live::{memo, part};
use super::qr::qr;
use super::sheet::Sheet;
use super::trouble::Trouble;
use crate::i18n::{choose, t, t_string, use_i18n};
use crate::platform::{clipboard, share, timer};
use crate::state::{Link, State, state};
use leptos::html;
use leptos::prelude::*;
use ume_api::{HistoryWindow, InviteKind, InviteTerms, PEOPLE_MAX, Role};
use wasm_bindgen_futures::spawn_local;

const COPIED_MS: u64 = 2_500;
/// Room for so many people and less is worth telling.
const ROOM_SHORT: usize = 50;
const DAY: u64 = 24 * 3600;

/// The sheet of the open community.
#[component]
pub(crate) fn ShareSheet() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let title = t!(i18n, share.title);
    view! { class="u",
        <Sheet open=state.sharing.open title=title name="share">
            <Kinds/>
            <LinkPart/>
            <p class="share-holder">
                {icon(Icon::Eye)}
                <span>{holder()}</span>
            </p>
            <Room/>
            <Terms/>
        </Sheet>
    }
}

/// How many more may come in, when that is not many.
#[component]
fn Room() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let room = memo(move || {
        let members = usize::try_from(state.community()?.members).ok()?;
        let room = PEOPLE_MAX.saturating_sub(members);
        (1..=ROOM_SHORT).contains(&room).then_some(room)
    });
    move || {
        room.get().map(|room| {
            view! { class="u",
                <p class="share-holder" data-test="room">
                    {icon(Icon::People)}
                    <span>{t!(i18n, share.room, count = room)}</span>
                </p>
            }
        })
    }
}

/// What a holder of the link can see.
fn holder() -> impl IntoView {
    let i18n = use_i18n();
    let terms = state().sharing.terms;
    move || match terms.get().history {
        _ if terms.get().kind == InviteKind::Private => t!(i18n, share.holder_private),
        HistoryWindow::None => t!(i18n, share.holder_none),
        HistoryWindow::Days(days) => t!(i18n, share.holder_days, count = days),
        HistoryWindow::All => t!(i18n, share.holder_all),
    }
}

/// Who may come in by it: the one choice that is made before anything else.
#[component]
fn Kinds() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let kind = move |kind| option(state, "kind", move |terms| &mut terms.kind, kind);
    let terms = state.sharing.terms;
    let private = memo(move || terms.get().kind == InviteKind::Private);
    let closed = memo(move || state.community().is_some_and(|one| one.rules.private_only));
    let words = choose(
        move || private.get(),
        t!(i18n, share.private_text),
        t!(i18n, share.open_text),
    );
    view! { class="u",
        <fieldset class="pills">
            <legend>{t!(i18n, share.kind)}</legend>
            {move || (!closed.get()).then(|| view! { class="u",
                <label class="pill">{kind(InviteKind::Open)}<span>{t!(i18n, share.open)}</span></label>
            })}
            <label class="pill">{kind(InviteKind::Private)}<span>{t!(i18n, share.private)}</span></label>
        </fieldset>
        <p class="hint" data-test="kind-text" aria-live="polite">{words}</p>
    }
}

#[component]
fn LinkPart() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    move || {
        match state.sharing.link.get() {
        Link::Made(link) => view! { class="u", <Made link=link/> }.into_any(),
        Link::Making => view! { class="u",
            <div class="share-link" role="status" data-test="making">
                <span class="qr bone"></span>
                <p class="share-wait">{t!(i18n, share.making)}</p>
            </div>
        }
        .into_any(),
        Link::None => view! { class="u",
            <div class="share-link">
                <button type="button" class="button primary wide" on:click=move |_| state.make_link()>
                    {icon(Icon::Link)}
                    {t!(i18n, share.make)}
                </button>
            </div>
        }
        .into_any(),
        Link::Failed(failure) => view! { class="u",
            <Trouble failure=failure retry=move |()| state.make_link()/>
        }
        .into_any(),
    }
    }
}

/// How copying went.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copying {
    Idle,
    Done,
    Refused,
}

#[component]
fn Made(link: String) -> impl IntoView {
    let i18n = use_i18n();
    let copying = RwSignal::new(Copying::Idle);
    let field = NodeRef::<html::Input>::new();
    let copied = link.clone();
    let copy = move |_| {
        let link = copied.clone();
        spawn_local(async move {
            if clipboard::copy(&link).await {
                let _ = copying.try_set(Copying::Done);
                timer::after(COPIED_MS, move || {
                    let _ = copying.try_set(Copying::Idle);
                });
            } else {
                let _ = copying.try_set(Copying::Refused);
                if let Some(field) = field.try_get_untracked().flatten() {
                    field.select();
                }
            }
        });
    };
    let offered = link.clone();
    let offer = move |_| {
        let link = offered.clone();
        spawn_local(async move { share::offer(&link).await });
    };
    let picture = qr(&link, t_string!(i18n, share.qr).to_owned());
    view! { class="u",
        <div class="share-link">
            {picture}
            <div class="share-field">
                <input
                    node_ref=field
                    type="text"
                    readonly=true
                    data-test="link"
                    aria-label=t!(i18n, share.link)
                    prop:value=link
                    on:focus=move |_| if let Some(field) = field.get_untracked() { field.select() }
                />
            </div>
            <div class="share-actions">
                <button type="button" class="button primary" on:click=copy>
                    {move || icon(if copying.get() == Copying::Done { Icon::Check } else { Icon::Link })}
                    <span aria-live="polite">
                        {choose(move || copying.get() == Copying::Done, t!(i18n, share.copied), t!(i18n, share.copy))}
                    </span>
                </button>
                {share::supported().then(|| view! { class="u",
                    <button type="button" class="button" on:click=offer>
                        {icon(Icon::Share)}
                        {t!(i18n, share.native)}
                    </button>
                })}
            </div>
            {part(move || copying.get() == Copying::Refused, move || view! { class="u",
                <p class="field-hint field-wrong" role="alert">{t!(i18n, share.copy_failed)}</p>
            }.into_any())}
        </div>
    }
}

#[component]
fn Terms() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let expiry = move |days: u64| {
        option(
            state,
            "expires",
            move |terms| &mut terms.expires_in,
            (days > 0).then_some(days * DAY),
        )
    };
    let uses = move |uses: u32| {
        option(
            state,
            "uses",
            move |terms| &mut terms.max_uses,
            (uses > 0).then_some(uses),
        )
    };
    // A private link is for one person.
    let open = memo(move || state.sharing.terms.get().kind == InviteKind::Open);
    let history = move |window| option(state, "history", move |terms| &mut terms.history, window);
    let role = move |role| option(state, "newcomers", move |terms| &mut terms.role, role);
    view! { class="u",
        <fieldset class="pills">
            <legend>{t!(i18n, share.expires)}</legend>
            <label class="pill">{expiry(1)}<span>{t!(i18n, share.day)}</span></label>
            <label class="pill">{expiry(7)}<span>{t!(i18n, share.week)}</span></label>
            <label class="pill">{expiry(30)}<span>{t!(i18n, share.month)}</span></label>
            <label class="pill">{expiry(0)}<span>{t!(i18n, share.never)}</span></label>
        </fieldset>
        {part(move || open.get(), move || view! { class="u",
            <fieldset class="pills">
                <legend>{t!(i18n, share.uses)}</legend>
                <label class="pill">{uses(1)}<span>{t!(i18n, share.one)}</span></label>
                <label class="pill">{uses(50)}<span>{t!(i18n, share.fifty)}</span></label>
                <label class="pill">{uses(0)}<span>{t!(i18n, share.any)}</span></label>
            </fieldset>
        }.into_any())}
        <fieldset class="pills">
            <legend>{t!(i18n, share.history)}</legend>
            <label class="pill">{history(HistoryWindow::None)}<span>{t!(i18n, share.nothing)}</span></label>
            <label class="pill">{history(HistoryWindow::Days(7))}<span>{t!(i18n, share.week)}</span></label>
            <label class="pill">{history(HistoryWindow::Days(30))}<span>{t!(i18n, share.month)}</span></label>
            <label class="pill">{history(HistoryWindow::All)}<span>{t!(i18n, share.everything)}</span></label>
        </fieldset>
        <fieldset class="pills">
            <legend>{t!(i18n, share.role)}</legend>
            <label class="pill">{role(Role::Member)}<span>{t!(i18n, share.members)}</span></label>
            <label class="pill">{role(Role::Reader)}<span>{t!(i18n, share.readers)}</span></label>
        </fieldset>
    }
}

/// One of the values that a term can have.
fn option<T: Copy + PartialEq + Send + Sync + 'static>(
    state: State,
    name: &'static str,
    term: impl Fn(&mut InviteTerms) -> &mut T + Copy + Send + Sync + 'static,
    value: T,
) -> impl IntoView {
    let chosen = move || {
        let mut terms = state.sharing.terms.get();
        *term(&mut terms) == value
    };
    view! { class="u",
        <input
            type="radio"
            name=name
            prop:checked=chosen
            on:change=move |_| state.set_terms(|terms| *term(terms) = value)
        />
    }
}
