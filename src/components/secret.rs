//! A field for what nobody else should read.
use crate::i18n::{choose, t, use_i18n};
use leptos::prelude::*;

/// A labelled field that shows dots, unless the person wants to see what they type. `fill`: what a password manager may do here.
pub(crate) fn secret_field(
    id: &'static str,
    label: Signal<String>,
    hint: Signal<String>,
    value: RwSignal<String>,
    fill: &'static str,
) -> AnyView {
    let i18n = use_i18n();
    let shown = RwSignal::new(false);
    let hint_id = format!("{id}-hint");
    let described_by = hint_id.clone();
    view! { class="u",
        <div class="field">
            <label for=id>{label}</label>
            <div class="secret">
                <input
                    id=id
                    type=move || if shown.get() { "text" } else { "password" }
                    autocomplete=fill
                    autocapitalize="off"
                    spellcheck="false"
                    dir="auto"
                    aria-describedby=described_by
                    prop:value=move || value.get()
                    on:input=move |event| value.set(event_target_value(&event))
                />
                <button type="button" class="button quiet" aria-pressed=move || shown.get().to_string() on:click=move |_| shown.update(|shown| *shown = !*shown)>
                    {choose(move || shown.get(), t!(i18n, vault.conceal), t!(i18n, vault.show))}
                </button>
            </div>
            <p id=hint_id class="field-hint">{hint}</p>
        </div>
    }
    .into_any()
}
