//! The translations in `locales/`, compiled in by `build.rs`.

use leptos::prelude::{Get, Signal};

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

pub(crate) use generated::i18n::{I18nContextProvider, Locale, t_string, use_i18n};

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
pub(crate) type I18n = leptos_i18n::I18nContext<Locale>;

/// One text or the other, as things change.
pub(crate) fn choose(
    first: impl Fn() -> bool + Send + Sync + 'static,
    one: Signal<String>,
    other: Signal<String>,
) -> Signal<String> {
    text(move || if first() { one.get() } else { other.get() })
}
