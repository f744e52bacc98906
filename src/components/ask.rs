//! The one question before something that cannot be taken back, and how a change went.
use super::icon::{Icon, icon};
use super::trouble::Trouble;
use crate::i18n::{choose, t, use_i18n};
use crate::state::state;
use leptos::prelude::*;

/// What will be, a way to do it and a way out.
#[component]
pub(crate) fn Ask(
    /// What happens then, in plain words.
    #[prop(into)]
    text: Signal<String>,
    /// The name of the deed.
    #[prop(into)]
    go: Signal<String>,
    #[prop(into)] on_go: Callback<()>,
    #[prop(into)] on_back: Callback<()>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let i18n = use_i18n();
    let people = state().people;
    view! { class="u",
        <div class="ask" role="group" aria-labelledby="ask-text">
            <p id="ask-text" tabindex="-1">{text}</p>
            {children.map(|children| children())}
            <Outcome retry=on_go/>
            <div class="actions">
                <button
                    type="button"
                    class="button danger"
                    data-test="ask-go"
                    disabled=people.busy
                    on:click=move |_| on_go.run(())
                >
                    {choose(move || people.busy.get(), t!(i18n, people.going), go)}
                </button>
                <button type="button" class="button" on:click=move |_| on_back.run(())>
                    {t!(i18n, people.cancel)}
                </button>
            </div>
        </div>
    }
}

/// What became of the last change, if it is not done: it waits for the relay, or it could not be.
#[component]
pub(crate) fn Outcome(#[prop(into)] retry: Callback<()>) -> impl IntoView {
    let i18n = use_i18n();
    let people = state().people;
    view! { class="u",
        <p class="outcome" role="status">
            {move || people.busy.get().then(|| t!(i18n, people.busy))}
        </p>
        {move || people.failure.get().map(|failure| view! { class="u",
            <Trouble failure=failure retry=retry/>
        })}
    }
}

/// A button of the people's page that begins or does something; none works while a change is on its way. All of them are of
/// this one type, as are the parts that come and go: with a type of its own for each the app is larger.
pub(crate) fn deed(
    // Empty: none.
    id: &'static str,
    class: &'static str,
    sign: Option<Icon>,
    label: Signal<String>,
    on: Callback<()>,
) -> AnyView {
    let busy = state().people.busy;
    let id = (!id.is_empty()).then_some(id);
    view! { class="u",
        <button id=id type="button" class=class disabled=busy on:click=move |_| on.run(())>
            {sign.map(icon)}
            {label}
        </button>
    }
    .into_any()
}
