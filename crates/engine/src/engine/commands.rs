//! What the app asks for: each command is answered at once, or waits for a relay's word.

use super::{Engine, Wanted};
use crate::community::{Community, Ctx, Newcomer};
use crate::io::{Output, RelayAddress};
use crate::keys::Secret;
use crate::ledger::name_is_sound;
use crate::line::Line;
use crate::link;
use crate::names;
use crate::visit::Purpose;
use ume_api::{
    AccessKeyText, Command, CommunityRef, EntryId, Failure, FeedPage, FromEngine, InviteKind,
    InviteTerms, Reply, Role, TEXT_BYTES_MAX,
};
use ume_wire::access;

impl Engine {
    pub(super) fn command(&mut self, number: u32, command: Command) {
        let answer = match command {
            Command::Start {
                name,
                persona,
                access,
            } => self.start(number, &name, &persona, access.as_ref()),
            Command::Share { community, terms } => self.share(number, community, terms),
            Command::Look { link } => self.visit(number, &link, Purpose::Look),
            Command::Join { link, persona } => self.visit(number, &link, Purpose::Join { persona }),
            Command::Ask {
                link,
                persona,
                note,
            } => self.visit(number, &link, Purpose::Ask { persona, note }),
            Command::TakeBack { community } => Some(self.take_back(community)),
            Command::Requests { community } => {
                Some(self.ask(community, |found| Ok(Reply::Requests(found.request_list()))))
            }
            Command::Open { community } => {
                self.open = Some(community.0);
                self.told_connection = None;
                Some(self.page(community, None, None))
            }
            Command::Older { community, before } => Some(self.page(community, None, Some(&before))),
            Command::Thread { .. } | Command::Comment { .. } | Command::React { .. } => {
                self.talk(command)
            }
            Command::Post {
                community,
                text,
                lifetime,
            } => self.post(community, None, &text, lifetime),
            Command::Edit {
                community,
                post,
                text,
            } => self.change(community, |community, ctx| {
                let text = text.trim_end().to_owned();
                community.edit(ctx, post, text).map(|_| Reply::Done)
            }),
            Command::Unpublish { community, post } => self.change(community, |community, ctx| {
                community.unpublish(ctx, post).map(|_| Reply::Done)
            }),
            Command::Hide {
                community,
                what,
                on,
            } => self.change(community, |community, ctx| {
                community.hide(ctx, what, on).map(|()| Reply::Done)
            }),
            Command::Portray { community, picture } => self.change(community, |community, ctx| {
                community.portray(ctx, picture).map(|_| Reply::Done)
            }),
            Command::Picture { .. }
            | Command::Hides { .. }
            | Command::Versions { .. }
            | Command::Owners { .. }
            | Command::Single { .. } => Some(self.tell_of(&command)),
            Command::Members { community } => Some(self.members(community)),
            Command::Former { community } => Some(self.former(community)),
            Command::Invites { community } => Some(self.invites(community)),
            Command::Forget { community } => Some(self.forget(community)),
            Command::Contest { community } => self.change(community, |community, ctx| {
                community.contest(ctx).map(|()| Reply::Done)
            }),
            Command::BeginAnew { community, without } => self
                .change(community, |community, ctx| {
                    community.begin_anew(ctx, without).map(|()| Reply::Done)
                }),
            command @ (Command::Attach { .. }
            | Command::Detach { .. }
            | Command::Publish { .. }
            | Command::File { .. }
            | Command::ClearFiles) => self.about_files(number, command),
            Command::Govern { community, act } => self.govern(number, community, act),
            Command::Ring { relay, to } => Some(self.ring(&relay, to)),
            Command::WatchTraffic { watch } => {
                self.watch_traffic(watch);
                Some(Ok(Reply::Done))
            }
            Command::Saw { .. }
            | Command::SawAll { .. }
            | Command::Mute { .. }
            | Command::Keep { .. }
            | Command::Draft { .. } => Some(self.desk(command)),
            Command::Search(search) => self.search(number, search),
            Command::Hurry => {
                self.hurry();
                Some(Ok(Reply::Done))
            }
            Command::Reconnect => {
                self.reconnect();
                Some(Ok(Reply::Done))
            }
        };
        if let Some(result) = answer {
            self.outputs
                .push(Output::Tell(FromEngine::Answer { number, result }));
        }
    }

    /// Lines that wait for their next attempt make it now.
    fn reconnect(&mut self) {
        let relays: Vec<RelayAddress> = self.lines.keys().cloned().collect();
        for relay in relays {
            let line = self.lines.get_mut(&relay);
            let socket = line.and_then(|line| line.hurry(self.now));
            self.socket(&relay, socket);
        }
    }

    /// What people say about posts.
    fn talk(&mut self, command: Command) -> Option<Result<Reply, Failure>> {
        match command {
            Command::Thread {
                community,
                post,
                before,
            } => Some(self.page(community, Some(&post), before.as_ref())),
            Command::Comment {
                community,
                post,
                text,
                lifetime,
            } => self.post(community, Some(post), &text, lifetime),
            Command::React {
                community,
                post,
                emoji,
            } => self.change(community, |community, ctx| {
                community.react(ctx, post, emoji).map(|()| Reply::Done)
            }),
            _ => Some(Err(Failure::Internal)),
        }
    }

