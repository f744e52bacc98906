//! Colours, language, and how far to hide.
use super::cover;
use crate::i18n::{named, t, use_i18n};
use crate::platform::memory;
use crate::state::{Page, state};
use leptos::prelude::*;
use leptos_i18n::Locale as _;

/// Choices that this browser remembers.
#[component]
pub(crate) fn Preferences() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let theme = RwSignal::new(memory::recall(memory::THEME).unwrap_or_default());
    let choose_theme = move |event| {
        let chosen = event_target_value(&event);
        let kept = Some(chosen.as_str()).filter(|chosen| !chosen.is_empty());
        memory::keep(memory::THEME, kept);
        if let Some(root) = document().document_element() {
            let _ = match kept {
                Some(kept) => root.set_attribute("data-theme", kept),
                None => root.remove_attribute("data-theme"),
            };
        }
        theme.set(chosen);
    };
    let choose_language = move |event| {
        if let Some(locale) = named(&event_target_value(&event)) {
            i18n.choose(locale);
        }
    };
    view! { class="u",
        <details class="preferences">
            <summary>{t!(i18n, preferences.title)}</summary>
            <label class="choice">
                <span>{t!(i18n, preferences.theme)}</span>
                <select prop:value=move || theme.get() on:change=choose_theme>
                    <option value="">{t!(i18n, preferences.theme_system)}</option>
                    <option value="light">{t!(i18n, preferences.theme_light)}</option>
                    <option value="dark">{t!(i18n, preferences.theme_dark)}</option>
                </select>
            </label>
            <label class="choice">
                <span>{t!(i18n, preferences.language)}</span>
                <select prop:value=move || i18n.get_locale().as_str() on:change=choose_language>
                    <option value="en" lang="en">"English"</option>
                    <option value="de" lang="de">"Deutsch"</option>
                </select>
            </label>
            <p class="choice">
                <span>{t!(i18n, traffic.cover)}</span>
                <button type="button" class="button" on:click=move |_| state.go(Page::Traffic)>
                    {move || cover::name(i18n, state.traffic.surroundings.get().cover)}
                </button>
            </p>
            <p class="preferences-version">
                {t!(i18n, preferences.version, version = env!("CARGO_PKG_VERSION"))}
            </p>
        </details>
    }
}
