//! How the relays are, and what each says of itself.
use super::line::fact;
use super::live::{list, memo, part};
use super::trouble::Trouble;
use crate::i18n::{I18n, choose, t, t_string, text, use_i18n};
use crate::platform::intl;
use crate::state::state;
use leptos::prelude::*;
use ume_api::{LineView, RelayHealth};

/// The card.
pub(crate) fn relays() -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let traffic = state.traffic;
    let all = memo(move || {
        traffic.view.with(|view| {
            let relay = |line: &LineView| line.relay.clone();
            view.as_ref()
                .map(|view| view.lines.iter().map(relay).collect::<Vec<_>>())
        })
    });
    state.watch_traffic();
    view! { class="u",
        <section class="card" data-test="relays">
            <h2>{t!(i18n, settings.relays)}</h2>
            <p>{t!(i18n, settings.relays_text)}</p>
            {move || traffic.failure.get().map(|failure| view! { class="u",
                <Trouble failure=failure retry=move |()| state.watch_traffic_again()/>
            })}
            {part(move || all.with(|all| all.as_ref().is_some_and(Vec::is_empty)), move || view! { class="u",
                <p>{t!(i18n, traffic.nothing)}</p>
            }.into_any())}
            {list(move || all.get().unwrap_or_default(), Clone::clone, relay)}
        </section>
    }
    .into_any()
}

fn relay(address: String) -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let host = address
        .split_once("://")
        .map_or(&*address, |(_, host)| host);
    let host = host.to_owned();
    let line = memo(move || {
        state.traffic.view.with(|view| {
            let mut lines = view.iter().flat_map(|view| &view.lines);
            let line = lines.find(|line| line.relay == address)?;
            Some((line.up, line.health))
        })
    });
    let up = move || line.get().is_some_and(|(up, _)| up);
    let said = move |words: fn(I18n, RelayHealth) -> String| {
        text(move || {
            let health = line.get().and_then(|(_, health)| health);
            health.map_or_else(|| "–".to_owned(), |health| words(i18n, health))
        })
    };
    let heard = text(move || {
        let health = line.get().and_then(|(_, health)| health);
        health.map_or_else(
            || "–".to_owned(),
            |health| intl::relative(i18n.get_locale(), health.heard_at, state.now.get()),
        )
    });
    view! { class="u",
        <div class="relay" data-test="relay">
            <header class="wire-head">
                <h3><bdi>{host}</bdi></h3>
                <span class="line" data-connection=move || if up() { "online" } else { "offline" }>
                    <span class="line-dot" aria-hidden="true"></span>
                    {choose(up, t!(i18n, connection.online), t!(i18n, connection.offline))}
                </span>
            </header>
            <dl class="wire-facts">
                {fact(t!(i18n, settings.heard), heard)}
                {fact(t!(i18n, settings.greeted), said(|i18n, health| {
                    let greeted = u32::try_from(health.greeted_ms).unwrap_or(u32::MAX);
                    intl::seconds(i18n.get_locale(), greeted)
                }))}
                {fact(t!(i18n, settings.keeps), said(|i18n, health| {
                    intl::duration(i18n.get_locale(), health.keeps_seconds.into())
                }))}
                {fact(t!(i18n, settings.queue), said(|i18n, health| match health.queue_cells {
                    0 => t_string!(i18n, settings.queue_unsaid).to_owned(),
                    cells => t_string!(i18n, settings.queue_cells, count = cells),
                }))}
                {fact(t!(i18n, settings.blob), said(|i18n, health| {
                    intl::bytes(i18n.get_locale(), health.blob_bytes.into())
                }))}
                {fact(t!(i18n, settings.access), said(|i18n, health| {
                    let words = if health.access_needed {
                        t_string!(i18n, settings.access_needed)
                    } else {
                        t_string!(i18n, settings.access_free)
                    };
                    words.to_owned()
                }))}
            </dl>
        </div>
    }
    .into_any()
}
