//! A client that keeps the law, on a real socket: to try the capture, and what sealing frames at their tick would show.

use crate::dice::Dice;
use crate::fault::{Fault, Result};
use crate::proxy::Clock;
use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time;
use ume_wire::frame;
use ume_wire::pace::{Law, Pace, Pacer};
use ume_wire::relay::{Frame, Hello, Pad, Read, frame::Body};

/// How a client goes about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habit {
    /// Mean gap between its frames, milliseconds.
    pub(crate) gap_ms: u32,
    /// Mean gap between frames that the relay is asked to send, milliseconds.
    pub(crate) gap_down_ms: u32,
    /// For how long.
    pub(crate) lasts: Duration,
    /// Whether frames are sealed only when their tick has come.
    pub(crate) at_tick: bool,
}

/// What a client knows of what it did.
#[derive(Debug, Default)]
pub(crate) struct Diary {
    /// When each frame was to leave, in the order in which they left; of the first, Hello, it is not said.
    pub(crate) due: Vec<Option<u64>>,
    /// Frames that came.
    pub(crate) came: u64,
    /// Whether the relay keeps the pace that it was asked for.
    pub(crate) paced: bool,
}

/// What sealing takes where it is done at the tick.
const SEALING: Duration = Duration::from_micros(200);
/// How long to wait for what is still on its way.
const REST: Duration = Duration::from_secs(1);

/// Connects, keeps the law for a while and leaves. About half of all frames ask something; the others are cover.
///
/// # Errors
/// When the relay cannot be reached or does not speak as it should.
pub(crate) async fn run(to: SocketAddr, number: u64, habit: Habit, clock: Clock) -> Result<Diary> {
    let mut stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    upgrade(&mut stream).await?;
    let (mut from, mut to) = stream.into_split();
    let mut diary = Diary::default();
    to.write_all(&sent(&hello(habit))?).await?;
    diary.due.push(None);
    let reading = tokio::spawn(async move {
        let (mut came, mut paced, mut rest) = (0, false, Vec::new());
        let mut chunk = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut chunk).await {
            rest.extend_from_slice(&chunk[..count]);
            while rest.len() >= MESSAGE {
                let frame = frame::decode(&Bytes::copy_from_slice(&rest[HEADER..MESSAGE]));
                paced |= frame.is_ok_and(|frame| says_paced(&frame));
                rest.drain(..MESSAGE);
                came += 1;
            }
        }
        (came, paced)
    });
    let source = Dice::new(number, "native ticks", 0).into_source();
    keep(&mut to, source, number, habit, clock, &mut diary).await?;
    time::sleep(REST).await;
    to.shutdown().await?;
    let read = time::timeout(REST * 5, reading).await;
    let read = read.map_err(|_| Fault::Text("the relay does not close".to_owned()))?;
    (diary.came, diary.paced) = read.map_err(|error| Fault::Text(error.to_string()))?;
    Ok(diary)
}

async fn keep(
    to: &mut tokio::net::tcp::OwnedWriteHalf,
    source: ChaCha8Rng,
    number: u64,
    habit: Habit,
    clock: Clock,
    diary: &mut Diary,
) -> Result {
    let start = Instant::now();
    let steady = Law {
        gap_ms: habit.gap_ms,
        frames: 1,
    };
    let pace = Pace {
        burst: None,
        steady,
        windows: false,
    };
    let mut pacer = Pacer::new(source, 0, pace);
    let mut talk = Dice::new(number, "native talk", 0);
    for request in 2.. {
        // What waits is decided before the tick, and by nothing that has to do with it.
        let frame = if talk.part() < 0.5 {
            ask(request, &mut talk)
        } else {
            cover(request)
        };
        let real = !matches!(frame.body, Some(Body::Pad(_)));
        let sealed = if habit.at_tick && real {
            None
        } else {
            Some(sent(&frame)?)
        };
        let due = start + Duration::from_millis(pacer.next_ms());
        if due > start + habit.lasts {
            return Ok(());
        }
        time::sleep_until(due.into()).await;
        pacer.tick(start.elapsed().as_millis() as u64);
        let bytes = match sealed {
            Some(bytes) => bytes,
            None => seal_now(&frame)?,
        };
        to.write_all(&bytes).await?;
        diary.due.push(Some(clock.at(due)));
    }
    Ok(())
}

/// Seals a frame while its tick passes.
fn seal_now(frame: &Frame) -> Result<Vec<u8>> {
    let began = Instant::now();
    let bytes = sent(frame)?;
    while began.elapsed() < SEALING {
        std::hint::spin_loop();
    }
    Ok(bytes)
}

fn hello(habit: Habit) -> Frame {
    let steady = Law {
        gap_ms: habit.gap_down_ms,
        frames: 1,
    };
    let hello = Hello {
        version_min: 1,
        version_max: 1,
        nonce: Bytes::from_static(&[9; 32]),
        pace: Some(
            Pace {
                burst: None,
                steady,
                windows: false,
            }
            .to_wire(),
        ),
    };
    Frame {
        request: 1,
        body: Some(Body::Hello(hello)),
    }
}

/// A question after a lane that there is not: the relay looks, and refuses.
fn ask(request: u32, dice: &mut Dice) -> Frame {
    let lane: Vec<u8> = (0..32).map(|_| dice.below(128) as u8).collect();
    let read = Read {
        lane: lane.into(),
        from: 1,
        signature: Bytes::from_static(&[1; 64]),
    };
    Frame {
        request,
        body: Some(Body::Read(read)),
    }
}

fn cover(request: u32) -> Frame {
    Frame {
        request,
        body: Some(Body::Pad(Pad {})),
    }
}

fn says_paced(frame: &Frame) -> bool {
    match &frame.body {
        Some(Body::Welcome(welcome)) => welcome.paced,
        Some(Body::Several(several)) => several.frames.iter().any(says_paced),
        _ => false,
    }
}

/// Header and payload of a message of the relay's.
const HEADER: usize = 4;
const MESSAGE: usize = HEADER + ume_wire::limits::FRAME_BYTES;

/// A frame as a client's message, with a mask of zeros.
fn sent(frame: &Frame) -> Result<Vec<u8>> {
    let payload = frame::encode(frame).map_err(|error| Fault::Text(error.to_string()))?;
    let mut bytes = vec![0x82, 0xfe];
    bytes.extend((payload.len() as u16).to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(payload);
    Ok(bytes)
}

async fn upgrade(stream: &mut TcpStream) -> Result {
    let head = "GET /v1/ws HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    let mut received = Vec::new();
    // The relay says nothing before Hello: no byte of a message is taken here.
    while !received.ends_with(b"\r\n\r\n") {
        let mut chunk = [0; 1_024];
        match stream.read(&mut chunk).await? {
            0 => return Err(Fault::Text("the relay does not upgrade".to_owned())),
            count => received.extend_from_slice(&chunk[..count]),
        }
    }
    Ok(())
}
