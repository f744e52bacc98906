//! A relay that keeps a pace: its frames leave at ticks and at no other time, whatever waits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/client.rs"]
mod client;
#[path = "support/process.rs"]
mod process;
#[path = "support/tap.rs"]
mod tap;

use client::*;
use futures_util::{SinkExt, StreamExt};
use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use tokio::time::timeout;
use tokio_websockets::{ClientBuilder, Message};
use ume_wire::{
    frame,
    pace::{Burst, Law, Pace},
    relay::{self, Appended, Frame, Hello, Pad, RefusedCode, Several, frame::Body},
};

/// So often that a test need not wait.
const QUICK: Pace = Pace {
    windows: false,
    burst: None,
    steady: Law {
        gap_ms: 20,
        frames: 2,
    },
};
/// 60 frames, and no further one for half a minute.
const COUNTED: Pace = Pace {
    windows: false,
    burst: Some(Burst {
        ticks: 20,
        law: Law {
            gap_ms: 20,
            frames: 3,
        },
    }),
    steady: Law {
        gap_ms: 60_000,
        frames: 1,
    },
};
/// Nothing comes within it unless it comes at once.
const QUIET: Duration = Duration::from_secs(2);

fn greeting(pace: Option<relay::Pace>) -> Body {
    let Body::Hello(hello) = hello() else {
        panic!()
    };
    Body::Hello(Hello { pace, ..hello })
}

fn appended(seq: u64) -> Body {
    Body::Appended(Appended { seq })
}

fn pad() -> Body {
    Body::Pad(Pad {})
}

fn one(request: u32, body: Body) -> Frame {
    let body = Some(body);
    Frame { request, body }
}

/// A client that keeps count of all frames, pads among them.
struct Paced {
    client: Client,
    frames: usize,
    messages: VecDeque<Frame>,
}

impl Paced {
    async fn connect(address: SocketAddr, pace: Pace) -> Self {
        let mut client = Client::open(address).await.unwrap();
        client.send(greeting(Some(pace.to_wire()))).await;
        let mut paced = Self {
            client,
            frames: 0,
            messages: VecDeque::new(),
        };
        let Some(Body::Welcome(welcome)) = paced.next().await.body else {
            panic!("no welcome")
        };
        assert!(welcome.paced);
        paced.client.greeted(&welcome);
        paced
    }

    /// The next message that is no pad.
    async fn next(&mut self) -> Frame {
        loop {
            if let Some(message) = self.messages.pop_front() {
                return message;
            }
            let frame = self.client.receive().await;
            self.count(frame);
        }
    }

    fn count(&mut self, frame: Frame) {
        self.frames += 1;
        match frame.body {
            Some(Body::Pad(_)) => assert_eq!(frame.request, 0),
            Some(Body::Several(several)) => self.messages.extend(several.frames),
            _ => self.messages.push_back(frame),
        }
    }

    async fn ask(&mut self, body: Body) -> Body {
        let request = self.client.send(body).await;
        let answer = self.next().await;
        assert_eq!(answer.request, request, "{answer:?}");
        answer.body.unwrap()
    }

    /// Everything up to a silence.
    async fn rest(&mut self) {
        while let Ok(frame) = timeout(QUIET, self.client.receive()).await {
            self.count(frame);
        }
    }
}

#[tokio::test]
async fn a_burst_has_its_frames_with_traffic_and_without() {
    let place = place().await;
    let mut writer = place.connect().await;
    let lane = Lane::log(1);
    assert_eq!(writer.ask(lane.create()).await, done());
    for n in 1..=300 {
        writer.send(lane.append(cell(n))).await;
        writer.receive().await;
    }
    for is_busy in [false, true] {
        let begun = Instant::now();
        let mut paced = Paced::connect(place.relay.address(), COUNTED).await;
        if is_busy {
            paced.client.send(lane.subscribe(1)).await;
            paced.client.send(pad()).await;
        }
        paced.rest().await;
        // A tick that a busy machine missed is dropped whole, and never caught up.
        assert!(paced.frames <= 60 && paced.frames.is_multiple_of(3));
        assert!(paced.frames > 0 && begun.elapsed() >= Duration::from_millis(200) + QUIET);
        let numbers = paced.messages.iter().map(|frame| match &frame.body {
            Some(Body::Delivery(delivery)) => delivery.seq,
            _ => panic!("{frame:?}"),
        });
        let wanted = 1..=paced.messages.len() as u64;
        assert!(numbers.eq(wanted), "in their order");
        assert_eq!(paced.messages.is_empty(), !is_busy);
    }
}

