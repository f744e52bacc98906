//! A member's device over a relay that answers as it should, now and then changes what it says, and says what nobody
//! asked for.

use crate::{input::Input, wire};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::sync::OnceLock;
use ume_api::{
    Command, CommunityRef, FromEngine, HistoryWindow, InviteKind, InviteTerms, Reply, Role,
    Surroundings,
};
use ume_engine::Engine;
use ume_engine::io::{Input as Event, Key, Millis, Output, Step};
use ume_sim::Relay;
use ume_wire::frame;

const ADDRESS: &str = "https://relay.example";
const START_MS: u64 = 1_750_000_000_000;
/// So many things happen in one input, beside what follows from them.
const STEPS_MAX: usize = 24;
/// So many frames of the relay follow from one thing that happens.
const FRAMES_MAX: usize = 64;

/// A device and its relay.
struct Scene {
    engine: Engine,
    relay: Relay,
    rows: BTreeMap<Key, Vec<u8>>,
    now: u64,
    session: Option<u64>,
    sessions: u64,
    /// From the relay, not yet delivered.
    coming: VecDeque<Bytes>,
    community: Option<CommunityRef>,
    link: Option<String>,
}

/// A device with a community and a relay that has it: where every input begins.
struct Start {
    relay: Relay,
    rows: BTreeMap<Key, Vec<u8>>,
    community: Option<CommunityRef>,
    link: Option<String>,
}

impl Scene {
    #[allow(clippy::expect_used)] // rows that it stored itself
    fn open(relay: Relay, rows: BTreeMap<Key, Vec<u8>>, seed: u8) -> Self {
        let stored = rows.iter().map(|(key, row)| (key.clone(), row.clone()));
        let now = START_MS + u64::from(seed);
        let engine = Engine::open(
            ADDRESS,
            Surroundings::AT_ONCE,
            [seed; 32],
            Millis(now),
            stored.collect(),
        )
        .expect("what was stored can be opened");
        let mut scene = Self {
            engine,
            relay,
            rows,
            now,
            session: None,
            sessions: 0,
            coming: VecDeque::new(),
            community: None,
            link: None,
        };
        let step = scene.engine.boot(Millis(now));
        scene.carry_out(step);
        scene
    }

    fn give(&mut self, event: Event) {
        let step = self.engine.handle(Millis(self.now), event);
        self.carry_out(step);
    }

