//! What stands in the place of a feed while this person waits to be let in, and when they are not.
use super::icon::{Icon, icon};
use crate::i18n::{t, t_string, use_i18n};
use crate::state::state;
use leptos::prelude::*;
use ume_api::{CommunityView, Phase, Refusal};

/// The wait and the way to take it back, or the answer and the way to clear it away.
#[component]
pub(crate) fn Asking(community: CommunityView) -> impl IntoView {
    let name = community.me.name;
    match community.phase {
        Phase::Refused(why) => view! { class="u", <Refused why=why/> }.into_any(),
        _ => view! { class="u", <Waiting name=name/> }.into_any(),
    }
}

#[component]
fn Waiting(name: String) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    view! { class="u",
        <div class="asking" data-test="asking">
            <span class="asking-sign">{icon(Icon::Hourglass)}</span>
            <h2>{t!(i18n, asking.title)}</h2>
            <p>{t!(i18n, asking.text)}</p>
            <p class="hint">{move || t_string!(i18n, asking.as_whom, name = name.clone())}</p>
            <button type="button" class="button" disabled=state.people.busy on:click=move |_| state.take_back()>
                {t!(i18n, asking.take_back)}
            </button>
        </div>
    }
}

#[component]
fn Refused(why: Refusal) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let (title, text) = match why {
        Refusal::Declined => (t!(i18n, asking.declined), t!(i18n, asking.declined_text)),
        Refusal::UsedUp => (t!(i18n, asking.used_up), t!(i18n, asking.used_up_text)),
        Refusal::Expired => (t!(i18n, asking.expired), t!(i18n, asking.expired_text)),
        Refusal::Withdrawn => (t!(i18n, asking.withdrawn), t!(i18n, asking.withdrawn_text)),
    };
    view! { class="u",
        <div class="asking" data-test="refused" data-refusal=format!("{why:?}")>
            <span class="asking-sign">{icon(Icon::Alert)}</span>
            <h2>{title}</h2>
            <p>{text}</p>
            <button type="button" class="button" disabled=state.people.busy on:click=move |_| state.forget()>
                {t!(i18n, asking.clear)}
            </button>
        </div>
    }
}
