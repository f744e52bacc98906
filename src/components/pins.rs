//! Posts on top of the feed: a line that names the newest, and all of them in a sheet.
use super::icon::{Icon, icon};
use super::live::{memo, part};
use super::lookup::lookup;
use super::post_sheet::signed;
use super::sheet::Sheet;
use super::text::words;
use crate::i18n::{I18n, t, t_string, text, use_i18n};
use crate::state::state;
use leptos::prelude::*;
use ume_api::{Command, CommunityRef, CommunityView, EntryId, Reply};

/// The line, if anything is pinned.
#[component]
pub(crate) fn Pins(community: Memo<Option<CommunityView>>) -> impl IntoView {
    let i18n = use_i18n();
    let sheet = RwSignal::new(false);
    let pinned =
        memo(move || community.with(|one| one.as_ref().map(|one| (one.id, one.pinned.clone()))));
    let count = memo(move || pinned.with(|all| all.as_ref().map_or(0, |all| all.1.len())));
    view! { class="u",
        {part(move || count.get() > 0, move || view! { class="u",
            <button type="button" class="pins" data-test="pins" aria-haspopup="dialog" on:click=move |_| sheet.set(true)>
                {icon(Icon::Pin)}
                <span class="pins-words">{t!(i18n, pins.count, count = count.get())}</span>
                {newest(pinned)}
            </button>
        }.into_any())}
        <Sheet open=sheet title=t!(i18n, pins.title) name="pins-sheet">
            {move || {
                let (community, all) = pinned.get()?;
                let one = |post| view! { class="u", <li class="version">{whole(i18n, community, post)}</li> };
                Some(view! { class="u",
                    <ol class="versions" role="list">{all.into_iter().map(one).collect_view()}</ol>
                })
            }}
        </Sheet>
    }
}

/// How the newest pinned post begins, if it is in the feed that is loaded.
fn newest(pinned: Memo<Option<(CommunityRef, Vec<EntryId>)>>) -> AnyView {
    let feed = state().feed;
    let text = memo(move || {
        let id = pinned.with(|all| all.as_ref()?.1.first().copied())?;
        feed.posts.with(|posts| {
            let post = posts.as_ref()?.iter().rfind(|post| post.id == id)?;
            post.hidden.is_none().then(|| post.text.clone())
        })
    });
    view! { class="u", <bdi class="pins-text">{move || text.get()}</bdi> }.into_any()
}

/// A pinned post, wherever in the past it stands.
fn whole(i18n: I18n, community: CommunityRef, post: EntryId) -> AnyView {
    let command = Command::Versions { community, post };
    lookup(command, Some(t!(i18n, pins.gone)), move |reply| {
        let Reply::Versions(all) = reply else {
            return ().into_any();
        };
        let (Some(first), Some(last)) = (all.first(), all.last()) else {
            return ().into_any();
        };
        let edited = all.len() > 1;
        let note = edited.then(|| text(move || t_string!(i18n, pins.edited).to_owned()));
        view! { class="u",
            {signed(i18n, &first.author, first.at, note)}
            {words(i18n, &last.text, &last.nodes)}
        }
        .into_any()
    })
}
