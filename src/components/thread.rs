//! A post and what people say about it: beside the feed on wide screens, in its place elsewhere.
use super::announcer::Announcer;
use super::composer::Composer;
use super::icon::{Icon, icon};
use super::live::memo;
use super::silence::Silence;
use super::timeline::Timeline;
use crate::i18n::{t, use_i18n};
use crate::platform::{focus, pointer};
use crate::state::{Voice, state};
use leptos::ev;
use leptos::prelude::*;
use ume_api::{CommunityRef, CommunityView};

/// The open thread, if one is.
#[component]
pub(crate) fn Thread(
    id: CommunityRef,
    community: Memo<Option<CommunityView>>,
    heard: Memo<Option<Voice>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let post = memo(move || state.thread.of.with(|of| of.as_ref().map(|of| of.id)));
    let on_key = move |event: ev::KeyboardEvent| {
        // An editor in it has its own.
        if event.key() == "Escape" && !event.default_prevented() {
            state.leave_thread();
        }
    };
    move || {
        let post = post.get()?;
        if !pointer::is_fine() {
            focus::later("#thread-title");
        }
        Some(view! { class="u",
            <section class="thread" aria-labelledby="thread-title" data-test="thread" on:keydown=on_key>
                <header class="head">
                    <button
                        type="button"
                        class="button quiet square"
                        aria-label=t!(i18n, threads.close)
                        on:click=move |_| state.leave_thread()
                    >
                        {icon(Icon::Back)}
                    </button>
                    <h2 id="thread-title" tabindex="-1">{t!(i18n, threads.title)}</h2>
                </header>
                <Timeline community=community thread=Some(post)/>
                <Announcer feed=state.thread.feed/>
                {move || match heard.get()? {
                    Voice::Speaks => Some(view! { class="u", <Composer id=id thread=Some(post)/> }.into_any()),
                    silent => Some(view! { class="u", <Silence voice=silent/> }.into_any()),
                }}
            </section>
        })
    }
}
