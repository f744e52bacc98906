//! What this person says about themselves in the open community: name, line, picture.
use super::ask::{Outcome, deed};
use super::avatar::avatar;
use super::field::Field;
use super::icon::{Icon, icon};
use super::live::{memo, part};
use super::portrait::{portrait, shown};
use super::sheet::Sheet;
use crate::i18n::{choose, t, t_string, use_i18n};
use crate::platform::picture::{self, Unfit};
use crate::state::state;
use leptos::prelude::*;
use ume_api::{Act, Command, LINE_BYTES_MAX, MemberView, NAME_BYTES_MAX};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;

/// The sheet of one's own profile.
#[component]
pub(crate) fn ProfileSheet() -> impl IntoView {
    let i18n = use_i18n();
    let people = state().people;
    view! { class="u",
        <Sheet open=people.profile title=t!(i18n, profile.title) name="profile-sheet">
            {move || {
                // As it was when the sheet opened: news of others must not undo what is being typed.
                let me = people.members.with_untracked(|all| all.iter().flatten().find(|one| one.person.me).cloned())?;
                Some(view! { class="u", <Profile me=me/> })
            }}
        </Sheet>
    }
}

/// What becomes of the picture.
#[derive(Clone, PartialEq)]
enum Picture {
    Same,
    New(Vec<u8>),
    Gone,
}

#[component]
fn Profile(me: MemberView) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let people = state.people;
    let name = RwSignal::new(me.person.name.clone());
    let line = RwSignal::new(me.line.clone());
    let image = RwSignal::new(Picture::Same);
    let unfit = RwSignal::new(None::<Unfit>);
    let working = RwSignal::new(false);
    let mark = me.person.mark;
    let had = me.person.picture.is_some();

    let sound = |text: &str, most: usize| text.len() <= most && !text.chars().any(char::is_control);
    let name_wrong = Signal::derive(move || {
        let (good, empty) = name.with(|name| {
            let name = name.trim();
            (sound(name, NAME_BYTES_MAX), name.is_empty())
        });
        let words = if empty {
            t_string!(i18n, profile.name_needed)
        } else {
            t_string!(i18n, start.too_long)
        };
        (empty || !good).then(|| words.to_owned())
    });
    let line_wrong = Signal::derive(move || {
        let good = line.with(|line| sound(line.trim(), LINE_BYTES_MAX));
        (!good).then(|| t_string!(i18n, start.too_long).to_owned())
    });
    let before = (me.person.name.clone(), me.line.clone());
    let words = move || {
        let trimmed = |one: RwSignal<String>| one.with(|one| one.trim().to_owned());
        (trimmed(name), trimmed(line))
    };
    let said_before = before.clone();
    let changed = memo(move || image.with(|one| *one != Picture::Same) || words() != said_before);
    let fine = move || name_wrong.with(Option::is_none) && line_wrong.with(Option::is_none);

    let chosen = move |event| {
        let input: HtmlInputElement = event_target(&event);
        let file = input.files().and_then(|files| files.get(0));
        // The same file can be chosen again.
        input.set_value("");
        let Some(file) = file else { return };
        unfit.set(None);
        working.set(true);
        spawn_local(async move {
            let made = picture::make_small(&file).await;
            let _ = working.try_set(false);
            match made {
                Ok(small) => drop(image.try_set(Picture::New(small))),
                Err(why) => drop(unfit.try_set(Some(why))),
            }
        });
    };
    let why = move || {
        unfit.get().map(|why| match why {
            Unfit::Unreadable => t_string!(i18n, profile.unreadable),
            Unfit::TooLarge => t_string!(i18n, profile.too_large),
            Unfit::Withheld => t_string!(i18n, profile.withheld),
        })
    };
    let person = me.person;
    let preview = move || match image.get() {
        Picture::Same => portrait(&person),
        Picture::New(small) => shown(picture::address(&small), mark),
        Picture::Gone => avatar(mark).into_any(),
    };
    let shows = move || match image.with(Clone::clone) {
        Picture::Same => had,
        Picture::New(_) => true,
        Picture::Gone => false,
    };
    let save = move || {
        let Some(community) = state.open.get_untracked() else {
            return;
        };
        if !untrack(fine) || !changed.get_untracked() {
            return;
        }
        let (name, line) = untrack(words);
        let renamed = (name.clone(), line.clone()) != before;
        let said = t_string!(i18n, profile.said).to_owned();
        let done = move || {
            people.profile.set(false);
            state.posts.say(said, None);
        };
        let then = move || {
            // Kept already, whatever becomes of the rest.
            let _ = image.try_set(Picture::Same);
            if renamed {
                state.govern(Act::SetProfile { name, line }, done);
            } else {
                done();
            }
        };
        let picture = match image.get_untracked() {
            Picture::Same => return then(),
            Picture::New(small) => small,
            Picture::Gone => Vec::new(),
        };
        state.change(community, Command::Portray { community, picture }, then);
    };
    let save = Callback::new(move |()| save());
    let remove = Callback::new(move |()| {
        unfit.set(None);
        image.set(if had { Picture::Gone } else { Picture::Same });
    });
    view! { class="u",
        <form class="profile" on:submit=move |event| { event.prevent_default(); save.run(()); }>
            <div class="profile-picture">
                <span class="member-picture">{preview}</span>
                <div class="profile-acts">
                    <label class="button file" for="profile-file">
                        {icon(Icon::Picture)}
                        {choose(move || working.get(), t!(i18n, people.going), t!(i18n, profile.choose))}
                        <input id="profile-file" class="unseen" type="file" accept="image/*" on:change=chosen/>
                    </label>
                    {part(shows, move || deed("", "button quiet", None, t!(i18n, profile.remove), remove))}
                </div>
            </div>
            <p class="field-hint field-wrong" role="alert">{why}</p>
            <p class="hint">{t!(i18n, profile.about)}</p>
            <Field id="profile-name" label=t!(i18n, profile.name) hint=t!(i18n, profile.name_hint) value=name wrong=name_wrong/>
            <Field id="profile-line" label=t!(i18n, profile.line) remark=t!(i18n, start.persona_optional) hint=t!(i18n, profile.line_hint) value=line wrong=line_wrong/>
            <Outcome retry=save/>
            <div class="actions">
                <button
                    type="submit"
                    class="button primary"
                    disabled=move || people.busy.get() || working.get() || !changed.get() || !fine()
                >
                    {choose(move || people.busy.get(), t!(i18n, people.going), t!(i18n, profile.save))}
                </button>
                <button type="button" class="button" on:click=move |_| people.profile.set(false)>
                    {t!(i18n, people.cancel)}
                </button>
            </div>
        </form>
    }
}
