//! What the app asks for: each command is answered at once, or waits for a relay's word.

use super::{Engine, Wanted};
use crate::community::{Community, Newcomer};
use crate::io::{Output, RelayAddress};
use crate::ledger::name_is_sound;
use crate::line::Line;
use crate::link;
use crate::names;
use crate::visit::Purpose;
use ume_api::{
    Command, CommunityRef, EntryId, Failure, FeedPage, FromEngine, InviteTerms, Reply,
    TEXT_BYTES_MAX,
};

impl Engine {
    pub(super) fn command(&mut self, number: u32, command: Command) {
        let answer = match command {
            Command::Start { name, persona } => self.start(number, &name, &persona),
            Command::Share { community, terms } => self.share(number, community, terms),
            Command::Look { link } => self.visit(number, &link, Purpose::Look),
            Command::Join { link, persona } => self.visit(number, &link, Purpose::Join { persona }),
            Command::Open { community } => {
                self.open = Some(community.0);
                self.told_connection = None;
                Some(self.page(community, None))
            }
            Command::Older { community, before } => Some(self.page(community, Some(&before))),
            Command::Post { community, text } => self.post(community, &text),
            Command::Reconnect => {
                let relays: Vec<RelayAddress> = self.lines.keys().cloned().collect();
                for relay in relays {
                    let socket = self
                        .lines
                        .get_mut(&relay)
                        .and_then(|line| line.hurry(self.now));
                    self.socket(&relay, socket);
                }
                Some(Ok(Reply::Done))
            }
        };
        if let Some(result) = answer {
            self.outputs
                .push(Output::Tell(FromEngine::Answer { number, result }));
        }
    }

    fn start(&mut self, number: u32, name: &str, persona: &str) -> Option<Result<Reply, Failure>> {
        let name = name.trim().to_owned();
        let persona = self.persona(persona);
        if !name_is_sound(&name) || !name_is_sound(&persona) {
            return Some(Err(Failure::BadText));
        }
        self.wait(number, Wanted::Start { name, persona });
        let home = self.home.clone();
        self.want(&home);
        if self.lines.get(&home).is_some_and(Line::is_up) {
            self.found_waiting(&home);
        }
        None
    }

    /// Founds the communities that waited for their relay's greeting.
    pub(super) fn found_waiting(&mut self, relay: &str) {
        if relay != self.home {
            return;
        }
        let Some(id) = self.lines.get(relay).and_then(|line| line.relay) else {
            return;
        };
        let waiting = std::mem::take(&mut self.waiting);
        let (starts, others): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|waiting| matches!(waiting.what, Wanted::Start { .. }));
        self.waiting = others;
        for one in starts {
            let Wanted::Start { name, persona } = one.what else {
                continue;
            };
            let who = Newcomer {
                number: self.next_community(),
                relay: link::RelayRef {
                    address: relay.to_owned(),
                    id,
                },
                name: persona,
            };
            let community = CommunityRef(who.number);
            let root = self.profile.root.clone();
            let founded = self.with_ctx(relay, |ctx| Community::found(ctx, &root, &who, name));
            let result = match founded {
                Ok(founded) => {
                    self.communities.insert(community.0, founded);
                    self.with(community.0, Community::line_up);
                    Ok(Reply::Community(community))
                }
                Err(_) => Err(Failure::Internal),
            };
            self.outputs.push(Output::Tell(FromEngine::Answer {
                number: one.number,
                result,
            }));
        }
    }

    pub(super) fn next_community(&mut self) -> u32 {
        let number = self.profile.next_community;
        self.profile.next_community = number.wrapping_add(1);
        self.profile_changed = true;
        number
    }

    pub(super) fn persona(&mut self, given: &str) -> String {
        if given.trim().is_empty() {
            names::random(&mut self.rng)
        } else {
            given.trim().to_owned()
        }
    }

    fn share(
        &mut self,
        number: u32,
        community: CommunityRef,
        terms: InviteTerms,
    ) -> Option<Result<Reply, Failure>> {
        let Some(found) = self.communities.get(&community.0) else {
            return Some(Err(Failure::NotHere));
        };
        // An invite for nobody makes no sense, and the ledger's 0 means any number.
        if !found.view().may_invite || terms.max_uses == Some(0) {
            return Some(Err(Failure::NotAllowed));
        }
        let invite = self.with(community.0, |community, ctx| community.invite(ctx, terms))?;
        self.wait(
            number,
            Wanted::Link {
                community: community.0,
                invite,
            },
        );
        None
    }

    fn page(&self, community: CommunityRef, before: Option<&EntryId>) -> Result<Reply, Failure> {
        let found = self
            .communities
            .get(&community.0)
            .filter(|found| before.is_none_or(|id| found.has(id)))
            .ok_or(Failure::NotHere)?;
        let (posts, older) = found.page(before);
        Ok(Reply::Feed(FeedPage {
            community,
            posts,
            older,
        }))
    }

    fn post(&mut self, community: CommunityRef, text: &str) -> Option<Result<Reply, Failure>> {
        let text = text.trim_end().to_owned();
        if text.trim().is_empty() || text.len() > TEXT_BYTES_MAX {
            return Some(Err(Failure::BadText));
        }
        let ready = self
            .communities
            .get(&community.0)
            .is_some_and(|found| !found.is_joining());
        if !ready {
            return Some(Err(Failure::NotHere));
        }
        let posted = self.with(community.0, |community, ctx| community.post(ctx, text))?;
        Some(posted.map(Reply::Posted).map_err(|_| Failure::Internal))
    }
}
