//! An engine with very many posts, for measuring: the doorway is `fuzzing/library.rs`.

use super::Engine;
use crate::community::{Community, Newcomer};
use crate::fuzzing::Text;
use crate::io::Millis;
use crate::keys::Secret;
use crate::link::RelayRef;
use ume_api::Surroundings;

const RELAY: &str = "https://relay.example";

impl Engine {
    pub(crate) fn library(texts: impl Iterator<Item = Text>) -> Option<Self> {
        let now = Millis(super::PLAUSIBLE_MS.start);
        let mut engine = Self::open(RELAY, Surroundings::default(), [7; 32], now, vec![]).ok()?;
        let relay = RelayRef {
            address: RELAY.to_owned(),
            id: [6; 32],
        };
        let who = Newcomer {
            number: 1,
            relay: relay.clone(),
            name: "Owner".to_owned(),
            access: None,
        };
        let root = Secret::new([5; 32]);
        let name = "Library".to_owned();
        let mut community = engine
            .with_ctx(&relay, |ctx| Community::found(ctx, &root, &who, name))
            .ok()?;
        texts.for_each(|text| community.shelve(&text));
        engine.communities.insert(who.number, community);
        Some(engine)
    }
}
