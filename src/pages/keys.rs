//! What opens the vault, when ume locks, and the way to erase everything.
use crate::components::erase::erase;
use crate::components::icon::{Icon, icon};
use crate::components::live::{list, part};
use crate::components::mark::mark;
use crate::components::recovery::recovery;
use crate::components::secret::secret_field;
use crate::components::side::Side;
use crate::components::trouble;
use crate::i18n::{I18n, choose, t, t_string, text, use_i18n};
use crate::platform::{boot, keys, memory};
use crate::state::{Page, State, secret, state};
use leptos::prelude::*;
use ume_api::{Failure, LockRules, PASSPHRASE_LETTERS_MIN, PasskeyView, Secret, VaultDeed};
use wasm_bindgen_futures::spawn_local;

/// Minutes to choose from; 0: never.
const IDLE: [u16; 5] = [0, 1, 5, 15, 60];

/// What is wrong with a passphrase before it is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Short,
    Differ,
}

/// The page.
#[component]
pub(crate) fn KeysPage() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    state.keys.failure.set(None);
    let has = move || state.keys.view.with(|view| view.passphrase);
    view! { class="u",
        <div class="home" data-test="keys">
            <Side/>
            <main id="main" class="room">
                <header class="head">
                    <button type="button" class="button quiet square" aria-label=t!(i18n, app.back) on:click=move |_| state.go(Page::Home)>
                        {icon(Icon::Back)}
                    </button>
                    <div class="head-names"><h1 tabindex="-1">{t!(i18n, keys.title)}</h1></div>
                </header>
                <div class="people-box" tabindex="0" role="region" aria-label=t!(i18n, keys.title)>
                    <div class="people-column keys">
                        <p class="hint">{t!(i18n, keys.about)}</p>
                        {passphrase(i18n, state)}
                        {part(has, move || lock(i18n, state))}
                        {part(has, recovery)}
                        {part(move || has() && keys::passkeys_work(), move || passkeys(i18n, state))}
                        <section class="card">
                            <h2>{t!(i18n, vault.erase)}</h2>
                            <p>{t!(i18n, keys.erase_about)}</p>
                            {erase()}
                        </section>
                    </div>
                </div>
            </main>
        </div>
    }
}

fn passphrase(i18n: I18n, state: State) -> AnyView {
    let view = state.keys.view;
    let has = move || view.with(|view| view.passphrase);
    let (current, new, again) = (
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
    );
    let alone = RwSignal::new(true);
    let open = RwSignal::new(false);
    let wrong = RwSignal::new(None::<Wrong>);
    let clear = move || {
        for typed in [current, new, again] {
            typed.set(String::new());
        }
        open.set(false);
    };
    let show = move |_| {
        alone.set(view.with_untracked(|view| !view.passphrase || !view.device));
        state.keys.failure.set(None);
        wrong.set(None);
        open.set(true);
    };
    let save = move || {
        let has = untrack(has);
        let wants = new.with_untracked(|new| !new.is_empty());
        let short = new.with_untracked(|new| new.chars().count() < PASSPHRASE_LETTERS_MIN);
        let same = new.with_untracked(|new| again.with_untracked(|again| new == again));
        state.keys.failure.set(None);
        wrong.set(if (wants || !has) && short {
            Some(Wrong::Short)
        } else if wants && !same {
            Some(Wrong::Differ)
        } else {
            None
        });
        if wrong.with_untracked(Option::is_some) {
            return;
        }
        let deed = VaultDeed::Passphrase {
            current: has.then(|| secret(current)),
            new: wants.then(|| secret(new)),
            alone: alone.get_untracked(),
        };
        state.keep(deed, move |_| clear());
    };
    let remove = move |_| {
        let current = secret(current);
        state.keep(VaultDeed::NoPassphrase { current }, move |_| clear());
    };
    let said = move || match (wrong.get(), state.keys.failure.get()) {
        (None, None) => "",
        (Some(Wrong::Short), _) | (_, Some(Failure::BadText)) => t_string!(i18n, keys.short),
        (Some(Wrong::Differ), _) => t_string!(i18n, keys.differ),
        (_, Some(Failure::KeyWrong)) => t_string!(i18n, vault.wrong),
        (_, Some(failure)) => trouble::explain(i18n, failure).0,
    };
    let busy = state.keys.busy;
    let stands = move || {
        view.with(|view| match (view.passphrase, view.device) {
            (false, _) => t_string!(i18n, keys.device_only),
            (true, true) => t_string!(i18n, keys.both),
            (true, false) => t_string!(i18n, keys.asked),
        })
        .to_owned()
    };
    view! { class="u",
        <section class="card" data-test="passphrase">
            <h2>{t!(i18n, vault.passphrase)}</h2>
            <p>{text(stands)}</p>
            {part(move || !open.get(), move || view! { class="u",
                <div class="actions">
                    <button type="button" class="button" on:click=show>
                        {choose(has, t!(i18n, keys.change), t!(i18n, keys.set))}
                    </button>
                </div>
            }.into_any())}
            {part(move || open.get(), move || view! { class="u",
                <form class="keys-form" on:submit=move |event| { event.prevent_default(); save(); }>
                    {part(has, move || secret_field("current", t!(i18n, keys.current), Signal::stored(String::new()), current, "current-password"))}
                    {secret_field("new", t!(i18n, keys.new), choose(has, t!(i18n, keys.keep_hint), t!(i18n, keys.new_hint)), new, "new-password")}
                    {secret_field("again", t!(i18n, keys.again), Signal::stored(String::new()), again, "new-password")}
                    <label class="check">
                        <input type="checkbox" prop:checked=move || alone.get() on:change=move |event| alone.set(event_target_checked(&event))/>
                        <span>{t!(i18n, keys.alone)}</span>
                    </label>
                    <p class="hint">{t!(i18n, keys.alone_hint)}</p>
                    <p class="field-wrong" role="alert">{said}</p>
                    <div class="actions">
                        <button type="submit" class="button primary" disabled=busy>
                            {choose(move || busy.get(), t!(i18n, keys.saving), t!(i18n, keys.save))}
                        </button>
                        {part(has, move || view! { class="u",
                            <button type="button" class="button danger" disabled=busy on:click=remove>{t!(i18n, keys.remove)}</button>
                        }.into_any())}
                        <button type="button" class="button" disabled=busy on:click=move |_| clear()>{t!(i18n, people.cancel)}</button>
                    </div>
                </form>
            }.into_any())}
        </section>
    }
    .into_any()
}

