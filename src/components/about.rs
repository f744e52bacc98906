//! Which ume this is, and a text for whoever is asked for help: how things stand, and nothing about anybody.
use super::line::fact;
use crate::i18n::{I18n, t, t_string, text, use_i18n};
use crate::platform::room::{self, Room};
use crate::platform::{boot, clipboard, look, updates};
use crate::state::{State, state, word};
use leptos::prelude::*;
use std::fmt::Write;
use ume_api::{Phase, Reply, StoredView};
use wasm_bindgen_futures::spawn_local;

/// The card.
pub(crate) fn about() -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let copied = RwSignal::new(None::<bool>);
    let measured = RwSignal::new((None::<Room>, Vec::<StoredView>::new()));
    spawn_local(async move {
        let room = room::estimate().await;
        let tables = match state.engine.measure().await {
            Ok(Reply::Stored(tables)) => tables,
            _ => Vec::new(),
        };
        // The person may have left the page.
        let _ = measured.try_set((room, tables));
    });
    let diagnostic =
        text(move || measured.with(|(room, tables)| diagnostic(i18n, state, *room, tables)));
    let copy = move |_| {
        spawn_local(async move {
            let done = clipboard::copy(&diagnostic.get_untracked()).await;
            let _ = copied.try_set(Some(done));
        });
    };
    let build =
        text(move || boot::build().unwrap_or_else(|| t_string!(i18n, settings.unbuilt).to_owned()));
    view! { class="u",
        <section class="card" data-test="about">
            <h2>{t!(i18n, settings.about)}</h2>
            <p>{t!(i18n, settings.about_text)}</p>
            <dl class="wire-facts">
                {fact(t!(i18n, settings.host), Signal::stored(boot::brand().name))}
                {fact(t!(i18n, settings.version), Signal::stored(VERSION.to_owned()))}
                {fact(t!(i18n, settings.build), build)}
            </dl>
            <div class="hurry">
                <button type="button" class="button" data-test="copy-diagnostic" on:click=copy>{t!(i18n, settings.copy)}</button>
                <p class="hint">{t!(i18n, settings.copy_hint)}</p>
                <p class="hint" role="status">{move || copied.get().map(|done| if done {
                    t!(i18n, share.copied)
                } else {
                    t!(i18n, settings.copy_failed)
                })}</p>
            </div>
            <details class="past">
                <summary>{t!(i18n, settings.show)}</summary>
                <pre class="diagnostic" data-test="diagnostic" dir="ltr" tabindex="0">{diagnostic}</pre>
            </details>
        </section>
    }
    .into_any()
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Not translated: whoever reads it may speak another language. No name, address or id of anybody or anything is in it.
fn diagnostic(i18n: I18n, state: State, room: Option<Room>, tables: &[StoredView]) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{name}: {value}");
    };
    let build = boot::build().unwrap_or_default();
    line("ume", format!("{VERSION} {build}"));
    line("browser", boot::browser());
    line("language", i18n.get_locale().as_str().to_owned());
    let looks = [look::THEME, look::CONTRAST, look::SIZE, look::SPACING];
    line("look", looks.map(look::chosen).join("/"));
    line("cover", {
        let around = state.traffic.surroundings.get();
        format!("{} saving={}", word(around.cover), around.saving)
    });
    line("engine", format!("{:?}", state.stage.get()));
    line("connection", format!("{:?}", state.connection.get()));
    line("update waits", state.update.get().to_string());
    line("offline copy", updates::has_copy().to_string());
    let phases = state.communities.with(|all| {
        let all = all.as_deref().unwrap_or_default();
        all.iter().map(|one| phase(one.phase)).collect::<Vec<_>>()
    });
    line(
        "communities",
        format!("{} {}", phases.len(), phases.join(" ")),
    );
    state.traffic.view.with(|view| {
        for one in view.iter().flat_map(|view| &view.lines) {
            let health = one.health.map(|health| health.greeted_ms);
            line(
                "relay",
                format!(
                    "up={} paced={} waiting={} greeted_ms={health:?}",
                    one.up, one.paced, one.waiting
                ),
            );
        }
    });
    line("notices", state.notices.with(Vec::len).to_string());
    if let Some(Room { used, quota, files }) = room {
        line("storage", format!("{used} of {quota}, files {files:?}"));
    }
    for table in tables {
        line(
            "table",
            format!("{:?} rows={} bytes={}", table.what, table.rows, table.bytes),
        );
    }
    out
}

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Starting => "starting",
        Phase::Asking => "asking",
        Phase::Refused(_) => "refused",
        Phase::Ended(_) => "ended",
        _ => "in",
    }
}
