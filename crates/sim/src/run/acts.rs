//! What people do, and how it is done.

use crate::network::chance;
use crate::world::{Event, World};
use rand_core::RngCore;
use ume_api::{
    Act as Govern, Command, EntryId, Hidden, InviteId, PersonId, Phase, Reply, Role, Rules, Search,
};
use ume_engine::audit::Audit;
use ume_engine::io::Input;

/// Something that somebody does at some moment of a run.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Join,
    /// Asks by a private invite.
    Ask(String),
    /// Answers those who ask, or tries to.
    Answer,
    Post(String),
    /// Writes a post that ends after a minute.
    PostFleeting(String),
    Crash,
    /// Keeps a copy of the browser profile.
    Copy,
    /// Puts the copy back, as people do with profiles that broke.
    Restore,
    /// Edits a post, takes one back, hides one, reacts to it or comments on it, or tries to.
    Change(String),
    /// Looks at no record any more until the end.
    StopListening,
    /// Changes how the community is run, or tries to.
    Govern {
        /// Only what the devices do again by themselves if a relay forgets it and others go on: taking people out. Roles and
        /// rules are lost then until people give them again, and here they do not.
        lasting: bool,
    },
    /// Looks for something, so that there is an index from then on.
    Search,
}

impl World {
    pub(crate) fn act(&mut self, device: usize, act: Act) -> Result<(), String> {
        if self.devices[device].engine.is_none() {
            let at = self.now_ms + 5_000;
            self.schedule(at, Event::Act { device, act });
            return Ok(());
        }
        match act {
            Act::Join => self.join(device),
            Act::Ask(link) => self.ask(device, link),
            Act::Answer => {
                let yes = chance(&mut self.rng, 700);
                self.answer(device, yes)
            }
            Act::Crash => {
                if let Some(session) = self.devices[device].session {
                    self.closed(session);
                }
                let now = self.now_ms;
                self.devices[device].crash(now, &mut self.rng);
                Ok(())
            }
            Act::Copy => {
                // A copy from before the join is another story: nobody can come back with it.
                if self.community(device).is_some_and(|(_, audit)| audit.live) {
                    self.devices[device].copy();
                }
                Ok(())
            }
            Act::Restore => {
                // What only the newer profile holds is lost with it, also a post that was refused; that is not the engine's
                // to answer for.
                let done = |audit: &Audit| {
                    let waits = audit.entries.iter().any(|(_, waiting)| *waiting);
                    audit.unsettled == 0 && audit.refused == 0 && !waits
                };
                if self
                    .community(device)
                    .is_some_and(|(_, audit)| done(&audit))
                {
                    if let Some(session) = self.devices[device].session {
                        self.closed(session);
                    }
                    let now = self.now_ms;
                    if self.devices[device].restore(now, &mut self.rng) {
                        self.report.restored += 1;
                    }
                }
                Ok(())
            }
            Act::StopListening => self.stop_listening(device),
            Act::Search => {
                let search = Command::Search(Search::default());
                self.command(device, search).map(|_| ())
            }
            Act::Change(text) => self.change_post(device, text),
            Act::Govern { lasting } => self.change_something(device, lasting),
            Act::PostFleeting(text) => {
                let Some((community, _)) = self.community(device) else {
                    return Ok(());
                };
                self.fleeting += 1;
                let lifetime = Some(60);
                let post = Command::Post {
                    community,
                    text,
                    lifetime,
                };
                self.command(device, post).map(|_| ())
            }
            Act::Post(text) => {
                let joined = self
                    .community(device)
                    .filter(|(_, audit)| audit.epoch.is_some());
                let Some((community, _)) = joined else {
                    return Ok(());
                };
                let number = self.devices[device].number();
                self.posted.insert((device, number), text.clone());
                self.give(
                    device,
                    Input::Command {
                        number,
                        command: Command::Post {
                            community,
                            text,
                            lifetime: None,
                        },
                    },
                )
            }
        }
    }

    fn join(&mut self, device: usize) -> Result<(), String> {
        let link = self.link.clone().unwrap_or_default();
        self.command(
            device,
            Command::Join {
                link,
                persona: format!("Canary {device}"),
            },
        )
        .map(|_| ())
    }

    fn ask(&mut self, device: usize, link: String) -> Result<(), String> {
        self.report.asked += 1;
        self.command(
            device,
            Command::Ask {
                link,
                persona: format!("Canary {device}"),
                note: "Canary note".into(),
            },
        )
        .map(|_| ())
    }

    /// Answers all who ask, as far as this device sees them and may.
    pub(super) fn answer(&mut self, device: usize, yes: bool) -> Result<(), String> {
        let Some((community, _)) = self.community(device) else {
            return Ok(());
        };
        let asked = self.command(device, Command::Requests { community })?;
        let Some(Ok(Reply::Requests(requests))) = self.devices[device].answers.get(&asked) else {
            return Ok(());
        };
        for request in requests.clone() {
            let act = Govern::AnswerRequest {
                invite: request.invite,
                request: request.id,
                yes,
            };
            let number = self.command(device, Command::Govern { community, act })?;
            let taken = !self.devices[device].answers.contains_key(&number);
            self.report.answered += u32::from(taken);
        }
        Ok(())
    }

