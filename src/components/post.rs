//! One post.
use super::editor::Editor;
use super::files::files;
use super::icon::{Icon, icon};
use super::live::part;
use super::portrait::portrait;
use super::post_menu::{apologise, hide};
use super::text::words;
use crate::i18n::{I18n, t, t_string, text, use_i18n};
use crate::platform::{focus, intl};
use crate::state::{About, State, handle, state};
use leptos::prelude::*;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use ume_api::{Command, EntryId, Hidden, Person, PostState, PostView, ReactionView};

/// A post of the timeline and how it stands to the one above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The post.
    pub(crate) post: Arc<PostView>,
    /// First of its local day.
    pub(crate) first_of_day: bool,
    /// The first that is new to this person.
    pub(crate) first_new: bool,
    /// The one above is by the same person, moments before: no need to say again who.
    pub(crate) continues: bool,
    /// What is drawn of it.
    pub(crate) form: Form,
}

/// What is drawn of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Whole,
    /// A line: this person does not want to see it.
    Folded,
    /// An editor in the place of its text.
    Edited,
    /// On top of its thread: without what leads there.
    Root,
}

/// Rows are their own keys: whatever changes about one draws it anew.
impl Hash for Row {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.post.id.hash(state);
    }
}

/// Draws a post. `now` ticks, so that "2 minutes ago" stays true.
#[component]
pub(crate) fn Post(row: Row, now: RwSignal<u64>) -> impl IntoView {
    let i18n = use_i18n();
    let Row {
        post,
        first_of_day,
        first_new,
        continues,
        form,
    } = row;
    let at = post.at;
    let state = match post.state {
        PostState::Waiting => "waiting",
        PostState::Sent => "sent",
        PostState::Received => "received",
        PostState::Refused => "refused",
    };
    let content = if form == Form::Folded {
        fold(i18n, &post)
    } else {
        view! { class="u", <Whole post=post form=form now=now/> }.into_any()
    };
    view! { class="u",
        <li role="none" class="row" class:row-continues=continues data-state=state data-test="post">
            {first_new.then(|| view! { class="u",
                <div class="day day-new" data-test="new"><span>{t!(i18n, feed.new)}</span></div>
            })}
            {first_of_day.then(|| view! { class="u",
                <div class="day"><span>{move || intl::day(i18n.get_locale(), at)}</span></div>
            })}
            {content}
        </li>
    }
}

/// What stays of a post that this person does not want to see: one quiet line.
fn fold(i18n: I18n, post: &Arc<PostView>) -> AnyView {
    let state = state();
    let posts = state.posts;
    let id = post.id;
    let name = post.author.name.clone();
    let shown = name.clone();
    // Whoever is hidden stays so; their post is looked at this once.
    let person = matches!(post.hidden, Some(Hidden::Person(_)));
    let words = if person {
        t!(i18n, post.folded_person, name = name.clone())
    } else {
        t!(i18n, post.folded, name = name.clone())
    };
    let show = move |_| {
        if person {
            posts.peeked.update(|peeked| peeked.push(id));
            focus::settle(handle(id));
        } else {
            hide(i18n, state, id, Hidden::Post(id), false, &shown);
        }
    };
    view! { class="u",
        <div class="folded" role="article" tabindex="-1" data-test="folded">
            {icon(Icon::EyeOff)}
            <p>{words}</p>
            <button id=handle(id) type="button" class="button quiet" on:click=show>
                {t!(i18n, post.folded_show)}
            </button>
        </div>
    }
    .into_any()
}

/// The post on top of its thread.
pub(crate) fn root(i18n: I18n, of: RwSignal<Option<Arc<PostView>>>, now: RwSignal<u64>) -> AnyView {
    (move || {
        let post = of.get()?;
        Some(view! { class="u",
            <div class="row thread-root">
                {match post.hidden {
                    Some(_) => fold(i18n, &post),
                    None => view! { class="u", <Whole post=post form=Form::Root now=now/> }.into_any(),
                }}
            </div>
        })
    })
    .into_any()
}

