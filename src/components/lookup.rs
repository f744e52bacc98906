//! Something that the engine is asked for when it is shown.
use super::trouble::Trouble;
use crate::engine::Answer;
use crate::i18n::{t, use_i18n};
use crate::state::state;
use leptos::prelude::*;
use ume_api::{Command, Failure, Reply};

/// Asks, and draws what comes; meanwhile something to come, and what went wrong if it did.
/// `gone`: the words for a post that was taken back or is not here, where that is no failure.
pub(crate) fn lookup(
    command: Command,
    gone: Option<Signal<String>>,
    draw: impl Fn(Reply) -> AnyView + Send + Sync + 'static,
) -> AnyView {
    lookup_boxed(command, gone, Box::new(draw))
}

fn lookup_boxed(
    command: Command,
    gone: Option<Signal<String>>,
    draw: Box<dyn Fn(Reply) -> AnyView + Send + Sync>,
) -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let found = RwSignal::new(None::<Answer>);
    let ask = Callback::new(move |()| {
        let command = command.clone();
        state.ask(command, move |answer| {
            let _ = found.try_set(Some(answer));
        });
    });
    ask.run(());
    (move || match found.get() {
        None => view! { class="u",
            <p class="bone" role="status"><span class="unseen">{t!(i18n, app.loading)}</span></p>
        }
        .into_any(),
        Some(Ok(reply)) => draw(reply),
        Some(Err(Failure::NotHere | Failure::AlreadySo)) if gone.is_some() => {
            view! { class="u", <p class="post-text post-gone">{gone}</p> }.into_any()
        }
        Some(Err(failure)) => view! { class="u", <Trouble failure=failure retry=ask/> }.into_any(),
    })
    .into_any()
}