#[tokio::test]
async fn several_come_in_and_leave_in_their_order() {
    let place = place().await;
    let lane = Lane::log(1);
    let new = one(11, lane.create());
    let acknowledge = |n| one(n, lane.acknowledge(1));
    let nested = one(
        13,
        Body::Several(Several {
            frames: vec![one(20, lane.delete())],
        }),
    );
    let nothing = Frame {
        request: 14,
        body: None,
    };
    let frames = vec![
        new,
        acknowledge(12),
        one(0, pad()),
        nested,
        nothing,
        one(15, lane.unsubscribe()),
    ];
    let malformed = refused(RefusedCode::RefusedMalformed);
    let mut answers = VecDeque::from([
        one(11, done()),
        // Of a log nothing is acknowledged.
        one(12, malformed.clone()),
        one(13, malformed.clone()),
        one(14, refused(RefusedCode::RefusedUnknown)),
        one(15, done()),
    ]);
    let mut paced = Paced::connect(place.relay.address(), QUICK).await;
    paced
        .client
        .send(Body::Several(Several {
            frames: frames.clone(),
        }))
        .await;
    for answer in &answers {
        assert_eq!(paced.next().await, *answer);
    }
    // Without a pace each is answered in a frame of its own, the pad too.
    let mut client = place.connect().await;
    client.send(Body::Several(Several { frames })).await;
    answers.insert(2, one(0, pad()));
    for answer in answers {
        assert_eq!(client.receive().await, answer);
    }
    for count in [0, 65] {
        let mut frames = vec![one(1, pad()); count];
        if let Some(first) = frames.first_mut() {
            *first = one(1, lane.delete());
        }
        let several = Body::Several(Several { frames });
        assert_eq!(client.ask(several.clone()).await, malformed);
        assert_eq!(paced.ask(several).await, malformed);
    }
    // Nothing of it was done.
    assert_eq!(client.ask(lane.append(cell(1))).await, appended(1));
}

