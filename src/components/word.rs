//! One line about what was just done, with *Undo* where that is possible. It stays until it is dismissed or the next one comes:
//! nobody has to be quick.
use super::icon::{Icon, icon};
use crate::i18n::{t, use_i18n};
use crate::state::state;
use leptos::prelude::*;

/// The line, where it covers nothing.
#[component]
pub(crate) fn LastWord() -> impl IntoView {
    let i18n = use_i18n();
    let word = state().posts.word;
    view! { class="u",
        <div class="words" role="status">
            {move || word.get().map(|one| view! { class="u",
                <div class="word" data-test="word">
                    <p>{one.text}</p>
                    {one.undo.map(|undo| view! { class="u",
                        <button type="button" class="button quiet" on:click=move |_| undo.run(())>
                            {t!(i18n, post.undo)}
                        </button>
                    })}
                    <button
                        type="button"
                        class="button quiet square"
                        aria-label=t!(i18n, notice.dismiss)
                        on:click=move |_| word.set(None)
                    >
                        {icon(Icon::Close)}
                    </button>
                </div>
            })}
        </div>
    }
}
