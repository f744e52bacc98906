//! The pictures of a post, one at a time and as large as the window: arrows lead to the next one, Escape back.
use super::files::{drawn, is_picture, place};
use super::icon::{Icon, icon};
use super::live::{effect, memo};
use crate::i18n::{I18n, t, t_string, text, use_i18n};
use crate::state::state;
use leptos::prelude::*;
use leptos::{ev, html};
use std::sync::Arc;
use ume_api::{Fetch, PostView};

/// The dialog; empty until somebody looks at a picture.
pub(crate) fn lightbox() -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let looked_at = state.files.looked_at;
    let dialog = NodeRef::<html::Dialog>::new();
    let open = memo(move || looked_at.with(Option::is_some));
    effect(move || {
        let Some(dialog) = dialog.get() else { return };
        match (open.get(), dialog.open()) {
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let step = Callback::new(move |by: isize| {
        looked_at.update(|looked_at| {
            if let Some((post, number)) = looked_at {
                *number = next(post, *number, by);
            }
        });
    });
    let on_key = move |event: ev::KeyboardEvent| {
        let forward = if untrack(|| i18n.get_locale()).is_rtl() {
            "ArrowLeft"
        } else {
            "ArrowRight"
        };
        match event.key().as_str() {
            key @ ("ArrowLeft" | "ArrowRight") => step.run(if key == forward { 1 } else { -1 }),
            _ => return,
        }
        event.prevent_default();
    };
    view! { class="u",
        <dialog
            node_ref=dialog
            class="lightbox"
            data-test="lightbox"
            aria-label=t!(i18n, files.picture)
            on:close=move |_| looked_at.set(None)
            on:keydown=on_key
        >
            {move || {
                let (post, number) = looked_at.get()?;
                Some(one(i18n, &post, number, step))
            }}
        </dialog>
    }
    .into_any()
}

/// The picture so many places further, around the end.
fn next(post: &PostView, number: usize, by: isize) -> usize {
    let files = post.files.iter().enumerate();
    let pictures: Vec<usize> = files
        .filter(|(_, file)| is_picture(file))
        .map(|(number, _)| number)
        .collect();
    let here = pictures.iter().position(|one| *one == number).unwrap_or(0);
    let count = pictures.len().max(1);
    let there = (here + count).saturating_add_signed(by) % count;
    pictures.get(there).copied().unwrap_or(number)
}

fn one(i18n: I18n, post: &Arc<PostView>, number: usize, step: Callback<isize>) -> Option<AnyView> {
    let state = state();
    let file = post.files.get(number)?.clone();
    let shown = state.file(post.id, file.id?);
    state.see_file(post.id, &file, Fetch::Now);
    let pictures = post.files.iter().filter(|file| is_picture(file)).count();
    let place_of = post
        .files
        .iter()
        .take(number + 1)
        .filter(|file| is_picture(file))
        .count();
    let size = file.size;
    let at = shown.clone();
    let note = move || place(i18n, at.with(|shown| shown.at), size);
    let words = file.alternative.clone();
    let said = text(move || {
        if words.is_empty() {
            t_string!(i18n, files.no_words).to_owned()
        } else {
            words.clone()
        }
    });
    let (of, saved) = (post.id, file.clone());
    let act = move |label: Signal<String>, sign: Icon, by: isize, class: &'static str| {
        view! { class="u",
            <button type="button" class=class aria-label=label on:click=move |_| step.run(by)>{icon(sign)}</button>
        }
    };
    Some(view! { class="u",
        <div class="lightbox-picture">{drawn(&file, &shown)}</div>
        <div class="lightbox-bar">
            {(pictures > 1).then(|| act(t!(i18n, files.before), Icon::Back, -1, "button square"))}
            {(pictures > 1).then(|| act(t!(i18n, files.after), Icon::Back, 1, "button square lightbox-after"))}
            <p class="lightbox-words" role="status">
                {(pictures > 1).then(|| format!("{place_of}/{pictures} "))}
                <bdi>{said}</bdi>
                " "
                <span class="lightbox-note">{note}</span>
            </p>
            <button type="button" class="button square" aria-label=t!(i18n, files.save) on:click=move |_| state.save_file(of, &saved)>
                {icon(Icon::ArrowDown)}
            </button>
            <button type="button" class="button square" aria-label=t!(i18n, app.close) on:click=move |_| state.files.looked_at.set(None)>
                {icon(Icon::Close)}
            </button>
        </div>
    }
    .into_any())
}
