//! Dates, times and plurals as the browser writes them: its own tables cost no download.
use crate::i18n::Locale;
use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use std::cell::RefCell;
use std::collections::BTreeMap;
use wasm_bindgen::JsValue;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Milliseconds since 1970.
// A date's milliseconds are whole and far below 2^53.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn now() -> u64 {
    Date::now() as u64
}

/// "3 minutes ago", "in 7 days", "now".
pub(crate) fn relative(locale: Locale, at: u64, now: u64) -> String {
    let seconds = (at.cast_signed() - now.cast_signed()) / 1000;
    let (value, unit) = match seconds.abs() {
        0..45 => (0, "second"),
        45..HOUR => (nearest(seconds, MINUTE), "minute"),
        HOUR..DAY => (nearest(seconds, HOUR), "hour"),
        _ => (nearest(seconds, DAY), "day"),
    };
    formatters(locale, |formatters| {
        // Small whole numbers.
        #[allow(clippy::cast_precision_loss)]
        formatters.relative.format(value as f64, unit).into()
    })
}

/// How long so many seconds are, in the largest unit that fits: "2 hours".
pub(crate) fn duration(locale: Locale, seconds: u64) -> String {
    let seconds = seconds.min(i64::MAX.cast_unsigned()).cast_signed();
    let (value, unit) = match seconds {
        0..MINUTE => (seconds, "second"),
        MINUTE..HOUR => (nearest(seconds, MINUTE), "minute"),
        HOUR..DAY => (nearest(seconds, HOUR), "hour"),
        _ => (nearest(seconds, DAY), "day"),
    };
    // Small whole numbers.
    #[allow(clippy::cast_precision_loss)]
    let value = value as f64;
    measure(locale, value, unit, "long")
}

/// A time of a few seconds: "0.5 seconds", "2 seconds".
pub(crate) fn seconds(locale: Locale, milliseconds: u32) -> String {
    measure(locale, f64::from(milliseconds) / 1000.0, "second", "long")
}

/// How much so many bytes are: "1.4 MB".
pub(crate) fn bytes(locale: Locale, bytes: u64) -> String {
    let (one, unit) = match bytes {
        0..1_000 => (1, "byte"),
        1_000..1_000_000 => (1_000, "kilobyte"),
        1_000_000..1_000_000_000 => (1_000_000, "megabyte"),
        _ => (1_000_000_000, "gigabyte"),
    };
    // Tenths are all that is shown.
    #[allow(clippy::cast_precision_loss)]
    let tenths = (bytes / (one / 10).max(1)) as f64;
    measure(
        locale,
        if one == 1 { tenths } else { tenths / 10.0 },
        unit,
        "short",
    )
}

fn measure(locale: Locale, value: f64, unit: &str, display: &str) -> String {
    let options = options(&[("style", "unit"), ("unit", unit), ("unitDisplay", display)]);
    let format = Intl::NumberFormat::new(&tags(locale), &options).format();
    text(&format, &JsValue::from_f64(value))
}

/// "14:05".
pub(crate) fn time(locale: Locale, at: u64) -> String {
    formatters(locale, |formatters| text(&formatters.time, &date(at)))
}

/// An hour of the day: "22:00".
pub(crate) fn hour(locale: Locale, hour: u8) -> String {
    let date = Date::new_with_year_month_day_hr(2000, 0, 1, i32::from(hour));
    formatters(locale, |formatters| text(&formatters.time, &date))
}

/// "Saturday, 21 November 2026".
pub(crate) fn day(locale: Locale, at: u64) -> String {
    formatters(locale, |formatters| text(&formatters.day, &date(at)))
}

/// When a local day begins, or so many days later, from how a field for dates writes it: "2026-11-21".
// A date's milliseconds are whole and far below 2^53.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn midnight(day: &str, later: i32) -> Option<u64> {
    let mut parts = day.splitn(3, '-').map(str::parse::<i32>);
    let (year, month, day) = (
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    // The year 26 is that of 1926 to whoever made this.
    let year = u32::try_from(year).ok().filter(|year| *year >= 100)?;
    let at = Date::new_with_year_month_day(year, month - 1, day + later).get_time();
    (at >= 0.0).then_some(at as u64)
}

