//! A community: its feed and the way to write in it.
use crate::components::announcer::Announcer;
use crate::components::asking::Asking;
use crate::components::communities::Communities;
use crate::components::composer::Composer;
use crate::components::header::Header;
use crate::components::live::memo;
use crate::components::mark::mark;
use crate::components::notices::Notices;
use crate::components::pins::Pins;
use crate::components::sheet::Sheet;
use crate::components::side::Side;
use crate::components::silence::{Farewell, Silence};
use crate::components::strip::Strips;
use crate::components::timeline::{Skeleton, Timeline};
use crate::components::word::LastWord;
use crate::i18n::{t, use_i18n};
use crate::later::{Later, later};
use crate::pages::keys::reminder;
use crate::platform::boot;
use crate::state::{Voice, state, voice};
use leptos::prelude::*;

/// The open community, with the others beside it.
#[component]
pub(crate) fn Home() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let menu = RwSignal::new(false);
    let community = memo(move || state.community());
    let heard = memo(move || community.with(|one| one.as_ref().map(voice)));
    let asks = memo(move || heard.get() == Some(Voice::Asks));
    let menu_title = t!(i18n, communities.title);
    view! { class="u",
        <div class="home" data-test="home">
            <Side/>
            <main id="main" class="room">
                <Header community=community menu=menu/>
                <Notices/>
                <Farewell community=community/>
                <Strips community=community/>
                {reminder()}
                {later(Later::Notices)}
                {later(Later::Install)}
                {later(Later::Intro)}
                // A new list and a new composer for each community: nothing of one shows up in another.
                {move || state.open.get().map(|id| if asks.get() {
                    community.get().map(|one| view! { class="u", <Asking community=one/> }).into_any()
                } else {
                    view! { class="u",
                        <Pins community=community/>
                        <Timeline community=community/>
                        <LastWord/>
                        {move || match heard.get()? {
                            Voice::Speaks => Some(view! { class="u", <Composer id=id/> }.into_any()),
                            silent => Some(view! { class="u", <Silence voice=silent/> }.into_any()),
                        }}
                    }.into_any()
                })}
            </main>
            {move || state.open.get().map(|id| later(Later::Thread(id, community, heard)))}
            <Announcer feed=state.feed/>
            {later(Later::Share)}
            {later(Later::PostMenu(community))}
            {later(Later::Emoji)}
            {later(Later::PostSheet)}
            {later(Later::Hand)}
            {later(Later::Lightbox)}
            <Sheet open=menu title=menu_title name="menu">
                <Communities chosen=move |()| menu.set(false)/>
            </Sheet>
        </div>
    }
}

/// Home before the engine has spoken, for somebody who was here before.
#[component]
pub(crate) fn Waiting() -> impl IntoView {
    let i18n = use_i18n();
    view! { class="u",
        <div class="home">
            <aside class="side"><p class="side-brand">{mark()}<span>{boot::brand().name}</span></p></aside>
            <main id="main" class="room">
                <h1 class="unseen" tabindex="-1">{t!(i18n, app.loading)}</h1>
                <div class="head"><span class="bone bone-title"></span></div>
                <div class="timeline"><div class="timeline-box"><div class="timeline-column"><Skeleton/></div></div></div>
            </main>
        </div>
    }
}
