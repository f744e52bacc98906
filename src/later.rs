//! What comes after the first screen. Pages and sheets whose code is a module of its own, which is fetched while somebody
//! looks at what is there already: the first module holds what a newcomer sees first, and the feed.
//!
//! The release build cuts the app in two here (`xtask/src/app/split.rs`); a development build is one piece.
use crate::components::bells;
use crate::components::emoji::EmojiPicker;
use crate::components::hand_sheet::HandSheet;
use crate::components::install::offer;
use crate::components::intro::intro;
use crate::components::lightbox::lightbox;
use crate::components::live::part;
use crate::components::post_menu::PostMenu;
use crate::components::post_sheet::PostSheet;
use crate::components::share::ShareSheet;
use crate::components::thread::Thread;
use crate::i18n::{t, use_i18n};
use crate::pages::keys::KeysPage;
use crate::pages::people::People;
use crate::pages::search::SearchPage;
use crate::pages::settings::Settings;
use crate::pages::traffic::Traffic;
use crate::state::{State, Voice, state};
use leptos::prelude::*;
use leptos::wasm_split::SplitLoaderError;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use ume_api::{CommunityRef, CommunityView};
use wasm_bindgen_futures::spawn_local;

/// How long the first screen has for itself, milliseconds.
pub(crate) const REST_MS: u64 = 200;

/// What the second module draws.
#[derive(Clone, Copy)]
pub(crate) enum Later {
    /// The page of what opens the vault.
    Keys,
    /// The page of the community's people.
    People,
    /// The page of search.
    Search,
    /// The page of settings.
    Settings,
    /// The page of what the relay sees.
    Traffic,
    /// The picker of emoji.
    Emoji,
    /// The sheet to give posts away.
    Hand,
    /// The offer to be an app of its own.
    Install,
    /// What somebody new should know.
    Intro,
    /// Pictures of a post, large.
    Lightbox,
    /// Whether to be told when no page is open.
    Notices,
    /// The menu of a post.
    PostMenu(Memo<Option<CommunityView>>),
    /// What a post was, and whose.
    PostSheet,
    /// The sheet with an invite's link.
    Share,
    /// The thread that is open.
    Thread(
        CommunityRef,
        Memo<Option<CommunityView>>,
        Memo<Option<Voice>>,
    ),
}

/// How the second module is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// On its way.
    Coming,
    /// It can draw.
    Here,
    /// It could not be fetched.
    Missing,
}

/// Something of the second module, as soon as that is here.
pub(crate) fn later(what: Later) -> AnyView {
    let code = state().code;
    (move || {
        (code.get() == Code::Here)
            .then(|| now(draw(what))?.ok())
            .flatten()
    })
    .into_any()
}

/// Says that the second module could not be fetched, and offers to try again.
pub(crate) fn missing() -> AnyView {
    let i18n = use_i18n();
    let state = state();
    part(
        move || state.code.get() == Code::Missing,
        move || {
            view! { class="u",
                <div class="update" role="alert" data-test="code-missing">
                    <p>{t!(i18n, app.part_missing)}</p>
                    <button type="button" class="button" on:click=move |_| state.fetch_code()>
                        {t!(i18n, action.retry)}
                    </button>
                </div>
            }
            .into_any()
        },
    )
}

impl State {
    /// Fetches the second module.
    pub(crate) fn fetch_code(self) {
        self.code.set(Code::Coming);
        spawn_local(async move {
            let code = match fetch().await {
                Ok(()) => Code::Here,
                Err(_) => Code::Missing,
            };
            self.code.set(code);
        });
    }
}

fn view(what: Later) -> AnyView {
    match what {
        Later::Keys => view! { class="u", <KeysPage/> }.into_any(),
        Later::People => view! { class="u", <People/> }.into_any(),
        Later::Search => view! { class="u", <SearchPage/> }.into_any(),
        Later::Settings => view! { class="u", <Settings/> }.into_any(),
        Later::Traffic => view! { class="u", <Traffic/> }.into_any(),
        Later::Emoji => view! { class="u", <EmojiPicker/> }.into_any(),
        Later::Hand => view! { class="u", <HandSheet/> }.into_any(),
        Later::Install => offer(),
        Later::Intro => intro(),
        Later::Lightbox => lightbox(),
        Later::Notices => bells::question(),
        Later::PostMenu(community) => {
            view! { class="u", <PostMenu community=community/> }.into_any()
        }
        Later::PostSheet => view! { class="u", <PostSheet/> }.into_any(),
        Later::Share => view! { class="u", <ShareSheet/> }.into_any(),
        Later::Thread(id, community, heard) => {
            view! { class="u", <Thread id=id community=community heard=heard/> }.into_any()
        }
    }
}

#[cfg(not(debug_assertions))]
#[leptos::wasm_split::wasm_split(
    later,
    wasm_split_path = leptos::wasm_split,
    preload(fetch),
    fallible
)]
fn draw(what: Later) -> Result<AnyView, SplitLoaderError> {
    Ok(view(what))
}

#[cfg(debug_assertions)]
#[allow(clippy::unused_async)] // as the other one
async fn draw(what: Later) -> Result<AnyView, SplitLoaderError> {
    Ok(view(what))
}

#[cfg(debug_assertions)]
#[allow(clippy::unused_async)] // as the other one
async fn fetch() -> Result<(), SplitLoaderError> {
    Ok(())
}

/// What needs no waiting.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