    fn carry_out(&mut self, step: Step) {
        for (key, row) in step.batch.0 {
            match row {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
        let mut connect = false;
        for output in step.outputs {
            match output {
                Output::Connect(_) => connect = true,
                Output::Disconnect(_) => self.hang_up(),
                Output::Send(_, frame) => {
                    if let Some(session) = self.session {
                        let said = self.relay.receive(self.now, session, &frame);
                        let frames = said.iter().filter_map(|(_, one)| frame::encode(one).ok());
                        self.coming.extend(frames);
                    }
                }
                Output::Tell(FromEngine::Answer { result, .. }) => match result {
                    Ok(Reply::Community(community)) => self.community = Some(community),
                    Ok(Reply::Link(link)) => self.link = Some(link),
                    _ => {}
                },
                // Without cover there is no plan.
                Output::Tell(_)
                | Output::WakeAt(_)
                | Output::Plan { .. }
                | Output::Fill(..)
                | Output::Deposit(..)
                | Output::Read(_) => {}
            }
        }
        if connect {
            self.sessions += 1;
            self.session = Some(self.sessions);
            self.give(Event::Connected(ADDRESS.to_owned()));
        }
    }

    fn hang_up(&mut self) {
        self.coming.clear();
        if let Some(session) = self.session.take() {
            self.relay.closed(session);
        }
    }

    fn deliver(&mut self, frame: Bytes) {
        self.give(Event::Frame(ADDRESS.to_owned(), frame));
    }

    /// Lets the relay say all that it has to say.
    fn settle(&mut self) {
        for _ in 0..FRAMES_MAX {
            let Some(frame) = self.coming.pop_front() else {
                return;
            };
            self.deliver(frame);
        }
    }

    fn pass(&mut self, ms: u64) {
        self.now = self.now.saturating_add(ms);
        self.give(Event::Tick);
    }

    fn command(&mut self, number: u32, command: Command) {
        self.give(Event::Command { number, command });
    }
}

const TERMS: InviteTerms = InviteTerms {
    kind: InviteKind::Open,
    expires_in: None,
    max_uses: None,
    history: HistoryWindow::All,
    role: Role::Member,
};

fn start() -> &'static Start {
    static START: OnceLock<Start> = OnceLock::new();
    START.get_or_init(|| {
        let mut scene = Scene::open(Relay::new([3; 32]), BTreeMap::new(), 1);
        let found = Command::Start {
            name: "Orchard".into(),
            persona: "Plum".into(),
            access: None,
        };
        scene.command(1, found);
        scene.settle();
        scene.calm();
        let community = scene.community;
        assert!(community.is_some(), "a community is founded");
        if let Some(community) = community {
            let text = "The lantern is lit.".to_owned();
            scene.command(
                2,
                Command::Post {
                    community,
                    text,
                    lifetime: None,
                },
            );
            let terms = TERMS;
            scene.command(3, Command::Share { community, terms });
            scene.calm();
        }
        assert!(scene.link.is_some(), "an invite is made");
        scene.hang_up();
        Start {
            relay: scene.relay,
            rows: scene.rows,
            community,
            link: scene.link,
        }
    })
}

impl Scene {
    /// Lets time pass until nothing happens any more.
    fn calm(&mut self) {
        for _ in 0..40 {
            self.settle();
            self.pass(250);
        }
    }
}

/// Whatever the relay does, the device goes on, keeps what it has stored readable, and with an honest relay afterwards
/// it is connected again.
pub(crate) fn run(bytes: &[u8]) {
    let start = start();
    let mut input = Input::new(bytes);
    let mut scene = Scene::open(start.relay.clone(), start.rows.clone(), 2);
    scene.community = start.community;
    let mut number = 10;
    for _ in 0..STEPS_MAX {
        if input.is_empty() {
            break;
        }
        number += 1;
        match input.byte() % 10 {
            0 => scene.settle(),
            1 => {
                if let Some(frame) = scene.coming.pop_front() {
                    scene.deliver(frame);
                }
            }
            // The relay keeps one back, or says it twice.
            2 => drop(scene.coming.pop_front()),
            3 => {
                if let Some(frame) = scene.coming.front().cloned() {
                    scene.deliver(frame);
                }
            }
            // It changes bytes of what it says.
            4 => {
                if let Some(frame) = scene.coming.pop_front() {
                    let mut changed = frame.to_vec();
                    let (place, by) = (input.number(), input.byte());
                    if let Ok(place) = usize::try_from(place) {
                        let place = place % changed.len();
                        changed[place] ^= by;
                    }
                    scene.deliver(changed.into());
                }
            }
            // It says something else, as the answer to what was asked or out of the blue.
            5 => {
                let asked = scene.coming.pop_front();
                let piece = input.piece();
                if let Some(mut frame) = wire::message(piece) {
                    let request = asked.and_then(|asked| frame::decode(&asked).ok());
                    if let (Some(asked), true) = (request, frame.request == 0) {
                        frame.request = asked.request;
                    }
                    if let Ok(frame) = frame::encode(&frame) {
                        scene.deliver(frame);
                    }
                } else if let Some(frame) = wire::framed(piece) {
                    scene.deliver(frame);
                } else {
                    scene.deliver(Bytes::copy_from_slice(piece));
                }
            }
            6 => {
                scene.hang_up();
                let address = ADDRESS.to_owned();
                scene.give(match input.byte() % 2 {
                    0 => Event::Disconnected(address),
                    _ => Event::Restarting(address, input.number()),
                });
            }
            7 => {
                let ms = input.number().saturating_mul(100);
                scene.pass(ms);
            }
            8 => command(&mut scene, number, &mut input, start),
            // The relay forgets all, or comes back with another key.
            _ => {
                scene.relay = match input.byte() % 2 {
                    0 => start.relay.clone(),
                    _ => Relay::new([input.byte(); 32]),
                };
            }
        }
    }
    // What is stored can be opened again, whatever came before.
    let rows: Vec<_> = scene.rows.into_iter().collect();
    assert!(
        Engine::open(
            ADDRESS,
            Surroundings::AT_ONCE,
            [9; 32],
            Millis(scene.now),
            rows
        )
        .is_ok()
    );
}

fn command(scene: &mut Scene, number: u32, input: &mut Input<'_>, start: &Start) {
    let Some(community) = start.community else {
        return;
    };
    let text = |input: &mut Input<'_>| String::from_utf8_lossy(input.piece()).into_owned();
    let command = match input.byte() % 8 {
        0 => {
            let text = text(input);
            // One in three does not stay.
            let lifetime = text.len().is_multiple_of(3).then_some(20);
            Command::Post {
                community,
                text,
                lifetime,
            }
        }
        1 => Command::Share {
            community,
            terms: TERMS,
        },
        2 => Command::Open { community },
        3 => Command::Look { link: text(input) },
        4 => Command::Look {
            link: start.link.clone().unwrap_or_default(),
        },
        5 => Command::Join {
            link: text(input),
            persona: text(input),
        },
        6 => Command::Members { community },
        _ => Command::Reconnect,
    };
    scene.command(number, command);
}