fn lock(i18n: I18n, state: State) -> AnyView {
    let view = state.keys.view;
    let lockable = move || state.keys.lockable();
    let rules = move || view.with(|view| view.rules);
    let choose_rules = move |rules: LockRules| state.keep(VaultDeed::Rules(rules), |_| ());
    let idle = move |event| {
        if let Ok(idle_minutes) = event_target_value(&event).parse() {
            choose_rules(LockRules {
                idle_minutes,
                ..untrack(rules)
            });
        }
    };
    let hide = move |event| {
        choose_rules(LockRules {
            hide: event_target_checked(&event),
            ..untrack(rules)
        });
    };
    view! { class="u",
        <section class="card" data-test="lock">
            <h2>{t!(i18n, keys.lock)}</h2>
            {part(move || !lockable(), move || view! { class="u", <p>{t!(i18n, keys.lock_needs)}</p> }.into_any())}
            {part(lockable, move || view! { class="u",
                <p>{t!(i18n, keys.lock_about)}</p>
                <div class="actions">
                    <button type="button" class="button primary" on:click=move |_| boot::lock()>{t!(i18n, keys.lock_now)}</button>
                </div>
                <label class="choice">
                    <span>{t!(i18n, keys.idle)}</span>
                    <select prop:value=move || rules().idle_minutes.to_string() on:change=idle>
                        {IDLE.into_iter().map(|minutes| view! { class="u",
                            <option value=minutes.to_string() selected={untrack(rules).idle_minutes == minutes}>
                                {match minutes {
                                    0 => t!(i18n, keys.never),
                                    _ => t!(i18n, keys.minutes, count = minutes),
                                }}
                            </option>
                        }).collect_view()}
                    </select>
                </label>
                <label class="check">
                    <input type="checkbox" prop:checked=move || rules().hide on:change=hide/>
                    <span>{t!(i18n, keys.hide)}</span>
                </label>
            }.into_any())}
        </section>
    }
    .into_any()
}

fn passkeys(i18n: I18n, state: State) -> AnyView {
    let view = state.keys.view;
    let none = RwSignal::new(false);
    let add = move |_| {
        none.set(false);
        let known = view.with_untracked(|view| view.passkeys.clone());
        spawn_local(async move {
            match keys::make_passkey(&known).await {
                Some((passkey, output)) => state.keep(
                    VaultDeed::Passkey {
                        passkey,
                        output: Secret(output),
                    },
                    |_| (),
                ),
                None => none.set(true),
            }
        });
    };
    let all = move || {
        view.with(|view| {
            (1_u32..)
                .zip(view.passkeys.clone())
                .collect::<Vec<(u32, PasskeyView)>>()
        })
    };
    view! { class="u",
        <section class="card" data-test="passkeys">
            <h2>{t!(i18n, keys.passkeys)}</h2>
            <p>{t!(i18n, keys.passkeys_about)}</p>
            <ul role="list">
                {list(all, Clone::clone, move |(number, passkey)| view! { class="u",
                    <li class="keys-row">
                        <span>{t!(i18n, keys.passkey, number = number)}</span>
                        <button type="button" class="button danger" on:click=move |_| {
                            let credential = passkey.credential.clone();
                            state.keep(VaultDeed::NoPasskey { credential }, |_| ());
                        }>{t!(i18n, keys.drop)}</button>
                    </li>
                }.into_any())}
            </ul>
            <p class="field-wrong" role="alert">{move || none.get().then(|| t!(i18n, keys.no_passkey))}</p>
            <div class="actions">
                <button type="button" class="button" disabled=state.keys.busy on:click=add>{t!(i18n, keys.passkey_add)}</button>
            </div>
        </section>
    }
    .into_any()
}

/// Nothing is here any more.
#[component]
pub(crate) fn Erased() -> impl IntoView {
    let i18n = use_i18n();
    // A word that the page kept meanwhile would be a trace.
    memory::clear();
    view! { class="u",
        <main id="main" class="page page-centre" data-test="erased">
            {mark()}
            <h1 tabindex="-1">{t!(i18n, vault.erased)}</h1>
            <p class="lead">{t!(i18n, vault.erased_text)}</p>
            <button type="button" class="button" on:click=move |_| boot::reload()>{t!(i18n, vault.anew)}</button>
        </main>
    }
}
