//! Handing something over: a post or all posts of a person to somebody else, or what a person was and owned back to them after
//! they lost their key. Asked once, when it is clear to whom.
use super::ask::{Ask, Outcome};
use super::live::{effect, memo, part};
use super::sheet::Sheet;
use crate::i18n::{I18n, t, t_string, text, use_i18n};
use crate::platform::focus;
use crate::state::{Handing, handle, state};
use leptos::prelude::*;
use std::fmt::Write;
use ume_api::{Act, MemberView, Person, PersonId, Role};

/// The sheet of what is handed over.
#[component]
pub(crate) fn HandSheet() -> impl IntoView {
    let i18n = use_i18n();
    let posts = state().posts;
    let mut was = false;
    effect(move || {
        let open = posts.hands.get();
        if was && !open {
            posts.release();
            match posts.handing.get_untracked() {
                Some(Handing::Post(post)) => focus::settle(handle(post.id)),
                _ => focus::rescue(),
            }
        }
        was = open;
    });
    let title = text(move || match posts.handing.get() {
        Some(Handing::Back(who)) => t_string!(i18n, hand.back_title, name = who.name),
        Some(Handing::All(who)) if !who.me => t_string!(i18n, hand.all_title, name = who.name),
        Some(Handing::All(_)) => t_string!(i18n, hand.mine_title).to_owned(),
        _ => t_string!(i18n, hand.post_title).to_owned(),
    });
    view! { class="u",
        <Sheet open=posts.hands title=title name="hand-sheet">
            {move || posts.handing.get().map(|what| view! { class="u", <Hand what=what/> })}
        </Sheet>
    }
}

/// Whose it is so far, or in the case of a lost key who they are now.
fn subject(what: &Handing) -> Person {
    match what {
        Handing::Post(post) => post.owner.clone(),
        Handing::All(who) | Handing::Back(who) => who.clone(),
    }
}

fn act(what: &Handing, chosen: PersonId) -> Act {
    match what {
        Handing::Post(post) => Act::Transfer {
            from: post.owner.id,
            to: chosen,
            post: Some(post.id),
        },
        Handing::All(from) => Act::Transfer {
            from: from.id,
            to: chosen,
            post: None,
        },
        Handing::Back(new) => Act::Recover {
            old: chosen,
            new: new.id,
        },
    }
}

#[component]
fn Hand(what: Handing) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let people = state.people;
    let subject = subject(&what);
    let back = matches!(what, Handing::Back(_));
    let chosen = RwSignal::new(None::<Person>);
    let id = subject.id;
    // Drawn anew when somebody comes or goes, and not with every other news.
    let candidates = memo(move || -> Vec<Person> {
        // Nobody takes ownership from an owner, not even in this way.
        let fits = |one: &MemberView| {
            one.person.id != id && !(back && (one.role == Role::Owner || one.person.me))
        };
        let all = people.members.get().unwrap_or_default().into_iter();
        all.filter(fits).map(|one| one.person).collect()
    });
    let choose = move |event| {
        people.failure.set(None);
        let wanted = event_target_value(&event);
        chosen.set(
            candidates.with_untracked(|all| all.iter().find(|one| key(one) == wanted).cloned()),
        );
    };
    let options = move || {
        let option = |one: Person| {
            let is = chosen
                .with_untracked(|chosen| chosen.as_ref().is_some_and(|chosen| chosen.id == one.id));
            let value = key(&one);
            view! { class="u", <option value=value selected=is>{one.name}</option> }
        };
        candidates.get().into_iter().map(option).collect_view()
    };
    let label = if back {
        t!(i18n, hand.who_were)
    } else {
        t!(i18n, hand.to_whom)
    };
    let (text, deed) = words(i18n, &what, chosen);
    let go = move || {
        let Some(to) = chosen.get_untracked() else {
            return;
        };
        let said = said(i18n, &what, &to);
        let posts = state.posts;
        state.govern(act(&what, to.id), move || {
            posts.hands.set(false);
            posts.say(said, None);
        });
    };
    let go = Callback::new(move |()| go());
    view! { class="u",
        <label class="field">
            <span class="field-name">{label}</span>
            <select class="select" id="hand-to" on:change=choose>
                <option value="">{t!(i18n, hand.choose)}</option>
                {options}
            </select>
        </label>
        {part(move || chosen.with(Option::is_none), move || view! { class="u",
            <Outcome retry=move |()| state.look_at_people()/>
        }.into_any())}
        {part(move || chosen.with(Option::is_some), move || view! { class="u",
            <Ask text=text go=deed on_go=go on_back=move |()| state.posts.hands.set(false)/>
        }.into_any())}
    }
}

/// What tells people with the same name apart.
fn key(person: &Person) -> String {
    let mut key = String::new();
    for byte in person.id.0 {
        // Writing to a string cannot fail.
        let _ = write!(key, "{byte:02x}");
    }
    key
}

/// What happens then, and the name of the deed.
fn words(
    i18n: I18n,
    what: &Handing,
    chosen: RwSignal<Option<Person>>,
) -> (Signal<String>, Signal<String>) {
    let name = move || chosen.get().map(|one| one.name).unwrap_or_default();
    let subject = subject(what).name;
    match what {
        Handing::Post(_) => (
            t!(i18n, hand.post_text, name = name()),
            t!(i18n, hand.post_go, name = name()),
        ),
        Handing::All(_) => (
            t!(i18n, hand.all_text, name = name(), from = subject.clone()),
            t!(i18n, hand.all_go, name = name()),
        ),
        Handing::Back(_) => (
            t!(i18n, hand.back_text, old = name(), new = subject.clone()),
            t!(i18n, hand.back_go),
        ),
    }
}

fn said(i18n: I18n, what: &Handing, chosen: &Person) -> String {
    let name = chosen.name.clone();
    match what {
        Handing::Post(_) => t_string!(i18n, hand.said_post, name = name),
        Handing::All(_) => t_string!(i18n, hand.said_all, name = name),
        Handing::Back(new) => t_string!(i18n, hand.said_back, old = name, new = new.name.clone()),
    }
}
