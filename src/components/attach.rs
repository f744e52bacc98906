//! Files that are to go with a post: chosen, pasted or dropped, kept by the engine at once, described and put in order.
use super::icon::{Icon, icon};
use super::live::{list, part};
use super::trouble;
use crate::i18n::{I18n, t, t_string, text};
use crate::platform::{files, focus, intl, picture};
use crate::state::{State, state};
use leptos::ev;
use leptos::prelude::*;
use ume_api::{
    ALTERNATIVE_BYTES_MAX, Command, CommunityRef, FILE_BYTES_MAX, FILES_MAX, Failure, FileId,
    NewFile, Reply,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::{File, HtmlInputElement};

/// What pictures are called: the name of a photo often says when and where it was taken.
const PICTURE: &str = "picture";

/// A file of a tray.
#[derive(Clone)]
struct Item {
    number: u32,
    name: String,
    state: ArcRwSignal<Stage>,
    words: ArcRwSignal<String>,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Working,
    /// The engine has it: as what, how large, and how it looks if it was drawn anew.
    Ready(FileId, u64, Option<String>),
    Unfit(Unfit),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unfit {
    /// Empty, too large, or not to be read.
    Size,
    Failed(Failure),
}

impl Item {
    fn is_ready(&self) -> bool {
        self.state.with(|state| matches!(state, Stage::Ready(..)))
    }

    fn id(&self) -> Option<FileId> {
        self.state.with_untracked(|state| match state {
            Stage::Ready(id, ..) => Some(*id),
            _ => None,
        })
    }

    fn sent(&self) -> (FileId, String) {
        let words = self.words.with_untracked(|words| words.trim().to_owned());
        (self.id().unwrap_or(FileId([0; 32])), words)
    }

    fn forget(&self) {
        self.state.with_untracked(|state| {
            if let Stage::Ready(_, _, Some(address)) = state {
                files::forget(address);
            }
        });
    }
}

/// Files on their way into a post.
pub(crate) struct Sent(Vec<Item>);

impl Sent {
    /// What goes with the post.
    pub(crate) fn files(&self) -> Vec<(FileId, String)> {
        self.0.iter().map(Item::sent).collect()
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.0.iter().for_each(Item::forget);
    }
}

/// The files of one composer.
#[derive(Clone, Copy)]
pub(crate) struct Tray {
    state: State,
    community: CommunityRef,
    /// Of the composer: what ids begin with.
    field: &'static str,
    items: RwSignal<Vec<Item>>,
    last: StoredValue<u32>,
    /// Some were left out.
    full: RwSignal<bool>,
}

impl Tray {
    pub(crate) fn new(community: CommunityRef, field: &'static str) -> Self {
        let tray = Self {
            state: state(),
            community,
            field,
            items: RwSignal::new(Vec::new()),
            last: StoredValue::new(0),
            full: RwSignal::new(false),
        };
        on_cleanup(move || {
            for item in tray.items.try_get_untracked().unwrap_or_default() {
                tray.let_go(&item);
            }
        });
        tray
    }

    /// Whether what is here may be sent, with a text that may, or with none.
    pub(crate) fn lets(self, sendable: bool, empty: bool) -> bool {
        self.items.with(|items| {
            let fine = items.iter().all(Item::is_ready);
            fine && (sendable || empty && !items.is_empty())
        })
    }

    /// Takes all that is here, to be sent.
    pub(crate) fn take(self) -> Sent {
        self.full.set(false);
        Sent(self.items.try_update(std::mem::take).unwrap_or_default())
    }

    /// It could not be sent.
    pub(crate) fn put_back(self, mut sent: Sent) {
        let items = std::mem::take(&mut sent.0);
        let _ = self
            .items
            .try_update(|here| here.splice(0..0, items).count());
    }

    pub(crate) fn pasted(self, event: &ev::ClipboardEvent) {
        // What has a text as well is pasted as that.
        let data = event.clipboard_data();
        let data = data.filter(|data| {
            data.get_data("text/plain")
                .is_ok_and(|text| text.is_empty())
        });
        let pasted = data.and_then(|data| data.files());
        self.add_some(files::all(pasted.as_ref()), event);
    }

    pub(crate) fn dropped(self, event: &ev::DragEvent) {
        let dropped = event.data_transfer().and_then(|data| data.files());
        self.add_some(files::all(dropped.as_ref()), event);
    }

    fn add_some(self, files: Vec<File>, event: &ev::Event) {
        if !files.is_empty() {
            event.prevent_default();
            self.add(files);
        }
    }

    fn add(self, files: Vec<File>) {
        let room = FILES_MAX.saturating_sub(self.items.with_untracked(Vec::len));
        self.full.set(files.len() > room);
        for file in files.into_iter().take(room) {
            let number = self.last.with_value(|last| last + 1);
            self.last.set_value(number);
            let item = Item {
                number,
                name: file.name(),
                state: ArcRwSignal::new(Stage::Working),
                words: ArcRwSignal::new(String::new()),
            };
            self.items.update(|items| items.push(item.clone()));
            spawn_local(async move {
                let stage = keep(self.state, self.community, &file).await;
                item.state.set(stage);
                let here = self
                    .items
                    .try_with_untracked(|items| items.iter().any(|one| one.number == number));
                if here != Some(true) {
                    self.let_go(&item);
                }
            });
        }
    }

    fn remove(self, number: u32) {
        self.full.set(false);
        let gone = self.items.try_update(|items| {
            let at = items.iter().position(|one| one.number == number)?;
            Some(items.remove(at))
        });
        if let Some(item) = gone.flatten() {
            self.let_go(&item);
            focus::settle(format!("{}-files", self.field));
        }
    }

    /// Tells the engine that no post will take it.
    fn let_go(self, item: &Item) {
        item.forget();
        let (community, engine) = (self.community, self.state.engine);
        if let Some(file) = item.id() {
            spawn_local(async move {
                let _ = engine.ask(Command::Detach { community, file }).await;
            });
        }
    }

    /// The id of the button that moves a file.
    fn way(self, number: u32, by: isize) -> String {
        format!("{}-{number}-{by}", self.field)
    }

    fn shift(self, number: u32, by: isize) {
        self.items.update(|items| {
            let at = items.iter().position(|one| one.number == number);
            let to = at.and_then(|at| at.checked_add_signed(by));
            if let (Some(at), Some(to)) = (at, to.filter(|to| *to < items.len())) {
                items.swap(at, to);
            }
        });
        // What is moved loses the keyboard.
        focus::settle(self.way(number, by));
    }
}

/// Makes a file ready and has the engine keep it. A picture is drawn anew; what is none, or cannot be drawn, stays as it is.
async fn keep(state: State, community: CommunityRef, file: &File) -> Stage {
    let small = if files::may_be_picture(file) {
        files::shrink(file).await
    } else {
        None
    };
    let (new, address) = if let Some(small) = small {
        let address = picture::large_address(&small.bytes);
        let webp = small.bytes.starts_with(b"RIFF");
        let (media, ending) = if webp {
            ("image/webp", "webp")
        } else {
            ("image/jpeg", "jpg")
        };
        let new = NewFile {
            name: format!("{PICTURE}.{ending}"),
            media: media.to_owned(),
            width: small.width,
            height: small.height,
            preview: small.preview,
            bytes: small.bytes,
        };
        (new, address)
    } else {
        let Some(bytes) = files::read(file).await else {
            return Stage::Unfit(Unfit::Size);
        };
        let new = NewFile {
            name: file.name(),
            media: "application/octet-stream".to_owned(),
            width: 0,
            height: 0,
            preview: Vec::new(),
            bytes,
        };
        (new, None)
    };
    let size = new.bytes.len() as u64;
    let command = Command::Attach {
        community,
        file: new,
    };
    match state.engine.ask(command).await {
        Ok(Reply::Attached(id)) => Stage::Ready(id, size, address),
        Ok(_) => Stage::Unfit(Unfit::Failed(Failure::Internal)),
        Err(failure) => Stage::Unfit(Unfit::Failed(failure)),
    }
}

/// The button by which files are chosen. What they may be is said before.
pub(crate) fn attaching(i18n: I18n, tray: Tray) -> AnyView {
    let id = format!("{}-files", tray.field);
    let labels = id.clone();
    let chosen = move |event| {
        let input: HtmlInputElement = event_target(&event);
        let chosen = files::all(input.files().as_ref());
        // The same file can be chosen again.
        input.set_value("");
        tray.add(chosen);
    };
    let limit = text(move || {
        let size = intl::bytes(i18n.get_locale(), FILE_BYTES_MAX as u64);
        t_string!(i18n, files.limit, size = size)
    });
    view! { class="u",
        <label class="file attach" for=labels>
            {icon(Icon::Clip)}
            <span>{t!(i18n, files.attach)}</span>
            <span class="attach-limit">{limit}</span>
            <input id=id class="unseen" type="file" multiple on:change=chosen/>
        </label>
    }
    .into_any()
}

/// What was chosen, in the order in which it will be shown.
pub(crate) fn tray(i18n: I18n, tray: Tray) -> AnyView {
    part(
        move || tray.items.with(|items| !items.is_empty()),
        move || {
            view! { class="u",
                <ul class="tray" role="list" aria-label=t!(i18n, files.chosen) data-test="tray">
                    {list(move || tray.items.get(), |item| item.number, move |item| chosen(i18n, tray, item))}
                </ul>
                <p class="composer-room" role="alert">{move || tray.full.get().then(|| t!(i18n, files.full))}</p>
            }
            .into_any()
        },
    )
}

fn chosen(i18n: I18n, tray: Tray, item: Item) -> AnyView {
    let Item {
        number,
        name,
        state,
        words,
    } = item;
    let look = state.clone();
    let thumb = move || match look.get() {
        Stage::Ready(_, _, Some(address)) => {
            view! { class="u", <img src=address alt=""/> }.into_any()
        }
        Stage::Unfit(_) => icon(Icon::Alert).into_any(),
        _ => icon(Icon::Clip).into_any(),
    };
    let (named, look, typed) = (name.clone(), state.clone(), words.clone());
    // A picture is asked what it shows; of anything else it is said what it is.
    let middle = move || {
        let words = typed.clone();
        let value = words.clone();
        match look.get() {
            Stage::Ready(_, _, Some(_)) => view! { class="u",
                <label class="tray-words">
                    <span>{t!(i18n, files.words)}</span>
                    <input
                        type="text"
                        dir="auto"
                        maxlength=(ALTERNATIVE_BYTES_MAX / 4).to_string()
                        prop:value=move || value.get()
                        on:input=move |event| words.set(event_target_value(&event))
                    />
                </label>
                <span class="tray-note">{t!(i18n, files.stripped)}</span>
            }
            .into_any(),
            Stage::Ready(_, size, None) => note(
                &named,
                text(move || {
                    let size = intl::bytes(i18n.get_locale(), size);
                    t_string!(i18n, files.as_is, size = size)
                }),
            ),
            Stage::Working => note(&named, t!(i18n, files.working)),
            Stage::Unfit(Unfit::Size) => note(
                &named,
                text(move || {
                    let size = intl::bytes(i18n.get_locale(), FILE_BYTES_MAX as u64);
                    t_string!(i18n, files.too_large, size = size)
                }),
            ),
            Stage::Unfit(Unfit::Failed(failure)) => note(
                &named,
                text(move || trouble::explain(i18n, failure).0.to_owned()),
            ),
        }
    };
    let act = move |id: String, label: Signal<String>, sign: Icon, run: Box<dyn Fn() + 'static>| {
        view! { class="u",
            <button id=id type="button" class="button quiet square" aria-label=label on:click=move |_| run()>{icon(sign)}</button>
        }
    };
    let (up, down, gone) = (name.clone(), name.clone(), name);
    view! { class="u",
        <li class="tray-item" data-test="tray-item">
            <span class="tray-thumb">{thumb}</span>
            <span class="tray-middle">{middle}</span>
            <span class="tray-acts">
                {act(tray.way(number, -1), t!(i18n, files.earlier, name = up.clone()), Icon::ArrowUp, Box::new(move || tray.shift(number, -1)))}
                {act(tray.way(number, 1), t!(i18n, files.later, name = down.clone()), Icon::ArrowDown, Box::new(move || tray.shift(number, 1)))}
                {act(tray.way(number, 0), t!(i18n, files.remove, name = gone.clone()), Icon::Close, Box::new(move || tray.remove(number)))}
            </span>
        </li>
    }
    .into_any()
}

fn note(name: &str, words: Signal<String>) -> AnyView {
    let name = name.to_owned();
    view! { class="u",
        <bdi class="file-name">{name}</bdi>
        <span class="tray-note" role="status">{words}</span>
    }
    .into_any()
}
