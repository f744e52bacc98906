//! A member: what they are and may do, and what this person can do about it.
use super::ask::{Ask, Outcome, deed};
use super::avatar::avatar;
use super::contest::Recovered;
use super::icon::{Icon, icon};
use super::live::{effect, memo, part};
use super::portrait::portrait;
use super::roles::{self, Allowed};
use super::sheet::Sheet;
use crate::i18n::{I18n, t, t_string, text, use_i18n};
use crate::platform::focus;
use crate::state::{Handing, Page, state};
use leptos::prelude::*;
use ume_api::{
    Act, CommunityView, InviteState, MemberView, Person, PersonId, Phase, Right, Role, Rules,
};

/// All that the sheet depends on, so that nothing else draws it anew.
#[derive(Clone, PartialEq)]
struct Seen {
    member: MemberView,
    /// This person's own role; `None` once out.
    mine: Option<Role>,
    rules: Rules,
    /// Who offers their ownership to this person.
    offers: Vec<Person>,
    /// Whether this person offers theirs to the member.
    offering: bool,
    /// Whether nobody else owns the community.
    only_owner: bool,
}

impl Seen {
    fn may_set_role(&self) -> bool {
        self.mine == Some(Role::Owner) && self.member.role < Role::Owner
    }

    fn may_remove(&self) -> bool {
        let below = |mine| self.member.role < mine && self.rules.allow(mine, Right::Moderate);
        self.mine.is_some_and(below)
    }
}

/// What is being asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Whole,
    Remove,
    Ban,
    Offer,
    Leave,
}

/// The sheet of whoever was chosen.
#[component]
pub(crate) fn MemberSheet(community: Memo<Option<CommunityView>>) -> impl IntoView {
    let people = state().people;
    let seen = memo(move || {
        let id = people.shown.get()?;
        let community = community.get()?;
        people
            .members
            .with(|members| look(members.as_deref()?, id, &community))
    });
    effect(move || {
        let gone = seen.with(Option::is_none) && people.members.with(Option::is_some);
        if gone && people.sheet.get() {
            people.sheet.set(false);
        }
    });
    let title = text(move || {
        let name = |seen: &Option<Seen>| seen.as_ref().map(|seen| seen.member.person.name.clone());
        seen.with(name).unwrap_or_default()
    });
    view! { class="u",
        <Sheet open=people.sheet title=title name="member-sheet">
            {move || seen.get().map(|seen| view! { class="u", <Member seen=seen/> })}
        </Sheet>
    }
}

fn look(members: &[MemberView], id: PersonId, community: &CommunityView) -> Option<Seen> {
    let member = members.iter().find(|one| one.person.id == id)?.clone();
    let named = members.iter().map(|one| &one.person);
    let offers = named.filter(|one| member.person.me && community.offered.contains(&one.id));
    let owners = members.iter().filter(|one| one.role == Role::Owner);
    Some(Seen {
        mine: (!matches!(community.phase, Phase::Ended(_))).then_some(community.role),
        rules: community.rules,
        offers: offers.cloned().collect(),
        offering: community.offering.contains(&id),
        only_owner: member.role == Role::Owner && owners.count() == 1,
        member,
    })
}

