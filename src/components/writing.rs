//! Where a text is written: it grows with what is typed, Enter sends where there is a real keyboard, and the room that is left
//! is said before it runs out.
use super::live::memo;
use crate::i18n::{t_string, use_i18n};
use crate::platform::pointer;
use leptos::ev;
use leptos::prelude::*;
use ume_api::TEXT_BYTES_MAX;

/// From here on the room that is left is shown, bytes.
const ROOM_SHOWN: usize = 1024;

/// Whether a text can be a post.
pub(crate) fn is_sendable(text: &str) -> bool {
    (1..=TEXT_BYTES_MAX).contains(&text.trim().len())
}

/// The field; what stands after it in the line comes with `children`.
#[component]
pub(crate) fn Writing(
    /// Unique on the page.
    id: &'static str,
    #[prop(into)] label: Signal<String>,
    #[prop(into)] text: Signal<String>,
    #[prop(into)] on_input: Callback<String>,
    #[prop(into)] on_send: Callback<()>,
    children: Children,
) -> impl IntoView {
    let i18n = use_i18n();
    let length = memo(move || text.with(|text| text.trim().len()));
    let on_key = move |event: ev::KeyboardEvent| {
        let plain = !(event.shift_key() || event.ctrl_key() || event.alt_key() || event.meta_key());
        if event.key() == "Enter" && plain && !event.is_composing() && pointer::is_fine() {
            event.prevent_default();
            on_send.run(());
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
    let room_id = format!("{id}-room");
    let described_by = room_id.clone();
    view! { class="u",
        <div class="composer-line">
            <label class="unseen" for=id>{label}</label>
            // The box grows with a copy of the text that the style sheet draws underneath.
            <div class="composer-field" data-text=move || text.get()>
                <textarea
                    id=id
                    rows="1"
                    dir="auto"
                    enterkeyhint=if pointer::is_fine() { "send" } else { "enter" }
                    placeholder=label
                    aria-invalid=move || (length.get() > TEXT_BYTES_MAX).then_some("true")
                    aria-describedby=described_by
                    prop:value=move || text.get()
                    on:input=move |event| on_input.run(event_target_value(&event))
                    on:keydown=on_key
                ></textarea>
            </div>
            {children()}
        </div>
        <p id=room_id class="composer-room" aria-live="polite">{room}</p>
    }
}