#[component]
fn Whole(post: Arc<PostView>, form: Form, now: RwSignal<u64>) -> impl IntoView {
    let i18n = use_i18n();
    let editing = form == Form::Edited;
    let at = post.at;
    let exact = move || {
        let locale = i18n.get_locale();
        format!("{}, {}", intl::day(locale, at), intl::time(locale, at))
    };
    let ends = post.expires_at;
    // What only shows to a pointer or the keyboard in the row is made when one comes: rows are drawn while somebody scrolls.
    let touched = RwSignal::new(false);
    let touch = move || {
        if !touched.get_untracked() {
            touched.set(true);
        }
    };
    let text = if editing {
        view! { class="u", <Editor post=post.clone()/> }.into_any()
    } else if let Some(by) = &post.unpublished_by {
        let name = by.name.clone();
        let words = if by.me {
            t!(i18n, post.gone_me)
        } else {
            t!(i18n, post.gone, name = name.clone())
        };
        view! { class="u", <p class="post-text post-gone">{words}</p> }.into_any()
    } else if post.text.is_empty() {
        ().into_any()
    } else {
        words(i18n, &post.text, &post.nodes)
    };
    view! { class="u",
        <article
            class="post"
            class:post-mine=post.author.me
            tabindex="-1"
            on:pointerenter=move |_| touch()
            on:focusin=move |_| touch()
        >
            <PostHead author=post.author.clone()>
                <time class="post-time" datetime=intl::iso(at) title=move || touched.get().then(exact)>
                    {move || intl::relative(i18n.get_locale(), at, now.get())}
                </time>
                {ends.map(|ends| view! { class="u",
                    <span class="post-time" data-test="ends">
                        {move || {
                            let when = intl::relative(i18n.get_locale(), ends, now.get());
                            t_string!(i18n, feed.ends, when = when)
                        }}
                    </span>
                })}
            </PostHead>
            {text}
            {files(i18n, &post)}
            {(!editing).then(|| view! { class="u", <Delivery state=post.state/> })}
            {(!editing).then(|| notes(i18n, &post, now))}
            {(!editing).then(|| below(i18n, &post, form))}
            {(form == Form::Whole).then(|| more(i18n, &post, touched))}
        </article>
    }
}

/// What became of a post since it was written; each leads to all of it.
fn notes(i18n: I18n, post: &Arc<PostView>, now: RwSignal<u64>) -> Option<AnyView> {
    let posts = state().posts;
    let note = |label: Signal<String>, about: About| {
        let post = post.clone();
        view! { class="u",
            <button
                type="button"
                class="post-note"
                aria-haspopup="dialog"
                on:click=move |_| posts.show(post.clone(), about)
            >
                {label}
            </button>
        }
        .into_any()
    };
    let mut notes = Vec::new();
    if let Some(at) = post.edited_at.filter(|_| post.unpublished_by.is_none()) {
        let label = text(move || {
            let when = intl::relative(i18n.get_locale(), at, now.get());
            t_string!(i18n, post.edited, when = when)
        });
        notes.push(note(label, About::Versions));
    }
    if post.owner.id != post.author.id {
        let name = post.owner.name.clone();
        let label = t!(i18n, post.given, name = name.clone());
        notes.push(note(label, About::Owners));
    }
    let some = !notes.is_empty();
    some.then(|| view! { class="u", <p class="post-notes">{notes}</p> }.into_any())
}

