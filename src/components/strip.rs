//! A line across the page while something is going on: no connection, catching up, posts missing.
use super::anew::Stall;
use super::icon::{Icon, icon};
use super::live::{effect, memo, part};
use super::troubles::Troubles;
use crate::i18n::{choose, t, t_string, use_i18n};
use crate::platform::timer;
use crate::state::{Page, state};
use leptos::prelude::*;
use ume_api::{CommunityView, Connection, Phase};

/// A reconnect shorter than this is nobody's concern.
const PATIENCE_MS: u64 = 2_000;

/// The strips that apply, the most pressing first; usually none.
#[component]
pub(crate) fn Strips(community: Memo<Option<CommunityView>>) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let shown = RwSignal::new(None::<Connection>);
    let turn = StoredValue::new(0_u32);
    effect(move || {
        let connection = state.connection.get();
        let this = turn.with_value(|turn| turn.wrapping_add(1));
        turn.set_value(this);
        match connection {
            Connection::Online => shown.set(None),
            Connection::Offline => shown.set(Some(connection)),
            // While attempts fail one after the other, the strip stands still.
            Connection::Connecting => timer::after(PATIENCE_MS, move || {
                if turn.try_get_value() == Some(this) && shown.get_untracked().is_none() {
                    shown.set(Some(connection));
                }
            }),
        }
    });
    let trouble = choose(
        move || shown.get() == Some(Connection::Offline),
        t!(i18n, connection.offline_text),
        t!(i18n, connection.connecting_text),
    );
    // Where nothing goes on, nothing is said to go on.
    let phase = memo(move || {
        let moving = |one: &&CommunityView| one.stalled.is_none();
        community.with(|one| one.as_ref().filter(moving).map(|one| one.phase))
    });
    let missing = memo(move || {
        community
            .with(|one| one.as_ref().map(|one| one.missing))
            .unwrap_or_default()
    });
    // Whom ownership is offered to is this person.
    let offered = memo(move || {
        community.with(|one| {
            let one = one.as_ref()?;
            let stands = !one.offered.is_empty() && !matches!(one.phase, Phase::Ended(_));
            stands.then_some(one.me.id)
        })
    });
    view! { class="u",
        <div class="strips" role="status">
            {part(move || shown.with(Option::is_some), move || view! { class="u",
                <div class="strip" data-test="offline">
                    {icon(Icon::Alert)}
                    <p>{trouble}</p>
                    <button type="button" class="button quiet" on:click=move |_| state.reconnect()>
                        {t!(i18n, connection.retry)}
                    </button>
                </div>
            }.into_any())}
            {move || match phase.get().filter(|_| shown.with(Option::is_none)) {
                Some(Phase::Starting) => Some(t!(i18n, feed.starting)),
                Some(Phase::CatchingUp) => Some(t!(i18n, feed.catching_up)),
                Some(Phase::Healing) => Some(t!(i18n, feed.healing)),
                Some(Phase::Live | Phase::Ended(_) | Phase::Asking | Phase::Refused(_)) | None => None,
            }.map(|text| view! { class="u",
                <div class="strip strip-busy" data-test="phase"><span class="pulse" aria-hidden="true"></span><p>{text}</p></div>
            })}
            {part(move || offered.with(Option::is_some), move || view! { class="u",
                <div class="strip strip-notice" data-test="offer">
                    {icon(Icon::People)}
                    <p>{t!(i18n, people.offer_strip)}</p>
                    <button type="button" class="button quiet" on:click=move |_| {
                        if let Some(me) = offered.get_untracked() {
                            state.go(Page::People);
                            state.people.show(me);
                        }
                    }>
                        {t!(i18n, people.offer_look)}
                    </button>
                </div>
            }.into_any())}
            {part(move || missing.get().all() != 0, move || view! { class="u",
                <div class="strip" data-test="missing">
                    {icon(Icon::Hourglass)}
                    // While something is being done about one of them, that is what is said.
                    <p>{move || {
                        let what = missing.get();
                        let count = what.all();
                        if what.nobody == count {
                            t_string!(i18n, feed.missing_nobody, count = count)
                        } else if what.asked > 0 {
                            t_string!(i18n, feed.missing_asked, count = count)
                        } else {
                            t_string!(i18n, feed.missing, count = count)
                        }
                    }}</p>
                </div>
            }.into_any())}
            <Troubles community=community/>
        </div>
        <Stall community=community/>
    }
}
