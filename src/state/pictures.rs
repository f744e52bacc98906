use super::State;
use crate::platform::picture;
use leptos::prelude::*;
use std::collections::BTreeMap;
use ume_api::{Command, CommunityRef, EntryId, Person, Reply};

/// Addresses of the pictures that people show, within this page; each is asked for once. `None` inside: not here yet, or
/// nothing that may be drawn.
#[derive(Clone, Copy)]
pub(crate) struct Pictures(StoredValue<BTreeMap<EntryId, ArcRwSignal<Option<String>>>>);

impl Pictures {
    pub(super) fn new() -> Self {
        Self(StoredValue::new(BTreeMap::new()))
    }
}

impl State {
    /// The picture that a person of a community shows, if they show one.
    pub(crate) fn picture(
        self,
        community: CommunityRef,
        person: &Person,
    ) -> Option<ArcRwSignal<Option<String>>> {
        let id = person.picture?;
        if let Some(known) = self.pictures.0.with_value(|all| all.get(&id).cloned()) {
            return Some(known);
        }
        let address = ArcRwSignal::new(None);
        self.pictures
            .0
            .update_value(|all| drop(all.insert(id, address.clone())));
        let command = Command::Picture {
            community,
            person: person.id,
        };
        let found = address.clone();
        self.ask(command, move |answer| {
            if let Ok(Reply::Picture(Some(file))) = answer {
                found.set(picture::address(&file));
            }
        });
        Some(address)
    }
}
