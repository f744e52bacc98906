//! Files beside the text of a post: pictures in a grid whose room is kept from the beginning, all else in lines. Every file is
//! a file from a stranger: what is drawn are still pictures of two kinds, and anything else is bytes that can be saved.
use super::icon::{Icon, icon};
use crate::i18n::{I18n, t, t_string, text};
use crate::platform::{files as platform, intl, picture};
use crate::state::{FileShown, state};
use leptos::html;
use leptos::prelude::*;
use std::sync::Arc;
use ume_api::{Fetch, FileState, FileView, PostView};

/// Whether a file is shown as a picture. What it really is turns out when it is here.
pub(crate) fn is_picture(file: &FileView) -> bool {
    file.width > 0 && matches!(file.media.as_str(), "image/webp" | "image/jpeg")
}

/// The files of a post, if it has some.
pub(crate) fn files(i18n: I18n, post: &Arc<PostView>) -> Option<AnyView> {
    if post.files.is_empty() {
        return None;
    }
    let (mut pictures, mut others) = (Vec::new(), Vec::new());
    for (number, file) in post.files.iter().enumerate() {
        if is_picture(file) {
            pictures.push(shot(i18n, post, number, file));
        } else {
            others.push(line(i18n, post, file));
        }
    }
    let count = pictures.len().to_string();
    let grid = (!pictures.is_empty())
        .then(|| view! { class="u", <div class="shots" data-count=count>{pictures}</div> });
    let list = (!others.is_empty())
        .then(|| view! { class="u", <ul class="file-list" role="list">{others}</ul> });
    Some(
        view! { class="u", <div class="post-files" data-test="files">{grid}{list}</div> }
            .into_any(),
    )
}

/// Where a file is, in words; nothing: there is nothing to say.
pub(crate) fn place(i18n: I18n, at: FileState, size: u64) -> Option<String> {
    Some(match at {
        FileState::Here => return None,
        FileState::Away => t_string!(
            i18n,
            files.away,
            size = intl::bytes(i18n.get_locale(), size)
        ),
        FileState::Coming { percent: part } => {
            t_string!(i18n, files.coming, percent = u32::from(part))
        }
        FileState::Going { percent: part } => {
            t_string!(i18n, files.going, percent = u32::from(part))
        }
        FileState::NotYet => t_string!(i18n, files.not_yet).to_owned(),
        FileState::Gone => t_string!(i18n, files.gone).to_owned(),
        FileState::Broken => t_string!(i18n, files.broken).to_owned(),
    })
}

/// A picture of a post: the tiny one until the real one is here.
pub(crate) fn drawn(file: &FileView, shown: &ArcRwSignal<FileShown>) -> AnyView {
    let tiny = picture::address(&file.preview);
    if let Some(tiny) = tiny.clone() {
        on_cleanup(move || platform::forget(&tiny));
    }
    let shown = shown.clone();
    let (width, height) = (file.width.to_string(), file.height.to_string());
    (move || {
        let full = shown.with(|shown| shown.address.clone());
        let blurred = full.is_none();
        full.or(tiny.clone()).map(|address| {
            view! { class="u",
                <img src=address alt="" class:shot-tiny=blurred width=width.clone() height=height.clone() draggable="false"/>
            }
        })
    })
    .into_any()
}

fn shot(i18n: I18n, post: &Arc<PostView>, number: usize, file: &FileView) -> AnyView {
    let state = state();
    let Some(id) = file.id else {
        return ().into_any();
    };
    let shown = state.file(post.id, id);
    let place_node = NodeRef::<html::Button>::new();
    let (of, near) = (post.id, file.clone());
    super::live::effect(move || {
        if let Some(node) = place_node.get() {
            let near = near.clone();
            platform::near(&node, move || state.see_file(of, &near, Fetch::Quietly));
        }
    });
    let (words, size, at) = (file.alternative.clone(), file.size, shown.clone());
    let label = text(move || {
        let what = if words.is_empty() {
            t_string!(i18n, files.undescribed, number = number + 1)
        } else {
            words.clone()
        };
        match place(i18n, at.with(|shown| shown.at), size) {
            Some(place) => format!("{what} ({place})"),
            None => what,
        }
    });
    let at = shown.clone();
    let note = move || place(i18n, at.with(|shown| shown.at), size);
    let look = post.clone();
    let ratio = format!("{} / {}", file.width, file.height);
    view! { class="u",
        <button
            node_ref=place_node
            type="button"
            class="shot"
            data-test="picture"
            style:aspect-ratio=ratio
            aria-label=label
            aria-haspopup="dialog"
            on:click=move |_| state.files.looked_at.set(Some((look.clone(), number)))
        >
            {drawn(file, &shown)}
            <span class="shot-note" aria-hidden="true">{note}</span>
        </button>
    }
    .into_any()
}

fn line(i18n: I18n, post: &Arc<PostView>, file: &FileView) -> AnyView {
    let state = state();
    let Some(id) = file.id else {
        return view! { class="u", <li class="file-line">{icon(Icon::Alert)}<span>{t!(i18n, files.unknown)}</span></li> }
            .into_any();
    };
    let shown = state.file(post.id, id);
    let of = post.id;
    let (size, at) = (file.size, shown.clone());
    let note = move || {
        let size_words = intl::bytes(i18n.get_locale(), size);
        match at.with(|shown| shown.at) {
            FileState::Here | FileState::Away => size_words,
            at => place(i18n, at, size).unwrap_or(size_words),
        }
    };
    let name = file.name.clone();
    let shown_name = name.clone();
    let save = file.clone();
    view! { class="u",
        <li class="file-line" data-test="file">
            {icon(Icon::Clip)}
            <bdi class="file-name">{shown_name}</bdi>
            <span class="file-note" role="status">{note}</span>
            <button
                type="button"
                class="button"
                aria-label=t!(i18n, files.save_named, name = name.clone())
                on:click=move |_| state.save_file(of, &save)
            >
                {icon(Icon::ArrowDown)}
                {t!(i18n, files.save)}
            </button>
        </li>
    }
    .into_any()
}
