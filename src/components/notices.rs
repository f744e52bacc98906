//! What a person should know though they asked for nothing.
use super::icon::{Icon, icon};
use super::live::list;
use crate::i18n::{I18n, t, t_string, use_i18n};
use crate::platform::intl;
use crate::state::state;
use leptos::prelude::*;
use ume_api::Notice;

/// All notices, each with a way to dismiss it.
#[component]
pub(crate) fn Notices() -> impl IntoView {
    let i18n = use_i18n();
    let notices = state().notices;
    view! { class="u",
        <div class="notices" role="status">
            {list(move || notices.get(), |notice| *notice, move |notice| view! { class="u",
                <div class="strip strip-notice" data-test="notice">
                    {icon(Icon::Alert)}
                    <p>{move || words(i18n, notice)}</p>
                    <button
                        type="button"
                        class="button quiet square"
                        aria-label=t!(i18n, notice.dismiss)
                        on:click=move |_| notices.update(|all| all.retain(|other| *other != notice))
                    >
                        {icon(Icon::Close)}
                    </button>
                </div>
            }.into_any())}
        </div>
    }
}

fn words(i18n: I18n, notice: Notice) -> String {
    match notice {
        Notice::ClockOff { seconds } => {
            let by = intl::duration(i18n.get_locale(), seconds.unsigned_abs());
            if seconds >= 0 {
                t_string!(i18n, notice.clock_ahead, by = by)
            } else {
                t_string!(i18n, notice.clock_behind, by = by)
            }
        }
        Notice::RecordsDamaged { count } => t_string!(i18n, notice.damaged, count = count),
        Notice::RelayTampers { count } => t_string!(i18n, notice.tampers, count = count),
        Notice::AnswerForged { .. } => t_string!(i18n, notice.answer_forged).to_owned(),
        Notice::AccessRefused => t_string!(i18n, notice.access_refused).to_owned(),
        Notice::AccessUsedUp => t_string!(i18n, notice.access_used_up).to_owned(),
        Notice::WayBackMissing => t_string!(i18n, notice.way_back_missing).to_owned(),
        Notice::LinksEnded { count } => t_string!(i18n, notice.links_ended, count = count),
        Notice::StorageFull => t_string!(i18n, notice.storage_full).to_owned(),
    }
}
