//! After the first post and the word about keys: that ume can be an app of its own on this device. Once, and never again once
//! somebody says no.
use super::icon::{Icon, icon};
use super::live::part;
use crate::i18n::{choose, t, use_i18n};
use crate::platform::install::{self, Way};
use crate::platform::memory;
use leptos::prelude::*;

/// The offer, while it stands.
pub(crate) fn offer() -> AnyView {
    let i18n = use_i18n();
    let way = RwSignal::new(open());
    install::on_change(move || {
        // Nobody may be looking at this feed any more.
        way.try_set(open());
    });
    let over = move || {
        memory::keep(memory::INSTALL_REFUSED, Some("yes"));
        way.set(None);
    };
    let by_hand = move || way.get() == Some(Way::Share);
    part(
        move || way.get().is_some(),
        move || {
            view! { class="u",
                <div class="strip" role="status" data-test="install">
                    {icon(Icon::Plus)}
                    <p>{choose(by_hand, t!(i18n, install.by_hand), t!(i18n, install.text))}</p>
                    {part(move || !by_hand(), move || view! { class="u",
                        <button type="button" class="button quiet" on:click=move |_| install::ask()>
                            {t!(i18n, install.go)}
                        </button>
                    }.into_any())}
                    <button type="button" class="button quiet square" aria-label=t!(i18n, notice.dismiss) on:click=move |_| over()>
                        {icon(Icon::Close)}
                    </button>
                </div>
            }
            .into_any()
        },
    )
}

/// One word at a time: this one comes after the one about keys.
fn open() -> Option<Way> {
    let said = |key| memory::recall(key).is_some();
    (said(memory::REMINDED) && !said(memory::INSTALL_REFUSED))
        .then(install::way)
        .flatten()
}
