//! Who is in the open community, by which links people come, and who may do what.
use crate::components::ask::Outcome;
use crate::components::hand_sheet::HandSheet;
use crate::components::icon::{Icon, icon};
use crate::components::invites::Invites;
use crate::components::live::{effect, memo, part};
use crate::components::member_sheet::MemberSheet;
use crate::components::members::Members;
use crate::components::notices::Notices;
use crate::components::profile::ProfileSheet;
use crate::components::requests::Requests;
use crate::components::rules::RulesPart;
use crate::components::share::ShareSheet;
use crate::components::side::Side;
use crate::components::silence::Farewell;
use crate::components::strip::Strips;
use crate::components::word::LastWord;
use crate::i18n::{t, use_i18n};
use crate::state::{Page, state};
use leptos::prelude::*;

/// The parts of the page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Members,
    Invites,
    Rules,
}

/// The page; parts take turns.
#[component]
pub(crate) fn People() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let people = state.people;
    let community = memo(move || state.community());
    let shown = RwSignal::new(Part::Members);
    let known = memo(move || {
        community.with(|one| one.as_ref().map(|one| (one.id, one.changes, one.phase)))
    });
    effect(move || {
        if known.get().is_some() {
            state.look_at_people();
        }
    });
    let muted = memo(move || community.with(|one| one.as_ref().is_some_and(|one| one.muted)));
    let name = move || community.with(|one| one.as_ref().map(|one| one.name.clone()));
    let tab = move |which: Part| {
        let words = match which {
            Part::Members => t!(i18n, people.members),
            Part::Invites => t!(i18n, people.invites),
            Part::Rules => t!(i18n, people.rules),
        };
        view! { class="u",
            <button
                type="button"
                class="tab"
                aria-current=move || (shown.get() == which).then_some("page")
                on:click=move |_| {
                    people.failure.set(None);
                    shown.set(which);
                }
            >
                {words}
            </button>
        }
    };
    view! { class="u",
        <div class="home" data-test="people">
            <Side/>
            <main id="main" class="room">
                <header class="head">
                    <button
                        type="button"
                        class="button quiet square"
                        aria-label=t!(i18n, app.back)
                        on:click=move |_| state.go(Page::Home)
                    >
                        {icon(Icon::Back)}
                    </button>
                    <div class="head-names">
                        <h1 tabindex="-1">{t!(i18n, people.title)}</h1>
                        <p class="head-facts"><bdi>{name}</bdi></p>
                    </div>
                    <button
                        type="button"
                        class="button quiet square"
                        data-test="mute"
                        aria-label=t!(i18n, communities.mute)
                        aria-pressed=move || muted.get().to_string()
                        on:click=move |_| state.mute(!muted.get_untracked())
                    >
                        {icon(Icon::BellOff)}
                    </button>
                </header>
                <Notices/>
                <Farewell community=community/>
                <Strips community=community/>
                <nav class="tabs" aria-label=t!(i18n, people.title)>
                    {tab(Part::Members)}
                    {tab(Part::Invites)}
                    {tab(Part::Rules)}
                </nav>
                <div class="people-box" tabindex="0" role="region" aria-label=t!(i18n, people.title)>
                    <div class="people-column">
                        {part(move || !people.sheet.get() && shown.get() == Part::Members && people.outside.with(|outside| outside.requests.is_empty()), move || view! { class="u",
                            <Outcome retry=move |()| state.look_at_people()/>
                        }.into_any())}
                        {move || match shown.get() {
                            Part::Members => view! { class="u", <Requests/><Members/> }.into_any(),
                            Part::Invites => view! { class="u", <Invites community=community/> }.into_any(),
                            Part::Rules => view! { class="u", <RulesPart community=community/> }.into_any(),
                        }}
                    </div>
                </div>
                <LastWord/>
            </main>
            <p class="unseen" role="status">{move || people.said.get()}</p>
            <MemberSheet community=community/>
            <ProfileSheet/>
            <HandSheet/>
            <ShareSheet/>
        </div>
    }
}
