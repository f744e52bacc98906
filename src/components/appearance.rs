//! How ume looks and speaks here.
use crate::i18n::{LANGUAGES, t, use_i18n};
use crate::platform::{boot, look};
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

/// Colours, sizes, contrast, language.
pub(crate) fn appearance() -> AnyView {
    let i18n = use_i18n();
    view! { class="u",
        <section class="card">
            <h2>{t!(i18n, settings.look)}</h2>
            {pills(look::THEME, t!(i18n, settings.theme), vec![
                ("", t!(i18n, settings.theme_system)),
                ("light", t!(i18n, settings.theme_light)),
                ("dark", t!(i18n, settings.theme_dark)),
            ])}
            {pills(look::CONTRAST, t!(i18n, settings.contrast), vec![
                ("", t!(i18n, settings.theme_system)),
                ("more", t!(i18n, settings.contrast_more)),
            ])}
            {pills(look::SIZE, t!(i18n, settings.size), vec![
                ("small", t!(i18n, settings.size_small)),
                ("", t!(i18n, settings.size_normal)),
                ("large", t!(i18n, settings.size_large)),
                ("huge", t!(i18n, settings.size_huge)),
            ])}
            {pills(look::SPACING, t!(i18n, settings.spacing), vec![
                ("", t!(i18n, settings.spacing_roomy)),
                ("compact", t!(i18n, settings.spacing_compact)),
            ])}
            {language()}
        </section>
    }
    .into_any()
}

/// A choice among a few.
fn pills(
    what: &'static str,
    legend: Signal<String>,
    options: Vec<(&'static str, Signal<String>)>,
) -> AnyView {
    let chosen = RwSignal::new(look::chosen(what));
    let one = move |(value, name): (&'static str, Signal<String>)| {
        view! { class="u",
            <label class="pill">
                <input
                    type="radio"
                    name=what
                    value=value
                    prop:checked=move || chosen.with(|chosen| chosen == value)
                    on:change=move |_| {
                        look::choose(what, value);
                        chosen.set(value.to_owned());
                    }
                />
                <span>{name}</span>
            </label>
        }
    };
    view! { class="u",
        <fieldset class="pills">
            <legend>{legend}</legend>
            {options.into_iter().map(one).collect_view()}
        </fieldset>
    }
    .into_any()
}

fn language() -> AnyView {
    let i18n = use_i18n();
    let failed = RwSignal::new(false);
    let choose = move |event| {
        let name = event_target_value(&event);
        spawn_local(async move {
            failed.set(false);
            let failing = !i18n.choose(&name).await;
            // The person may have left the page.
            let _ = failed.try_set(failing);
        });
    };
    let option = |language: crate::i18n::Language| {
        let here = move || i18n.get_locale().as_str() == language.name;
        view! { class="u",
            <option value=language.name lang=language.name prop:selected=here>{language.own_name}</option>
        }
    };
    let languages = boot::brand().languages;
    let offered = LANGUAGES
        .into_iter()
        .filter(move |one| languages.iter().any(|name| name == one.name));
    view! { class="u",
        <label class="choice">
            <span>{t!(i18n, settings.language)}</span>
            <select data-test="language" on:change=choose>
                {offered.map(option).collect_view()}
            </select>
        </label>
        <p class="field-hint field-wrong" role="alert">
            {move || failed.get().then(|| t!(i18n, settings.language_failed))}
        </p>
    }
    .into_any()
}
