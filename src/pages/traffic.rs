//! What passes between this device and its relays, as they and the network see it, and how far to hide it.
use crate::components::cover::covers;
use crate::components::icon::{Icon, icon};
use crate::components::line::line;
use crate::components::live::{list, memo, part};
use crate::components::room::room;
use crate::components::trouble::Trouble;
use crate::i18n::{t, use_i18n};
use crate::state::state;
use leptos::prelude::*;

/// The page.
#[component]
pub(crate) fn Traffic() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let traffic = state.traffic;
    let mine = RwSignal::new(false);
    let relays = memo(move || {
        let relay = |line: &ume_api::LineView| line.relay.clone();
        traffic.view.with(|view| {
            view.as_ref()
                .map(|view| view.lines.iter().map(relay).collect::<Vec<_>>())
        })
    });
    let some = move || relays.with(|relays| relays.as_ref().is_some_and(|all| !all.is_empty()));
    state.watch_traffic();
    let content = view! { class="u",
        <p class="hint">{t!(i18n, traffic.about)}</p>
        {move || traffic.failure.get().map(|failure| view! { class="u",
            <Trouble failure=failure retry=move |()| state.watch_traffic_again()/>
        })}
        {part(move || relays.with(Option::is_none) && traffic.failure.get().is_none(), move || view! { class="u",
            <p class="unseen" role="status">{t!(i18n, app.loading)}</p>
            <div class="card" aria-hidden="true">
                <span class="bone bone-title"></span>
                <span class="bone bone-picture"></span>
                <span class="bone bone-long"></span>
            </div>
        }.into_any())}
        {part(move || relays.with(|relays| relays.as_ref().is_some_and(Vec::is_empty)), move || view! { class="u",
            <p class="nothing" data-test="no-lines">{t!(i18n, traffic.nothing)}</p>
        }.into_any())}
        {part(some, move || view! { class="u",
            <label class="check">
                <input
                    type="checkbox"
                    role="switch"
                    prop:checked=move || mine.get()
                    on:change=move |event| mine.set(event_target_checked(&event))
                />
                <span>{t!(i18n, traffic.mine)}</span>
            </label>
        }.into_any())}
        {list(move || relays.get().unwrap_or_default(), Clone::clone, move |relay| line(relay, mine))}
        {part(some, move || view! { class="u",
            <div class="hurry">
                <button type="button" class="button" on:click=move |_| state.hurry()>
                    {icon(Icon::Send)}
                    {t!(i18n, traffic.hurry)}
                </button>
                <p class="hint">{t!(i18n, traffic.hurry_hint)}</p>
            </div>
        }.into_any())}
        {covers()}
        <section class="limits">
            <h2>{t!(i18n, traffic.limits)}</h2>
            <ul>
                <li>{t!(i18n, traffic.limit_you)}</li>
                <li>{t!(i18n, traffic.limit_long)}</li>
                <li>{t!(i18n, traffic.limit_phone)}</li>
                <li>{t!(i18n, traffic.limit_member)}</li>
                <li>{t!(i18n, traffic.limit_relay)}</li>
                <li>{t!(i18n, traffic.limit_bulk)}</li>
            </ul>
        </section>
    };
    room("traffic", t!(i18n, traffic.title), content.into_any())
}
