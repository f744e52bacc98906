//! How the page looks, as the person chose: attributes of the root, which the styles follow. `boot.js` sets them before anything
//! is drawn.
use super::memory;
use leptos::prelude::document;

/// `light` or `dark`; nothing: as the device.
pub(crate) const THEME: &str = "theme";
/// `small`, `large` or `huge`; nothing: normal.
pub(crate) const SIZE: &str = "size";
/// `compact`; nothing: roomy.
pub(crate) const SPACING: &str = "spacing";
/// `more`; nothing: as the device.
pub(crate) const CONTRAST: &str = "contrast";

/// What was chosen; empty: nothing.
pub(crate) fn chosen(what: &str) -> String {
    memory::recall(what).unwrap_or_default()
}

/// Chooses, and remembers that; empty: nothing.
pub(crate) fn choose(what: &str, value: &str) {
    memory::keep(what, Some(value).filter(|value| !value.is_empty()));
    let Some(root) = document().document_element() else {
        return;
    };
    let attribute = format!("data-{what}");
    // Both names are sound, so this cannot fail.
    let _ = if value.is_empty() {
        root.remove_attribute(&attribute)
    } else {
        root.set_attribute(&attribute, value)
    };
}
