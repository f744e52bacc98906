//! What somebody looks like: the picture that they show, with the mark of their key in its corner, or the mark alone. Names and
//! pictures can be copied; the mark cannot.
use super::avatar::avatar;
use crate::state::state;
use leptos::prelude::*;
use ume_api::{CommunityRef, Person};

/// Somebody of the open community.
pub(crate) fn portrait(person: &Person) -> AnyView {
    match state().open.get_untracked() {
        Some(community) => portrait_in(community, person),
        None => avatar(person.mark).into_any(),
    }
}

/// Somebody of a community.
pub(crate) fn portrait_in(community: CommunityRef, person: &Person) -> AnyView {
    let mark = person.mark;
    match state().picture(community, person) {
        None => avatar(mark).into_any(),
        Some(address) => (move || shown(address.get(), mark)).into_any(),
    }
}

/// A picture by its address, if it is here.
pub(crate) fn shown(address: Option<String>, mark: [u8; 8]) -> AnyView {
    let Some(address) = address else {
        return avatar(mark).into_any();
    };
    // A file that turns out to be no picture leaves the mark, which lies under it in full.
    let broken = RwSignal::new(false);
    view! { class="u",
        <span class="portrait" class:portrait-broken=move || broken.get()>
            <img src=address alt="" width="192" height="192" draggable="false" on:error=move |_| broken.set(true)/>
            <span class="portrait-mark">{avatar(mark)}</span>
        </span>
    }
    .into_any()
}
