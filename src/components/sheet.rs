//! A native dialog: from below on phones, in the middle elsewhere. Esc and a tap beside it close it.
use super::icon::{Icon, icon};
use super::live::effect;
use crate::i18n::{t, use_i18n};
use crate::platform::focus;
use leptos::prelude::*;
use leptos::{ev, html};

/// A dialog with a heading and a close button.
#[component]
pub(crate) fn Sheet(
    open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    /// For tests and labels, unique on the page.
    name: &'static str,
    children: ChildrenFn,
) -> impl IntoView {
    let i18n = use_i18n();
    let dialog = NodeRef::<html::Dialog>::new();
    let children = StoredValue::new(children);
    effect(move || {
        let Some(dialog) = dialog.get() else { return };
        match (open.get(), dialog.open()) {
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    // A click on the dialog itself, not on what is in it, is a click beside it.
    let beside = move |event: ev::MouseEvent| {
        let on_dialog = dialog
            .get_untracked()
            .is_some_and(|dialog| event.target().as_ref() == Some(&dialog));
        if on_dialog {
            open.set(false);
        }
    };
    let title_id = format!("{name}-title");
    let labelled_by = title_id.clone();
    view! { class="u",
        <dialog
            node_ref=dialog
            class="sheet"
            data-test=name
            aria-labelledby=labelled_by
            on:close=move |_| {
                open.set(false);
                focus::rescue();
            }
            on:click=beside
        >
            <div class="sheet-body">
                <header class="sheet-head">
                    <h2 id=title_id>{move || title.get()}</h2>
                    <button
                        type="button"
                        class="button quiet square"
                        aria-label=t!(i18n, app.close)
                        on:click=move |_| open.set(false)
                    >
                        {icon(Icon::Close)}
                    </button>
                </header>
                {move || open.get().then(|| children.with_value(|children| children()))}
            </div>
        </dialog>
    }
}
