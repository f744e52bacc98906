//! What went wrong, in plain words, with the one thing to do about it.
use super::icon::{Icon, icon};
use crate::i18n::{I18n, t_string, use_i18n};
use crate::platform::{boot, updates};
use crate::state::{Page, state};
use leptos::prelude::*;
use ume_api::Failure;

/// What a person can do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Paste another link.
    Paste,
    /// Do the same again.
    Retry,
    /// Take a new version of the app.
    Update,
    /// Load the page again.
    Reload,
    /// Go back.
    Back,
    /// Change what was typed.
    Edit,
    /// Enter what was not asked for before.
    Enter,
}

/// A failure's heading, its explanation and its remedy.
pub(crate) fn explain(i18n: I18n, failure: Failure) -> (&'static str, &'static str, Remedy) {
    macro_rules! words {
        ($title:ident, $text:ident, $remedy:ident) => {
            (
                t_string!(i18n, failure.$title),
                t_string!(i18n, failure.$text),
                Remedy::$remedy,
            )
        };
    }
    match failure {
        Failure::LinkBroken => words!(link_broken, link_broken_text, Paste),
        Failure::LinkNewer => words!(link_newer, link_newer_text, Update),
        Failure::InviteExpired => words!(invite_expired, invite_expired_text, Paste),
        Failure::InviteUsedUp => words!(invite_used_up, invite_used_up_text, Paste),
        Failure::InviteUnknown | Failure::InviteWithdrawn => {
            words!(invite_unknown, invite_unknown_text, Paste)
        }
        Failure::InvitePaused => words!(invite_paused, invite_paused_text, Retry),
        Failure::InviteForged => words!(invite_forged, invite_forged_text, Paste),
        Failure::InviteIncomplete => words!(invite_incomplete, invite_incomplete_text, Paste),
        Failure::CommunityFull => words!(community_full, community_full_text, Back),
        Failure::RelayUnreachable => words!(relay_unreachable, relay_unreachable_text, Retry),
        Failure::RelayRefused => words!(relay_refused, relay_refused_text, Retry),
        Failure::AccessNeeded => words!(access_needed, access_needed_text, Enter),
        Failure::AccessRefused => words!(access_refused, access_refused_text, Edit),
        Failure::AccessUsedUp => words!(access_used_up, access_used_up_text, Edit),
        Failure::RelayVersion => words!(relay_version, relay_version_text, Update),
        Failure::StorageDenied => words!(storage_denied, storage_denied_text, Retry),
        Failure::StorageFull => words!(storage_full, storage_full_text, Retry),
        Failure::StorageFailed => words!(storage_failed, storage_failed_text, Reload),
        Failure::StorageNewer => words!(storage_newer, storage_newer_text, Update),
        Failure::KeysDamaged => words!(keys_damaged, keys_damaged_text, Retry),
        Failure::KeyWrong => words!(key_wrong, key_wrong_text, Edit),
        Failure::BadText => words!(bad_text, bad_text_text, Edit),
        Failure::NotHere => words!(not_here, not_here_text, Back),
        Failure::NotAllowed => words!(not_allowed, not_allowed_text, Back),
        Failure::AlreadySo => words!(already_so, already_so_text, Back),
        _ => words!(internal, internal_text, Reload),
    }
}

/// The name of a remedy, for its button.
pub(crate) fn name(i18n: I18n, remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::Paste => t_string!(i18n, action.paste),
        Remedy::Retry => t_string!(i18n, action.retry),
        Remedy::Update => t_string!(i18n, action.update),
        Remedy::Reload => t_string!(i18n, action.reload),
        Remedy::Back => t_string!(i18n, action.back),
        Remedy::Edit => t_string!(i18n, action.edit),
        Remedy::Enter => t_string!(i18n, action.enter),
    }
}

/// A failure as a box among other things.
#[component]
pub(crate) fn Trouble(
    failure: Failure,
    /// Does the same again, or leads back to what was typed.
    #[prop(into)]
    retry: Callback<()>,
    /// Whether this is all there is on the page: then its heading is the page's.
    #[prop(optional)]
    page: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let remedy = explain(i18n, failure).2;
    let act = move |_| match remedy {
        Remedy::Paste => state.go(Page::Add),
        Remedy::Retry | Remedy::Edit | Remedy::Enter => retry.run(()),
        Remedy::Update => updates::take(),
        Remedy::Reload => boot::reload(),
        Remedy::Back => state.go(Page::Home),
    };
    let title = move || explain(i18n, failure).0;
    let heading = if page {
        view! { class="u", <h1 tabindex="-1">{title}</h1> }.into_any()
    } else {
        view! { class="u", <p class="trouble-title">{title}</p> }.into_any()
    };
    view! { class="u",
        <div class="trouble" role="alert" data-test="failure" data-failure=format!("{failure:?}")>
            <span class="trouble-sign">{icon(Icon::Alert)}</span>
            {heading}
            <p>{move || explain(i18n, failure).1}</p>
            <button type="button" class="button" on:click=act>
                {move || name(i18n, remedy)}
            </button>
        </div>
    }
}
