//! What this person does not want to see here, and the way to see it again. Nobody else learns of it.
use super::icon::{Icon, icon};
use super::live::{effect, list, part};
use super::post_menu::apologise;
use crate::i18n::{I18n, t, t_string, text, use_i18n};
use crate::state::state;
use leptos::prelude::*;
use ume_api::{Command, Hidden, PersonId, Reply};

/// The list, folded; nothing while nothing is hidden.
#[component]
pub(crate) fn Hides() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let all = RwSignal::new(Vec::<Hidden>::new());
    let read = Callback::new(move |()| {
        let Some(community) = state.open.get_untracked() else {
            return;
        };
        state.ask(Command::Hides { community }, move |answer| {
            if let Ok(Reply::Hidden(hidden)) = answer {
                let _ = all.try_set(hidden);
            }
        });
    });
    // Undone from elsewhere, it is no longer so.
    effect(move || {
        state.posts.word.track();
        read.run(());
    });
    view! { class="u",
        {part(move || all.with(|all| !all.is_empty()), move || view! { class="u",
            <details class="past" data-test="hides">
                <summary>{t!(i18n, hides.count, count = all.with(Vec::len))}</summary>
                <p class="hint">{t!(i18n, hides.about)}</p>
                <ul class="people" role="list" aria-label=t!(i18n, hides.label)>
                    {list(
                        move || all.get(),
                        |what| *what,
                        move |what| view! { class="u", <One what=what read=read/> }.into_any(),
                    )}
                </ul>
            </details>
        }.into_any())}
    }
}

#[component]
fn One(what: Hidden, read: Callback<()>) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let show = move |_| {
        state.hide(what, false, move |result| match result {
            Ok(()) => read.run(()),
            Err(failure) => apologise(i18n, state, failure),
        });
    };
    view! { class="u",
        <li class="hidden-line">
            {icon(Icon::EyeOff)}
            <span>{named(i18n, what)}</span>
            <button type="button" class="button" on:click=show>{t!(i18n, hides.show)}</button>
        </li>
    }
}

fn named(i18n: I18n, what: Hidden) -> AnyView {
    let state = state();
    match what {
        Hidden::Person(id) => {
            let name = move || name(id);
            text(move || t_string!(i18n, hides.person, name = name())).into_any()
        }
        // How it begins is what it is known by; it may be on no page that is loaded.
        Hidden::Post(post) => {
            let text = RwSignal::new(String::new());
            if let Some(community) = state.open.get_untracked() {
                let command = Command::Versions { community, post };
                state.ask(command, move |answer| {
                    if let Ok(Reply::Versions(all)) = answer
                        && let Some(last) = all.last()
                    {
                        let start: String = last.text.chars().take(80).collect();
                        let _ = text.try_set(format!("{}: {start}", last.author.name));
                    }
                });
            }
            view! { class="u", {t!(i18n, hides.post)} " " <bdi class="hidden-text">{text}</bdi> }
                .into_any()
        }
    }
}

/// Somebody who is in, or was.
fn name(id: PersonId) -> String {
    let people = state().people;
    let of = |name: &str| name.to_owned();
    let member = people.members.with(|all| {
        let one = all.iter().flatten().find(|one| one.person.id == id)?;
        Some(of(&one.person.name))
    });
    let former = || {
        people.outside.with(|outside| {
            let one = outside.former.iter().find(|one| one.person.id == id)?;
            Some(of(&one.person.name))
        })
    };
    member.or_else(former).unwrap_or_default()
}
