//! What somebody new should know, in four pictures above their first feed; each for as long as they like, and never again
//! once they say so.
use super::live::part;
use crate::i18n::{t, t_string, use_i18n};
use crate::platform::memory;
use crate::state::{Page, state};
use leptos::prelude::*;

/// The pictures, drawn on a grid of 96 by 72: what is filled, what is drawn in the accent, what is drawn in ink.
const PICTURES: [[&str; 3]; 4] = [
    // A door that a link opens.
    [
        "M34 12h28v48H34z",
        "M70 30a7 7 0 0 1 10 0l4 4a7 7 0 0 1-10 10l-2-2M78 42a7 7 0 0 1-10 0l-4-4a7 7 0 0 1 10-10",
        "M34 12h28v48H34zM55 37v.01M24 60h48",
    ],
    // A letter in a lock.
    [
        "M18 20h44v32H18z",
        "M58 40v-5a9 9 0 0 1 18 0v5M54 40h26v20H54zM67 48v5",
        "M18 20h44v14M18 20v32h36M18 21l22 17 22-17",
    ],
    // A clock, then a tick.
    [
        "M28 18a18 18 0 1 0 0 36 18 18 0 0 0 0-36z",
        "m60 37 9 9 17-19",
        "M28 18a18 18 0 1 0 0 36 18 18 0 0 0 0-36zM28 26v10l7 4",
    ],
    // A key.
    [
        "M34 18a18 18 0 1 0 0 36 18 18 0 0 0 0-36z",
        "M34 30a6 6 0 1 0 0 12 6 6 0 0 0 0-12z",
        "M34 18a18 18 0 1 0 0 36 18 18 0 0 0 0-36zM52 36h32v10M74 36v8",
    ],
];

/// The introduction, until it was read or put away.
pub(crate) fn intro() -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let at = RwSignal::new(0_usize);
    let open = RwSignal::new(memory::recall(memory::INTRODUCED).is_none());
    let over = move || {
        memory::keep(memory::INTRODUCED, Some("yes"));
        open.set(false);
    };
    let on = move || {
        if at.get_untracked() + 1 < PICTURES.len() {
            at.update(|at| *at += 1);
        } else {
            over();
            state.go(Page::Keys);
        }
    };
    let drawing = move |part: usize| move || PICTURES[at.get().min(PICTURES.len() - 1)][part];
    let title = move || match at.get() {
        0 => t_string!(i18n, intro.door),
        1 => t_string!(i18n, intro.sealed),
        2 => t_string!(i18n, intro.clock),
        _ => t_string!(i18n, intro.key),
    };
    let text = move || match at.get() {
        0 => t_string!(i18n, intro.door_text),
        1 => t_string!(i18n, intro.sealed_text),
        2 => t_string!(i18n, intro.clock_text),
        _ => t_string!(i18n, intro.key_text),
    };
    let go = move || {
        if at.get() + 1 < PICTURES.len() {
            t_string!(i18n, intro.next)
        } else {
            t_string!(i18n, vault.reminder_go)
        }
    };
    part(
        move || open.get(),
        move || {
            view! { class="u",
                <section class="intro" aria-label=t!(i18n, intro.title) data-test="intro">
                    <svg class="intro-picture" viewBox="0 0 96 72" aria-hidden="true" focusable="false">
                        <path class="intro-filled" d=drawing(0)></path>
                        <path d=drawing(2)></path>
                        <path class="intro-accent" d=drawing(1)></path>
                    </svg>
                    <div class="intro-words" aria-live="polite">
                        <h2>{title}</h2>
                        <p>{text}</p>
                    </div>
                    <p class="intro-at">
                        {move || t_string!(i18n, intro.at, at = at.get() + 1, of = PICTURES.len())}
                    </p>
                    <div class="intro-acts">
                        <button type="button" class="button quiet" data-test="intro-over" on:click=move |_| over()>
                            {t!(i18n, intro.over)}
                        </button>
                        <button type="button" class="button" data-test="intro-next" on:click=move |_| on()>
                            {go}
                        </button>
                    </div>
                </section>
            }
            .into_any()
        },
    )
}
