//! What of this profile takes how much room on this device, and whether the browser keeps it.
use super::live::part;
use super::trouble::Trouble;
use crate::engine::Answer;
use crate::i18n::{I18n, t, t_string, text, use_i18n};
use crate::platform::room::{self, Room};
use crate::platform::{boot, intl};
use crate::state::state;
use leptos::prelude::*;
use ume_api::{Command, Kept, Reply, StoredView};
use wasm_bindgen_futures::spawn_local;

/// A share of the bar, with its line below.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Share {
    /// `None`: what is not the engine's.
    what: Option<Kept>,
    /// The copy of the app; otherwise what the browser adds.
    files: bool,
    rows: Option<u32>,
    bytes: u64,
}

/// The card.
pub(crate) fn storage() -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let room = RwSignal::new(None::<Room>);
    let kept = RwSignal::new(None::<bool>);
    let stored = RwSignal::new(None::<Answer>);
    let measure = Callback::new(move |()| {
        spawn_local(async move {
            let (now, keeps) = (room::estimate().await, room::is_kept().await);
            // The person may have left the page.
            let _ = (room.try_set(now), kept.try_set(keeps));
            let _ = stored.try_set(Some(state.engine.measure().await));
        });
    });
    measure.run(());
    let shares = move || {
        let tables = stored.with(|stored| match stored {
            Some(Ok(Reply::Stored(tables))) => tables.clone(),
            _ => Vec::new(),
        });
        shares(&tables, room.get())
    };
    let used = text(move || {
        let written = |bytes| intl::bytes(i18n.get_locale(), bytes);
        room.get().map_or_else(String::new, |room| {
            let (used, quota) = (written(room.used), written(room.quota));
            t_string!(i18n, settings.used, used = used, quota = quota)
        })
    });
    view! { class="u",
        <section class="card" data-test="storage">
            <h2>{t!(i18n, settings.storage)}</h2>
            <p>{used}</p>
            {move || match stored.get() {
                Some(Err(failure)) => view! { class="u", <Trouble failure=failure retry=measure/> }.into_any(),
                None => view! { class="u", <p class="bone" role="status"><span class="unseen">{t!(i18n, app.loading)}</span></p> }.into_any(),
                Some(Ok(_)) => drawn(i18n, &shares()),
            }}
            {clearing(measure)}
            {keeping(kept)}
            {renewing()}
        </section>
    }
    .into_any()
}

/// What the engine's tables take, the app's files, and the rest.
fn shares(tables: &[StoredView], room: Option<Room>) -> Vec<Share> {
    let of_table = |table: &StoredView| Share {
        what: Some(table.what),
        files: false,
        rows: Some(table.rows),
        bytes: table.bytes,
    };
    let mut shares: Vec<Share> = tables.iter().map(of_table).collect();
    if let Some(room) = room {
        let known: u64 = tables.iter().map(|table| table.bytes).sum();
        let files = room.files.unwrap_or_default();
        for (is_files, bytes) in [
            (true, files),
            (false, room.used.saturating_sub(known + files)),
        ] {
            shares.push(Share {
                what: None,
                files: is_files,
                rows: None,
                bytes,
            });
        }
    }
    shares.retain(|share| share.bytes > 0);
    shares
}

fn drawn(i18n: I18n, shares: &[Share]) -> AnyView {
    let all: u64 = shares.iter().map(|share| share.bytes).sum();
    let mut from = 0;
    let bars: Vec<_> = shares
        .iter()
        .map(|share| {
            let (x, width) = (thousandths(from, all), thousandths(share.bytes, all));
            from += share.bytes;
            view! { class="u", <rect class=colour(share) x=x y="0" width=width height="10"></rect> }
        })
        .collect();
    let lines: Vec<_> = shares
        .iter()
        .map(|share| {
            let Share { rows, bytes, .. } = *share;
            view! { class="u",
                <li>
                    <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true"><rect class=colour(share) width="10" height="10"></rect></svg>
                    <span>{name(i18n, share)}</span>
                    <span class="share-rows">{rows.map(|rows| t!(i18n, settings.rows, count = rows))}</span>
                    <span class="share-bytes">{text(move || intl::bytes(i18n.get_locale(), bytes))}</span>
                </li>
            }
        })
        .collect();
    view! { class="u",
        <svg class="shares" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">{bars}</svg>
        <ul class="shares-list" role="list">{lines}</ul>
    }
    .into_any()
}

