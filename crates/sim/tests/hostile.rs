//! A relay that says anything, and a store that gives back anything: nothing of it may stop the program.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use bytes::Bytes;
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use ume_api::{Command, CommunityRef, Cover, FromEngine, InviteTerms, News, Notice, Surroundings};
use ume_engine::Engine;
use ume_engine::io::{Input, Key, Millis, Output, Table};
use ume_sim::Stage;
use ume_wire::auth::Statement;
use ume_wire::frame;
use ume_wire::relay::{
    Accepted, Appended, Ballot, Delivery, Done, Frame, Head, Promise, Refused, Several, Value,
    Vote, Welcome, frame::Body,
};

const RELAY: &str = "https://relay.example";

/// A community of two, in which the guest's frames are written down; the guest.
fn play(seed: u8) -> (Stage, usize, CommunityRef) {
    let mut stage = Stage::new(seed);
    let owner = stage.device(0);
    let community = stage.found(owner);
    let link = stage.share(owner, community, InviteTerms::default());
    let guest = stage.device(0);
    stage.listen(guest);
    let there = stage.join(guest, &link).unwrap();
    stage.run(5_000);
    stage.post(owner, community, "hello");
    stage.post(guest, there, "hello");
    stage.run(5_000);
    (stage, guest, there)
}

fn pick<'a, T>(rng: &mut ChaCha20Rng, all: &'a [T]) -> &'a T {
    &all[rng.next_u32() as usize % all.len()]
}

