//! Where posts are written.
use super::icon::{Icon, icon};
use super::trouble;
use crate::i18n::{t, t_string, use_i18n};
use crate::platform::{focus, pointer};
use crate::state::state;
use leptos::prelude::*;
use leptos::{ev, html};
use ume_api::{CommunityRef, Failure, TEXT_BYTES_MAX};

/// How long posts may last that do not stay, seconds.
const DAY: u64 = 24 * 3600;
const WEEK: u64 = 7 * DAY;
const MONTH: u64 = 30 * DAY;
/// From here on the room that is left is shown, bytes.
const ROOM_SHOWN: usize = 1024;

/// The composer of one community. What is typed stays with it while the page lives.
#[component]
pub(crate) fn Composer(id: CommunityRef) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let drafts = state.drafts;
    let draft = drafts.with_value(|drafts| drafts.get(&id).cloned().unwrap_or_default());
    let text = RwSignal::new(draft);
    let failure = RwSignal::new(None::<Failure>);
    // For one post: the next one stays again, unless somebody says otherwise.
    let lifetime = RwSignal::new(None::<u64>);
    let field = NodeRef::<html::Textarea>::new();

    let keep = move |value: String| {
        drafts.update_value(|drafts| {
            if value.is_empty() {
                drafts.remove(&id);
            } else {
                drafts.insert(id, value.clone());
            }
        });
        // The page may show another community by now.
        let _ = text.try_set(value);
    };
    let length = Memo::new(move |_| text.with(|text| text.trim().len()));
    let sendable = move || (1..=TEXT_BYTES_MAX).contains(&length.get());
    let send = move || {
        if !untrack(sendable) {
            return;
        }
        let written = text.with_untracked(|text| text.trim().to_owned());
        keep(String::new());
        failure.set(None);
        let lasts = lifetime.get_untracked();
        lifetime.set(None);
        state.post(written, lasts, move |why, written| {
            // What was typed meanwhile stays, after what could not be kept.
            let since = drafts.with_value(|drafts| drafts.get(&id).cloned());
            keep(since.map_or(written.clone(), |since| format!("{written}\n{since}")));
            let _ = failure.try_set(Some(why));
            let _ = lifetime.try_set(lasts);
        });
        if let Some(field) = field.get_untracked() {
            let _ = field.focus();
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        let plain = !(event.shift_key() || event.ctrl_key() || event.alt_key() || event.meta_key());
        if event.key() == "Enter" && plain && !event.is_composing() && pointer::is_fine() {
            event.prevent_default();
            send();
        }
    };
    let room = move || {
        let length = length.get();
        match TEXT_BYTES_MAX.checked_sub(length) {
            None => Some(t_string!(
                i18n,
                composer.too_long,
                bytes = length - TEXT_BYTES_MAX
            )),
            Some(room) if room < ROOM_SHOWN => Some(t_string!(i18n, composer.room, count = room)),
            Some(_) => None,
        }
    };
    if pointer::is_fine() {
        focus::later("#compose");
    }
    view! { class="u",
        <form class="composer" on:submit=move |event| { event.prevent_default(); send(); }>
            {move || failure.get().map(|why| {
                let (title, advice, _) = trouble::explain(i18n, why);
                view! { class="u", <p class="composer-trouble" role="alert">
                    <strong>{title}</strong> " " {advice}
                </p> }
            })}
            <div class="composer-line">
                <label class="unseen" for="compose">{t!(i18n, composer.label)}</label>
                // The box grows with a copy of the text that the style sheet draws underneath.
                <div class="composer-field" data-text=move || text.get()>
                    <textarea
                        node_ref=field
                        id="compose"
                        rows="1"
                        dir="auto"
                        enterkeyhint=if pointer::is_fine() { "send" } else { "enter" }
                        placeholder=t!(i18n, composer.label)
                        aria-invalid=move || (length.get() > TEXT_BYTES_MAX).then_some("true")
                        aria-describedby="compose-room"
                        prop:value=move || text.get()
                        on:input=move |event| keep(event_target_value(&event))
                        on:keydown=on_key
                    ></textarea>
                </div>
                <button
                    type="submit"
                    class="button primary square"
                    aria-label=t!(i18n, composer.send)
                    disabled=move || !sendable()
                >
                    {icon(Icon::Send)}
                </button>
            </div>
            <div class="composer-lasts">
                <label class="unseen" for="compose-lasts">{t!(i18n, composer.lasts)}</label>
                <select
                    id="compose-lasts"
                    aria-describedby="compose-lasts-hint"
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
                <span id="compose-lasts-hint" hidden=move || lifetime.get().is_none()>
                    {t!(i18n, composer.lasts_hint)}
                </span>
            </div>
            <p id="compose-room" class="composer-room" aria-live="polite">{room}</p>
        </form>
    }
}