const fn thousandths(part: u64, all: u64) -> u64 {
    match (part * 1000).checked_div(all) {
        Some(thousandths) => thousandths,
        None => 0,
    }
}

const fn colour(share: &Share) -> &'static str {
    match (share.what, share.files) {
        (Some(Kept::Profile), _) => "share-profile",
        (Some(Kept::Communities), _) => "share-communities",
        (Some(Kept::Keys), _) => "share-keys",
        (Some(Kept::Posts), _) => "share-posts",
        (Some(Kept::Outbox), _) => "share-outbox",
        (Some(Kept::Files), _) => "share-attached",
        (None, true) => "share-files",
        (None, false) => "share-rest",
    }
}

fn name(i18n: I18n, share: &Share) -> Signal<String> {
    match (share.what, share.files) {
        (Some(Kept::Profile), _) => t!(i18n, settings.kept_profile),
        (Some(Kept::Communities), _) => t!(i18n, settings.kept_communities),
        (Some(Kept::Keys), _) => t!(i18n, settings.kept_keys),
        (Some(Kept::Posts), _) => t!(i18n, settings.kept_posts),
        (Some(Kept::Outbox), _) => t!(i18n, settings.kept_outbox),
        (Some(Kept::Files), _) => t!(i18n, files.kept),
        (None, true) => t!(i18n, settings.kept_files),
        (None, false) => t!(i18n, settings.kept_rest),
    }
}

/// Whether the browser keeps it, and how to ask for that.
fn keeping(kept: RwSignal<Option<bool>>) -> AnyView {
    let i18n = use_i18n();
    let refused = RwSignal::new(false);
    let ask = move |_| {
        spawn_local(async move {
            let keeps = room::keep().await;
            let _ = (kept.try_set(Some(keeps)), refused.try_set(!keeps));
        });
    };
    view! { class="u",
        <p data-test="kept">{move || kept.get().map(|kept| if kept {
            t!(i18n, settings.persisted)
        } else {
            t!(i18n, settings.not_persisted)
        })}</p>
        {part(move || kept.get() == Some(false), move || view! { class="u",
            <div class="actions"><button type="button" class="button" on:click=ask>{t!(i18n, settings.persist)}</button></div>
        }.into_any())}
        <p class="hint" role="status">{move || refused.get().then(|| t!(i18n, settings.persist_refused))}</p>
    }
    .into_any()
}

/// Lets files go that could be fetched again.
fn clearing(measure: Callback<()>) -> AnyView {
    let (i18n, state) = (use_i18n(), state());
    let clear = move |_| {
        state.ask(Command::ClearFiles, move |_| measure.run(()));
    };
    view! { class="u",
        <div class="hurry">
            <button type="button" class="button" data-test="clear-files" on:click=clear>{t!(i18n, files.clear)}</button>
            <p class="hint">{t!(i18n, files.clear_hint)}</p>
        </div>
    }
    .into_any()
}

/// Throws the copy of the app away.
fn renewing() -> AnyView {
    let i18n = use_i18n();
    let failed = RwSignal::new(false);
    let renew = move |_| {
        spawn_local(async move {
            // When it works the page is another one.
            let failing = !boot::renew().await;
            let _ = failed.try_set(failing);
        });
    };
    view! { class="u",
        <div class="hurry">
            <button type="button" class="button" data-test="renew" on:click=renew>{t!(i18n, settings.renew)}</button>
            <p class="hint">{t!(i18n, settings.renew_hint)}</p>
            <p class="field-hint field-wrong" role="alert">{move || failed.get().then(|| t!(i18n, settings.renew_failed))}</p>
        </div>
    }
    .into_any()
}
