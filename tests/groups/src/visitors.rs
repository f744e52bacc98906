//! People who come into a community on a real relay by an open link, one after the other, and go away again: the crowd in
//! which a browser is measured. Time is real here.

use crate::scene::Fault;
use crate::socket::Socket;
use rand_core::{OsRng, RngCore};
use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use ume_api::{Command, CommunityRef, Failure, FromEngine, Reply, Surroundings};
use ume_engine::Engine;
use ume_engine::io::{Input, Millis, Output, Step};

/// How long somebody may take to come in.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long they stay then, to say what newcomers say.
const STAY: Duration = Duration::from_millis(100);
/// A removal pauses links until their maker has renewed them: whoever comes meanwhile tries again after so long, so often.
const AGAIN: Duration = Duration::from_secs(3);
const TRIES: u32 = 40;
/// How often it is told how far things are.
const TELL: usize = 50;

/// Somebody and their connection.
struct Visitor {
    engine: Engine,
    relay: String,
    socket: Option<Socket>,
    wake: Option<u64>,
    inputs: VecDeque<Input>,
    answer: Option<Result<Reply, Failure>>,
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
}

fn relay_of(link: &str) -> &str {
    let scheme = link.find("://").map_or(0, |at| at + 3);
    let end = link[scheme..]
        .find('/')
        .map_or(link.len(), |at| scheme + at);
    &link[..end]
}

/// Two people come in by a link and take turns: so many posts, of one word to some lines. They go when the relay has all.
pub(crate) fn write(link: &str, count: usize) -> Result<(), Fault> {
    let begun = Instant::now();
    let mut two = vec![];
    for number in 1..=2 {
        let mut visitor = Visitor::new(relay_of(link))?;
        let community = visitor.come_in(link, number)?;
        two.push((visitor, community));
    }
    for number in 1..=count {
        let words = "as every day ".repeat(number * 7 % 23);
        for (at, (visitor, community)) in two.iter_mut().enumerate() {
            if number % 2 == at {
                let command = Command::Post {
                    community: *community,
                    text: format!("Post number {number} {words}"),
                    lifetime: None,
                };
                visitor.ask(command)?;
            }
            visitor.stay(Duration::from_millis(1))?;
        }
        if number % (TELL * 20) == 0 {
            println!(
                "{number} of {count} are written after {:?}",
                begun.elapsed()
            );
        }
    }
    let late = Instant::now() + PATIENCE;
    for (visitor, _) in &mut two {
        let settled = |visitor: &Visitor| {
            let all = visitor.engine.audit();
            all.iter().all(|(_, audit)| audit.unsettled == 0)
        };
        while !settled(visitor) && Instant::now() < late {
            visitor.stay(STAY)?;
        }
    }
    Ok(())
}

/// Lets so many come in by a link.
pub(crate) fn come(link: &str, count: usize) -> Result<(), Fault> {
    let relay = relay_of(link);
    let begun = Instant::now();
    for number in 1..=count {
        let mut tries = 1..TRIES;
        let mut paused = None;
        let place = loop {
            match Visitor::new(relay)?.join(link, number) {
                Err(Fault::Refused(Failure::InvitePaused)) if tries.next().is_some() => {
                    paused.get_or_insert_with(Instant::now);
                    std::thread::sleep(AGAIN);
                }
                joined => break joined?,
            }
        };
        if let Some(since) = paused {
            println!(
                "visitor {number} waited {} s for the link to lead into generation {}, slot {}",
                since.elapsed().as_secs(),
                place.0,
                place.1
            );
        }
        if number % TELL == 0 || number == count {
            println!(
                "{number} of {count} are in after {} s",
                begun.elapsed().as_secs()
            );
        }
    }
    Ok(())
}