/// The button of the menu, and beside it what is done most.
fn more(i18n: I18n, post: &Arc<PostView>, touched: RwSignal<bool>) -> AnyView {
    let state = state();
    let posts = state.posts;
    let name = post.author.name.clone();
    let id = handle(post.id);
    let post = post.clone();
    let this = post.clone();
    let hold = move |_| {
        posts.word.set(None);
        posts.held.set(Some(this.clone()));
    };
    let stands = post.unpublished_by.is_none() && post.state != PostState::Refused;
    let reacts = stands && state.speaks();
    let talks = post.thread.is_none();
    let acts = move || {
        let (reacted, talk) = (post.clone(), post.clone());
        let react = reacts.then(|| {
            view! { class="u",
                <button
                    type="button"
                    class="post-more post-act"
                    popovertarget="emoji"
                    aria-label=t!(i18n, reactions.add)
                    on:click=move |_| posts.held.set(Some(reacted.clone()))
                >
                    {icon(Icon::Smile)}
                </button>
            }
        });
        let talk = talks.then(|| {
            view! { class="u",
                <button
                    type="button"
                    class="post-more post-act"
                    aria-label=t!(i18n, threads.open)
                    on:click=move |_| state.open_thread(talk.clone())
                >
                    {icon(Icon::Comment)}
                </button>
            }
        });
        view! { class="u", <span class="post-acts">{react}{talk}</span> }.into_any()
    };
    view! { class="u",
        <button
            id=id
            type="button"
            class="post-more"
            popovertarget="post-menu"
            aria-label=t!(i18n, post.more, name = name.clone())
            on:click=hold
        >
            {icon(Icon::More)}
        </button>
        {part(move || touched.get(), acts)}
    }
    .into_any()
}

/// What others say to a post: emoji, and the way to its thread.
fn below(i18n: I18n, post: &Arc<PostView>, form: Form) -> Option<AnyView> {
    let state = state();
    let id = post.id;
    let chip = |one: &ReactionView| {
        let (emoji, mine, count) = (one.emoji.clone(), one.mine, one.count);
        let (shown, said) = (emoji.clone(), emoji.clone());
        let names = one.names.join(", ");
        let on_click = move |_| {
            let wanted = if mine { String::new() } else { emoji.clone() };
            react(i18n, state, id, wanted);
        };
        view! { class="u",
            <button
                type="button"
                class="chip"
                data-test="reaction"
                aria-pressed=mine.to_string()
                aria-label=t!(i18n, reactions.chip, emoji = said.clone(), count = count)
                title=names
                on:click=on_click
            >
                <span>{shown}</span>
                {count}
            </button>
        }
        .into_any()
    };
    let mut parts: Vec<AnyView> = post.reactions.iter().map(chip).collect();
    let count = post.comments.count;
    if count > 0 && form != Form::Root {
        let newest = post.comments.newest.clone().map(|(who, text)| {
            view! { class="u", <span class="post-newest"><bdi>{who.name}</bdi>": "<bdi>{text}</bdi></span> }
        });
        let post = post.clone();
        parts.push(
            view! { class="u",
                <button
                    type="button"
                    class="post-thread"
                    data-test="thread-open"
                    on:click=move |_| state.open_thread(post.clone())
                >
                    {icon(Icon::Comment)}
                    <span class="post-count">{t!(i18n, threads.count, count = count)}</span>
                    {newest}
                </button>
            }
            .into_any(),
        );
    }
    let some = !parts.is_empty();
    some.then(|| view! { class="u", <div class="post-below">{parts}</div> }.into_any())
}

/// Puts an emoji beside a post, or takes it away.
pub(crate) fn react(i18n: I18n, state: State, post: EntryId, emoji: String) {
    let Some(community) = state.open.get_untracked() else {
        return;
    };
    let command = Command::React {
        community,
        post,
        emoji,
    };
    state.ask(command, move |answer| {
        if let Err(failure) = answer {
            apologise(i18n, state, failure);
        }
    });
}

/// A post that is not stored yet.
#[component]
pub(crate) fn GhostPost(author: Person, text: String) -> impl IntoView {
    view! { class="u",
        <li role="none" class="row" data-state="waiting" data-test="post">
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
        <span class="post-picture">{portrait(&author)}</span>
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
