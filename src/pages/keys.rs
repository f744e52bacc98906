//! What opens the vault, when ume locks, and the way to erase everything.
use crate::components::icon::{Icon, icon};
use crate::components::panel::{DANGER, Deed, PLAIN, PRIMARY, Part, Section, section};
use crate::components::room::room;
use crate::components::trouble;
use crate::i18n::{I18n, t, t_string, use_i18n};
use crate::platform::keys;
use crate::state::{Act, Said, Shown, Step, state};
use leptos::prelude::*;
use ume_api::Failure;

/// Minutes to choose from; 0: never.
const IDLE: [u16; 5] = [0, 1, 5, 15, 60];

/// The page.
#[component]
pub(crate) fn KeysPage() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    state.act(Act::Begin(Step::Rest));
    let sections = move || state.keys.shown.with(|shown| sections(i18n, shown));
    let content = view! { class="u",
        <p class="hint">{t!(i18n, keys.about)}</p>
        {sections}
    };
    room("keys", t!(i18n, keys.title), content.into_any())
}

fn sections(i18n: I18n, shown: &Shown) -> Vec<AnyView> {
    let mut all = vec![section(passphrase(i18n, shown))];
    if shown.view.passphrase {
        all.push(section(lock(i18n, shown)));
        all.push(section(words(i18n, shown)));
        if keys::passkeys_work() {
            all.push(section(passkeys(i18n, shown)));
        }
    }
    all.push(erase(i18n, shown, t_string!(i18n, keys.erase_about)));
    all
}

fn passphrase(i18n: I18n, shown: &Shown) -> Section {
    let view = &shown.view;
    let has = view.passphrase;
    let stands = match (has, view.device) {
        (false, _) => t_string!(i18n, keys.device_only),
        (true, true) => t_string!(i18n, keys.both),
        (true, false) => t_string!(i18n, keys.asked),
    };
    let mut parts = vec![Part::Text(stands.to_owned())];
    if shown.step == Step::Passphrase {
        let again = t_string!(i18n, keys.again).to_owned();
        let mut deeds = vec![save(i18n, shown)];
        let hint = if has {
            let current = t_string!(i18n, keys.current).to_owned();
            parts.push(Part::Secret("current", current, "", "current-password"));
            let remove = t_string!(i18n, keys.remove);
            deeds.push((remove, DANGER, Some(Act::RemovePassphrase)));
            t_string!(i18n, keys.keep_hint)
        } else {
            t_string!(i18n, keys.new_hint)
        };
        deeds.push(cancel(i18n));
        let new = t_string!(i18n, keys.new).to_owned();
        let alone = !has || !view.device;
        parts.extend([
            Part::Secret("new", new, hint, "new-password"),
            Part::Secret("again", again, "", "new-password"),
            Part::Check("alone", t_string!(i18n, keys.alone), alone, None),
            Part::Hint(t_string!(i18n, keys.alone_hint)),
            Part::Wrong(said(i18n, shown)),
            Part::Actions(deeds),
        ]);
    } else {
        let label = if has {
            t_string!(i18n, keys.change)
        } else {
            t_string!(i18n, keys.set)
        };
        let begin = Act::Begin(Step::Passphrase);
        parts.push(Part::Actions(vec![(label, PLAIN, Some(begin))]));
    }
    Section {
        name: "passphrase",
        title: t_string!(i18n, vault.passphrase),
        submit: Act::SavePassphrase,
        parts,
    }
}

fn lock(i18n: I18n, shown: &Shown) -> Section {
    let rules = shown.view.rules;
    let parts = if shown.view.device {
        vec![Part::Text(t_string!(i18n, keys.lock_needs).to_owned())]
    } else {
        let name = |minutes| match minutes {
            0 => t_string!(i18n, keys.never).to_owned(),
            _ => t_string!(i18n, keys.minutes, count = minutes),
        };
        let options = IDLE.map(|minutes| (minutes, name(minutes))).into();
        let (idle, chosen) = (t_string!(i18n, keys.idle), rules.idle_minutes);
        vec![
            Part::Text(t_string!(i18n, keys.lock_about).to_owned()),
            Part::Actions(vec![(t_string!(i18n, keys.lock_now), PRIMARY, None)]),
            Part::Choice("idle", idle, options, chosen, Act::Rules),
            Part::Check(
                "hide",
                t_string!(i18n, keys.hide),
                rules.hide,
                Some(Act::Rules),
            ),
        ]
    };
    Section {
        name: "lock",
        title: t_string!(i18n, keys.lock),
        submit: Act::Lock,
        parts,
    }
}

