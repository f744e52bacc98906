//! The page's `boot.js`: the texts, the invite that the address carried, the engine's worker, the last resort.
use js_sys::{Array, Function, Promise, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Worker;

/// The texts of a language, as a table.
pub(crate) struct Words {
    /// Of the language.
    pub(crate) name: String,
    /// A text a line.
    pub(crate) table: String,
}

/// The texts that were fetched before the app began.
pub(crate) fn words() -> Words {
    read_words(&member("words").unwrap_or_default())
}

/// Fetches those of another language.
pub(crate) async fn fetch_words(name: &str) -> Option<Words> {
    let function: Function = member("read")?.dyn_into().ok()?;
    let fetching: Promise = function
        .call1(&JsValue::UNDEFINED, &name.into())
        .ok()?
        .dyn_into()
        .ok()?;
    Some(read_words(&JsFuture::from(fetching).await.ok()?))
}

fn read_words(words: &JsValue) -> Words {
    let part = |name: &str| string(words, name).unwrap_or_default();
    Words {
        name: part("name"),
        table: part("table"),
    }
}

/// The invite link that the address carried, once.
pub(crate) fn take_link() -> Option<String> {
    call("link")?.as_string()
}

/// Where a shortcut leads: `add`, `start` or `settings`.
pub(crate) fn goal() -> Option<String> {
    member("goal")?.as_string()
}

/// The engine's worker; the first call starts it.
pub(crate) fn engine() -> Option<Worker> {
    call("engine")?.dyn_into().ok()
}

/// Shows the page's own last words, for when the app itself is broken.
pub(crate) fn fail() {
    call("fail");
}

/// Locks: the engine ends, in all tabs, and every page begins anew.
pub(crate) fn lock() {
    call("lock");
}

/// Asks the browser not to clear what is stored here. It may ask the person, or decide by itself.
pub(crate) fn persist() {
    call("persist");
}

/// A member of `globalThis.ume`, which `boot.js` made.
pub(super) fn member(name: &str) -> Option<JsValue> {
    let ume = Reflect::get(&js_sys::global(), &"ume".into()).ok()?;
    Reflect::get(&ume, &name.into()).ok()
}

/// Throws the stored copy of the app away and loads it again; says if that cannot be.
pub(crate) async fn renew() -> bool {
    let renewing = call("renew").and_then(|renewing| renewing.dyn_into::<Promise>().ok());
    match renewing {
        Some(renewing) => JsFuture::from(renewing).await.is_ok(),
        None => false,
    }
}

/// Which build this is: the digits by which `boot.js` is named. It names all that the page is made of, by digits of that.
pub(crate) fn build() -> Option<String> {
    let script = document().query_selector("script[src*='boot-']").ok()??;
    let address = script.get_attribute("src")?;
    let digits = address.split_once("boot-")?.1.strip_suffix(".js")?;
    Some(digits.to_owned())
}

/// What the browser calls itself.
pub(crate) fn browser() -> String {
    window().navigator().user_agent().unwrap_or_default()
}

pub(super) fn call(name: &str) -> Option<JsValue> {
    let function: Function = member(name)?.dyn_into().ok()?;
    function.call0(&JsValue::UNDEFINED).ok()
}

/// Takes away what stood there before the app did.
pub(crate) fn remove_splash() {
    if let Some(splash) = document().get_element_by_id("splash") {
        splash.remove();
    }
}

/// What this host calls its copy, and what it has to say about it.
#[derive(Clone, Debug)]
pub(crate) struct Brand {
    /// The name.
    pub(crate) name: String,
    /// Address of its icon, if it is not ume's own.
    pub(crate) icon: Option<String>,
    /// The languages that it offers.
    pub(crate) languages: Vec<String>,
    /// The relay that new communities start on.
    relay: Option<String>,
    notice: JsValue,
}

impl Brand {
    /// What the host wants people to know, in this language if it says it in this one.
    pub(crate) fn notice(&self, language: &str) -> Option<String> {
        let first = self.languages.first().map_or("en", String::as_str);
        [language, first, "en"]
            .into_iter()
            .find_map(|language| string(&self.notice, language))
    }
}

/// As `boot.js` learned it.
pub(crate) fn brand() -> Brand {
    let brand = member("brand").unwrap_or_default();
    let part = |name: &str| Reflect::get(&brand, &name.into()).unwrap_or_default();
    let languages: Array = part("languages").dyn_into().unwrap_or_default();
    Brand {
        name: string(&brand, "name").unwrap_or_else(|| "ume".to_owned()),
        icon: string(&brand, "icon"),
        languages: languages.iter().filter_map(|one| one.as_string()).collect(),
        relay: string(&brand, "relay"),
        notice: part("notice"),
    }
}

fn string(of: &JsValue, name: &str) -> Option<String> {
    Reflect::get(of, &name.into()).ok()?.as_string()
}

/// Address of the relay that a new community starts on: this page's own, unless the host or the page names another.
pub(crate) fn relay() -> String {
    if let Some(relay) = brand().relay {
        return relay;
    }
    document()
        .query_selector("meta[name=ume-relay]")
        .ok()
        .flatten()
        .and_then(|meta| meta.get_attribute("content"))
        .filter(|address| !address.is_empty())
        .unwrap_or_else(|| location().origin().unwrap_or_default())
}

/// Calls back when the address of the open page is changed to an invite.
pub(crate) fn on_link(callback: impl Fn(String) + 'static) {
    let event = leptos::ev::Custom::<web_sys::Event>::new("ume-link");
    let listener = window_event_listener(event, move |_| {
        if let Some(link) = take_link() {
            callback(link);
        }
    });
    // For the life of the page.
    std::mem::forget(listener);
}

/// Loads the page again.
pub(crate) fn reload() {
    let _ = location().reload();
}
