//! Erase everything here: asked once, then done.
use super::live::part;
use crate::i18n::{choose, t, use_i18n};
use crate::platform::keys;
use crate::state::{Stage, state};
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

/// The way to it and the question before it.
pub(crate) fn erase() -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let (sure, going, failed) = (
        RwSignal::new(false),
        RwSignal::new(false),
        RwSignal::new(false),
    );
    let go = move |_| {
        going.set(true);
        failed.set(false);
        spawn_local(async move {
            if keys::erase().await {
                state.stage.set(Stage::Erased);
            } else {
                going.set(false);
                failed.set(true);
            }
        });
    };
    view! { class="u",
        {part(move || !sure.get(), move || view! { class="u",
            <button type="button" class="button danger" data-test="erase" on:click=move |_| sure.set(true)>
                {t!(i18n, vault.erase)}
            </button>
        }.into_any())}
        {part(move || sure.get(), move || view! { class="u",
            <div class="ask" role="group" aria-label=t!(i18n, vault.erase)>
                <p role="alert">{choose(move || failed.get(), t!(i18n, vault.erase_failed), t!(i18n, vault.erase_text))}</p>
                <div class="actions">
                    <button type="button" class="button danger" data-test="erase-go" disabled=going on:click=go>
                        {t!(i18n, vault.erase)}
                    </button>
                    <button type="button" class="button" disabled=going on:click=move |_| sure.set(false)>
                        {t!(i18n, people.cancel)}
                    </button>
                </div>
            </div>
        }.into_any())}
    }
    .into_any()
}
