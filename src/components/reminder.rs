//! After the first post: one quiet line about keeping the key.
use super::icon::{Icon, icon};
use super::live::part;
use crate::i18n::{t, use_i18n};
use crate::state::{Page, state};
use leptos::prelude::*;

/// The line, until the person says that they know.
pub(crate) fn reminder() -> AnyView {
    let i18n = use_i18n();
    let state = state();
    part(
        move || state.keys.remind.get(),
        move || {
            view! { class="u",
                <div class="strip" role="status" data-test="reminder">
                    {icon(Icon::Key)}
                    <p>{t!(i18n, vault.reminder)}</p>
                    <button type="button" class="button quiet" on:click=move |_| { state.reminded(); state.go(Page::Keys); }>
                        {t!(i18n, vault.reminder_go)}
                    </button>
                    <button type="button" class="button quiet square" aria-label=t!(i18n, notice.dismiss) on:click=move |_| state.reminded()>
                        {icon(Icon::Close)}
                    </button>
                </div>
            }
            .into_any()
        },
    )
}
