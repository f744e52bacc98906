//! The translations in `locales/`: their names are compiled in by `build.rs`, their texts are fetched, one language at a time.
use crate::components::live::effect;
use crate::platform::boot::{self, Words};
use crate::platform::{intl, memory};
use leptos::prelude::{Get, RwSignal, Set, Signal, document, expect_context, provide_context};

/// The names of the texts, as `build.rs` wrote them. One that nobody uses is a text that nobody says.
// Generated: its names are those of the texts.
#[allow(non_camel_case_types, non_upper_case_globals, clippy::wildcard_imports)]
#[deny(dead_code)]
pub(crate) mod words {
    use super::{Given, Language, Locale, Plain};

    include!(concat!(env!("OUT_DIR"), "/words.rs"));
}

pub(crate) use words::LANGUAGES;

/// A text in the current language, once; whoever reads it in a signal follows the language.
macro_rules! t_string {
    ($i18n:expr, $($key:ident).+) => {
        $crate::i18n::words::$($key)::+.say($i18n.get_locale())
    };
    ($i18n:expr, $($key:ident).+ $(, $gap:ident = $value:expr)+ $(,)?) => {
        $crate::i18n::words::$($key)::+ { $($gap: $crate::i18n::Give::give(&$value)),+ }
            .say($i18n.get_locale())
    };
}
pub(crate) use t_string;

/// A text in the current language, as a signal. All texts are of this one type, so that what draws them is compiled once:
/// with a type of its own for each the app is an eighth larger.
macro_rules! t {
    ($i18n:expr, $($key:ident).+) => {
        $crate::i18n::words::$($key)::+.signal($i18n)
    };
    ($i18n:expr, $($key_and_values:tt)+) => {{
        let i18n = $i18n;
        $crate::i18n::text(move || {
            String::from($crate::i18n::t_string!(i18n, $($key_and_values)+))
        })
    }};
}
pub(crate) use t;

/// A text without gaps: a number, which takes less than a function for each.
#[derive(Clone, Copy)]
pub(crate) struct Plain(usize);

impl Plain {
    #[inline(never)]
    pub(crate) fn say(self, locale: Locale) -> &'static str {
        locale.0.texts.get(self.0).copied().unwrap_or_default()
    }

    #[inline(never)]
    pub(crate) fn signal(self, i18n: I18n) -> Signal<String> {
        Signal::derive(move || self.say(i18n.get_locale()).to_owned())
    }
}

/// A text that follows what it is made of; boxed, so that a signal is compiled once and not for each text.
pub(crate) fn text(of: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    boxed(Box::new(of))
}

fn boxed(of: Box<dyn Fn() -> String + Send + Sync>) -> Signal<String> {
    Signal::derive(of)
}

/// A language that ume speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Language {
    /// As in addresses and in `lang`.
    pub(crate) name: &'static str,
    /// As those who speak it call it.
    pub(crate) own_name: &'static str,
    /// Whether it is written from right to left.
    pub(crate) rtl: bool,
}

/// A language whose texts are here. One that was loaded stays: there are few.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Locale(&'static Loaded);

#[derive(Debug)]
struct Loaded {
    language: Language,
    /// In the order of the generated names.
    texts: Vec<&'static str>,
}

impl PartialEq for Locale {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Locale {}

impl Locale {
    /// From the table that `boot.js` fetched.
    fn load(words: Words) -> Self {
        let language = LANGUAGES.into_iter().find(|one| one.name == words.name);
        let table: &'static str = Box::leak(words.table.into_boxed_str());
        let texts = table.split('\n').collect();
        Self(Box::leak(Box::new(Loaded {
            language: language.unwrap_or(LANGUAGES[0]),
            texts,
        })))
    }

    /// As in `lang`.
    pub(crate) fn as_str(self) -> &'static str {
        self.0.language.name
    }

    /// Whether it is written from right to left.
    pub(crate) fn is_rtl(self) -> bool {
        self.0.language.rtl
    }

