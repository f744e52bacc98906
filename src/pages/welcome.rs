//! First run, and later the way to another community: have an invite, or begin one.
use crate::components::field::Field;
use crate::components::icon::{Icon, icon};
use crate::components::mark::mark;
use crate::i18n::{choose, t, use_i18n};
use crate::platform::{boot, clipboard};
use crate::state::{Page, state};
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

/// Two choices, nothing else.
#[component]
pub(crate) fn Welcome(
    /// Not the first run: there is something to go back to.
    again: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let link = RwSignal::new(String::new());
    let look = move || {
        let link = link.with_untracked(|link| link.trim().to_owned());
        if !link.is_empty() {
            state.go(Page::Redeem(link));
        }
    };
    let paste = move |_| {
        spawn_local(async move {
            if let Some(text) = clipboard::paste().await {
                link.set(text);
                look();
            }
        });
    };
    view! { class="u",
        <main id="main" class="page" data-test="welcome">
            {again.then(|| view! { class="u", <Back/> })}
            <header class="welcome-head">
                {mark()}
                <h1 tabindex="-1">
                    {choose(move || again, t!(i18n, welcome.again), t!(i18n, welcome.title))}
                </h1>
                {(!again).then(|| view! { class="u", <p class="lead">{t!(i18n, welcome.lead)}</p> })}
            </header>
            <div class="choices">
                <form class="card" on:submit=move |event| { event.prevent_default(); look(); }>
                    <h2>{t!(i18n, welcome.paste_title)}</h2>
                    <Field
                        id="invite"
                        label=t!(i18n, welcome.paste_label)
                        hint=t!(i18n, welcome.paste_hint)
                        example=Signal::stored("https://…/j#1.…".to_owned())
                        value=link
                    />
                    <div class="actions">
                        <button type="submit" class="button primary" disabled=move || link.with(|link| link.trim().is_empty())>
                            {t!(i18n, welcome.paste_go)}
                        </button>
                        {clipboard::can_paste().then(|| view! { class="u",
                            <button type="button" class="button" on:click=paste>{t!(i18n, welcome.paste_clipboard)}</button>
                        })}
                    </div>
                </form>
                <section class="card">
                    <h2>{t!(i18n, welcome.start_title)}</h2>
                    <p>{t!(i18n, welcome.start_text)}</p>
                    <div class="actions">
                        <button type="button" class="button" on:click=move |_| state.go(Page::Start)>
                            {icon(Icon::Plus)}
                            {t!(i18n, welcome.start_go)}
                        </button>
                    </div>
                </section>
            </div>
            {move || (!again).then(|| boot::brand().notice(i18n.get_locale().as_str())).flatten().map(|notice| view! { class="u",
                <p class="hint welcome-notice" dir="auto" data-test="host-notice">{notice}</p>
            })}
            {(!again).then(|| view! { class="u",
                <button type="button" class="button quiet welcome-settings" data-test="settings-open" on:click=move |_| state.go(Page::Settings)>
                    {icon(Icon::Gear)}
                    {t!(i18n, settings.title)}
                </button>
            })}
        </main>
    }
}

/// Leads home.
#[component]
pub(crate) fn Back() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    view! { class="u",
        <button type="button" class="button quiet back" on:click=move |_| state.go(Page::Home)>
            {icon(Icon::Back)}
            {t!(i18n, app.back)}
        </button>
    }
}
