//! Sections of rare pages as plain data, drawn by one function: a view of its own for each field and button would make the app
//! that everybody loads larger by what few ever see. Each is drawn anew as a whole when something changes, and what was typed
//! goes with it.
use crate::state::{Act, state};
use leptos::ev;
use leptos::prelude::*;

/// A section with a heading; it is a form whose main deed is `submit`.
pub(crate) struct Section {
    /// For tests.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) submit: Act,
    pub(crate) parts: Vec<Part>,
}

/// What stands in a section.
pub(crate) enum Part {
    Text(String),
    Hint(&'static str),
    /// What went wrong; empty: nothing.
    Wrong(&'static str),
    /// A field for what nobody else should read: id, label, hint, what a password manager may do.
    Secret(&'static str, String, &'static str, &'static str),
    /// A box to tick: id, label, whether it is ticked, and what follows at once.
    Check(&'static str, &'static str, bool, Option<Act>),
    /// One of several: id, label, options, the one that holds, and what follows.
    Choice(&'static str, &'static str, Vec<(u16, String)>, u16, Act),
    /// Words in their order.
    Words(Vec<String>),
    /// One of several like things, and what can be done with it.
    Row(String, Deed),
    Actions(Vec<Deed>),
}

/// A button: its label, how it looks, and what it does; nothing: what the section is for.
pub(crate) type Deed = (&'static str, &'static str, Option<Act>);

pub(crate) const PRIMARY: &str = "button primary";
pub(crate) const PLAIN: &str = "button";
pub(crate) const QUIET: &str = "button quiet";
pub(crate) const DANGER: &str = "button danger";

/// Draws a section.
pub(crate) fn section(section: Section) -> AnyView {
    let state = state();
    let submit = section.submit;
    let parts: Vec<AnyView> = section.parts.into_iter().map(part).collect();
    view! { class="u",
        <form
            class="card keys-form"
            data-test=section.name
            on:submit=move |event| {
                event.prevent_default();
                state.act(submit);
            }
        >
            {(!section.title.is_empty()).then(|| view! { class="u", <h2>{section.title}</h2> })}
            {parts}
        </form>
    }
    .into_any()
}

fn part(part: Part) -> AnyView {
    let state = state();
    match part {
        Part::Text(text) => view! { class="u", <p>{text}</p> }.into_any(),
        Part::Hint(text) => view! { class="u", <p class="hint">{text}</p> }.into_any(),
        Part::Wrong(text) => {
            view! { class="u", <p class="field-wrong" role="alert">{text}</p> }.into_any()
        }
        Part::Secret(id, label, hint, fill) => {
            // Words from paper are read while they are typed.
            let kind = if fill == "off" { "text" } else { "password" };
            view! { class="u",
            <div class="field">
                <label for=id>{label}</label>
                <input id=id type=kind autocomplete=fill spellcheck="false" dir="auto"/>
                <p class="field-hint">{hint}</p>
            </div>
            }
            .into_any()
        }
        Part::Check(id, label, on, act) => view! { class="u",
            <label class="check">
                <input id=id type="checkbox" prop:checked=on on:change=move |_| state.act(act.unwrap_or(Act::Nothing))/>
                <span>{label}</span>
            </label>
        }
        .into_any(),
        Part::Choice(id, label, options, chosen, act) => {
            let options: Vec<AnyView> = options.into_iter().map(|(value, label)| option(value, label, chosen)).collect();
            view! { class="u",
                <label class="choice">
                    <span>{label}</span>
                    <select id=id on:change=move |_| state.act(act)>{options}</select>
                </label>
            }
            .into_any()
        }
        Part::Words(words) => {
            let words: Vec<AnyView> = words.into_iter().map(|word| view! { class="u", <li>{word}</li> }.into_any()).collect();
            view! { class="u", <ol class="keys-words" translate="no" lang="en">{words}</ol> }.into_any()
        }
        Part::Row(name, (label, class, act)) => {
            // Buttons of several rows are told apart by what they are about.
            let full = format!("{label}: {name}");
            let press = move |_| state.act(act.unwrap_or(Act::Nothing));
            let busy = state.keys.shown.with_untracked(|shown| shown.busy);
            view! { class="u",
                <div class="choice">
                    <span>{name}</span>
                    <button type="button" class=class disabled=busy aria-label=full on:click=press>{label}</button>
                </div>
            }
            .into_any()
        }
        Part::Actions(deeds) => {
            let deeds: Vec<AnyView> = deeds.into_iter().map(button).collect();
            view! { class="u", <div class="actions">{deeds}</div> }.into_any()
        }
    }
}

fn option(value: u16, label: String, chosen: u16) -> AnyView {
    let selected = value == chosen;
    view! { class="u", <option value=value.to_string() selected=selected>{label}</option> }
        .into_any()
}

fn button((label, class, act): Deed) -> AnyView {
    let state = state();
    let kind = if act.is_some() { "button" } else { "submit" };
    let busy = state.keys.shown.with_untracked(|shown| shown.busy);
    let press = move |event: ev::MouseEvent| {
        if let Some(act) = act {
            // What is drawn next may make this same element the one that submits, before the browser looks.
            event.prevent_default();
            state.act(act);
        }
    };
    view! { class="u", <button type=kind class=class disabled=busy on:click=press>{label}</button> }
        .into_any()
}