#[component]
fn Member(seen: Seen) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let people = state.people;
    let step = RwSignal::new(Step::Whole);
    let Person { id, name, .. } = seen.member.person.clone();
    let name = StoredValue::new(name);
    let head = head(i18n, &seen.member);
    let seen = StoredValue::new(seen);
    let stay = RwSignal::new(false);
    let done = move |said: String| {
        people.said.set(said);
        people.sheet.set(false);
    };
    let remove = move |ban: bool| {
        let said = if ban {
            t_string!(i18n, people.said_banned, name = name.get_value())
        } else {
            t_string!(i18n, people.said_removed, name = name.get_value())
        };
        state.govern(Act::Remove { person: id, ban }, move || done(said));
    };
    let offer = move || {
        let act = Act::OfferOwnership {
            person: id,
            on: true,
            stay: stay.get_untracked(),
        };
        let said = t_string!(i18n, people.said_offered, name = name.get_value());
        state.govern(act, move || done(said));
    };
    let go = move |asked: Step| match asked {
        Step::Remove => remove(false),
        Step::Ban => remove(true),
        Step::Offer => offer(),
        Step::Leave => state.govern(Act::Leave, move || {
            people.sheet.set(false);
            state.go(Page::Home);
        }),
        Step::Whole => {}
    };
    let ask = move |asked: Step| {
        let n = move || name.get_value();
        // Back to what led here, so that the keyboard is where it was.
        let (text, words, led) = match asked {
            Step::Remove => (
                t!(i18n, people.remove_text, name = n()),
                t!(i18n, people.remove_go, name = n()),
                "#act-remove",
            ),
            Step::Ban => (
                t!(i18n, people.ban_text, name = n()),
                t!(i18n, people.ban_go, name = n()),
                "#act-ban",
            ),
            Step::Offer => (
                t!(i18n, people.offer_text, name = n()),
                t!(i18n, people.offer_go),
                "#act-offer",
            ),
            Step::Leave | Step::Whole => (
                t!(i18n, people.leave_text),
                t!(i18n, people.leave_go),
                "#act-leave",
            ),
        };
        let back = move |()| {
            people.failure.set(None);
            step.set(Step::Whole);
            focus::later(led);
        };
        let more = match asked {
            Step::Ban => Some(view! { class="u", <LinksThatEnd/> }.into_any()),
            Step::Offer => Some(view! { class="u",
                <label class="check">
                    <input type="checkbox" prop:checked=stay on:change=move |event| stay.set(event_target_checked(&event))/>
                    <span>{t!(i18n, people.offer_stay)}</span>
                </label>
            }.into_any()),
            _ => None,
        };
        view! { class="u",
            <Ask text=text go=words on_go=move |()| go(asked) on_back=back>{more}</Ask>
        }
        .into_any()
    };
    view! { class="u",
        <div class="member">
            {head}
            {move || match step.get() {
                Step::Whole => view! { class="u", <Whole seen=seen.get_value() step=step/> }.into_any(),
                step => ask(step),
            }}
        </div>
    }
}

/// What they look like and say about themselves, and who they were.
fn head(i18n: I18n, member: &MemberView) -> AnyView {
    let mark = member.person.mark;
    let copied = member.person.picture.is_some();
    let line = Some(member.line.clone()).filter(|line| !line.is_empty());
    let was = member.was.clone().map(|was| was.name);
    view! { class="u",
        <span class="member-picture">{portrait(&member.person)}</span>
        {line.map(|line| view! { class="u", <p class="member-line" dir="auto">{line}</p> })}
        {was.map(|name| view! { class="u",
            <p class="member-was" data-test="was">{icon(Icon::History)}<span>{t!(i18n, people.was_text, name = name.clone())}</span></p>
        })}
        {copied.then(|| view! { class="u",
            <p class="member-mark"><span>{avatar(mark)}</span><span>{t!(i18n, people.mark)}</span></p>
        })}
    }
    .into_any()
}

/// How many links a ban ends.
#[component]
fn LinksThatEnd() -> impl IntoView {
    let i18n = use_i18n();
    let people = state().people;
    let open = memo(move || {
        people.invites.with(|all| {
            let all = all.iter().flatten();
            all.filter(|one| one.state == InviteState::Open).count()
        })
    });
    let words = text(move || match open.get() {
        0 => t_string!(i18n, people.ban_links_none).to_owned(),
        count => t_string!(i18n, people.ban_links, count = count),
    });
    view! { class="u",
        <p class="ask-links" data-test="links-that-end">
            {icon(Icon::Link)}
            <span>{words}</span>
        </p>
    }
}

/// Role, rights, and the ways on.
#[component]
fn Whole(seen: Seen, step: RwSignal<Step>) -> impl IntoView {
    let i18n = use_i18n();
    let Seen { member, rules, .. } = seen.clone();
    let role = RwSignal::new(member.role);
    let recovered = member.clone();
    let (may_set_role, may_remove) = (seen.may_set_role(), seen.may_remove());
    let me = member.person.me && seen.mine.is_some();
    let people = state().people;
    let ask = move |next: Step| {
        Callback::new(move |()| {
            people.failure.set(None);
            step.set(next);
            focus::later("#ask-text");
        })
    };
    let head = if may_set_role {
        view! { class="u", <RoleChoice member=member.clone() role=role/> }.into_any()
    } else {
        let named = roles::named(i18n, member.role);
        view! { class="u", <p class="member-role">{named}</p> }.into_any()
    };
    let offers = seen.offers.iter().filter(|_| me);
    let offers = offers.map(|from| offered(i18n, from)).collect_view();
    let mut acts = Vec::new();
    let danger = "button quiet danger";
    let person = member.person.clone();
    if me {
        let open = Callback::new(move |()| {
            people.failure.set(None);
            people.sheet.set(false);
            people.profile.set(true);
        });
        acts.push(deed(
            "act-profile",
            "button quiet",
            Some(Icon::Pen),
            t!(i18n, people.profile),
            open,
        ));
    }
    if me || seen.mine == Some(Role::Owner) {
        let label = if me {
            t!(i18n, people.give_mine)
        } else {
            t!(i18n, people.give_all)
        };
        acts.push(handing(Icon::Give, label, Handing::All(person.clone())));
    }
    if seen.may_set_role() && member.was.is_none() {
        let label = t!(i18n, people.recover);
        acts.push(handing(Icon::History, label, Handing::Back(person)));
    }
    if may_set_role && seen.offering {
        acts.push(offering(i18n, member.person.id));
    } else if may_set_role {
        let offer = t!(i18n, people.offer);
        acts.push(deed(
            "act-offer",
            "button quiet",
            Some(Icon::Share),
            offer,
            ask(Step::Offer),
        ));
    }
    if may_remove {
        let (remove, ban) = (t!(i18n, people.remove), t!(i18n, people.ban));
        acts.push(deed(
            "act-remove",
            danger,
            Some(Icon::Leave),
            remove,
            ask(Step::Remove),
        ));
        acts.push(deed(
            "act-ban",
            danger,
            Some(Icon::Ban),
            ban,
            ask(Step::Ban),
        ));
    }
    if me && seen.only_owner {
        acts.push(hint(t!(i18n, people.only_owner)));
    } else if me {
        let leave = t!(i18n, people.leave);
        acts.push(deed(
            "act-leave",
            danger,
            Some(Icon::Leave),
            leave,
            ask(Step::Leave),
        ));
    }
    view! { class="u",
        {head}
        <Allowed role=role rules=rules/>
        {offers}
        <Recovered member=recovered mine=seen.mine/>
        <Outcome retry=|()| ()/>
        <div class="member-acts">{acts}</div>
    }
}

