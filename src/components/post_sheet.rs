//! More about one post: its versions, its owners, the question before it is taken back.
use super::ask::Ask;
use super::live::effect;
use super::lookup::lookup;
use super::portrait::portrait;
use super::sheet::Sheet;
use super::text::words;
use crate::i18n::{I18n, choose, t, t_string, text, use_i18n};
use crate::platform::{focus, intl};
use crate::state::{About, handle, state};
use leptos::prelude::*;
use ume_api::{Command, CommunityRef, OwnerView, Person, PostView, Reply, VersionView};

/// The sheet of the post that is held.
#[component]
pub(crate) fn PostSheet() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let posts = state.posts;
    let mut was = false;
    effect(move || {
        let open = posts.sheet.get();
        if was && !open {
            let held = posts.held.get_untracked();
            posts.release();
            if let Some(post) = held {
                focus::settle(handle(post.id));
            }
        }
        was = open;
    });
    let title = text(move || {
        let title = match posts.about.get() {
            About::Versions => t_string!(i18n, post.history_title),
            About::Owners => t_string!(i18n, post.owners_title),
            About::TakingBack => t_string!(i18n, post.take_back_title),
        };
        title.to_owned()
    });
    view! { class="u",
        <Sheet open=posts.sheet title=title name="post-sheet">
            {move || {
                let post = posts.held.get_untracked()?;
                let community = state.open.get_untracked()?;
                Some(match posts.about.get() {
                    About::Versions => versions(i18n, community, &post),
                    About::Owners => owners(i18n, community, &post),
                    About::TakingBack => taking_back(i18n, community, &post),
                })
            }}
        </Sheet>
    }
}

fn versions(i18n: I18n, community: CommunityRef, post: &PostView) -> AnyView {
    let command = Command::Versions {
        community,
        post: post.id,
    };
    lookup(command, None, move |reply| {
        let Reply::Versions(all) = reply else {
            return ().into_any();
        };
        let last = all.len().saturating_sub(1);
        let one = |(number, version): (usize, VersionView)| {
            let note = match number {
                _ if number == last => Some(t!(i18n, post.version_now)),
                0 => Some(t!(i18n, post.version_first)),
                _ => None,
            };
            view! { class="u",
                <li class="version">
                    {signed(i18n, &version.author, version.at, note)}
                    {words(i18n, &version.text, &version.nodes)}
                </li>
            }
        };
        // What holds now comes first.
        let lines = all.into_iter().enumerate().rev().map(one).collect_view();
        view! { class="u", <ol class="versions" role="list" data-test="versions">{lines}</ol> }
            .into_any()
    })
}

/// Who and when.
pub(crate) fn signed(
    i18n: I18n,
    person: &Person,
    at: u64,
    note: Option<Signal<String>>,
) -> AnyView {
    view! { class="u",
        <p class="signed">
            <span class="signed-picture">{portrait(person)}</span>
            <bdi class="post-author">{person.name.clone()}</bdi>
            {note.map(|note| view! { class="u", <span class="badge">{note}</span> })}
            {when(i18n, at)}
        </p>
    }
    .into_any()
}

fn when(i18n: I18n, at: u64) -> AnyView {
    let exact = move || {
        let locale = i18n.get_locale();
        format!("{}, {}", intl::day(locale, at), intl::time(locale, at))
    };
    view! { class="u", <time class="post-time" datetime=intl::iso(at)>{exact}</time> }.into_any()
}

fn owners(i18n: I18n, community: CommunityRef, post: &PostView) -> AnyView {
    let command = Command::Owners {
        community,
        post: post.id,
    };
    let (author, at) = (post.author.clone(), post.at);
    lookup(command, None, move |reply| {
        let Reply::Owners(chain) = reply else {
            return ().into_any();
        };
        let never = chain.is_empty();
        let step = |person: &Person, words: Signal<String>, at: u64, contested: bool| {
            let contested = contested.then(|| {
                view! { class="u", <span class="hint">{t!(i18n, contest.mark)}</span> }
            });
            view! { class="u",
                <li class="owner">
                    <span class="person-picture">{portrait(person)}</span>
                    <span class="owner-words"><span>{words}</span>{contested}{when(i18n, at)}</span>
                </li>
            }
            .into_any()
        };
        let name = author.name.clone();
        let wrote = t!(i18n, post.written, name = name.clone());
        let mut steps = vec![step(&author, wrote, at, false)];
        for one in chain {
            let OwnerView {
                owner,
                by,
                at,
                contested,
            } = one;
            let (name, by) = (owner.name.clone(), by.name);
            let words = t!(i18n, post.handed, name = name.clone(), by = by.clone());
            steps.push(step(&owner, words, at, contested));
        }
        view! { class="u",
            <ol class="owners" role="list" data-test="owners">{steps}</ol>
            <p class="hint">
                {choose(move || never, t!(i18n, post.never_given), t!(i18n, post.owner_may))}
            </p>
        }
        .into_any()
    })
}

fn taking_back(i18n: I18n, community: CommunityRef, post: &PostView) -> AnyView {
    let state = state();
    let posts = state.posts;
    let id = post.id;
    let go = move |()| {
        let command = Command::Unpublish {
            community,
            post: id,
        };
        let said = t_string!(i18n, post.said_taken_back).to_owned();
        state.change(community, command, move || {
            posts.sheet.set(false);
            posts.say(said, None);
        });
    };
    view! { class="u",
        <Ask
            text=t!(i18n, post.take_back_text)
            go=t!(i18n, post.take_back_go)
            on_go=go
            on_back=move |()| posts.sheet.set(false)
        />
    }
    .into_any()
}