/// The number of the local day, to tell days apart.
pub(crate) fn day_number(at: u64) -> (u32, u32, u32) {
    let date = date(at);
    (date.get_full_year(), date.get_month(), date.get_date())
}

/// As machines read it, for `<time datetime>`.
pub(crate) fn iso(at: u64) -> String {
    date(at).to_iso_string().into()
}

/// Which plural a number takes: "zero", "one", "two", "few", "many" or "other".
pub(crate) fn plural(locale: Locale, count: f64) -> String {
    formatters(locale, |formatters| formatters.plurals.select(count).into())
}

/// "1,024".
pub(crate) fn number(locale: Locale, number: f64) -> String {
    formatters(locale, |formatters| {
        text(&formatters.number, &JsValue::from_f64(number))
    })
}

/// The languages that the browser prefers, the best first, as tags: "de-AT".
pub(crate) fn languages() -> Vec<String> {
    let tags = leptos::prelude::window().navigator().languages();
    tags.iter().filter_map(|tag| tag.as_string()).collect()
}

struct Formatters {
    plurals: Intl::PluralRules,
    number: Function,
    relative: Intl::RelativeTimeFormat,
    time: Function,
    day: Function,
}

impl Formatters {
    fn new(locale: Locale) -> Self {
        let tags = tags(locale);
        let clock = [("hour", "2-digit"), ("minute", "2-digit")];
        let day = [
            ("weekday", "long"),
            ("day", "numeric"),
            ("month", "long"),
            ("year", "numeric"),
        ];
        Self {
            plurals: Intl::PluralRules::new(&tags, &Object::new()),
            number: Intl::NumberFormat::new(&tags, &Object::new()).format(),
            relative: Intl::RelativeTimeFormat::new(&tags, &options(&[("numeric", "auto")])),
            time: Intl::DateTimeFormat::new(&tags, &options(&clock)).format(),
            day: Intl::DateTimeFormat::new(&tags, &options(&day)).format(),
        }
    }
}

thread_local! {
    /// A formatter takes longer to make than to use.
    static MADE: RefCell<BTreeMap<&'static str, Formatters>> = const { RefCell::new(BTreeMap::new()) };
}

fn formatters<T>(locale: Locale, use_them: impl FnOnce(&Formatters) -> T) -> T {
    MADE.with_borrow_mut(|made| {
        use_them(
            made.entry(locale.as_str())
                .or_insert_with(|| Formatters::new(locale)),
        )
    })
}

/// The device's own flavour of the app's language ("en-GB" before "en"), so that times look as everywhere else on it.
fn tags(locale: Locale) -> Array {
    let wanted = locale.as_str();
    let tags = Array::new();
    for tag in languages() {
        if tag.split('-').next() == Some(wanted) {
            tags.push(&tag.into());
        }
    }
    tags.push(&wanted.into());
    tags
}

fn options(pairs: &[(&str, &str)]) -> Object {
    let options = Object::new();
    for (key, value) in pairs {
        // Setting a property of a plain object cannot fail.
        let _ = Reflect::set(&options, &(*key).into(), &(*value).into());
    }
    options
}

/// The last date that browsers know. What comes over the network may be later, and an invalid date throws.
const LAST_DATE: u64 = 8_640_000_000_000_000;

fn date(at: u64) -> Date {
    // Below 2^53, so nothing is lost.
    #[allow(clippy::cast_precision_loss)]
    Date::new(&JsValue::from_f64(at.min(LAST_DATE) as f64))
}

fn text(format: &Function, value: &JsValue) -> String {
    let written = format.call1(&JsValue::UNDEFINED, value).ok();
    written
        .and_then(|written| written.as_string())
        .unwrap_or_default()
}

fn nearest(seconds: i64, unit: i64) -> i64 {
    (seconds + seconds.signum() * unit / 2) / unit
}
