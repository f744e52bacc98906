//! Where posts are written.
use super::icon::{Icon, icon};
use super::trouble;
use super::writing::{Writing, is_sendable};
use crate::i18n::{t, use_i18n};
use crate::platform::{focus, pointer};
use crate::state::state;
use leptos::prelude::*;
use ume_api::{CommunityRef, Failure};

/// The composer of one community. What is typed stays with it while the page lives.
#[component]
pub(crate) fn Composer(id: CommunityRef) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let drafts = state.drafts;
    let draft = drafts.with_value(|drafts| drafts.get(&id).cloned().unwrap_or_default());
    let text = RwSignal::new(draft);
    let failure = RwSignal::new(None::<Failure>);

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
    let send = move || {
        if !text.with_untracked(|text| is_sendable(text)) {
            return;
        }
        let written = text.with_untracked(|text| text.trim().to_owned());
        keep(String::new());
        failure.set(None);
        state.post(written, move |why, written| {
            // What was typed meanwhile stays, after what could not be kept.
            let since = drafts.with_value(|drafts| drafts.get(&id).cloned());
            keep(since.map_or(written.clone(), |since| format!("{written}\n{since}")));
            let _ = failure.try_set(Some(why));
        });
        focus::now("#compose");
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
            <Writing id="compose" label=t!(i18n, composer.label) text=text on_input=keep on_send=move |()| send()>
                <button
                    type="submit"
                    class="button primary square"
                    aria-label=t!(i18n, composer.send)
                    disabled=move || !text.with(|text| is_sendable(text))
                >
                    {icon(Icon::Send)}
                </button>
            </Writing>
        </form>
    }
}
