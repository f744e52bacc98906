//! Where posts are written.
use super::attach::{Tray, attaching, tray};
use super::icon::{Icon, icon};
use super::trouble;
use super::writing::{Writing, is_sendable};
use crate::i18n::{I18n, t, use_i18n};
use crate::platform::{focus, pointer};
use crate::state::state;
use leptos::prelude::*;
use ume_api::{CommunityRef, EntryId, Failure, Place};

/// How long posts may last that do not stay, seconds.
const DAY: u64 = 24 * 3600;
const WEEK: u64 = 7 * DAY;
const MONTH: u64 = 30 * DAY;

/// The composer of one community, or of a thread. What is typed there is kept until it is sent.
#[component]
pub(crate) fn Composer(
    id: CommunityRef,
    /// Of which post, if it is for its comments.
    #[prop(optional_no_strip)]
    thread: Option<EntryId>,
) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let id = (id, thread.map_or(Place::Feed, Place::Thread));
    let (field, lasts) = match thread {
        None => ("compose", "compose-lasts"),
        Some(_) => ("comment", "comment-lasts"),
    };
    let at = if thread.is_some() {
        "#comment"
    } else {
        "#compose"
    };
    let text = RwSignal::new(String::new());
    // The page may show another community by then.
    state.recall(id, move |draft| drop(text.try_set(draft)));
    let failure = RwSignal::new(None::<Failure>);
    // For one post: the next one stays again, unless somebody says otherwise.
    let lifetime = RwSignal::new(None::<u64>);

    let keep = move |value: String| {
        state.write(id, value.clone());
        // The page may show another community by now.
        let _ = text.try_set(value);
    };
    let files = Tray::new(id.0, field);
    let can_send = move || {
        files.lets(
            text.with(|text| is_sendable(text)),
            text.with(|text| text.trim().is_empty()),
        )
    };
    let send = move || {
        if !untrack(can_send) {
            return;
        }
        let with = files.take();
        let written = text.with_untracked(|text| text.trim().to_owned());
        state.sent(id);
        text.set(String::new());
        failure.set(None);
        let until = lifetime.get_untracked();
        lifetime.set(None);
        let ids = with.files();
        state.post(thread, written, until, ids, move |why, written| {
            files.put_back(with);
            // What was typed meanwhile stays, after what could not be kept.
            let since = state.draft(id).filter(|since| !since.is_empty());
            keep(since.map_or(written.clone(), |since| format!("{written}\n{since}")));
            let _ = failure.try_set(Some(why));
            let _ = lifetime.try_set(until);
        });
        focus::now(at);
    };
    let label = if thread.is_some() {
        t!(i18n, threads.label)
    } else {
        t!(i18n, composer.label)
    };
    if pointer::is_fine() {
        focus::later(at);
    }
    view! { class="u",
        <form
            class="composer"
            on:submit=move |event| { event.prevent_default(); send(); }
            on:paste=move |event| files.pasted(&event)
            on:dragover=move |event| event.prevent_default()
            on:drop=move |event| files.dropped(&event)
        >
            {move || failure.get().map(|why| {
                let (title, advice, _) = trouble::explain(i18n, why);
                view! { class="u", <p class="composer-trouble" role="alert">
                    <strong>{title}</strong> " " {advice}
                </p> }
            })}
            {tray(i18n, files)}
            <Writing id=field label=label text=text on_input=keep on_send=move |()| send()>
                <button
                    type="submit"
                    class="button primary square"
                    aria-label=t!(i18n, composer.send)
                    disabled=move || !can_send()
                >
                    {icon(Icon::Send)}
                </button>
            </Writing>
            <div class="composer-lasts">
                {attaching(i18n, files)}
                {lasting(i18n, lasts, lifetime)}
            </div>
        </form>
    }
}

/// How long the next post lasts.
fn lasting(i18n: I18n, lasts: &'static str, lifetime: RwSignal<Option<u64>>) -> AnyView {
    let hint = format!("{lasts}-hint");
    view! { class="u",
        <label for=lasts>{icon(Icon::Hourglass)}<span class="unseen">{t!(i18n, composer.lasts)}</span></label>
        <select
            id=lasts
            aria-describedby=hint.clone()
            prop:value=move || lifetime.get().unwrap_or_default().to_string()
            on:change=move |event| {
                let seconds = event_target_value(&event).parse::<u64>().unwrap_or_default();
                lifetime.set(Some(seconds).filter(|seconds| *seconds != 0));
            }
        >
            <option value="0">{t!(i18n, composer.stays)}</option>
            <option value=DAY>{t!(i18n, composer.day)}</option>
            <option value=WEEK>{t!(i18n, composer.week)}</option>
            <option value=MONTH>{t!(i18n, composer.month)}</option>
        </select>
        <span id=hint hidden=move || lifetime.get().is_none()>
            {t!(i18n, composer.lasts_hint)}
        </span>
    }
    .into_any()
}
