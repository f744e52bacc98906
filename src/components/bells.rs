//! Being told when somebody writes and no page is open: a section of the settings, and the question that is asked once, after
//! the first reply.
use super::icon::{Icon, icon};
use super::live::{memo, part};
use crate::i18n::{choose, t, t_string, use_i18n};
use crate::platform::{bell, intl, memory};
use crate::state::state;
use leptos::prelude::*;

const HOURS: u8 = 24;

/// The section of the settings.
pub(crate) fn section() -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let bells = state.bells;
    let can = bell::works();
    let on = move || bells.wanted.get();
    let offers = memo(move || can && bells.all.with(|_| bells.offered()));
    let failed = move || bells.failed.get();
    view! { class="u",
        <section class="card" data-test="notices">
            <h2>{t!(i18n, notices.title)}</h2>
            <p>{t!(i18n, notices.text)}</p>
            {part(move || !can, move || view! { class="u",
                <p class="nothing">{t!(i18n, notices.cannot)}</p>
            }.into_any())}
            {part(move || can && !offers.get() && !on(), move || view! { class="u",
                <p class="nothing">{t!(i18n, notices.not_offered)}</p>
            }.into_any())}
            {part(move || offers.get() || on(), move || view! { class="u",
                <p class="choice">
                    <span>{choose(on, t!(i18n, notices.on), t!(i18n, notices.off))}</span>
                    <button type="button" class="button" data-test="notices-turn" disabled=move || bells.busy.get() on:click=move |_| {
                        if bells.wanted.get_untracked() {
                            state.refuse_notices();
                        } else {
                            state.want_notices();
                        }
                    }>
                        {choose(on, t!(i18n, notices.turn_off), t!(i18n, notices.turn_on))}
                    </button>
                </p>
            }.into_any())}
            <p class="field-hint field-wrong" role="alert">
                {move || failed().then(|| if bell::is_denied() {
                    t_string!(i18n, notices.denied)
                } else {
                    t_string!(i18n, notices.failed)
                })}
            </p>
            {part(on, hours)}
            <p class="hint">{t!(i18n, notices.knows)}</p>
        </section>
    }
    .into_any()
}

/// In which hours nothing is to be heard.
fn hours() -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let hours = state.bells.hours;
    let pick = move |last: bool| {
        let now = move || {
            let (from, to) = hours.get();
            if last { to } else { from }
        };
        let options = (0..HOURS).map(move |hour| {
            let here = move || now() == hour;
            view! { class="u", <option value=hour.to_string() prop:selected=here>{intl::hour(i18n.get_locale(), hour)}</option> }
        });
        let change = move |event| {
            let Ok(hour) = event_target_value(&event).parse() else {
                return;
            };
            let (from, to) = hours.get_untracked();
            state.choose_hours(if last { (from, hour) } else { (hour, to) });
        };
        let test = if last { "quiet-to" } else { "quiet-from" };
        view! { class="u", <select data-test=test on:change=change>{options.collect_view()}</select> }
    };
    view! { class="u",
        <label class="choice"><span>{t!(i18n, notices.quiet_from)}</span>{pick(false)}</label>
        <label class="choice"><span>{t!(i18n, notices.quiet_to)}</span>{pick(true)}</label>
    }
    .into_any()
}

/// The question after the first reply, until it is answered.
pub(crate) fn question() -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let bells = state.bells;
    // One word at a time: this one comes after the one about keys, so after the first post, when others have written as well.
    let due = memo(move || {
        let said = |key| memory::recall(key).is_some();
        state.feed.arrived.get() > 0
            && bell::works()
            && !bell::is_denied()
            && bells.all.with(|_| bells.offered())
            && !bells.wanted.get()
            && said(memory::REMINDED)
            && !said(memory::NOTICES)
    });
    let open = RwSignal::new(true);
    part(
        move || open.get() && due.get(),
        move || {
            view! { class="u",
                <div class="strip" role="status" data-test="notices-question">
                    {icon(Icon::Bell)}
                    <p>{t!(i18n, notices.question)}</p>
                    <button type="button" class="button quiet" on:click=move |_| {
                        open.set(false);
                        state.want_notices();
                    }>
                        {t!(i18n, notices.turn_on)}
                    </button>
                    <button type="button" class="button quiet square" aria-label=t!(i18n, notice.dismiss) on:click=move |_| {
                        open.set(false);
                        state.refuse_notices();
                    }>
                        {icon(Icon::Close)}
                    </button>
                </div>
            }
            .into_any()
        },
    )
}
