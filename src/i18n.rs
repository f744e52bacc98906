//! The translations in `locales/`, compiled in by `build.rs`.

// Generated, which the lints of hand-written code do not fit.
#[allow(unused, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/i18n.rs"));
}

pub(crate) use generated::i18n::{I18nContextProvider, Locale, t, t_string, use_i18n};

/// The handle to the current language.
pub(crate) type I18n = leptos_i18n::I18nContext<Locale>;
