//! A labelled line of text.
use leptos::prelude::*;

/// A text field with its label, an optional remark beside the label, and a hint below.
#[component]
pub(crate) fn Field(
    /// Unique on the page.
    id: &'static str,
    #[prop(into)] label: Signal<String>,
    #[prop(optional, into)] remark: Option<Signal<String>>,
    #[prop(into)] hint: Signal<String>,
    #[prop(optional, into)] example: Option<Signal<String>>,
    value: RwSignal<String>,
    /// What is wrong with the value, if it is.
    #[prop(optional, into)]
    wrong: Option<Signal<Option<String>>>,
    #[prop(optional)] autofocus: bool,
) -> impl IntoView {
    let wrong = wrong.unwrap_or_else(|| Signal::stored(None));
    let hint_id = format!("{id}-hint");
    let described_by = hint_id.clone();
    view! { class="u",
        <div class="field">
            <label for=id>
                {move || label.get()}
                {remark.map(|remark| view! { class="u", <span class="field-remark">{move || remark.get()}</span> })}
            </label>
            <input
                id=id
                type="text"
                autocomplete="off"
                dir="auto"
                autofocus=autofocus
                aria-describedby=described_by
                aria-invalid=move || wrong.with(Option::is_some).then_some("true")
                placeholder=move || example.map(|example| example.get())
                prop:value=move || value.get()
                on:input=move |event| value.set(event_target_value(&event))
            />
            <p id=hint_id class="field-hint" class:field-wrong=move || wrong.with(Option::is_some)>
                {move || wrong.get().unwrap_or_else(|| hint.get())}
            </p>
        </div>
    }
}
