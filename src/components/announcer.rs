//! Says what changed to people who do not see it: one polite voice, which never speaks per post.
use super::live::effect;
use crate::i18n::{t_string, use_i18n};
use crate::platform::timer;
use crate::state::Feed;
use leptos::prelude::*;

const PAUSE_MS: u64 = 2_500;

/// Announces what others wrote, in a feed or a thread; what comes within a few seconds in one go.
#[component]
pub(crate) fn Announcer(feed: Feed) -> impl IntoView {
    let i18n = use_i18n();
    let said = RwSignal::new(String::new());
    // What arrived while another page was shown has been said there, or is seen here.
    let counted = StoredValue::new(feed.arrived.get_untracked());
    let due = StoredValue::new(false);
    effect(move || {
        let arrived = feed.arrived.get();
        if arrived <= counted.get_value() {
            // Another feed.
            counted.set_value(arrived);
            return;
        }
        if due.get_value() {
            return;
        }
        due.set_value(true);
        timer::after(PAUSE_MS, move || {
            // The page may be another one by now.
            let Some(before) = counted.try_get_value() else {
                return;
            };
            due.set_value(false);
            let arrived = feed.arrived.get_untracked();
            let count = arrived.saturating_sub(before);
            counted.set_value(arrived);
            if count > 0 {
                said.set(untrack(|| t_string!(i18n, feed.fresh, count = count)));
            }
        });
    });
    view! { class="u", <div class="unseen" role="status" aria-live="polite">{move || said.get()}</div> }
}
