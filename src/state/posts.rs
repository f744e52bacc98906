use super::State;
use crate::engine::Answer;
use crate::platform::focus;
use leptos::prelude::*;
use std::fmt::Write;
use std::sync::Arc;
use ume_api::{Command, EntryId, Failure, Hidden, Person, PostView};
use wasm_bindgen_futures::spawn_local;

/// What the sheet of a post shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// All texts that it had.
    Versions,
    /// How it came to its owner.
    Owners,
    /// The question before it is taken back.
    TakingBack,
}

/// What goes from one person to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Handing {
    /// One post.
    Post(Arc<PostView>),
    /// All posts of a person.
    All(Person),
    /// All that this person was and owned before they lost their key.
    Back(Person),
}

/// One line about what was just done, and how to undo it if that can be.
#[derive(Clone)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) undo: Option<Callback<()>>,
}

/// What this person does with single posts.
#[derive(Clone, Copy)]
pub(crate) struct Posts {
    /// The post that a menu, a sheet or an editor is about, as it was when that opened. Its row stands still meanwhile, so
    /// that nothing changes under a finger and the keyboard has a place to come back to.
    pub(crate) held: RwSignal<Option<Arc<PostView>>>,
    /// Whether the sheet of a post is open.
    pub(crate) sheet: RwSignal<bool>,
    /// What it shows.
    pub(crate) about: RwSignal<About>,
    /// The post that is being edited where it stands.
    pub(crate) editing: RwSignal<Option<EntryId>>,
    /// What is typed there.
    pub(crate) draft: RwSignal<String>,
    /// Hidden posts that are looked at all the same, until the next visit.
    pub(crate) peeked: RwSignal<Vec<EntryId>>,
    /// Whether the sheet for handing something over is open.
    pub(crate) hands: RwSignal<bool>,
    /// What is handed over in it.
    pub(crate) handing: RwSignal<Option<Handing>>,
    /// What was just done.
    pub(crate) word: RwSignal<Option<Word>>,
}

impl Posts {
    pub(super) fn new() -> Self {
        Self {
            held: RwSignal::new(None),
            sheet: RwSignal::new(false),
            about: RwSignal::new(About::Versions),
            editing: RwSignal::new(None),
            draft: RwSignal::new(String::new()),
            peeked: RwSignal::new(Vec::new()),
            hands: RwSignal::new(false),
            handing: RwSignal::new(None),
            word: RwSignal::new(None),
        }
    }

    /// Another community is open.
    pub(super) fn clear(self) {
        self.held.set(None);
        self.sheet.set(false);
        self.editing.set(None);
        self.peeked.set(Vec::new());
        self.hands.set(false);
        self.handing.set(None);
        self.word.set(None);
    }

    /// Opens the sheet of a post.
    pub(crate) fn show(self, post: Arc<PostView>, about: About) {
        self.held.set(Some(post));
        self.about.set(about);
        self.sheet.set(true);
    }

    /// Puts an editor in the place of a post's text.
    pub(crate) fn edit(self, post: Arc<PostView>) {
        self.draft.set(post.text.clone());
        self.editing.set(Some(post.id));
        self.held.set(Some(post));
        focus::later("#edit");
    }

    /// Lets the post go that was held, unless something is still about it.
    pub(crate) fn release(self) {
        if !self.sheet.get_untracked() && self.editing.get_untracked().is_none() {
            self.held.set(None);
        }
    }

    /// Ends editing; the keyboard goes back to the post.
    pub(crate) fn stop_editing(self) {
        if let Some(post) = self.editing.get_untracked() {
            self.editing.set(None);
            self.release();
            focus::settle(handle(post));
        }
    }

    /// Says what was done.
    pub(crate) fn say(self, text: String, undo: Option<Callback<()>>) {
        self.word.set(Some(Word { text, undo }));
    }
}

/// The id of the button of a post, where the keyboard comes back to.
pub(crate) fn handle(post: EntryId) -> String {
    let mut id = String::from("post-");
    for byte in &post.0[..8] {
        // Writing to a string cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}

impl State {
    /// Asks the engine; whoever is in another community by then is not told.
    pub(crate) fn ask(self, command: Command, then: impl FnOnce(Answer) + 'static) {
        self.ask_boxed(command, Box::new(then));
    }

    fn ask_boxed(self, command: Command, then: Box<dyn FnOnce(Answer)>) {
        let open = self.open.get_untracked();
        spawn_local(async move {
            let answer = self.engine.ask(command).await;
            if self.open.get_untracked() == open {
                then(answer);
            }
        });
    }

    /// Opens the sheet in which something is handed over.
    pub(crate) fn hand(self, what: Handing) {
        self.people.failure.set(None);
        self.posts.handing.set(Some(what));
        self.posts.hands.set(true);
        self.look_at_people();
    }

    /// Hides something from this person, or shows it again. `done` is called when it is so.
    pub(crate) fn hide(
        self,
        what: Hidden,
        on: bool,
        done: impl FnOnce(Result<(), Failure>) + 'static,
    ) {
        let Some(community) = self.open.get_untracked() else {
            return;
        };
        let command = Command::Hide {
            community,
            what,
            on,
        };
        self.ask(command, move |answer| done(answer.map(drop)));
    }
}
