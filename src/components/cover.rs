//! How far this device goes to hide when it has something to say: the choice, and what each one costs.
use super::line::fact;
use crate::i18n::{I18n, t, t_string, text, use_i18n};
use crate::platform::intl;
use crate::state::{state, word};
use leptos::prelude::*;
use ume_api::{Cover, Surroundings};

/// What a choice is called.
pub(crate) fn name(i18n: I18n, cover: Cover) -> &'static str {
    match cover {
        Cover::Off => t_string!(i18n, traffic.off),
        Cover::Balanced => t_string!(i18n, traffic.balanced),
        Cover::Strong => t_string!(i18n, traffic.strong),
    }
}

/// The three choices.
pub(crate) fn covers() -> AnyView {
    let i18n = use_i18n();
    view! { class="u",
        <fieldset class="modes" data-test="modes">
            <legend><h2>{t!(i18n, traffic.cover)}</h2></legend>
            {[Cover::Off, Cover::Balanced, Cover::Strong].into_iter().map(mode).collect_view()}
        </fieldset>
    }
    .into_any()
}

fn mode(cover: Cover) -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let around = state.traffic.surroundings;
    let chosen = move || around.get().cover == cover;
    let saving = move || around.get().saving;
    let (name_id, about_id) = (
        format!("cover-{}", word(cover)),
        format!("cover-{}-about", word(cover)),
    );
    let hides = match cover {
        Cover::Off => t!(i18n, traffic.off_hides),
        Cover::Balanced => t!(i18n, traffic.balanced_hides),
        Cover::Strong => t!(i18n, traffic.strong_hides),
    };
    let wait = match cover {
        Cover::Off => t!(i18n, traffic.off_wait),
        Cover::Balanced => text(move || {
            let words = if saving() {
                t_string!(i18n, traffic.saving_wait)
            } else {
                t_string!(i18n, traffic.balanced_wait)
            };
            words.to_owned()
        }),
        Cover::Strong => t!(i18n, traffic.strong_wait),
    };
    let data = match cover {
        Cover::Off => t!(i18n, traffic.off_data),
        Cover::Balanced | Cover::Strong => text(move || {
            let hour = |hidden| {
                let around = Surroundings {
                    cover,
                    hidden,
                    saving: saving(),
                };
                intl::bytes(i18n.get_locale(), cover.hour_bytes(around))
            };
            let (seen, unseen) = (hour(false), hour(true));
            if seen == unseen {
                t_string!(i18n, traffic.data_same, seen = seen)
            } else {
                t_string!(i18n, traffic.data_is, seen = seen, unseen = unseen)
            }
        }),
    };
    let battery = match cover {
        Cover::Off => t!(i18n, traffic.off_battery),
        Cover::Balanced => t!(i18n, traffic.balanced_battery),
        Cover::Strong => t!(i18n, traffic.strong_battery),
    };
    view! { class="u",
        <div class="mode" class:mode-chosen=chosen>
            <label>
                <input
                    type="radio"
                    name="cover"
                    aria-labelledby=name_id.clone()
                    aria-describedby=about_id.clone()
                    prop:checked=chosen
                    on:change=move |_| state.choose_cover(cover)
                />
                <span id=name_id>{move || name(i18n, cover)}</span>
            </label>
            <p id=about_id>{hides}</p>
            <dl class="wire-facts">
                {fact(t!(i18n, traffic.wait), wait)}
                {fact(t!(i18n, traffic.data), data)}
                {fact(t!(i18n, traffic.battery), battery)}
            </dl>
        </div>
    }
    .into_any()
}