    /// Somebody tries to change a post; whether they may is the engine's to say.
    fn change_post(&mut self, device: usize, text: String) -> Result<(), String> {
        let Some((community, audit)) = self.community(device) else {
            return Ok(());
        };
        let posts: Vec<EntryId> = audit.posts.into_keys().collect();
        if posts.is_empty() {
            return Ok(());
        }
        let post = posts[self.rng.next_u32() as usize % posts.len()];
        let command = match self.rng.next_u32() % 6 {
            4 => Command::React {
                community,
                post,
                emoji: "🌸".into(),
            },
            5 => Command::Comment {
                community,
                post,
                text,
                lifetime: None,
            },
            0 => Command::Unpublish { community, post },
            1 => Command::Hide {
                community,
                what: Hidden::Post(post),
                on: true,
            },
            _ => Command::Edit {
                community,
                post,
                text,
            },
        };
        self.command(device, command)?;
        self.report.edits += 1;
        Ok(())
    }

    /// Somebody tries to change how the community is run; whether they may is the engine's to say.
    fn change_something(&mut self, device: usize, lasting: bool) -> Result<(), String> {
        let Some((community, audit)) = self.community(device) else {
            return Ok(());
        };
        let asked = self.command(device, Command::Members { community })?;
        let people: Vec<PersonId> = match self.devices[device].answers.get(&asked) {
            Some(Ok(Reply::Members(members))) => members.iter().map(|one| one.person.id).collect(),
            _ => return Ok(()),
        };
        let asked = self.command(device, Command::Invites { community })?;
        let invites: Vec<InviteId> = match self.devices[device].answers.get(&asked) {
            Some(Ok(Reply::Invites(invites))) => invites.iter().map(|one| one.id).collect(),
            _ => return Ok(()),
        };
        let asked = self.command(device, Command::Former { community })?;
        let former: Vec<PersonId> = match self.devices[device].answers.get(&asked) {
            Some(Ok(Reply::Former(former))) => former.iter().map(|one| one.person.id).collect(),
            _ => return Ok(()),
        };
        let roles = [Role::Reader, Role::Member, Role::Admin];
        let mut pick = |count: usize| self.rng.next_u32() as usize % count.max(1);
        let kind = if lasting { 5 } else { pick(12) };
        let act = match (kind, audit.entries.get(pick(audit.entries.len()))) {
            (0, _) => Govern::SetRules {
                rules: Rules {
                    post: [Role::Member, Role::Admin, Role::Owner][pick(3)],
                    invite: [Role::Member, Role::Admin][pick(2)],
                    ..Rules::default()
                },
            },
            (4, _) if device != 0 => Govern::Leave,
            (4 | 5, _) => Govern::Remove {
                person: people[pick(people.len())],
                // Who came in after a backup and is to come in again needs their link.
                ban: !lasting && pick(2) == 0,
            },
            (6, entry) => Govern::Transfer {
                from: people[pick(people.len())],
                to: people[pick(people.len())],
                post: entry.map(|(post, _)| *post).filter(|_| pick(2) == 0),
            },
            (8, _) if !invites.is_empty() => Govern::RevokeInvite {
                invite: invites[pick(invites.len())],
            },
            (9, _) if device == 0 => Govern::OfferOwnership {
                person: people[pick(people.len())],
                on: pick(4) > 0,
                // The play goes on only with the first device as an owner.
                stay: true,
            },
            (9, _) => Govern::AcceptOwnership {
                from: people[pick(people.len())],
            },
            (10, _) => Govern::Recover {
                old: people[pick(people.len())],
                new: people[pick(people.len())],
            },
            (11, _) if !former.is_empty() => Govern::UndoRecovery {
                old: former[pick(former.len())],
            },
            (1, Some((post, _))) => Govern::Pin {
                post: *post,
                on: pick(3) > 0,
            },
            _ => Govern::SetRole {
                person: people[pick(people.len())],
                role: roles[pick(roles.len())],
            },
        };
        let number = self.command(device, Command::Govern { community, act })?;
        let asked = !self.devices[device].answers.contains_key(&number);
        self.report.changes += u32::from(asked);
        Ok(())
    }

    /// Who was taken for somebody else says so.
    pub(super) fn contest(&mut self) -> Result<(), String> {
        for device in 1..self.devices.len() {
            let Some((community, _)) = self.community(device).filter(|_| self.is_out(device))
            else {
                continue;
            };
            let number = self.command(device, Command::Contest { community })?;
            let said = self.devices[device].answers.get(&number) == Some(&Ok(Reply::Done));
            self.report.contested += u32::from(said);
        }
        Ok(())
    }

    /// Whoever was told that it did not work, or crashed before anything was stored, tries again, as people do.
    pub(super) fn join_again(&mut self) -> Result<(), String> {
        for device in 1..self.devices.len() {
            let idle =
                self.devices[device].engine.is_some() && self.devices[device].open.is_empty();
            if !idle || self.community(device).is_some() {
                continue;
            }
            match self.devices[device].views().first().map(|view| view.phase) {
                Some(Phase::Asking) => {}
                Some(_) => {
                    let community = self.devices[device].views()[0].id;
                    self.command(device, Command::Forget { community })?;
                }
                None => self.join(device)?,
            }
        }
        Ok(())
    }
}