fn flip(rng: &mut ChaCha20Rng, bytes: &mut [u8]) {
    if !bytes.is_empty() {
        let bit = rng.next_u32() as usize % (8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn changed_frames_harm_nobody() {
    for seed in 0..4 {
        let (mut stage, guest, there) = play(seed);
        let genuine = stage.heard(guest);
        let mut rng = ChaCha20Rng::from_seed([seed; 32]);
        for round in 0..400 {
            let mut bytes = pick(&mut rng, &genuine).to_vec();
            match round % 4 {
                0 => rng.fill_bytes(&mut bytes),
                1 => bytes.truncate(rng.next_u32() as usize % bytes.len()),
                _ => (0..=round % 3).for_each(|_| flip(&mut rng, &mut bytes[..300])),
            }
            stage.give(guest, Input::Frame(RELAY.into(), bytes.into()));
            if round % 40 == 0 {
                stage.post(guest, there, "still here");
                stage.run(500);
            }
        }
        stage.run(120_000);
        assert_eq!(stage.posts(guest, there).len(), 12);
        assert_eq!(stage.audit(guest).unwrap().unsettled, 0);
    }
}

fn number(rng: &mut ChaCha20Rng) -> u64 {
    match rng.next_u32() % 6 {
        0 => u64::MAX - u64::from(rng.next_u32() % 3),
        1 => rng.next_u64(),
        _ => u64::from(rng.next_u32() % 12),
    }
}

/// A sound frame whose content makes no sense.
fn nonsense(rng: &mut ChaCha20Rng, lanes: &[Bytes]) -> Frame {
    let lane = pick(rng, lanes).clone();
    let mut cell = vec![0; 1792];
    rng.fill_bytes(&mut cell);
    let ballot = Some(Ballot {
        round: rng.next_u32(),
        tie: vec![1; 12].into(),
    });
    let vote = Some(Vote {
        ballot: ballot.clone(),
        value_hash: vec![2; 32].into(),
        cells: rng.next_u32() % 700,
        signature: vec![3; 64].into(),
    });
    let (slot, seq) = (number(rng), number(rng));
    let body = match rng.next_u32() % 9 {
        0 | 1 => Body::Head(Head {
            lane,
            next: number(rng),
            end: number(rng),
            first: number(rng),
            ..Head::default()
        }),
        2 => Body::Delivery(Delivery {
            lane,
            seq,
            cell: cell.into(),
        }),
        3 => Body::Value(Value {
            lane,
            slot,
            vote,
            index: rng.next_u32() % 3,
            cell: cell.into(),
        }),
        4 => Body::Promise(Promise {
            slot,
            ballot,
            accepted: vote,
        }),
        5 => Body::Accepted(Accepted {
            slot,
            ballot,
            value_hash: vec![2; 32].into(),
            signature: vec![3; 64].into(),
        }),
        6 => Body::Appended(Appended { seq }),
        7 => Body::Done(Done::default()),
        _ => Body::Refused(Refused {
            code: i32::try_from(rng.next_u32() % 11).unwrap(),
            detail: number(rng),
        }),
    };
    Frame {
        request: rng.next_u32() % 200,
        body: Some(body),
    }
}

/// A relay that holds its key and answers every request with nonsense, or as if all had gone well.
fn answer(rng: &mut ChaCha20Rng, key: &SigningKey, lanes: &[Bytes], asked: Frame) -> Vec<Frame> {
    let request = asked.request;
    let reply = |body| Frame {
        request,
        body: Some(body),
    };
    let lane = match asked.body {
        Some(Body::Hello(hello)) => {
            let challenge = Bytes::copy_from_slice(&[rng.next_u32().to_le_bytes()[0]; 32]);
            let signature = Statement::Welcome(&hello.nonce, &challenge).sign(key);
            return vec![reply(Body::Welcome(Welcome {
                paced: number(rng).is_multiple_of(2),
                version: 1,
                relay_key: Bytes::copy_from_slice(key.verifying_key().as_bytes()),
                signature: Bytes::copy_from_slice(&signature),
                time_ms: number(rng),
                ttl_max_seconds: rng.next_u32(),
                challenge,
                ..Welcome::default()
            }))];
        }
        Some(Body::LaneNew(_)) if !rng.next_u32().is_multiple_of(8) => {
            return vec![reply(Body::Done(Done::default()))];
        }
        Some(Body::Append(_)) if !rng.next_u32().is_multiple_of(4) => {
            return vec![reply(Body::Appended(Appended { seq: number(rng) }))];
        }
        Some(Body::Read(read)) => read.lane,
        Some(Body::Subscribe(read)) => read.lane,
        _ => pick(rng, lanes).clone(),
    };
    let lanes = [lane.clone()];
    let mut frames: Vec<Frame> = (0..rng.next_u32() % 4)
        .map(|_| nonsense(rng, &lanes))
        .collect();
    // Half of the time, that there is nothing: only then does an engine go on.
    let end = if rng.next_u32().is_multiple_of(2) {
        1
    } else {
        number(rng)
    };
    let (next, first) = (number(rng), if end == 1 { 1 } else { number(rng) });
    frames.push(Frame {
        request,
        body: Some(Body::Head(Head {
            lane,
            next,
            end,
            first,
            ..Head::default()
        })),
    });
    frames.push(Frame {
        request,
        ..nonsense(rng, &lanes)
    });
    frames
}

/// Opens an engine on rows, does with it what an app does first, and lets a hostile relay answer; whether it opened.
fn begin(seed: u8, rng: &mut ChaCha20Rng, rows: Vec<(Key, Vec<u8>)>, now: u64) -> bool {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let lanes = [Bytes::from(vec![7; 32])];
    let mut now = Millis(now);
    let surroundings = Surroundings {
        cover: [Cover::Off, Cover::Balanced, Cover::Strong][rng.next_u32() as usize % 3],
        ..Surroundings::AT_ONCE
    };
    let Ok(mut engine) = Engine::open(RELAY, surroundings, [9; 32], now, rows) else {
        return false;
    };
    let community = CommunityRef(1);
    let commands = [
        Command::Open { community },
        Command::Post {
            community,
            text: "after the damage".into(),
            lifetime: None,
        },
        Command::Share {
            community,
            terms: InviteTerms::default(),
        },
        Command::Start {
            name: "Next".into(),
            persona: String::new(),
            access: None,
        },
    ];
    let mut inputs = vec![Input::Connected(RELAY.into())];
    inputs.extend(
        (1..)
            .zip(commands)
            .map(|(number, command)| Input::Command { number, command }),
    );
    let mut outputs = engine.boot(now).outputs;
    for round in 0..40 {
        if round % 10 == 9 {
            inputs.push(Input::Disconnected(RELAY.into()));
        }
        for input in std::mem::take(&mut inputs) {
            outputs.extend(engine.handle(now, input).outputs);
        }
        now = now.plus(u64::from(rng.next_u32() % 20_000));
        inputs.push(Input::Tick);
        for output in std::mem::take(&mut outputs) {
            match output {
                Output::Connect(relay) => inputs.push(Input::Connected(relay)),
                Output::Send(relay, bytes) => {
                    let asked = frame::decode(&bytes).unwrap();
                    for frame in answer(rng, &key, &lanes, asked) {
                        let frame = frame::encode(&frame).unwrap();
                        inputs.push(Input::Frame(relay.clone(), frame));
                    }
                }
                Output::Fill(relay, bytes) => {
                    let asked = frame::decode(&bytes).unwrap();
                    let asked = match asked.body {
                        Some(Body::Several(several)) => several.frames,
                        _ => vec![asked],
                    };
                    inputs.push(Input::Left {
                        relay: relay.clone(),
                        slots: rng.next_u32() as usize % 300,
                        frames: rng.next_u32(),
                        filled: rng.next_u32() % 9,
                    });
                    let answers = asked.into_iter();
                    let frames = answers
                        .flat_map(|one| answer(rng, &key, &lanes, one))
                        .collect();
                    // All in one frame, or as much as fits.
                    let several = Frame {
                        request: 0,
                        body: Some(Body::Several(Several { frames })),
                    };
                    if let Ok(frame) = frame::encode(&several) {
                        inputs.push(Input::Frame(relay, frame));
                    }
                }
                _ => {}
            }
        }
        inputs.truncate(400);
    }
    true
}

#[test]
fn a_relay_of_nonsense_stops_nobody() {
    let (stage, guest, _) = play(10);
    let mut rng = ChaCha20Rng::from_seed([10; 32]);
    for round in 0..20 {
        let rows = stage.rows(if round % 2 == 0 { 0 } else { guest });
        assert!(begin(10, &mut rng, rows, stage.now_ms()));
    }
}

#[test]
fn damaged_rows_give_an_engine_or_a_failure() {
    let (stage, guest, _) = play(20);
    for device in [0, guest] {
        let whole = stage.rows(device);
        let small: Vec<usize> = (0..whole.len())
            .filter(|at| whole[*at].0.table != Table::Mls)
            .collect();
        let mut rng = ChaCha20Rng::from_seed([21; 32]);
        let mut opened = 0;
        for round in 0..400 {
            let mut rows = whole.clone();
            let at = if round % 3 == 0 {
                rng.next_u32() as usize % rows.len()
            } else {
                *pick(&mut rng, &small)
            };
            let row = &mut rows[at];
            match round % 5 {
                0 => row.1.truncate(rng.next_u32() as usize % row.1.len()),
                1 => {
                    rows.remove(at);
                }
                2 => rng.fill_bytes(&mut row.1),
                // Numbers at their limits, as a variable-length number of postcard.
                3 => {
                    let start = rng.next_u32() as usize % row.1.len();
                    row.1
                        .splice(start..=start, [[0xff; 9].as_slice(), &[1]].concat());
                }
                _ => flip(&mut rng, &mut row.1),
            }
            if round % 50 == 7 {
                let at = rng.next_u32() as usize % rows.len();
                let length = rng.next_u32() as usize % 8;
                rows[at].0.id.truncate(length);
            }
            opened += u32::from(begin(20, &mut rng, rows, stage.now_ms()));
        }
        assert!(opened > 100, "{opened}");
    }
    let mut rng = ChaCha20Rng::from_seed([22; 32]);
    begin(20, &mut rng, vec![], u64::MAX);
    begin(20, &mut rng, vec![], 0);
    begin(20, &mut rng, stage.rows(guest), u64::MAX);
    begin(20, &mut rng, stage.rows(guest), 0);
}

#[test]
fn a_damaged_post_or_outgoing_row_is_told() {
    let (mut stage, guest, there) = play(23);
    stage.ask(
        guest,
        Command::Post {
            community: there,
            text: "on its way".into(),
            lifetime: None,
        },
    );
    let whole = stage.rows(guest);
    for table in [Table::Entry, Table::Outbox] {
        let mut rows = whole.clone();
        let row = rows.iter_mut().find(|(key, _)| key.table == table).unwrap();
        row.1.truncate(1);
        let now = Millis(stage.now_ms());
        let mut engine = Engine::open(RELAY, Surroundings::AT_ONCE, [9; 32], now, rows).unwrap();
        let told = engine.boot(now).outputs.into_iter().any(|output| {
            let notice = Notice::RecordsDamaged { count: 1 };
            matches!(output, Output::Tell(FromEngine::News(News::Notice(told))) if told == notice)
        });
        assert!(told, "{table:?}");
    }
}
