//! The whole: which page is shown, and what belongs to all of them.
use crate::components::live::{effect, memo};
use crate::components::update_bar::UpdateBar;
use crate::i18n::{self, I18n, t, t_string, use_i18n};
use crate::later::{Later, REST_MS, later, missing};
use crate::pages::elsewhere::Elsewhere;
use crate::pages::home::{Home, Waiting};
use crate::pages::redeem::Redeem;
use crate::pages::start::Start;
use crate::pages::stopped::{Silent, Stopped};
use crate::pages::unlock::{Erased, Unlock};
use crate::pages::welcome::Welcome;
use crate::platform::{boot, focus, memory, tabs, timer, updates};
use crate::state::{Page, Stage, State};
use leptos::prelude::*;
use ume_api::Failure;

/// What fills the window.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Screen {
    Welcome {
        again: bool,
    },
    Waiting,
    Home,
    People,
    Traffic,
    Settings,
    Search,
    #[cfg(debug_assertions)]
    Gallery,
    Keys,
    Locked,
    Erased,
    Start,
    Redeem(String),
    Elsewhere {
        yielded: bool,
    },
    Silent,
    Stopped(Failure),
}

/// The root.
#[component]
pub(crate) fn App() -> impl IntoView {
    i18n::provide();
    view! { class="u", <Shell/> }
}

#[component]
fn Shell() -> impl IntoView {
    let i18n = use_i18n();
    let state = State::new(boot::take_link());
    provide_context(state);
    state.start();
    state.follow_back();
    tabs::on_find(move || state.go_search());
    state.keep_time();
    boot::on_link(move |link| state.go(Page::Redeem(link)));
    updates::watch(state.update);
    timer::after(REST_MS, move || state.fetch_code());

    let screen = memo(move || screen(state));
    let mut first = true;
    effect(move || {
        screen.track();
        if !std::mem::take(&mut first) && screen.get_untracked() != Screen::Search {
            focus::heading();
        }
    });
    effect(move || tabs::entitle(&title(i18n, state, &screen.get())));
    state.leave_words(i18n);
    let unread = memo(move || state.unread_in_all());
    effect(move || tabs::badge(unread.get()));
    view! { class="u",
        <a class="skip" href="#main" on:click=|event| { event.prevent_default(); focus::heading(); }>
            {t!(i18n, app.skip)}
        </a>
        <UpdateBar/>
        {missing()}
        {move || match screen.get() {
            Screen::Welcome { again } => view! { class="u", <Welcome again=again/> }.into_any(),
            Screen::Waiting => view! { class="u", <Waiting/> }.into_any(),
            Screen::Home => view! { class="u", <Home/> }.into_any(),
            Screen::People => later(Later::People),
            Screen::Traffic => later(Later::Traffic),
            Screen::Settings => later(Later::Settings),
            Screen::Search => later(Later::Search),
            #[cfg(debug_assertions)]
            Screen::Gallery => view! { class="u", <crate::pages::gallery::Gallery/> }.into_any(),
            Screen::Keys => later(Later::Keys),
            Screen::Locked => view! { class="u", <Unlock/> }.into_any(),
            Screen::Erased => view! { class="u", <Erased/> }.into_any(),
            Screen::Start => view! { class="u", <Start/> }.into_any(),
            Screen::Redeem(link) => view! { class="u", <Redeem link=link/> }.into_any(),
            Screen::Elsewhere { yielded } => view! { class="u", <Elsewhere yielded=yielded/> }.into_any(),
            Screen::Silent => view! { class="u", <Silent/> }.into_any(),
            Screen::Stopped(failure) => view! { class="u", <Stopped failure=failure/> }.into_any(),
        }}
    }
}

fn screen(state: State) -> Screen {
    match state.stage.get() {
        Stage::Failed(failure) => return Screen::Stopped(failure),
        Stage::Held => return Screen::Elsewhere { yielded: false },
        Stage::Yielded => return Screen::Elsewhere { yielded: true },
        Stage::Silent => return Screen::Silent,
        Stage::Locked => return Screen::Locked,
        Stage::Erased => return Screen::Erased,
        Stage::Booting | Stage::Ready => {}
    }
    match state.page.get() {
        Page::Start => Screen::Start,
        Page::Traffic => Screen::Traffic,
        Page::Settings => Screen::Settings,
        Page::Search => Screen::Search,
        #[cfg(debug_assertions)]
        Page::Gallery => Screen::Gallery,
        Page::Keys => Screen::Keys,
        Page::Redeem(link) => Screen::Redeem(link),
        Page::Add => Screen::Welcome { again: true },
        Page::People if state.open.get().is_some() => Screen::People,
        Page::Home | Page::People => match state.communities.with(|all| all.as_ref().map(Vec::len))
        {
            Some(0) if state.open.get().is_none() => Screen::Welcome { again: false },
            Some(_) => Screen::Home,
            // The first screen of somebody new needs no engine.
            None if memory::recall(memory::KNOWN).is_none() => Screen::Welcome { again: false },
            None => Screen::Waiting,
        },
    }
}

/// What the tab is called; a screen reader says it when the page changes.
fn title(i18n: I18n, state: State, screen: &Screen) -> String {
    let page = match screen {
        Screen::Welcome { again: false } | Screen::Waiting | Screen::Erased => {
            return boot::brand().name;
        }
        Screen::Locked => t_string!(i18n, vault.title).to_owned(),
        Screen::Keys => t_string!(i18n, keys.title).to_owned(),
        Screen::Welcome { again: true } => t_string!(i18n, welcome.again).to_owned(),
        Screen::Start => t_string!(i18n, start.title).to_owned(),
        #[cfg(debug_assertions)]
        Screen::Gallery => return boot::brand().name,
        Screen::Settings => t_string!(i18n, settings.title).to_owned(),
        Screen::Search => t_string!(i18n, search.title).to_owned(),
        Screen::Traffic => t_string!(i18n, traffic.title).to_owned(),
        Screen::Redeem(_) => t_string!(i18n, welcome.paste_label).to_owned(),
        Screen::Elsewhere { .. } => t_string!(i18n, elsewhere.title).to_owned(),
        Screen::Silent => t_string!(i18n, silent.title).to_owned(),
        Screen::Stopped(failure) => crate::components::trouble::explain(i18n, *failure)
            .0
            .to_owned(),
        Screen::People => {
            let name = state.community().map(|community| community.name);
            let people = t_string!(i18n, people.title);
            format!("{people} · {}", name.unwrap_or_default())
        }
        Screen::Home => {
            let community = state.community();
            community
                .map(|community| community.name)
                .unwrap_or_default()
        }
    };
    let title = format!("{page} · {}", boot::brand().name);
    match state.unread_in_all() {
        0 => title,
        unread => format!("({unread}) {title}"),
    }
}
