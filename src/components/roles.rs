//! What people are and may do here, in words.
use super::icon::{Icon, icon};
use crate::i18n::{I18n, t, t_string, text, use_i18n};
use leptos::prelude::*;
use ume_api::{Right, Role, Rules};

/// All that rules speak of, in the order to show them.
pub(crate) const RIGHTS: [Right; 4] = [Right::Post, Right::Invite, Right::Pin, Right::Moderate];

/// What somebody is, as a signal.
pub(crate) fn named(i18n: I18n, role: Role) -> Signal<String> {
    text(move || name(i18n, role).to_owned())
}

/// What somebody is.
pub(crate) fn name(i18n: I18n, role: Role) -> &'static str {
    match role {
        Role::Reader => t_string!(i18n, role.reader),
        Role::Member => t_string!(i18n, role.member),
        Role::Admin => t_string!(i18n, role.admin),
        Role::Owner => t_string!(i18n, role.owner),
    }
}

/// Everybody from a role on.
pub(crate) fn from(i18n: I18n, lowest: Role) -> Signal<String> {
    match lowest {
        Role::Reader | Role::Member => t!(i18n, rules.members),
        Role::Admin => t!(i18n, rules.admins),
        Role::Owner => t!(i18n, rules.owners),
    }
}

/// What a right is about.
pub(crate) fn right(i18n: I18n, right: Right) -> Signal<String> {
    match right {
        Right::Post => t!(i18n, rules.post),
        Right::Invite => t!(i18n, rules.invite),
        Right::Pin => t!(i18n, rules.pin),
        Right::Moderate => t!(i18n, rules.moderate),
    }
}

/// What somebody in a role may do.
#[component]
pub(crate) fn Allowed(#[prop(into)] role: Signal<Role>, rules: Rules) -> impl IntoView {
    let i18n = use_i18n();
    let line = |sign: Icon, words: Signal<String>| {
        view! { class="u", <li>{icon(sign)}<span>{words}</span></li> }
    };
    move || {
        let role = role.get();
        let rights = RIGHTS.into_iter().filter(|one| rules.allow(role, *one));
        let mut lines = vec![line(Icon::Eye, t!(i18n, rules.read))];
        lines.extend(rights.map(|one| line(Icon::Check, right(i18n, one))));
        if role == Role::Owner {
            lines.push(line(Icon::Check, t!(i18n, rules.own)));
        }
        view! { class="u", <ul class="facts" role="list">{lines}</ul> }
    }
}