#[tokio::test]
async fn what_is_written_meanwhile_comes_in_its_order() {
    let place = place().await;
    let mut writer = place.connect().await;
    let lane = Lane::log(1);
    assert_eq!(writer.ask(lane.create()).await, done());
    let mut paced = Paced::connect(place.relay.address(), QUICK).await;
    assert!(matches!(paced.ask(lane.subscribe(1)).await, Body::Head(_)));
    for n in 1..=50 {
        assert_eq!(writer.ask(lane.append(cell(n))).await, appended(n));
    }
    for n in 1..=50 {
        match paced.next().await.body {
            Some(Body::Delivery(delivery)) => assert_eq!(delivery.seq, n),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_long_answer_lets_others_pass() {
    let place = place().await;
    let mut writer = place.connect().await;
    let lane = Lane::log(1);
    assert_eq!(writer.ask(lane.create()).await, done());
    for n in 1..=200 {
        writer.send(lane.append(cell(n))).await;
        writer.receive().await;
    }
    let mut paced = Paced::connect(place.relay.address(), QUICK).await;
    let long = paced.client.send(lane.read(1)).await;
    let short = paced.client.send(lane.append(cell(201))).await;
    let mut before = 0;
    loop {
        let message = paced.next().await;
        if message.request == short {
            assert_eq!(message.body, Some(appended(201)));
            break;
        }
        assert_eq!(message.request, long);
        before += 1;
    }
    assert!(before < 200, "it waited for the whole answer");
    let mut number = before;
    loop {
        match paced.next().await.body {
            Some(Body::Delivery(delivery)) => {
                number += 1;
                assert_eq!(delivery.seq, number);
            }
            Some(Body::Head(head)) => return assert!(head.next > 200),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_pace_is_changed_on_a_paced_connection_only_and_within_its_bounds() {
    let place = place().await;
    let malformed = refused(RefusedCode::RefusedMalformed);
    let law = |gap_ms, frames| {
        let ticks = 0;
        Some(relay::Law {
            gap_ms,
            frames,
            ticks,
        })
    };
    let steady = |steady| relay::Pace {
        steady,
        burst: None,
        windows: false,
    };
    let wrong = [
        steady(None),
        steady(law(19, 1)),
        steady(law(60_001, 1)),
        steady(law(20, 0)),
        steady(law(20, 17)),
    ];
    let mut client = Client::open(place.relay.address()).await.unwrap();
    for pace in wrong {
        assert_eq!(client.ask(greeting(Some(pace))).await, malformed);
    }
    // Who did not begin with a pace has none.
    assert!(matches!(client.ask(hello()).await, Body::Welcome(welcome) if !welcome.paced));
    assert_eq!(client.ask(Body::Pace(QUICK.to_wire())).await, malformed);
    assert!(
        matches!(client.ask(greeting(Some(QUICK.to_wire()))).await, Body::Welcome(welcome) if !welcome.paced)
    );
    assert_eq!(client.ask(pad()).await, pad());

    let mut paced = Paced::connect(place.relay.address(), QUICK).await;
    for pace in wrong {
        assert_eq!(paced.ask(Body::Pace(pace)).await, malformed);
    }
    assert_eq!(paced.ask(Body::Pace(COUNTED.to_wire())).await, done());
    assert!(
        matches!(paced.ask(greeting(Some(QUICK.to_wire()))).await, Body::Welcome(welcome) if welcome.paced)
    );
    paced.rest().await;
    // In a `POST` there is neither.
    let answers = post(
        place.relay.address(),
        vec![
            Body::Pace(QUICK.to_wire()),
            Body::Several(Several {
                frames: vec![one(1, pad())],
            }),
        ],
    )
    .await;
    let answers: Vec<_> = answers
        .into_iter()
        .map(|frame| frame.body.unwrap())
        .collect();
    assert_eq!(answers, [malformed, refused(RefusedCode::RefusedUnknown)]);
}

/// Everything that serves connections stands still, as if it waited for a disk: ticks come all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn ticks_wait_for_nobody() {
    let place = place().await;
    let address = place.relay.address();
    let (ready, is_ready) = mpsc::channel();
    let (stands, is_standing) = mpsc::channel();
    let client = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut paced = Paced::connect(address, QUICK).await;
            ready.send(()).unwrap();
            is_standing.recv().unwrap();
            // What was sent before may still be on its way.
            let (begun, mut late) = (Instant::now(), 0);
            while begun.elapsed() < Duration::from_secs(2) {
                let frame = paced.client.receive().await;
                late += usize::from(begun.elapsed() > Duration::from_secs(1));
                paced.count(frame);
            }
            late
        })
    });
    let waiting = tokio::task::spawn_blocking(move || is_ready.recv().unwrap());
    waiting.await.unwrap();
    tokio::spawn(async move {
        stands.send(()).unwrap();
        thread::sleep(Duration::from_secs(3));
    });
    let late = tokio::task::spawn_blocking(|| client.join().unwrap())
        .await
        .unwrap();
    assert!(late >= 4, "{late} frames");
}

#[tokio::test]
async fn a_ping_is_answered_and_a_stop_says_when_to_come_back() {
    let place = place().await;
    let mut paced = Paced::connect(place.relay.address(), COUNTED).await;
    paced.rest().await;
    paced.client.socket.send(Message::ping("x")).await.unwrap();
    let pong = timeout(PATIENCE, paced.client.socket.next()).await;
    assert!(pong.unwrap().unwrap().unwrap().is_pong());
    // Its answer waits for a tick that is far away; the end does not.
    paced.client.send(blob_get(&[1; 32])).await;
    let stopping = tokio::spawn(place.relay.stop());
    assert_eq!(paced.client.close_code().await, Some(1012));
    stopping.await.unwrap();
}

#[tokio::test]
async fn every_frame_is_one_record_of_one_size() {
    const NAME: &str = "relay.test";
    let files = tempfile::tempdir().unwrap();
    let root = process::write_pair(files.path(), NAME, -1..30);
    let place = place_with(|config| {
        config.tls_certificate = Some(files.path().join("chain.pem"));
        config.tls_key = Some(files.path().join("key.pem"));
    })
    .await;
    let (stream, heard) = tap::connect(place.relay.address(), NAME, &root).await;
    let uri = format!("wss://{NAME}/v1/ws");
    let client = ClientBuilder::new().uri(&uri).unwrap();
    let (mut socket, _) = client.connect_on(stream).await.unwrap();
    let start = heard.lock().unwrap().len();
    let eight = Pace {
        steady: Law {
            gap_ms: 20,
            frames: 8,
        },
        ..QUICK
    };
    for body in [
        greeting(Some(eight.to_wire())),
        blob_get(&[1; 32]),
        Body::Unsubscribe(relay::Unsubscribe {
            lane: vec![7; 32].into(),
        }),
    ] {
        let frame = frame::encode(&one(1, body)).unwrap();
        socket.send(Message::binary(frame)).await.unwrap();
    }
    for _ in 0..200 {
        let message = timeout(PATIENCE, socket.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert!(message.is_binary());
    }
    let lengths = tap::records(&heard.lock().unwrap()[start..]);
    // Header of the message, frame, kind of content, tag.
    let wanted = 4 + 2048 + 1 + 16;
    assert!(
        lengths.len() >= 200 && lengths.iter().all(|length| *length == wanted),
        "{lengths:?}"
    );
}