    /// What is known of people and posts.
    fn tell_of(&mut self, command: &Command) -> Result<Reply, Failure> {
        match command {
            Command::Picture { community, person } => self.ask(*community, |found| {
                Ok(Reply::Picture(found.picture(&person.0)))
            }),
            Command::Hides { community } => {
                self.ask(*community, |found| Ok(Reply::Hidden(found.hidden())))
            }
            Command::Versions { community, post } => self.ask(*community, |found| {
                found.versions(post).map(Reply::Versions)
            }),
            Command::Owners { community, post } => {
                self.ask(*community, |found| found.owners(post).map(Reply::Owners))
            }
            Command::Single { community, post } => self.single(*community, post),
            _ => Err(Failure::Internal),
        }
    }

    fn start(
        &mut self,
        number: u32,
        name: &str,
        persona: &str,
        access: Option<&AccessKeyText>,
    ) -> Option<Result<Reply, Failure>> {
        let name = name.trim().to_owned();
        let persona = self.persona(persona);
        if !name_is_sound(&name) || !name_is_sound(&persona) {
            return Some(Err(Failure::BadText));
        }
        let access = match access.map(|text| access::parse(&text.0)) {
            Some(Ok(key)) => Some(Secret::new(key)),
            Some(Err(_)) => return Some(Err(Failure::AccessRefused)),
            None => None,
        };
        let wanted = Wanted::Start {
            name,
            persona,
            access,
        };
        self.wait(number, wanted);
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
        let greeting = self.greeting(relay);
        let Some((id, access_needed)) = greeting.map(|one| (one.relay, one.access_needed)) else {
            return;
        };
        let waiting = std::mem::take(&mut self.waiting);
        let (starts, others): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|waiting| matches!(waiting.what, Wanted::Start { .. }));
        self.waiting = others;
        for one in starts {
            let Wanted::Start {
                name,
                persona,
                access,
            } = one.what
            else {
                continue;
            };
            if access_needed && access.is_none() {
                self.answer(one.number, Err(Failure::AccessNeeded));
                continue;
            }
            let who = Newcomer {
                number: self.next_community(),
                relay: link::RelayRef {
                    address: relay.to_owned(),
                    id,
                },
                name: persona,
                access: access.filter(|_| access_needed),
            };
            let community = CommunityRef(who.number);
            let root = self.profile.root.clone();
            let founded = self.with_ctx(&who.relay, |ctx| Community::found(ctx, &root, &who, name));
            let result = match founded {
                Ok(founded) => {
                    self.communities.insert(community.0, founded);
                    if access_needed {
                        // Only the relay can tell whether the key is good.
                        self.wait(
                            one.number,
                            Wanted::Founded {
                                community: community.0,
                            },
                        );
                        self.with(community.0, Community::line_up);
                        continue;
                    }
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
        let view = found.view();
        let closed = terms.kind == InviteKind::Open && view.rules.private_only;
        // An invite for nobody makes no sense, and the ledger's 0 means any number.
        if !view.may_invite || closed || terms.max_uses == Some(0) || terms.role > Role::Member {
            return Some(Err(Failure::NotAllowed));
        }
        if found.is_full() {
            return Some(Err(Failure::CommunityFull));
        }
        let (invite, wish) =
            self.with(community.0, |community, ctx| community.invite(ctx, terms))?;
        self.wait(
            number,
            Wanted::Link {
                community: community.0,
                invite,
                wish,
            },
        );
        None
    }

    fn page(
        &self,
        community: CommunityRef,
        thread: Option<&EntryId>,
        before: Option<&EntryId>,
    ) -> Result<Reply, Failure> {
        let asking = self.askings.contains_key(&community.0);
        if asking && !self.communities.contains_key(&community.0) {
            // There is something to read once somebody says yes.
            return Ok(Reply::Feed(FeedPage {
                community,
                posts: vec![],
                older: false,
                read: (0, EntryId([0; 32])),
            }));
        }
        let found = self
            .communities
            .get(&community.0)
            .filter(|found| thread.is_none_or(|id| found.has(id)))
            .filter(|found| before.is_none_or(|id| found.has(id)))
            .ok_or(Failure::NotHere)?;
        let (posts, older) = found.page(thread, before);
        Ok(Reply::Feed(FeedPage {
            community,
            posts,
            older,
            read: found.read_to(thread),
        }))
    }

    pub(super) fn post(
        &mut self,
        community: CommunityRef,
        thread: Option<EntryId>,
        text: &str,
        lifetime: Option<u64>,
    ) -> Option<Result<Reply, Failure>> {
        let text = text.trim_end().to_owned();
        if text.trim().is_empty() || text.len() > TEXT_BYTES_MAX {
            return Some(Err(Failure::BadText));
        }
        let lifetime_ms = lifetime.map(|seconds| seconds.saturating_mul(1000));
        self.change(community, |community, ctx| {
            community
                .post(ctx, thread, text, lifetime_ms)
                .map(Reply::Posted)
        })
    }

    /// Does something in a community that this profile is in.
    pub(super) fn change(
        &mut self,
        community: CommunityRef,
        act: impl FnOnce(&mut Community, &mut Ctx<'_>) -> Result<Reply, Failure>,
    ) -> Option<Result<Reply, Failure>> {
        let found = self.communities.get(&community.0);
        if found.is_none_or(Community::is_joining) {
            return Some(Err(Failure::NotHere));
        }
        self.with(community.0, act)
    }

    /// Looks something up in a community.
    fn ask(
        &self,
        community: CommunityRef,
        look: impl FnOnce(&Community) -> Result<Reply, Failure>,
    ) -> Result<Reply, Failure> {
        let found = self.communities.get(&community.0);
        look(found.ok_or(Failure::NotHere)?)
    }
}
