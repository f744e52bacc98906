use super::*;
use bytes::Bytes;
use rand_core::SeedableRng;
use ume_wire::frame;
use ume_wire::pace::{BULK, Law};
use ume_wire::relay::{Append, Read};

const STEADY: Pace = Pace {
    burst: None,
    steady: Law {
        gap_ms: 2_000,
        frames: 1,
    },
    windows: true,
};

fn paced() -> Schedule {
    let mut schedule = Schedule::default();
    schedule.open(Some(STEADY), || ChaCha20Rng::seed_from_u64(5));
    schedule
}

fn leaving(schedule: &mut Schedule) -> (Vec<Slot>, Vec<Frame>) {
    let relay = RelayAddress::from("https://relay.example");
    let (mut slots, mut fills) = (vec![], vec![]);
    for output in schedule.leaving(&relay, |frame| frame::encode(frame).ok()) {
        match output {
            Output::Plan { slots: more, .. } => slots.extend(more),
            Output::Fill(_, frame) => fills.push(frame::decode(&frame).unwrap()),
            other => panic!("{other:?}"),
        }
    }
    (slots, fills)
}

fn short(request: u32) -> Frame {
    let read = Read {
        lane: Bytes::from(vec![7; 32]),
        signature: Bytes::from(vec![8; 64]),
        from: 1,
    };
    Frame {
        request,
        body: Some(Body::Read(read)),
    }
}

fn long(request: u32) -> Frame {
    let append = Append {
        lane: Bytes::from(vec![7; 32]),
        cell: Bytes::from(vec![9; 1_792]),
        signature: Bytes::from(vec![8; 64]),
    };
    Frame {
        request,
        body: Some(Body::Append(append)),
    }
}

#[test]
fn what_waits_moves_no_slot() {
    let (mut idle, mut busy) = (paced(), paced());
    let (mut quiet, mut loud) = (vec![], vec![]);
    for round in 0..2_000u32 {
        for request in 0..round % 7 {
            busy.push(long(request + 1));
        }
        quiet.extend(leaving(&mut idle).0);
        let (slots, fills) = leaving(&mut busy);
        loud.extend(slots);
        idle.left(1, 0);
        busy.left(1, fills.len().min(1));
    }
    assert!(quiet.len() >= 2_000);
    assert_eq!(quiet, loud);
}

#[test]
fn short_messages_share_a_frame_in_their_order() {
    let mut schedule = paced();
    (1..=30).for_each(|request| schedule.push(short(request)));
    schedule.push(long(31));
    schedule.push(short(32));
    let mut requests = vec![];
    let mut frames = 0;
    while requests.len() < 32 {
        let (_, fills) = leaving(&mut schedule);
        assert!(fills.len() <= 2, "no more than the next two turns take");
        for fill in fills {
            frames += 1;
            match fill.body {
                Some(Body::Several(several)) => {
                    requests.extend(several.frames.iter().map(|frame| frame.request));
                }
                _ => requests.push(fill.request),
            }
        }
        schedule.left(1, 1);
    }
    assert_eq!(requests, (1..=32).collect::<Vec<_>>());
    assert!((3..=6).contains(&frames), "{frames}");
}

#[test]
fn a_frame_has_left_when_its_slot_went_by() {
    let mut schedule = paced();
    schedule.push(long(1));
    schedule.push(long(2));
    schedule.push(long(3));
    leaving(&mut schedule);
    assert_eq!(schedule.waiting(), 3);
    assert_eq!(schedule.left(1, 1), [1]);
    assert_eq!(schedule.left(3, 0), [0; 0]);
    leaving(&mut schedule);
    assert_eq!(schedule.left(1, 2), [2, 3]);
    assert_eq!(schedule.waiting(), 0);
}

#[test]
fn another_pace_is_told_in_its_first_slot() {
    let mut schedule = paced();
    let (planned, _) = leaving(&mut schedule);
    assert!(
        planned
            .iter()
            .all(|slot| slot.frames == 1 && slot.fixed.is_none())
    );
    let told = frame::encode(&short(9)).unwrap();
    let bulk = Pace {
        burst: Some(BULK),
        ..STEADY
    };
    schedule.change(bulk, told.clone());
    let (slots, _) = leaving(&mut schedule);
    assert_eq!(slots[0].fixed, Some(told));
    assert!(slots[1..].iter().all(|slot| slot.fixed.is_none()));
    let burst = slots.iter().take(128);
    assert!(
        burst
            .clone()
            .all(|slot| slot.frames == 8 && slot.gap_ms <= 24)
    );
    assert!(slots[0].gap_ms <= 24, "at once");
    assert!(slots[128..].iter().all(|slot| slot.frames == 1));
}

#[test]
fn without_a_pace_all_leaves_at_once() {
    let mut schedule = Schedule::default();
    schedule.open(None, || ChaCha20Rng::seed_from_u64(1));
    schedule.push(short(1));
    let relay = RelayAddress::new();
    let outputs = schedule.leaving(&relay, |frame| frame::encode(frame).ok());
    assert!(matches!(&outputs[..], [Output::Send(_, _)]));
}
