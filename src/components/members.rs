//! Everybody in a community, and quietly those who are no longer in it.
use super::ask::part;
use super::avatar::avatar;
use super::roles;
use crate::i18n::{t, use_i18n};
use crate::state::state;
use leptos::prelude::*;
use std::collections::BTreeMap;
use ume_api::{Departure, FormerView, Person, PersonId, Role};

/// Both lists.
#[component]
pub(crate) fn Members() -> impl IntoView {
    let i18n = use_i18n();
    let people = state().people;
    // A row stays when its person's role changes, and with it the focus.
    let roles = Memo::new(move |_| {
        let of = |all: &Option<Vec<_>>| -> BTreeMap<PersonId, Role> {
            let all = all.iter().flatten();
            all.map(|one: &ume_api::MemberView| (one.person.id, one.role))
                .collect()
        };
        people.members.with(of)
    });
    view! { class="u",
        <ul class="people" role="list" aria-label=t!(i18n, people.members)>
            <For
                each=move || people.members.get().unwrap_or_default()
                key=|one| (one.person.id, one.person.name.clone())
                children=move |one| view! { class="u", <Row person=one.person roles=roles/> }
            />
        </ul>
        {part(move || people.outside.with(|outside| !outside.former.is_empty()), move || view! { class="u",
            <details class="past" data-test="former">
                <summary>{t!(i18n, people.former, count = people.outside.with(|outside| outside.former.len()))}</summary>
                <ul class="people" role="list" aria-label=t!(i18n, people.former_label)>
                    <For
                        each=move || people.outside.get().former
                        key=|one| one.person.id
                        children=move |one| view! { class="u", <FormerRow former=one/> }
                    />
                </ul>
            </details>
        }.into_any())}
    }
}

#[component]
fn Row(person: Person, roles: Memo<BTreeMap<PersonId, Role>>) -> impl IntoView {
    let i18n = use_i18n();
    let people = state().people;
    let id = person.id;
    let role = Signal::derive(move || {
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
                <span class="person-picture">{avatar(person.mark)}</span>
                <span class="person-who">
                    <bdi class="person-name">{person.name}</bdi>
                    {person.me.then(|| view! { class="u", <span class="badge">{t!(i18n, feed.you)}</span> })}
                </span>
                <span class="person-role">{role}</span>
            </button>
        </li>
    }
}

#[component]
fn FormerRow(former: FormerView) -> impl IntoView {
    let i18n = use_i18n();
    let FormerView { person, how } = former;
    let how = match how {
        Departure::Left => t!(i18n, people.left),
        Departure::Banned => t!(i18n, people.banned),
        Departure::Removed | Departure::Lost => t!(i18n, people.removed),
    };
    view! { class="u",
        <li class="person-line person person-gone">
            <span class="person-picture">{avatar(person.mark)}</span>
            <span class="person-who">
                <bdi class="person-name">{person.name}</bdi>
                {person.me.then(|| view! { class="u", <span class="badge">{t!(i18n, feed.you)}</span> })}
            </span>
            <span class="person-role">{how}</span>
        </li>
    }
}
