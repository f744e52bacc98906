//! A community whose group leads nowhere: an owner can begin it anew, the others see that it needs one, and afterwards all see
//! who did.
use super::ask::{Ask, deed};
use super::icon::{Icon, icon};
use super::live::{memo, part};
use super::sheet::Sheet;
use crate::i18n::{choose, t, t_string, use_i18n};
use crate::platform::intl;
use crate::state::state;
use leptos::prelude::*;
use ume_api::{CommunityView, Person, Role, Stalled};

/// A line while nothing else helps, with the one thing that does for whoever may do it.
#[component]
pub(crate) fn Stall(community: Memo<Option<CommunityView>>) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let sheet = RwSignal::new(false);
    let without = RwSignal::new(false);
    let stalled: Memo<Option<Stalled>> =
        memo(move || community.with(|one| one.as_ref()?.stalled.clone()));
    let owner =
        memo(move || community.with(|one| one.as_ref().is_some_and(|one| one.role == Role::Owner)));
    let suspect: Memo<Option<Person>> =
        memo(move || stalled.with(|one| one.as_ref()?.suspect.clone()));
    let words = choose(
        move || owner.get(),
        t!(i18n, anew.owner),
        t!(i18n, anew.member),
    );
    let open = Callback::new(move |()| {
        state.people.failure.set(None);
        without.set(false);
        sheet.set(true);
    });
    let go = move |()| {
        let out = suspect.get_untracked().filter(|_| without.get_untracked());
        state.begin_anew(out.map(|one| one.id), move || sheet.set(false));
    };
    view! { class="u",
        {part(move || stalled.with(Option::is_some), move || view! { class="u",
            <div class="strip strip-notice" data-test="stalled" role="status">
                {icon(Icon::Alert)}
                <p>{words}</p>
                {part(move || owner.get(), move || {
                    deed("act-anew", "button", None, t!(i18n, anew.begin), open)
                })}
            </div>
        }.into_any())}
        <Sheet open=sheet title=t!(i18n, anew.title) name="anew">
            <Ask
                text=t!(i18n, anew.text)
                go=t!(i18n, anew.go)
                on_go=go
                on_back=move |()| sheet.set(false)
            >
                {part(move || suspect.with(Option::is_some), move || {
                    let name = move || suspect.get().map(|one| one.name).unwrap_or_default();
                    view! { class="u",
                        <label class="check">
                            <input type="checkbox" prop:checked=without on:change=move |event| without.set(event_target_checked(&event))/>
                            <span>{t!(i18n, anew.without, name = name())}</span>
                        </label>
                    }.into_any()
                })}
            </Ask>
        </Sheet>
    }
}

/// That the group began anew, the last time.
#[component]
pub(crate) fn Reborn() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let reborn = memo(move || state.community().and_then(|one| one.reborn));
    view! { class="u",
        {part(move || reborn.with(Option::is_some), move || view! { class="u",
            <p class="hint" data-test="reborn">{move || reborn.get().map(|one| {
                let when = intl::day(i18n.get_locale(), one.at);
                t_string!(i18n, anew.happened, name = one.by.name, when = when)
            })}</p>
        }.into_any())}
    }
}
