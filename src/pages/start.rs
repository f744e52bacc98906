//! Start a community: a name, then the feed with the share sheet open.
use super::welcome::Back;
use crate::components::field::Field;
use crate::components::trouble::Trouble;
use crate::i18n::{choose, t, t_string, use_i18n};
use crate::platform::focus;
use crate::state::state;
use leptos::prelude::*;
use ume_api::{AccessKeyText, Command, Failure, NAME_BYTES_MAX, Reply};
use wasm_bindgen_futures::spawn_local;

/// Its form.
#[component]
pub(crate) fn Start() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let name = RwSignal::new(String::new());
    let persona = RwSignal::new(String::new());
    let access = RwSignal::new(String::new());
    // Asked for only once the relay has said that it needs one.
    let access_asked = RwSignal::new(false);
    let checked = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);

    let too_long =
        move |value: RwSignal<String>| value.with(|value| value.trim().len() > NAME_BYTES_MAX);
    let name_wrong = Signal::derive(move || {
        if too_long(name) {
            Some(t_string!(i18n, start.too_long).to_owned())
        } else if checked.get() && name.with(|name| name.trim().is_empty()) {
            Some(t_string!(i18n, start.name_needed).to_owned())
        } else {
            None
        }
    });
    let persona_wrong = Signal::derive(move || {
        too_long(persona).then(|| t_string!(i18n, start.too_long).to_owned())
    });
    let access_wrong = Signal::derive(move || {
        (access_asked.get() && checked.get() && access.with(|key| key.trim().is_empty()))
            .then(|| t_string!(i18n, start.access_missing).to_owned())
    });
    let start = move || {
        checked.set(true);
        if busy.get_untracked()
            || name_wrong.with_untracked(Option::is_some)
            || persona_wrong.with_untracked(Option::is_some)
            || access_wrong.with_untracked(Option::is_some)
        {
            return;
        }
        busy.set(true);
        failure.set(None);
        let access = access_asked.get_untracked().then_some(access);
        let command = command(name, persona, access);
        spawn_local(async move {
            match state.engine.ask(command).await {
                Ok(Reply::Community(community)) => {
                    state.enter(community);
                    state.share();
                }
                answer => {
                    let why = answer.err().unwrap_or(Failure::Internal);
                    if why == Failure::AccessNeeded {
                        // The field is empty because nobody knew of it: no reproach.
                        let _ = checked.try_set(false);
                        let _ = access_asked.try_set(true);
                    }
                    let _ = failure.try_set(Some(why));
                    let _ = busy.try_set(false);
                }
            }
        });
    };
    view! { class="u",
        <main id="main" class="page page-narrow" data-test="start">
            <Back/>
            <h1 tabindex="-1">{t!(i18n, start.title)}</h1>
            <p class="lead">{t!(i18n, start.lead)}</p>
            <form class="card" on:submit=move |event| { event.prevent_default(); start(); }>
                <Field
                    id="name"
                    label=t!(i18n, start.name)
                    hint=Signal::stored(String::new())
                    example=t!(i18n, start.name_example)
                    value=name
                    wrong=name_wrong
                />
                <Field
                    id="persona"
                    label=t!(i18n, start.persona)
                    remark=t!(i18n, start.persona_optional)
                    hint=t!(i18n, start.persona_hint)
                    example=t!(i18n, start.persona_example)
                    value=persona
                    wrong=persona_wrong
                />
                <AccessKey asked=access_asked value=access wrong=access_wrong/>
                {move || failure.get().map(|failure| view! { class="u",
                    <Trouble failure=failure retry=move |()| match failure {
                        Failure::BadText => focus::later("#name"),
                        Failure::AccessNeeded | Failure::AccessRefused | Failure::AccessUsedUp => {
                            focus::later("#access");
                        }
                        _ => start(),
                    }/>
                })}
                <div class="actions">
                    <button type="submit" class="button primary wide" disabled=move || busy.get()>
                        {choose(move || busy.get(), t!(i18n, start.going), t!(i18n, start.go))}
                    </button>
                </div>
            </form>
        </main>
    }
}

/// The relay's access key, once it has said that it needs one.
#[component]
fn AccessKey(
    asked: RwSignal<bool>,
    value: RwSignal<String>,
    wrong: Signal<Option<String>>,
) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        asked.get().then(|| {
            view! { class="u",
                <Field
                    id="access"
                    label=t!(i18n, start.access)
                    hint=t!(i18n, start.access_hint)
                    example=t!(i18n, start.access_example)
                    value=value
                    wrong=wrong
                    autofocus=true
                />
            }
        })
    }
}

fn command(
    name: RwSignal<String>,
    persona: RwSignal<String>,
    access: Option<RwSignal<String>>,
) -> Command {
    Command::Start {
        name: name.with_untracked(|name| name.trim().to_owned()),
        persona: persona.with_untracked(|persona| persona.trim().to_owned()),
        access: access.map(|key| AccessKeyText(key.get_untracked())),
    }
}
