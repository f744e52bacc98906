//! Small choices that outlive the page. Nothing secret belongs here.
use leptos::prelude::window;
use web_sys::Storage;

/// Set once this profile has a community: the engine starts with the page then.
pub(crate) const KNOWN: &str = "known";
/// The local number of the community that was open last.
pub(crate) const OPEN: &str = "open";
/// How far to hide when there is something to say: `off`, `balanced` or `strong`; nothing: balanced.
pub(crate) const COVER: &str = "cover";
/// Set once somebody was reminded of keeping their key.
pub(crate) const REMINDED: &str = "reminded";
/// Set once somebody read how ume works.
pub(crate) const INTRODUCED: &str = "introduced";
/// Set once somebody did not want an app of its own.
pub(crate) const INSTALL_REFUSED: &str = "install-refused";
/// Whether somebody wants to be woken: `on` or `off`; nothing: not asked yet.
pub(crate) const NOTICES: &str = "notices";
/// Hours in which no notice is to be heard, as `22-7`.
pub(crate) const QUIET: &str = "quiet";
/// Emoji that were used last, the newest first.
pub(crate) const EMOJI: &str = "emoji";
/// The language, if somebody chose one.
pub(crate) const LANGUAGE: &str = "language";

/// Reads a choice.
pub(crate) fn recall(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

/// Keeps a choice, or forgets it.
pub(crate) fn keep(key: &str, value: Option<&str>) {
    let Some(storage) = storage() else { return };
    // A full or forbidden storage costs no more than the choice.
    let _ = match value {
        Some(value) => storage.set_item(key, value),
        None => storage.remove_item(key),
    };
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}
