//! An invite: what it offers, before anything is promised.
use super::welcome::Back;
use crate::components::avatar::avatar;
use crate::components::field::Field;
use crate::components::icon::{Icon, icon};
use crate::components::live::memo;
use crate::components::trouble::Trouble;
use crate::i18n::{choose, t, t_string, use_i18n};
use crate::platform::intl;
use crate::state::state;
use leptos::prelude::*;
use ume_api::{
    Card, Command, Failure, HistoryWindow, InviteKind, NAME_BYTES_MAX, NOTE_BYTES_MAX, Reply, Role,
};
use wasm_bindgen_futures::spawn_local;

/// What the page knows of the invite.
#[derive(Clone)]
enum Seen {
    Nothing,
    Card(Card),
    Failed(Failure),
}

/// The invite behind a link.
#[component]
pub(crate) fn Redeem(link: String) -> impl IntoView {
    let state = state();
    let seen = RwSignal::new(Seen::Nothing);
    let link = StoredValue::new(link);
    let look = move || {
        seen.set(Seen::Nothing);
        let command = Command::Look {
            link: link.get_value(),
        };
        spawn_local(async move {
            let found = match state.engine.ask(command).await {
                Ok(Reply::Card(card)) => Seen::Card(card),
                answer => Seen::Failed(answer.err().unwrap_or(Failure::Internal)),
            };
            let _ = seen.try_set(found);
        });
    };
    look();
    view! { class="u",
        <main id="main" class="page page-narrow" data-test="redeem">
            <Back/>
            {move || match seen.get() {
                Seen::Nothing => view! { class="u", <Bones/> }.into_any(),
                Seen::Card(card) => view! { class="u", <Invite card=card link=link/> }.into_any(),
                Seen::Failed(failure) => view! { class="u",
                    <Trouble failure=failure page=true retry=move |()| look()/>
                }
                .into_any(),
            }}
        </main>
    }
}

/// The card to come.
#[component]
fn Bones() -> impl IntoView {
    let i18n = use_i18n();
    view! { class="u",
        <h1 class="unseen" tabindex="-1">{t!(i18n, redeem.loading)}</h1>
        <div class="card invite" role="status" data-test="loading">
            <div class="invite-who">
                <span class="invite-picture bone"></span>
                <span class="bone bone-short"></span>
                <span class="bone bone-title"></span>
            </div>
            <span class="bone bone-long"></span>
            <span class="bone bone-long"></span>
            <span class="bone bone-long"></span>
        </div>
    }
}

#[component]
fn Invite(card: Card, link: StoredValue<String>) -> impl IntoView {
    let i18n = use_i18n();
    let already = card.already;
    let inviter = card.inviter.name.clone();
    let suggested = card.suggested_name.clone();
    let kind = card.kind;
    view! { class="u",
        <article class="card invite" data-test="card">
            <div class="invite-who">
                <span class="invite-picture">{avatar(card.inviter.mark)}</span>
                <p class="invite-by">
                    {t!(i18n, redeem.by, inviter = inviter.clone())}
                </p>
                <h1 tabindex="-1" dir="auto">{card.community.clone()}</h1>
            </div>
            <Facts card=card/>
            {match already {
                Some(community) => view! { class="u", <Already community=community/> }.into_any(),
                None => view! { class="u", <Join link=link suggested=suggested asks=kind == InviteKind::Private/> }.into_any(),
            }}
        </article>
    }
}

#[component]
fn Facts(card: Card) -> impl IntoView {
    let i18n = use_i18n();
    let Card {
        members,
        expires_at,
        uses_left,
        history,
        role,
        kind,
        ..
    } = card;
    let private = kind == InviteKind::Private;
    let people = if private {
        t!(i18n, redeem.private)
    } else {
        t!(i18n, redeem.people, count = members)
    };
    let now = intl::now();
    let expiry = move || {
        expires_at.map_or(t!(i18n, redeem.expires_never), |at| {
            t!(
                i18n,
                redeem.expires,
                when = intl::relative(i18n.get_locale(), at, now)
            )
        })
    };
    let uses = move || {
        uses_left.map_or(t!(i18n, redeem.uses_any), |uses| {
            t!(i18n, redeem.uses, count = uses)
        })
    };
    let past = move || match history {
        HistoryWindow::None => t!(i18n, redeem.history_none),
        HistoryWindow::Days(days) => t!(i18n, redeem.history_days, count = days),
        HistoryWindow::All => t!(i18n, redeem.history_all),
    };
    view! { class="u",
        <ul class="facts" role="list">
            <li>{icon(Icon::People)}<span>{people}</span></li>
            <li>{icon(Icon::History)}<span>{past}</span></li>
            {(role == Role::Reader).then(|| view! { class="u",
                <li>{icon(Icon::Pen)}<span>{t!(i18n, redeem.reader)}</span></li>
            })}
            <li>{icon(Icon::Hourglass)}<span>{expiry}</span></li>
            {(!private).then(|| view! { class="u", <li>{icon(Icon::Link)}<span>{uses}</span></li> })}
            <li>{icon(Icon::Eye)}<span>{t!(i18n, redeem.known)}</span></li>
        </ul>
    }
}

