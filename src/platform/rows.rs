//! Rows of a long list of which only some are drawn, as the browser sees them.
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, FocusOptions, HtmlElement, HtmlOListElement, ResizeObserver};

/// What a row is about.
const ARTICLE: &str = "article, [role=article]";

/// Tells when rows become higher or lower, until it is dropped.
pub(crate) struct Watch(ResizeObserver, #[allow(dead_code)] Closure<dyn FnMut()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.disconnect();
    }
}

/// Watches how high all rows are together, and how wide.
pub(crate) fn watch(list: &HtmlOListElement, changed: impl FnMut() + 'static) -> Option<Watch> {
    let changed = Closure::<dyn FnMut()>::new(changed);
    let observer = ResizeObserver::new(changed.as_ref().unchecked_ref()).ok()?;
    observer.observe(list);
    Some(Watch(observer, changed))
}

/// How high the first rows are, pixels; fewer if they are not all there.
pub(crate) fn heights(list: &HtmlOListElement, count: usize) -> Vec<f64> {
    children(list)
        .take(count)
        .map(|row| row.get_bounding_client_rect().height())
        .collect()
}

/// Leaves room above and below the rows, pixels.
pub(crate) fn pad(list: &HtmlOListElement, above: f64, below: f64) {
    // Whole pixels, and far fewer than 2^31; such lengths are sound.
    #[allow(clippy::cast_possible_truncation)]
    let (above, below) = (above.round() as i32, below.round() as i32);
    let _ = list
        .style()
        .set_property("padding-block", &format!("{above}px {below}px"));
}

/// Says which of all rows these are; how many there are is not always known. Rows that know it already stand together: what
/// is new is before them and after them.
pub(crate) fn count(list: &HtmlOListElement, first: usize, all: Option<usize>) {
    let all = all.map_or_else(|| "-1".to_owned(), |all| all.to_string());
    let rows = list.children();
    let known = |at: &u32| {
        let row = rows.item(*at).and_then(|row| row.last_element_child());
        let Some(article) = row.filter(|one| one.matches(ARTICLE) == Ok(true)) else {
            return false;
        };
        let place = (first + *at as usize + 1).to_string();
        let is = |name: &str, value: &String| article.get_attribute(name).as_ref() == Some(value);
        if is("aria-posinset", &place) && is("aria-setsize", &all) {
            return true;
        }
        // Both are sound.
        let _ = article.set_attribute("aria-posinset", &place);
        let _ = article.set_attribute("aria-setsize", &all);
        false
    };
    let end = rows.length();
    if let Some(from) = (0..end).find(known) {
        let _ = (from..end).rev().find(known);
    }
}

/// In which row the focus is.
pub(crate) fn focused(list: &HtmlOListElement) -> Option<usize> {
    let active = document()
        .active_element()
        .filter(|active| list.contains(Some(active)))?;
    children(list).position(|row| row.contains(Some(&active)))
}

/// Moves the focus to the box, without scrolling it.
pub(crate) fn focus(scroller: &HtmlElement) {
    let options = FocusOptions::new();
    options.set_prevent_scroll(true);
    let _ = scroller.focus_with_options(&options);
}

/// The same, if it is nowhere: what had it is not drawn any more.
pub(crate) fn take_focus(scroller: &HtmlElement) {
    let active = document().active_element();
    if active.is_none_or(|element| element.tag_name() == "BODY") {
        focus(scroller);
    }
}

/// Moves the focus from one article to another, as readers of a feed are used to; whether it was in one.
pub(crate) fn step(down: bool) -> bool {
    let row = document()
        .active_element()
        .and_then(|active| active.closest("li.row").ok().flatten());
    let Some(row) = row else { return false };
    let next = if down {
        row.next_element_sibling()
    } else {
        row.previous_element_sibling()
    };
    let article = next.and_then(|next| next.last_element_child());
    if let Some(article) = article.and_then(|one| one.dyn_into::<HtmlElement>().ok()) {
        let _ = article.focus();
    }
    true
}

fn children(list: &HtmlOListElement) -> impl Iterator<Item = Element> {
    let children = list.children();
    (0..children.length()).filter_map(move |at| children.item(at))
}
