//! Those who ask to come in, for whoever may answer them.
use super::ask::{Ask, Outcome, deed};
use super::avatar::avatar;
use super::icon::{Icon, icon};
use super::live::{list, part};
use super::sheet::Sheet;
use crate::i18n::{t, t_string, text, use_i18n};
use crate::state::state;
use leptos::prelude::*;
use ume_api::{Act, RequestView};

/// The list; nothing while nobody asks.
#[component]
pub(crate) fn Requests() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let people = state.people;
    let asked = RwSignal::new(None::<RequestView>);
    let sheet = RwSignal::new(false);
    let answer = move |one: &RequestView, yes: bool| {
        let act = Act::AnswerRequest {
            invite: one.invite,
            request: one.id,
            yes,
        };
        let name = one.person.name.clone();
        let said = if yes {
            t_string!(i18n, requests.said_yes, name = name)
        } else {
            t_string!(i18n, requests.said_no, name = name)
        };
        state.govern(act, move || {
            people.said.set(said);
            let _ = sheet.try_set(false);
        });
    };
    let yes = Callback::new(move |one: RequestView| answer(&one, true));
    let no = Callback::new(move |one: RequestView| {
        people.failure.set(None);
        asked.set(Some(one));
        sheet.set(true);
    });
    let name = move || asked.with(|one| one.as_ref().map(|one| one.person.name.clone()));
    let text = text(move || {
        let name = name().unwrap_or_default();
        t_string!(i18n, requests.decline_text, name = name)
    });
    let any = move || people.outside.with(|outside| !outside.requests.is_empty());
    view! { class="u",
        {part(any, move || view! { class="u",
            <section class="requests" data-test="requests">
                <h2>{t!(i18n, requests.title)}</h2>
                <ul class="invites" role="list" aria-label=t!(i18n, requests.title)>
                    {list(
                        move || people.outside.get().requests,
                        |one| one.id,
                        move |one| view! { class="u", <One request=one yes=yes no=no/> }.into_any(),
                    )}
                </ul>
                {part(move || !sheet.get() && !people.sheet.get(), move || view! { class="u",
                    <Outcome retry=move |()| state.look_at_people()/>
                }.into_any())}
            </section>
        }.into_any())}
        <Sheet open=sheet title=t!(i18n, requests.decline_title) name="decline">
            <Ask
                text=text
                go=t!(i18n, requests.decline)
                on_go=move |()| if let Some(one) = asked.get_untracked() { answer(&one, false) }
                on_back=move |()| sheet.set(false)
            />
        </Sheet>
    }
}

/// One who asks, and by whose link.
#[component]
fn One(
    request: RequestView,
    yes: Callback<RequestView>,
    no: Callback<RequestView>,
) -> impl IntoView {
    let i18n = use_i18n();
    let RequestView {
        issuer,
        person,
        note,
        ..
    } = request.clone();
    let by = issuer.name;
    let through = text(move || t_string!(i18n, requests.through, name = by.clone()));
    let (accepted, declined) = (request.clone(), request);
    view! { class="u",
        <li class="link" data-test="request">
            <p class="request-who">
                <span class="person-picture">{avatar(person.mark)}</span>
                <bdi class="person-name">{person.name}</bdi>
            </p>
            {(!note.is_empty()).then(|| view! { class="u", <p class="request-note" dir="auto">{note}</p> })}
            <ul class="link-facts" role="list">
                <li>{icon(Icon::Link)}<span>{through}</span></li>
            </ul>
            <div class="actions">
                {deed("", "button primary", Some(Icon::Check), t!(i18n, requests.let_in), Callback::new(move |()| yes.run(accepted.clone())))}
                {deed("", "button", None, t!(i18n, requests.decline), Callback::new(move |()| no.run(declined.clone())))}
            </div>
        </li>
    }
}
