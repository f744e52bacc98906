//! Who may do what in a community: everybody sees it, owners change it.
use super::ask::{Outcome, deed};
use super::live::{memo, part};
use super::roles::{self, RIGHTS};
use crate::i18n::{choose, t, t_string, use_i18n};
use crate::state::state;
use leptos::prelude::*;
use ume_api::{Act, CommunityView, Phase, Right, Role, Rules};

/// The rules, as a form for owners.
#[component]
pub(crate) fn RulesPart(community: Memo<Option<CommunityView>>) -> impl IntoView {
    let i18n = use_i18n();
    let known = memo(move || {
        community.with(|one| {
            let one = one.as_ref()?;
            let out = matches!(one.phase, Phase::Ended(_));
            Some((one.rules, one.role == Role::Owner && !out))
        })
    });
    view! { class="u",
        <p class="hint">{t!(i18n, rules.about)}</p>
        {move || known.get().map(|(rules, owner)| if owner {
            view! { class="u", <Form rules=rules/> }.into_any()
        } else {
            view! { class="u", <List rules=rules/> }.into_any()
        })}
    }
}

#[component]
fn List(rules: Rules) -> impl IntoView {
    let i18n = use_i18n();
    let one = move |right: Right| {
        view! { class="u",
            <div class="rule">
                <dt>{roles::right(i18n, right)}</dt>
                <dd>{roles::from(i18n, rules.lowest(right))}</dd>
            </div>
        }
    };
    let (open, private) = (t!(i18n, rules.both), t!(i18n, rules.private));
    let links = if rules.private_only { private } else { open };
    view! { class="u",
        <dl class="rules" data-test="rules">
            {RIGHTS.map(one).collect_view()}
            <div class="rule"><dt>{t!(i18n, rules.links)}</dt><dd>{links}</dd></div>
        </dl>
    }
}

#[component]
fn Form(rules: Rules) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let people = state.people;
    let draft = RwSignal::new(rules);
    let changed = move || draft.get() != rules;
    let save = move || {
        let rules = draft.get_untracked();
        let said = t_string!(i18n, rules.said).to_owned();
        state.govern(Act::SetRules { rules }, move || people.said.set(said));
    };
    view! { class="u",
        <form class="rules" data-test="rules" on:submit=move |event| { event.prevent_default(); save(); }>
            {RIGHTS.map(|right| view! { class="u", <Rule right=right draft=draft/> }).collect_view()}
            <label class="rule">
                <span>{t!(i18n, rules.links)}</span>
                <select
                    prop:value=move || if draft.get().private_only { "private" } else { "both" }
                    on:change=move |event| {
                        let private = event_target_value(&event) == "private";
                        draft.update(|rules| rules.private_only = private);
                    }
                >
                    <option value="both">{t!(i18n, rules.both)}</option>
                    <option value="private">{t!(i18n, rules.private)}</option>
                </select>
            </label>
            {part(move || draft.get().private_only && !rules.private_only, move || view! { class="u",
                <p class="hint">{t!(i18n, rules.private_hint)}</p>
            }.into_any())}
            <Outcome retry=move |()| save()/>
            <div class="actions">
                <button type="submit" class="button primary" disabled=move || !changed() || people.busy.get()>
                    {choose(move || people.busy.get(), t!(i18n, people.going), t!(i18n, rules.save))}
                </button>
                {part(changed, move || {
                    deed("rules-back", "button", None, t!(i18n, people.cancel), Callback::new(move |()| draft.set(rules)))
                })}
            </div>
        </form>
    }
}

/// The choice for one right.
#[component]
fn Rule(right: Right, draft: RwSignal<Rules>) -> impl IntoView {
    let i18n = use_i18n();
    let roles = [Role::Member, Role::Admin, Role::Owner];
    // What no community may have is no choice.
    let sound = move |role: &Role| with(Rules::default(), right, *role).are_sound();
    let choose = move |event| {
        let chosen = event_target_value(&event);
        let role = roles.into_iter().find(|role| word(*role) == chosen);
        if let Some(role) = role {
            draft.update(|rules| *rules = with(*rules, right, role));
        }
    };
    let options = roles.into_iter().filter(sound).map(move |role| {
        view! { class="u", <option value=word(role)>{roles::from(i18n, role)}</option> }
    });
    view! { class="u",
        <label class="rule">
            <span>{roles::right(i18n, right)}</span>
            <select prop:value=move || word(draft.get().lowest(right)) on:change=choose>
                {options.collect_view()}
            </select>
        </label>
    }
}

/// The rules with one changed.
fn with(rules: Rules, right: Right, role: Role) -> Rules {
    match right {
        Right::Post => Rules {
            post: role,
            ..rules
        },
        Right::Invite => Rules {
            invite: role,
            ..rules
        },
        Right::Pin => Rules { pin: role, ..rules },
        Right::Moderate => Rules {
            moderate: role,
            ..rules
        },
    }
}

const fn word(role: Role) -> &'static str {
    match role {
        Role::Reader => "reader",
        Role::Member => "member",
        Role::Admin => "admin",
        Role::Owner => "owner",
    }
}
