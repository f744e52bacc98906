//! A post that is being edited, where it stands.
use super::icon::{Icon, icon};
use super::trouble;
use super::writing::{Writing, is_sendable};
use crate::i18n::{choose, t, use_i18n};
use crate::state::state;
use leptos::ev;
use leptos::prelude::*;
use std::sync::Arc;
use ume_api::{Command, Failure, Place, PostView};

/// The field in the place of the text. What is typed is kept until it is saved or dropped.
#[component]
pub(crate) fn Editor(post: Arc<PostView>) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let posts = state.posts;
    let text = posts.draft;
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let id = post.id;
    let at = move || Some((state.open.get_untracked()?, Place::Edit(id)));
    if let Some(at) = at() {
        state.recall(at, move |draft| text.set(draft));
    }
    let write = move |value: String| {
        if let Some(at) = at() {
            state.write(at, value.clone());
        }
        text.set(value);
    };
    let cancel = Callback::new(move |()| {
        write(String::new());
        posts.stop_editing();
    });
    let save = move || {
        let Some(community) = state.open.get_untracked() else {
            return;
        };
        if busy.get_untracked() || !text.with_untracked(|text| is_sendable(text)) {
            return;
        }
        let text = text.with_untracked(|text| text.trim().to_owned());
        if text == post.text {
            return cancel.run(());
        }
        busy.set(true);
        failure.set(None);
        let command = Command::Edit {
            community,
            post: id,
            text,
        };
        state.ask(command, move |answer| match answer {
            Ok(_) => {
                if let Some(at) = at() {
                    state.sent(at);
                }
                posts.stop_editing();
            }
            Err(why) => {
                let _ = (busy.try_set(false), failure.try_set(Some(why)));
            }
        });
    };
    let save = Callback::new(move |()| save());
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" {
            event.prevent_default();
            cancel.run(());
        }
    };
    view! { class="u",
        <form
            class="editor composer"
            data-test="editor"
            on:submit=move |event| { event.prevent_default(); save.run(()); }
            on:keydown=on_key
        >
            {move || failure.get().map(|why| {
                let (title, advice, _) = trouble::explain(i18n, why);
                view! { class="u", <p class="composer-trouble" role="alert">
                    <strong>{title}</strong> " " {advice}
                </p> }
            })}
            <Writing
                id="edit"
                label=t!(i18n, post.edit_label)
                text=text
                on_input=write
                on_send=save
            >
                <span></span>
            </Writing>
            <div class="actions">
                <button
                    type="submit"
                    class="button primary"
                    disabled=move || busy.get() || !text.with(|text| is_sendable(text))
                >
                    {icon(Icon::Check)}
                    {choose(move || busy.get(), t!(i18n, people.going), t!(i18n, post.save))}
                </button>
                <button type="button" class="button" on:click=move |_| cancel.run(())>
                    {t!(i18n, people.cancel)}
                </button>
            </div>
        </form>
    }
}
