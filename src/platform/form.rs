//! What stands in the fields of the page.
use js_sys::JsString;
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

/// What was typed into a field, in one writing for what looks the same (NFKC), whichever keyboard it comes from.
pub(crate) fn typed(id: &str) -> String {
    let value = field(id).map(|field| field.value()).unwrap_or_default();
    JsString::from(value).normalize("NFKC").into()
}

/// Whether a box is ticked.
pub(crate) fn ticked(id: &str) -> bool {
    field(id).is_some_and(|field| field.checked())
}

/// Which option is chosen, as its value.
pub(crate) fn chosen(id: &str) -> u16 {
    // A list of options has a value like a field.
    document()
        .get_element_by_id(id)
        .and_then(|list| {
            js_sys::Reflect::get(&list, &"value".into())
                .ok()?
                .as_string()
        })
        .and_then(|value| value.parse().ok())
        .unwrap_or_default()
}

fn field(id: &str) -> Option<HtmlInputElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}
