//! A recovery that may be a mistake: what a device can say that is out by it, and what the others see and an owner can do.
use super::ask::{Ask, deed};
use super::icon::{Icon, icon};
use super::live::{memo, part};
use super::sheet::Sheet;
use crate::i18n::{t, t_string, text, use_i18n};
use crate::state::state;
use leptos::prelude::*;
use ume_api::{Act, CommunityView, Contest, MemberView, Person, Role};

/// For somebody whose place was given to somebody else: why, and one thing to say to it.
#[component]
pub(crate) fn Mistake(community: Memo<Option<CommunityView>>) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let sheet = RwSignal::new(false);
    let said = memo(move || community.with(|one| one.as_ref()?.contest));
    let words = text(move || match said.get() {
        Some(Contest::Possible) => t_string!(i18n, contest.why).to_owned(),
        Some(Contest::Sending) => t_string!(i18n, contest.sending).to_owned(),
        Some(Contest::Sent) => t_string!(i18n, contest.sent).to_owned(),
        None => String::new(),
    });
    let open = Callback::new(move |()| {
        state.people.failure.set(None);
        sheet.set(true);
    });
    view! { class="u",
        {part(move || said.with(Option::is_some), move || view! { class="u",
            <div class="strip strip-notice" data-test="mistake">
                {icon(Icon::Alert)}
                <p>{words}</p>
                {part(move || said.get() == Some(Contest::Possible), move || {
                    deed("act-contest", "button", None, t!(i18n, contest.say), open)
                })}
            </div>
        }.into_any())}
        <Sheet open=sheet title=t!(i18n, contest.title) name="contest">
            <Ask
                text=t!(i18n, contest.text)
                go=t!(i18n, contest.go)
                on_go=move |()| state.contest(move || sheet.set(false))
                on_back=move |()| sheet.set(false)
            />
        </Sheet>
    }
}

/// At somebody who came in anew for somebody else: whether that is contested, and for an owner the way to undo it.
#[component]
pub(crate) fn Recovered(member: MemberView, mine: Option<Role>) -> impl IntoView {
    let i18n = use_i18n();
    let MemberView {
        person,
        was,
        contested,
        ..
    } = member;
    was.map(|was| {
        let old = StoredValue::new(was.name.clone());
        view! { class="u",
            {contested.then(|| view! { class="u",
                <p class="share-holder" data-test="contested">
                    {icon(Icon::Alert)}
                    <span>
                        <strong>{t!(i18n, contest.mark)}</strong>
                        " "
                        {t!(i18n, contest.member, name = old.get_value())}
                    </span>
                </p>
            })}
            {(mine == Some(Role::Owner)).then(|| view! { class="u", <Undo was=was now=person/> })}
        }
    })
}

/// Undoes a recovery, after one question.
#[component]
fn Undo(was: Person, now: Person) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let people = state.people;
    let asked = RwSignal::new(false);
    let (old, id) = (StoredValue::new(was.name), was.id);
    let name = StoredValue::new(now.name);
    let ask = Callback::new(move |()| {
        people.failure.set(None);
        asked.set(true);
    });
    let go = move |()| {
        let said = t_string!(i18n, contest.said_undone, old = old.get_value());
        state.govern(Act::UndoRecovery { old: id }, move || {
            people.said.set(said);
            people.sheet.set(false);
        });
    };
    view! { class="u",
        {part(move || !asked.get(), move || {
            deed("act-undo", "button quiet", None, t!(i18n, contest.undo), ask)
        })}
        {part(move || asked.get(), move || {
            let (o, n) = (move || old.get_value(), move || name.get_value());
            view! { class="u",
                <Ask
                    text=t!(i18n, contest.undo_text, old = o(), name = n())
                    go=t!(i18n, contest.undo_go)
                    on_go=go
                    on_back=move |()| asked.set(false)
                />
            }.into_any()
        })}
    }
}
