//! What a person can do with a post: one menu for all posts, a native popover beside the button that opened it.
use super::icon::{Icon, icon};
use super::trouble;
use crate::i18n::{I18n, t, t_string, use_i18n};
use crate::platform::focus;
use crate::state::{About, Handing, State, Voice, handle, state, voice};
use leptos::html;
use leptos::prelude::*;
use std::sync::Arc;
use ume_api::{
    Act, Command, CommunityView, EntryId, Failure, Hidden, Phase, PostState, PostView, Right, Role,
};

/// The menu; buttons name it by its id.
#[component]
pub(crate) fn PostMenu(community: Memo<Option<CommunityView>>) -> impl IntoView {
    let i18n = use_i18n();
    let posts = state().posts;
    let menu = NodeRef::<html::Div>::new();
    let toggled = move |_| {
        let open = menu
            .get_untracked()
            .is_some_and(|menu| menu.matches(":popover-open").unwrap_or(false));
        if open {
            focus::later("#post-menu button");
        } else {
            posts.release();
        }
    };
    view! { class="u",
        <div
            node_ref=menu
            id="post-menu"
            class="menu"
            popover="auto"
            role="group"
            aria-label=t!(i18n, post.menu)
            data-test="post-menu"
            on:toggle=toggled
        >
            {move || {
                let post = posts.held.get()?;
                let community = community.get_untracked()?;
                Some(items(i18n, &post, &community))
            }}
        </div>
    }
}

fn items(i18n: I18n, post: &Arc<PostView>, community: &CommunityView) -> Vec<AnyView> {
    let state = state();
    let posts = state.posts;
    let id = post.id;
    // What this person may do, as far as can be known here.
    let stands = post.unpublished_by.is_none() && post.state != PostState::Refused;
    let live = stands && !matches!(community.phase, Phase::Ended(_) | Phase::Starting);
    let runs = community.role == Role::Owner;
    let pins = community.rules.allow(community.role, Right::Pin);
    let show = |about: About| {
        let post = post.clone();
        Callback::new(move |()| {
            state.people.failure.set(None);
            posts.show(post.clone(), about);
        })
    };
    let name = post.author.name.clone();
    let mut items = Vec::new();
    if live && voice(community) == Voice::Speaks {
        items.push(
            view! { class="u",
                <button type="button" class="button quiet" popovertarget="emoji">
                    {icon(Icon::Smile)}
                    {t!(i18n, reactions.add)}
                </button>
            }
            .into_any(),
        );
    }
    if post.thread.is_none() && post.state != PostState::Refused {
        let post = post.clone();
        let talk = Callback::new(move |()| state.open_thread(post.clone()));
        items.push(item(Icon::Comment, t!(i18n, threads.open), talk));
    }
    if live && post.owner.me && voice(community) == Voice::Speaks {
        let post = post.clone();
        let edit = Callback::new(move |()| posts.edit(post.clone()));
        items.push(item(Icon::Pen, t!(i18n, post.edit), edit));
    }
    if stands && post.edited_at.is_some() {
        let label = t!(i18n, post.history);
        items.push(item(Icon::History, label, show(About::Versions)));
    }
    if post.state != PostState::Refused {
        items.push(item(
            Icon::People,
            t!(i18n, post.owners),
            show(About::Owners),
        ));
    }
    if live && pins && post.thread.is_none() {
        let on = !community.pinned.contains(&id);
        let label = if on {
            t!(i18n, post.pin)
        } else {
            t!(i18n, post.unpin)
        };
        let pin = Callback::new(move |()| pin(i18n, state, id, on));
        items.push(item(Icon::Pin, label, pin));
    }
    if live && (post.owner.me || runs) && community.members > 1 {
        let post = post.clone();
        let give = Callback::new(move |()| state.hand(Handing::Post(post.clone())));
        items.push(item(Icon::Give, t!(i18n, post.give), give));
    }
    let hide = |what: Hidden, on: bool| {
        let name = name.clone();
        Callback::new(move |()| hide(i18n, state, id, what, on, &name))
    };
    let person = Hidden::Person(post.author.id);
    match post.hidden {
        None => {
            let label = t!(i18n, post.hide);
            items.push(item(Icon::EyeOff, label, hide(Hidden::Post(id), true)));
            if !post.author.me {
                let name = name.clone();
                let label = t!(i18n, post.hide_person, name = name.clone());
                items.push(item(Icon::EyeOff, label, hide(person, true)));
            }
        }
        Some(what) => {
            let name = name.clone();
            let label = match what {
                Hidden::Post(_) => t!(i18n, post.show),
                Hidden::Person(_) => t!(i18n, post.show_person, name = name.clone()),
            };
            items.push(item(Icon::Eye, label, hide(what, false)));
        }
    }
    if live && (post.author.me || post.owner.me || runs) {
        let label = t!(i18n, post.take_back);
        items.push(item(Icon::TakeBack, label, show(About::TakingBack)));
    }
    items
}

/// One line of the menu, which closes it.
fn item(sign: Icon, label: Signal<String>, on: Callback<()>) -> AnyView {
    let class = if sign == Icon::TakeBack {
        "button quiet danger"
    } else {
        "button quiet"
    };
    view! { class="u",
        <button
            type="button"
            class=class
            popovertarget="post-menu"
            popovertargetaction="hide"
            on:click=move |_| on.run(())
        >
            {icon(sign)}
            {label}
        </button>
    }
    .into_any()
}

/// Says why something did not happen.
pub(crate) fn apologise(i18n: I18n, state: State, failure: Failure) {
    let (title, advice, _) = trouble::explain(i18n, failure);
    state.posts.say(format!("{title}. {advice}"), None);
}

fn pin(i18n: I18n, state: State, post: EntryId, on: bool) {
    let posts = state.posts;
    let Some(community) = state.open.get_untracked() else {
        return;
    };
    // Whether it is so is for the relay to say, which may take a while.
    posts.say(t_string!(i18n, people.going).to_owned(), None);
    let said = if on {
        t_string!(i18n, post.said_pinned)
    } else {
        t_string!(i18n, post.said_unpinned)
    };
    let act = Act::Pin { post, on };
    state.ask(
        Command::Govern { community, act },
        move |answer| match answer {
            Ok(_) => posts.say(said.to_owned(), None),
            Err(failure) => apologise(i18n, state, failure),
        },
    );
}

/// Hides something or shows it again, and offers to undo that.
pub(crate) fn hide(i18n: I18n, state: State, post: EntryId, what: Hidden, on: bool, name: &str) {
    let said = match (on, what) {
        (true, Hidden::Post(_)) => t_string!(i18n, post.said_hidden).to_owned(),
        (true, Hidden::Person(_)) => t_string!(i18n, post.said_hidden_person, name = name),
        (false, _) => String::new(),
    };
    let posts = state.posts;
    posts.word.set(None);
    posts
        .peeked
        .update(|peeked| peeked.retain(|one| *one != post));
    let name = name.to_owned();
    state.hide(what, on, move |result| match result {
        Ok(()) => {
            if on {
                let undo = Callback::new(move |()| hide(i18n, state, post, what, false, &name));
                posts.say(said, Some(undo));
            }
            focus::settle(handle(post));
        }
        Err(failure) => apologise(i18n, state, failure),
    });
}