    /// A text with its gaps filled, in the form for so many if it counts.
    #[inline(never)]
    pub(crate) fn fill(self, number: usize, count: Option<Given>, given: &[Given]) -> String {
        let whole = Plain(number).say(self);
        let mut forms = whole.split('|');
        let mut text = forms.next().unwrap_or_default();
        if let Some(Given::Number(count)) = count {
            let plural = intl::plural(self, count);
            // Of `other`, the form that stands first, no other has the name.
            let starts = |form: &str| plural != "other" && form.get(..1) == plural.get(..1);
            if let Some(form) = forms.find(|form| starts(form)) {
                text = form.get(1..).unwrap_or_default();
            }
        }
        let mut filled = String::new();
        for (at, piece) in text.split(['{', '}']).enumerate() {
            let gap = (at % 2 == 1).then(|| piece.parse().ok()).flatten();
            match gap.and_then(|gap: usize| given.get(gap)) {
                Some(Given::Text(text)) => self.place(&mut filled, text),
                Some(Given::Number(number)) => filled.push_str(&intl::number(self, *number)),
                None => filled.push_str(piece),
            }
        }
        filled
    }

    /// Puts in what somebody else wrote: where one of the two runs from right to left, set off from what is around it, so that
    /// neither turns the other.
    fn place(self, into: &mut String, text: &str) {
        let turns = |letter: char| ('\u{590}'..='\u{8ff}').contains(&letter);
        if self.0.language.rtl || text.chars().any(turns) {
            into.push('\u{2068}');
            into.push_str(text);
            into.push('\u{2069}');
        } else {
            into.push_str(text);
        }
    }
}

/// The handle to the current language.
#[derive(Clone, Copy)]
pub(crate) struct I18n(RwSignal<Locale>);

impl I18n {
    /// The current language.
    pub(crate) fn get_locale(self) -> Locale {
        self.0.get()
    }

    /// Fetches a language, changes to it, and remembers that. Says whether it could be had.
    pub(crate) async fn choose(self, name: &str) -> bool {
        let Some(words) = boot::fetch_words(name).await else {
            return false;
        };
        memory::keep(memory::LANGUAGE, Some(name));
        self.0.set(Locale::load(words));
        true
    }
}

/// The language of the page for all that is below: the one that `boot.js` fetched.
pub(crate) fn provide() {
    let i18n = I18n(RwSignal::new(Locale::load(boot::words())));
    provide_context(i18n);
    effect(move || {
        let Language { name, rtl, .. } = i18n.get_locale().0.language;
        if let Some(root) = document().document_element() {
            // Both names are sound, so this cannot fail.
            let _ = root.set_attribute("lang", name);
            let _ = root.set_attribute("dir", if rtl { "rtl" } else { "ltr" });
        }
    });
}

/// The handle to the current language, from any component.
pub(crate) fn use_i18n() -> I18n {
    expect_context()
}

/// What fills a gap.
#[derive(Clone, Copy)]
pub(crate) enum Given<'a> {
    /// As it is.
    Text(&'a str),
    /// As the language writes numbers.
    Number(f64),
}

/// What can fill a gap.
pub(crate) trait Give {
    fn give(&self) -> Given<'_>;
}

impl Give for String {
    fn give(&self) -> Given<'_> {
        Given::Text(self)
    }
}

impl Give for str {
    fn give(&self) -> Given<'_> {
        Given::Text(self)
    }
}

impl<T: Give + ?Sized> Give for &T {
    fn give(&self) -> Given<'_> {
        (**self).give()
    }
}

macro_rules! numbers {
    ($($type:ty),+) => {$(
        impl Give for $type {
            // Nobody sees the difference above 2^53.
            #[allow(clippy::cast_precision_loss, clippy::cast_lossless)]
            fn give(&self) -> Given<'_> {
                Given::Number(*self as f64)
            }
        }
    )+};
}
numbers!(u8, u16, u32, u64, usize);

/// One text or the other, as things change.
pub(crate) fn choose(
    first: impl Fn() -> bool + Send + Sync + 'static,
    one: Signal<String>,
    other: Signal<String>,
) -> Signal<String> {
    text(move || if first() { one.get() } else { other.get() })
}
