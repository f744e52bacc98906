//! What stands where posts are written, for somebody who cannot write here: one line that says why.
use super::ask::Ask;
use super::contest::Mistake;
use super::icon::{Icon, icon};
use super::live::{memo, part};
use super::sheet::Sheet;
use crate::i18n::{t, t_string, text, use_i18n};
use crate::platform::focus;
use crate::state::{Voice, state};
use leptos::prelude::*;
use ume_api::{CommunityView, Departure, Phase, Role};

/// The line, and for somebody who is out the way to erase what is left here.
#[component]
pub(crate) fn Silence(voice: Voice) -> impl IntoView {
    let i18n = use_i18n();
    // The composer may just have gone from under the keyboard.
    focus::rescue();
    let words = match voice {
        Voice::Speaks | Voice::Reads | Voice::Asks => t!(i18n, silence.reader),
        Voice::Only(Role::Owner) => t!(i18n, silence.owners),
        Voice::Only(_) => t!(i18n, silence.admins),
        Voice::Ended => t!(i18n, silence.ended),
    };
    view! { class="u",
        <div class="silence" data-test="silence">
            {icon(Icon::Eye)}
            <p>{words}</p>
            {(voice == Voice::Ended).then(|| view! { class="u", <Forget/> })}
        </div>
    }
}

/// Erases the community from this device, after one question.
#[component]
fn Forget() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let sheet = RwSignal::new(false);
    view! { class="u",
        <button type="button" class="button" aria-haspopup="dialog" on:click=move |_| {
            state.people.failure.set(None);
            sheet.set(true);
        }>
            {t!(i18n, silence.forget)}
        </button>
        <Sheet open=sheet title=t!(i18n, silence.forget_title) name="forget">
            <Ask
                text=t!(i18n, silence.forget_text)
                go=t!(i18n, silence.forget_go)
                on_go=move |()| state.forget()
                on_back=move |()| sheet.set(false)
            />
        </Sheet>
    }
}

/// How this person's membership ended, across the top of what is left of it.
#[component]
pub(crate) fn Farewell(community: Memo<Option<CommunityView>>) -> impl IntoView {
    let i18n = use_i18n();
    let ended = memo(move || {
        community.with(|one| match one.as_ref() {
            Some(CommunityView {
                phase: Phase::Ended(how),
                name,
                ..
            }) => Some((*how, name.clone())),
            _ => None,
        })
    });
    let words = text(move || {
        let known = ended.get();
        known.map_or_else(String::new, |(how, name)| match how {
            Departure::Left => t_string!(i18n, ended.left, name = name),
            Departure::Removed => t_string!(i18n, ended.removed, name = name),
            Departure::Banned => t_string!(i18n, ended.banned, name = name),
            Departure::Lost => t_string!(i18n, ended.lost, name = name),
        })
    });
    view! { class="u",
        <div role="status">
            {part(move || ended.with(Option::is_some), move || view! { class="u",
                <div class="strip strip-notice strip-ended" data-test="ended">
                    {icon(Icon::Leave)}
                    <p><strong>{words}</strong> " " {t!(i18n, ended.kept)}</p>
                </div>
            }.into_any())}
        </div>
        <Mistake community=community/>
    }
}
