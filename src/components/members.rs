//! Everybody in a community, and quietly those who are no longer in it.
use super::anew::Reborn;
use super::ask::deed;
use super::hides::Hides;
use super::icon::Icon;
use super::live::{list, memo, part};
use super::portrait::portrait;
use super::roles;
use crate::i18n::{t, t_string, text, use_i18n};
use crate::state::{Handing, state};
use leptos::prelude::*;
use std::collections::BTreeMap;
use ume_api::{CommunityView, Departure, FormerView, Person, PersonId, Phase, Role};

/// Both lists, and what this person hides.
#[component]
pub(crate) fn Members() -> impl IntoView {
    let i18n = use_i18n();
    let people = state().people;
    // A row stays when its person's role changes, and with it the focus.
    let roles = memo(move || {
        let of = |all: &Option<Vec<_>>| -> BTreeMap<PersonId, Role> {
            let all = all.iter().flatten();
            all.map(|one: &ume_api::MemberView| (one.person.id, one.role))
                .collect()
        };
        people.members.with(of)
    });
    view! { class="u",
        <ul class="people" role="list" aria-label=t!(i18n, people.members)>
            {list(
                move || people.members.get().unwrap_or_default(),
                |one| (one.person.id, one.person.name.clone(), one.person.picture, one.was.as_ref().map(|was| was.id)),
                move |one| view! { class="u", <Row person=one.person was=one.was roles=roles/> }.into_any(),
            )}
        </ul>
        {part(move || people.outside.with(|outside| !outside.former.is_empty()), move || view! { class="u",
            <details class="past" data-test="former">
                <summary>{t!(i18n, people.former, count = people.outside.with(|outside| outside.former.len()))}</summary>
                <ul class="people" role="list" aria-label=t!(i18n, people.former_label)>
                    {list(
                        move || people.outside.get().former,
                        |one| one.person.id,
                        move |one| view! { class="u", <FormerRow former=one/> }.into_any(),
                    )}
                </ul>
            </details>
        }.into_any())}
        <Reborn/>
        <Hides/>
    }
}

#[component]
fn Row(
    person: Person,
    was: Option<Person>,
    roles: Memo<BTreeMap<PersonId, Role>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let people = state().people;
    let id = person.id;
    let role = text(move || {
        let role = roles.with(|roles| roles.get(&id).copied());
        role.map_or_else(String::new, |role| roles::name(i18n, role).to_owned())
    });
    view! { class="u",
        <li class="person-line">
            <button
                type="button"
                class="person"
                data-test="member"
                aria-haspopup="dialog"
                on:click=move |_| people.show(id)
            >
                <span class="person-picture">{portrait(&person)}</span>
                <span class="person-who">
                    <bdi class="person-name">{person.name}</bdi>
                    {person.me.then(|| view! { class="u", <span class="badge">{t!(i18n, feed.you)}</span> })}
                    {was.map(|was| view! { class="u",
                        <span class="person-was">{t!(i18n, people.was, name = was.name.clone())}</span>
                    })}
                </span>
                <span class="person-role">{role}</span>
            </button>
        </li>
    }
}

#[component]
fn FormerRow(former: FormerView) -> impl IntoView {
    let i18n = use_i18n();
    let FormerView {
        person,
        how,
        contested,
        now,
    } = former;
    let state = state();
    // Who came back under another key is not gone.
    let now = now.map(|now| now.name);
    let gone = now.is_none();
    let owner = memo(move || {
        let out = |one: &CommunityView| matches!(one.phase, Phase::Ended(_));
        let community = state.community();
        community.is_some_and(|one| one.role == Role::Owner && !out(&one))
    });
    let whose = person.clone();
    let how = match how {
        _ if contested => t!(i18n, contest.mark),
        Departure::Left => t!(i18n, people.left),
        Departure::Banned => t!(i18n, people.banned),
        Departure::Removed | Departure::Lost => t!(i18n, people.removed),
    };
    view! { class="u",
        <li class="person-line person person-gone">
            <span class="person-picture">{portrait(&person)}</span>
            <span class="person-who">
                <bdi class="person-name">{person.name}</bdi>
                {person.me.then(|| view! { class="u", <span class="badge">{t!(i18n, feed.you)}</span> })}
            </span>
            <span class="person-role">
                {move || match now.clone() {
                    Some(name) if !contested => t_string!(i18n, people.now, name = name),
                    _ => how.get(),
                }}
            </span>
            {part(move || owner.get() && gone, move || {
                let whose = whose.clone();
                let give = Callback::new(move |()| state.hand(Handing::All(whose.clone())));
                deed("", "button quiet person-give", Some(Icon::Give), t!(i18n, people.give_all), give)
            })}
        </li>
    }
}