impl Visitor {
    fn new(relay: &str) -> Result<Self, Fault> {
        let mut seed = [0; 32];
        OsRng.fill_bytes(&mut seed);
        let now = Millis(now_ms());
        let mut engine = Engine::open(relay, Surroundings::AT_ONCE, seed, now, vec![])?;
        let step = engine.boot(now);
        let mut visitor = Self {
            engine,
            relay: relay.to_owned(),
            socket: None,
            wake: None,
            inputs: VecDeque::new(),
            answer: None,
        };
        visitor.carry_out(step);
        Ok(visitor)
    }

    fn ask(&mut self, command: Command) -> Result<Reply, Fault> {
        self.inputs.push_back(Input::Command { number: 1, command });
        let late = Instant::now() + PATIENCE;
        while self.answer.is_none() && Instant::now() < late {
            self.go_on(late)?;
        }
        let late = || Fault::Other("no answer".into());
        Ok(self.answer.take().ok_or_else(late)??)
    }

    fn come_in(&mut self, link: &str, number: usize) -> Result<CommunityRef, Fault> {
        let command = Command::Join {
            link: link.to_owned(),
            persona: format!("Visitor {number}"),
        };
        match self.ask(command)? {
            Reply::Community(community) => Ok(community),
            other => Err(Fault::Other(format!("visitor {number}: {other:?}"))),
        }
    }

    fn stay(&mut self, time: Duration) -> Result<(), Fault> {
        let leaves = Instant::now() + time;
        while Instant::now() < leaves {
            self.go_on(leaves)?;
        }
        Ok(())
    }

    /// Comes in, stays a moment and goes; the generation and the slot where they were then.
    fn join(mut self, link: &str, number: usize) -> Result<(u32, u64), Fault> {
        self.come_in(link, number)?;
        self.stay(STAY)?;
        let audit = self.engine.audit().into_iter().next();
        Ok(audit.map_or((0, 0), |(_, audit)| (audit.generation, audit.slot)))
    }

    /// Hands the engine what there is, or waits for the next frame or wake.
    fn go_on(&mut self, until: Instant) -> Result<(), Fault> {
        while let Some(input) = self.inputs.pop_front() {
            let step = self.engine.handle(Millis(now_ms()), input);
            self.carry_out(step);
        }
        let wait = match self.wake {
            Some(at) => Duration::from_millis(at.saturating_sub(now_ms())),
            None => PATIENCE,
        };
        let wait = wait.min(until.saturating_duration_since(Instant::now()));
        let received = if let Some(socket) = &mut self.socket {
            socket.receive(wait)
        } else {
            std::thread::sleep(wait);
            Ok(None)
        };
        match received {
            Ok(Some(frame)) => {
                let input = Input::Frame(self.relay.clone(), frame.into());
                self.inputs.push_back(input);
            }
            Ok(None) if self.wake.is_some_and(|at| at <= now_ms()) => {
                self.wake = None;
                self.inputs.push_back(Input::Tick);
            }
            Ok(None) => {}
            Err(error) => return Err(Fault::Other(format!("the connection: {error}"))),
        }
        Ok(())
    }

    /// Whoever leaves for good needs no store.
    fn carry_out(&mut self, step: Step) {
        for output in step.outputs {
            match output {
                Output::Connect(address) => {
                    self.socket = Socket::open(&address).ok();
                    self.inputs.push_back(match self.socket {
                        Some(_) => Input::Connected(address),
                        None => Input::Disconnected(address),
                    });
                }
                Output::Disconnect(_) => self.socket = None,
                Output::Send(address, frame) => {
                    let sent = self.socket.as_mut().map(|socket| socket.send(&frame));
                    if !matches!(sent, Some(Ok(()))) {
                        self.socket = None;
                        self.inputs.push_back(Input::Disconnected(address));
                    }
                }
                Output::Tell(FromEngine::Answer { result, .. }) => self.answer = Some(result),
                // Without cover there is no plan.
                Output::Tell(_)
                | Output::Plan { .. }
                | Output::Fill(..)
                | Output::Deposit(..)
                | Output::Read(_) => {}
                Output::WakeAt(at) => self.wake = Some(at.0),
            }
        }
    }
}
