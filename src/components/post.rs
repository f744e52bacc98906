//! One post.
use super::avatar::avatar;
use super::icon::{Icon, icon};
use crate::i18n::{t, t_string, use_i18n};
use crate::platform::intl;
use leptos::prelude::*;
use std::sync::Arc;
use ume_api::{Person, PostState, PostView};

/// A post of the timeline and how it stands to the one above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The post.
    pub(crate) post: Arc<PostView>,
    /// First of its local day.
    pub(crate) first_of_day: bool,
    /// The one above is by the same person, moments before: no need to say again who.
    pub(crate) continues: bool,
}

/// Draws a post. `now` ticks, so that "2 minutes ago" stays true.
#[component]
pub(crate) fn Post(row: Row, now: RwSignal<u64>) -> impl IntoView {
    let i18n = use_i18n();
    let Row {
        post,
        first_of_day,
        continues,
    } = row;
    let at = post.at;
    let ends_at = post.expires_at;
    let exact = move || {
        let locale = i18n.get_locale();
        format!("{}, {}", intl::day(locale, at), intl::time(locale, at))
    };
    let state = match post.state {
        PostState::Waiting => "waiting",
        PostState::Sent => "sent",
        PostState::Received => "received",
        PostState::Refused => "refused",
    };
    view! { class="u",
        <li class="row" class:row-continues=continues data-state=state data-test="post">
            {first_of_day.then(|| view! { class="u",
                <p class="day"><span>{move || intl::day(i18n.get_locale(), at)}</span></p>
            })}
            <article class="post" class:post-mine=post.author.me>
                <PostHead author=post.author.clone()>
                    <time class="post-time" datetime=intl::iso(at) title=exact>
                        {move || intl::relative(i18n.get_locale(), at, now.get())}
                    </time>
                    {ends_at.map(|ends| view! { class="u",
                        <span class="post-time" data-test="ends">
                            {move || {
                                let when = intl::relative(i18n.get_locale(), ends, now.get());
                                t_string!(i18n, feed.ends, when = when)
                            }}
                        </span>
                    })}
                </PostHead>
                {if post.unpublished_by.is_some() {
                    view! { class="u", <p class="post-text post-gone">{t!(i18n, feed.unpublished)}</p> }.into_any()
                } else {
                    view! { class="u", <p class="post-text" dir="auto">{post.text.clone()}</p> }.into_any()
                }}
                <Delivery state=post.state/>
            </article>
        </li>
    }
}

/// A post that is not stored yet.
#[component]
pub(crate) fn GhostPost(author: Person, text: String) -> impl IntoView {
    view! { class="u",
        <li class="row" data-state="waiting" data-test="post">
            <article class="post post-mine">
                <PostHead author=author>""</PostHead>
                <p class="post-text" dir="auto">{text}</p>
                <Delivery state=PostState::Waiting/>
            </article>
        </li>
    }
}

#[component]
fn PostHead(author: Person, children: Children) -> impl IntoView {
    let i18n = use_i18n();
    view! { class="u",
        <span class="post-picture">{avatar(author.mark)}</span>
        <header class="post-head">
            <bdi class="post-author">{author.name}</bdi>
            {author.me.then(|| view! { class="u", <span class="badge">{t!(i18n, feed.you)}</span> })}
            {children()}
        </header>
    }
}

/// Clock or tick, for own posts.
#[component]
fn Delivery(state: PostState) -> impl IntoView {
    let i18n = use_i18n();
    let shown = match state {
        PostState::Waiting => Icon::Clock,
        PostState::Sent => Icon::Check,
        PostState::Refused => Icon::Alert,
        PostState::Received => return ().into_any(),
    };
    let words = move || match state {
        PostState::Waiting => t_string!(i18n, feed.waiting),
        PostState::Refused => t_string!(i18n, feed.refused),
        _ => t_string!(i18n, feed.sent),
    };
    view! { class="u",
        <span class="delivery" class:delivery-sent=state == PostState::Sent title=words>
            {icon(shown)}
            <span class="unseen">{words}</span>
        </span>
    }
    .into_any()
}
