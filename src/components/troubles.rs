//! What is not as it should be in a community, and what is being done about it, for whoever wants to know.
use super::icon::{Icon, icon};
use super::live::{memo, part};
use crate::i18n::{I18n, t, t_string, use_i18n};
use leptos::prelude::*;
use ume_api::{CommunityView, Trouble};

/// One line, and behind it what is going on; nothing if all is well.
#[component]
pub(crate) fn Troubles(community: Memo<Option<CommunityView>>) -> impl IntoView {
    let i18n = use_i18n();
    let all = memo(move || {
        community.with(|one| {
            let troubles = one.as_ref().map(|one| one.troubles.clone());
            troubles.unwrap_or_default()
        })
    });
    part(
        move || all.with(|all| !all.is_empty()),
        move || {
            view! { class="u",
                <details class="troubles" data-test="troubles">
                    <summary>{icon(Icon::Hourglass)} {t!(i18n, trouble.title)}</summary>
                    <ul>
                        {move || all.get().into_iter().filter_map(|one| words(i18n, one)).map(|words| view! { class="u",
                            <li>{words}</li>
                        }).collect_view()}
                    </ul>
                </details>
            }
            .into_any()
        },
    )
}

fn words(i18n: I18n, trouble: Trouble) -> Option<String> {
    Some(match trouble {
        Trouble::KeysLost => t_string!(i18n, trouble.keys_lost).to_owned(),
        Trouble::Undone => t_string!(i18n, trouble.undone).to_owned(),
        Trouble::PuttingBack => t_string!(i18n, trouble.putting_back).to_owned(),
        Trouble::Damaged { count } => t_string!(i18n, trouble.damaged, count = count),
        Trouble::Undecided { count } => t_string!(i18n, trouble.undecided, count = count),
        Trouble::Refused { count } => t_string!(i18n, trouble.refused, count = count),
        _ => return None,
    })
}