/// The way to hand something over, in a sheet of its own.
fn handing(sign: Icon, label: Signal<String>, what: Handing) -> AnyView {
    let state = state();
    let open = Callback::new(move |()| {
        state.people.sheet.set(false);
        state.hand(what.clone());
    });
    deed("", "button quiet", Some(sign), label, open)
}

fn hint(words: Signal<String>) -> AnyView {
    view! { class="u", <p class="hint">{words}</p> }.into_any()
}

/// Another role, up to admin.
#[component]
fn RoleChoice(member: MemberView, role: RwSignal<Role>) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let people = state.people;
    let now = member.role;
    let person = member.person.id;
    let name = StoredValue::new(member.person.name);
    let change = Callback::new(move |()| {
        let role = role.get_untracked();
        let said = t_string!(
            i18n,
            people.said_role,
            name = name.get_value(),
            role = roles::name(i18n, role)
        );
        state.govern(Act::SetRole { person, role }, move || {
            people.said.set(said);
            people.sheet.set(false);
        });
    });
    let one = move |which: Role| {
        view! { class="u",
            <label class="pill">
                <input
                    type="radio"
                    name="role"
                    prop:checked=move || role.get() == which
                    on:change=move |_| role.set(which)
                />
                <span>{roles::named(i18n, which)}</span>
            </label>
        }
    };
    view! { class="u",
        <fieldset class="pills">
            <legend>{t!(i18n, people.role)}</legend>
            {one(Role::Reader)}
            {one(Role::Member)}
            {one(Role::Admin)}
        </fieldset>
        {part(move || role.get() != now, move || deed("", "button primary", None, t!(i18n, people.role_go), change))}
    }
}

/// An offer of this person's that waits, and the way to take it back.
fn offering(i18n: I18n, person: PersonId) -> AnyView {
    let state = state();
    let take_back = Callback::new(move |()| {
        let act = Act::OfferOwnership {
            person,
            on: false,
            stay: false,
        };
        state.govern(act, move || state.people.sheet.set(false));
    });
    view! { class="u",
        {hint(t!(i18n, people.offering))}
        {deed("", "button", None, t!(i18n, people.offer_back), take_back)}
    }
    .into_any()
}

/// Ownership that somebody offers to this person.
fn offered(i18n: I18n, from: &Person) -> AnyView {
    let state = state();
    let answer = move |act: Act, said: &'static str| {
        Callback::new(move |()| {
            state.govern(act.clone(), move || {
                state.people.said.set(said.to_owned());
                state.people.sheet.set(false);
            });
        })
    };
    let (from, name) = (from.id, from.name.clone());
    let said = t_string!(i18n, people.said_accepted);
    let accept = answer(Act::AcceptOwnership { from }, said);
    let decline = answer(Act::DeclineOwnership { from }, "");
    view! { class="u",
        <div class="ask" data-test="offered">
            <p>{t!(i18n, people.offered, name = name.clone())}</p>
            <div class="actions">
                {deed("", "button primary", None, t!(i18n, people.accept), accept)}
                {deed("", "button", None, t!(i18n, people.decline), decline)}
            </div>
        </div>
    }
    .into_any()
}