fn words(i18n: I18n, shown: &Shown) -> Section {
    let has = shown.view.words;
    let about = if has {
        t_string!(i18n, keys.words_there)
    } else {
        t_string!(i18n, keys.words_about)
    };
    let mut parts = vec![Part::Text(about.to_owned())];
    let (made, asked) = &shown.words;
    let mut deeds = Vec::new();
    match shown.step {
        Step::WordsShown => {
            parts.push(Part::Text(t_string!(i18n, keys.words_write).to_owned()));
            parts.push(Part::Words(made.clone()));
            let written = Act::Begin(Step::WordsAsked);
            deeds.push((t_string!(i18n, keys.words_written), PRIMARY, Some(written)));
            deeds.push(cancel(i18n));
        }
        Step::WordsAsked => {
            for (id, at) in ["word-one", "word-two"].into_iter().zip(asked) {
                let number = u32::from(*at) + 1;
                let label = t_string!(i18n, keys.word, number = number);
                parts.push(Part::Secret(id, label, "", "off"));
            }
            parts.push(Part::Wrong(said(i18n, shown)));
            deeds.push(save(i18n, shown));
            let back = Act::Begin(Step::WordsShown);
            deeds.push((t_string!(i18n, app.back), PLAIN, Some(back)));
        }
        _ => {
            let label = if has {
                t_string!(i18n, keys.words_anew)
            } else {
                t_string!(i18n, keys.words_make)
            };
            deeds.push((label, PLAIN, Some(Act::MakeWords)));
            if has {
                deeds.push((t_string!(i18n, keys.drop), DANGER, Some(Act::DropWords)));
            }
        }
    }
    parts.push(Part::Actions(deeds));
    Section {
        name: "words",
        title: t_string!(i18n, vault.words),
        submit: Act::KeepWords,
        parts,
    }
}

fn passkeys(i18n: I18n, shown: &Shown) -> Section {
    let mut parts = vec![Part::Text(t_string!(i18n, keys.passkeys_about).to_owned())];
    for at in 0..shown.view.passkeys.len() {
        let number = at + 1;
        let name = t_string!(i18n, keys.passkey, number = number);
        let drop = (
            t_string!(i18n, keys.drop),
            DANGER,
            Some(Act::DropPasskey(at)),
        );
        parts.push(Part::Row(name, drop));
    }
    let wrong = if shown.said == Said::Passkey {
        t_string!(i18n, keys.no_passkey)
    } else {
        ""
    };
    let add = (
        t_string!(i18n, keys.passkey_add),
        PLAIN,
        Some(Act::AddPasskey),
    );
    parts.extend([Part::Wrong(wrong), Part::Actions(vec![add])]);
    Section {
        name: "passkeys",
        title: t_string!(i18n, keys.passkeys),
        submit: Act::Nothing,
        parts,
    }
}

/// The way to erase everything, and the question before it.
pub(crate) fn erase(i18n: I18n, shown: &Shown, about: &'static str) -> AnyView {
    let label = t_string!(i18n, vault.erase);
    let (text, deeds) = if shown.step == Step::Erase {
        let text = if shown.said == Said::Erase {
            t_string!(i18n, vault.erase_failed)
        } else {
            t_string!(i18n, vault.erase_text)
        };
        // Not where the button was that led here: who taps twice has changed nothing.
        (text, vec![cancel(i18n), (label, DANGER, None)])
    } else {
        let begin = Act::Begin(Step::Erase);
        (about, vec![(label, DANGER, Some(begin))])
    };
    let submit = if shown.step == Step::Erase {
        Act::Erase
    } else {
        Act::Nothing
    };
    section(Section {
        name: "erase",
        title: label,
        submit,
        parts: vec![Part::Text(text.to_owned()), Part::Actions(deeds)],
    })
}

fn said(i18n: I18n, shown: &Shown) -> &'static str {
    match shown.said {
        Said::Short | Said::Failure(Failure::BadText) => t_string!(i18n, keys.short),
        Said::Differ => t_string!(i18n, keys.differ),
        Said::Failure(Failure::KeyWrong) if shown.step == Step::WordsAsked => {
            t_string!(i18n, keys.word_wrong)
        }
        Said::Failure(Failure::KeyWrong) => t_string!(i18n, vault.wrong),
        Said::Failure(failure) => trouble::explain(i18n, failure).0,
        _ => "",
    }
}

fn save(i18n: I18n, shown: &Shown) -> Deed {
    let label = if shown.busy {
        t_string!(i18n, keys.saving)
    } else {
        t_string!(i18n, keys.save)
    };
    (label, PRIMARY, None)
}

fn cancel(i18n: I18n) -> Deed {
    (
        t_string!(i18n, people.cancel),
        PLAIN,
        Some(Act::Begin(Step::Rest)),
    )
}

/// After the first post: one quiet line about keeping the key, until the person says that they know.
pub(crate) fn reminder() -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let line = move || {
        state.keys.shown.with(|shown| shown.remind).then(|| {
            view! { class="u",
                <div class="strip" role="status" data-test="reminder">
                    {icon(Icon::Key)}
                    <p>{t!(i18n, vault.reminder)}</p>
                    <button type="button" class="button quiet" on:click=move |_| state.act(Act::Keep)>
                        {t!(i18n, vault.reminder_go)}
                    </button>
                    <button type="button" class="button quiet square" aria-label=t!(i18n, notice.dismiss) on:click=move |_| state.act(Act::Dismiss)>
                        {icon(Icon::Close)}
                    </button>
                </div>
            }
            .into_any()
        })
    };
    line.into_any()
}