#[component]
fn Already(community: ume_api::CommunityRef) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    view! { class="u",
        <p class="invite-already">{t!(i18n, redeem.already)}</p>
        <button type="button" class="button primary wide" on:click=move |_| state.enter(community)>
            {t!(i18n, redeem.open)}
        </button>
    }
}

#[component]
fn Join(
    link: StoredValue<String>,
    suggested: String,
    /// Whether one asks by it instead of coming in at once.
    asks: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let persona = RwSignal::new(suggested);
    let note = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let wrong = Signal::derive(move || {
        let long = persona.with(|persona| persona.trim().len() > NAME_BYTES_MAX);
        long.then(|| t_string!(i18n, start.too_long).to_owned())
    });
    let wordy = memo(move || note.with(|note| note.trim().len() > NOTE_BYTES_MAX));
    let join = move || {
        if busy.get_untracked() || wrong.with_untracked(Option::is_some) || wordy.get_untracked() {
            return;
        }
        busy.set(true);
        failure.set(None);
        let persona = persona.with_untracked(|persona| persona.trim().to_owned());
        let link = link.get_value();
        let command = if asks {
            let note = note.with_untracked(|note| note.trim().to_owned());
            Command::Ask {
                link,
                persona,
                note,
            }
        } else {
            Command::Join { link, persona }
        };
        spawn_local(async move {
            match state.engine.ask(command).await {
                Ok(Reply::Community(community)) => state.enter(community),
                answer => {
                    let _ = failure.try_set(Some(answer.err().unwrap_or(Failure::Internal)));
                    let _ = busy.try_set(false);
                }
            }
        });
    };
    view! { class="u",
        <form class="invite-join" on:submit=move |event| { event.prevent_default(); join(); }>
            <Field
                id="persona"
                label=t!(i18n, redeem.name)
                hint=t!(i18n, redeem.name_hint)
                value=persona
                wrong=wrong
            />
            {asks.then(|| view! { class="u", <Note note=note wordy=wordy/> })}
            {move || failure.get().map(|failure| view! { class="u",
                <Trouble failure=failure retry=move |()| join()/>
            })}
            <button type="submit" class="button primary wide" disabled=move || busy.get()>
                {if asks {
                    choose(move || busy.get(), t!(i18n, redeem.asking), t!(i18n, redeem.ask))
                } else {
                    choose(move || busy.get(), t!(i18n, redeem.joining), t!(i18n, redeem.join))
                }}
            </button>
            <details class="invite-known">
                <summary>{t!(i18n, redeem.known_title)}</summary>
                <p>{t!(i18n, redeem.known_text)}</p>
            </details>
        </form>
    }
}

/// A word to whoever answers.
#[component]
fn Note(note: RwSignal<String>, wordy: Memo<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let hint = choose(
        move || wordy.get(),
        t!(i18n, start.too_long),
        t!(i18n, redeem.note_hint),
    );
    view! { class="u",
        <div class="field">
            <label for="note">
                {t!(i18n, redeem.note)}
                <span class="field-remark">{t!(i18n, start.persona_optional)}</span>
            </label>
            <textarea
                id="note"
                rows="3"
                dir="auto"
                aria-describedby="note-hint"
                aria-invalid=move || wordy.get().then_some("true")
                prop:value=move || note.get()
                on:input=move |event| note.set(event_target_value(&event))
            ></textarea>
            <p id="note-hint" class="field-hint" class:field-wrong=move || wordy.get()>{hint}</p>
        </div>
    }
}
