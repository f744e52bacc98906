//! The line to one relay, as whoever looks at it sees it, and on demand as only this person can.
use super::icon::{Icon, icon};
use super::live::{effect, memo, part};
use super::ticks::{HALF, WIDTH, bars, sums};
use crate::i18n::{choose, t, t_string, text, use_i18n};
use crate::platform::{intl, pointer, tabs, timer};
use crate::state::state;
use leptos::prelude::*;
use ume_api::{FRAME_LINE_BYTES, LineView, Passed};

/// How often the picture moves on, and how often where it should rather not move.
const REDRAW_MS: u64 = 1_000;
const CALM_MS: u64 = 10_000;

/// Picture, words and figures of the line to a relay.
pub(crate) fn line(relay: String, mine: RwSignal<bool>) -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let host = relay
        .split_once("://")
        .map_or(&*relay, |(_, host)| host)
        .to_owned();
    let line = memo(move || {
        state.traffic.view.with(|view| {
            let mut lines = view.iter().flat_map(|view| &view.lines);
            lines.find(|line| line.relay == relay).cloned()
        })
    });
    let of = move |what: fn(&LineView) -> u64| line.with(|line| line.as_ref().map_or(0, what));
    let is = move |what: fn(&LineView) -> bool| line.with(|line| line.as_ref().is_some_and(what));
    let amount = move |what: fn(&LineView) -> u64| {
        text(move || intl::bytes(i18n.get_locale(), of(what) * FRAME_LINE_BYTES))
    };
    let connection = move || {
        if is(|line| line.up) {
            "online"
        } else {
            "offline"
        }
    };
    let pace = text(move || {
        let gaps = line.with(|line| line.as_ref().map(|line| line.gaps_ms));
        match gaps {
            None | Some((0, _)) => t_string!(i18n, traffic.pace_off).to_owned(),
            Some((up, down)) => {
                let every = |gap| intl::seconds(i18n.get_locale(), gap);
                let (up, down) = (every(up), every(down));
                t_string!(i18n, traffic.pace_is, up = up, down = down)
            }
        }
    });
    view! { class="u",
        <section class="card wire" data-test="line">
            <header class="wire-head">
                <h2><bdi>{host}</bdi></h2>
                <span class="line" data-connection=connection>
                    <span class="line-dot" aria-hidden="true"></span>
                    {choose(move || is(|line| line.up), t!(i18n, connection.online), t!(i18n, connection.offline))}
                </span>
            </header>
            {part(move || is(|line| line.burst), move || view! { class="u",
                <p class="wire-note" role="status" data-test="burst">{icon(Icon::Alert)}<span>{t!(i18n, traffic.burst)}</span></p>
            }.into_any())}
            {picture(line, mine)}
            <dl class="wire-facts">
                {fact(t!(i18n, traffic.pace), pace)}
                {fact(t!(i18n, traffic.hour), amount(|line| all(line.hour)))}
                {fact(t!(i18n, traffic.day), amount(|line| all(line.day)))}
                {fact(t!(i18n, traffic.waiting), text(move || of(|line| line.waiting.into()).to_string()))}
            </dl>
            {part(move || is(|line| line.up && !line.paced && line.gaps_ms.0 > 0), move || view! { class="u",
                <p class="wire-note" data-test="unpaced">{icon(Icon::Alert)}<span>{t!(i18n, traffic.unpaced)}</span></p>
            }.into_any())}
        </section>
    }
    .into_any()
}

fn picture(line: Memo<Option<LineView>>, mine: RwSignal<bool>) -> AnyView {
    let i18n = use_i18n();
    let now = RwSignal::new(intl::now());
    let pause = if pointer::wants_less_motion() {
        CALM_MS
    } else {
        REDRAW_MS
    };
    // Where nobody looks nothing is drawn.
    let redraw = move || {
        if !tabs::hidden() {
            now.set(intl::now());
        }
    };
    timer::while_here(pause, redraw);
    // The first ticks need not wait for the second.
    let any =
        memo(move || line.with(|line| line.as_ref().is_some_and(|line| !line.ticks.is_empty())));
    effect(move || {
        any.track();
        redraw();
    });
    let drawn = move |real| {
        let now = now.get();
        line.with_untracked(|line| {
            line.as_ref()
                .map_or_else(String::new, |line| bars(&line.ticks, now, real))
        })
    };
    let said = move || {
        if mine.get() {
            drawn(true)
        } else {
            String::new()
        }
    };
    let words = text(move || {
        now.track();
        let (out, come, real) =
            line.with_untracked(|line| line.as_ref().map_or((0, 0, 0), |line| sums(&line.ticks)));
        if mine.get() {
            t_string!(
                i18n,
                traffic.passed_mine,
                out = out,
                come = come,
                real = real
            )
        } else {
            t_string!(i18n, traffic.passed, out = out, come = come)
        }
    });
    let view_box = format!("0 -{HALF} {WIDTH} {}", 2 * HALF);
    view! { class="u",
        <figure class="wire-figure">
            <div class="wire-picture" class:wire-mine=move || mine.get() aria-hidden="true">
                <span>{t!(i18n, traffic.out)}</span>
                <svg viewBox=view_box preserveAspectRatio="none" data-test="picture">
                    <path class="wire-middle" d=format!("M0 0h{WIDTH}")></path>
                    <path class="wire-all" d=move || drawn(false)></path>
                    <path class="wire-real" d=said></path>
                </svg>
                <span>{t!(i18n, traffic.come)}</span>
                <span class="wire-time"><span>{t!(i18n, traffic.then)}</span><span>{t!(i18n, traffic.now)}</span></span>
            </div>
            <figcaption data-test="passed">{words}</figcaption>
        </figure>
    }
    .into_any()
}

/// A line of a list of facts.
pub(crate) fn fact(name: Signal<String>, value: Signal<String>) -> AnyView {
    view! { class="u", <div><dt>{name}</dt><dd>{value}</dd></div> }.into_any()
}

const fn all(passed: Passed) -> u64 {
    passed.up + passed.down
}
