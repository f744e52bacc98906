//! The translations in `locales/`, compiled in by `build.rs`.

use crate::components::live::effect;
use crate::platform::{intl, memory};
use leptos::prelude::{Get, RwSignal, Set, Signal, document, expect_context, provide_context};
use leptos_i18n::Locale as _;
use leptos_i18n::reexports::icu::plurals::{PluralCategory, PluralRuleType};

// Generated, which the lints of hand-written code do not fit.
#[allow(
    unused,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::expect_used
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/i18n.rs"));
}

pub(crate) use generated::i18n::{Locale, td_string};

/// A text in the current language, once; whoever reads it in a signal follows the language.
macro_rules! t_string {
    ($i18n:expr, $($key_and_values:tt)+) => {
        $crate::i18n::td_string!($i18n.get_locale(), $($key_and_values)+)
    };
}
pub(crate) use t_string;

/// A text in the current language, as a signal. All texts are of this one type, so that what draws them is compiled once:
/// with a type of its own for each the app is an eighth larger.
macro_rules! t {
    ($i18n:expr, $($key_and_values:tt)+) => {{
        let i18n = $i18n;
        $crate::i18n::text(move || {
            String::from($crate::i18n::t_string!(i18n, $($key_and_values)+))
        })
    }};
}
pub(crate) use t;

/// A text that follows what it is made of; boxed, so that a signal is compiled once and not for each text.
pub(crate) fn text(of: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    boxed(Box::new(of))
}

fn boxed(of: Box<dyn Fn() -> String + Send + Sync>) -> Signal<String> {
    Signal::derive(of)
}

/// The handle to the current language.
#[derive(Clone, Copy)]
pub(crate) struct I18n(RwSignal<Locale>);

impl I18n {
    /// The current language.
    pub(crate) fn get_locale(self) -> Locale {
        self.0.get()
    }

    /// Changes the language, and remembers that.
    pub(crate) fn choose(self, locale: Locale) {
        memory::keep(memory::LANGUAGE, Some(locale.as_str()));
        self.0.set(locale);
    }
}

/// The language of the page for all that is below: the one chosen, else the first that the browser prefers and we have.
pub(crate) fn provide() {
    let chosen = memory::recall(memory::LANGUAGE).and_then(|name| named(&name));
    let preferred = || intl::languages().iter().find_map(|tag| named(tag));
    let i18n = I18n(RwSignal::new(chosen.or_else(preferred).unwrap_or_default()));
    provide_context(i18n);
    effect(move || {
        let locale = i18n.get_locale();
        if let Some(root) = document().document_element() {
            // Both names are sound, so this cannot fail.
            let _ = root.set_attribute("lang", locale.as_str());
            let _ = root.set_attribute("dir", locale.direction().as_str());
        }
    });
}

/// The handle to the current language, from any component.
pub(crate) fn use_i18n() -> I18n {
    expect_context()
}

/// The language with this name; of "de-AT" the first part counts.
pub(crate) fn named(tag: &str) -> Option<Locale> {
    let name = tag.split('-').next()?;
    let all = Locale::get_all().iter().copied();
    all.into_iter().find(|locale| locale.as_str() == name)
}

/// What can be counted in a text.
pub(crate) trait Count {
    /// As browsers count.
    fn number(self) -> f64;
}

macro_rules! count {
    ($($type:ty),+) => {$(
        impl Count for $type {
            // Nobody sees the difference above 2^53.
            #[allow(clippy::cast_precision_loss, clippy::cast_lossless)]
            fn number(self) -> f64 {
                self as f64
            }
        }
    )+};
}
count!(u8, u16, u32, u64, usize);

/// A count that may change.
pub(crate) trait Counted: Fn() -> Self::Count + Clone + Send + Sync + 'static {
    type Count: Count;
}

impl<T: Count, F: Fn() -> T + Clone + Send + Sync + 'static> Counted for F {
    type Count = T;
}

/// Which plural a number takes in a language, for the generated code.
#[derive(Clone, Copy)]
pub(crate) struct PluralRules(Locale);

pub(crate) const fn plural_rules(locale: Locale, _: PluralRuleType) -> PluralRules {
    PluralRules(locale)
}

impl PluralRules {
    pub(crate) fn category_for(self, count: impl Count) -> PluralCategory {
        intl::plural(self.0, count.number())
    }
}

/// One text or the other, as things change.
pub(crate) fn choose(
    first: impl Fn() -> bool + Send + Sync + 'static,
    one: Signal<String>,
    other: Signal<String>,
) -> Signal<String> {
    text(move || if first() { one.get() } else { other.get() })
}
