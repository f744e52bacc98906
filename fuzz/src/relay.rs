//! A whole relay in this process, over its real sockets: whatever comes in, it answers in the forms that there are, lets
//! nobody wait who went away, and goes on.

mod repair;

use crate::{input::Input, wire};
use bytes::Bytes;
use repair::Signer;
use std::{net::SocketAddr, path::PathBuf, sync::Mutex, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    time::timeout,
};
use ume_relay::{Config, Relay, admin};
use ume_wire::{
    auth::relay_id,
    frame,
    limits::FRAME_BYTES,
    pace::{Law, Pace},
    relay::{Frame, Hello, frame::Body},
};

/// Longer than the relay waits for anybody who is still there, but not for longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// A WebSocket that says nothing for so long has said all.
const SILENCE: Duration = Duration::from_millis(5);
const PACE: Pace = Pace {
    windows: true,
    burst: None,
    steady: Law {
        gap_ms: 20,
        frames: 4,
    },
};
const FRAMES_MAX: usize = 16;
/// After so many inputs the relay is asked how it is.
const INPUTS_PER_LOOK: usize = 8;
const HEADER_BYTES: usize = 4;

struct Place {
    runtime: Runtime,
    relay: Relay,
    directory: TempDir,
    inputs: usize,
}

static PLACE: Mutex<Option<Place>> = Mutex::new(None);

impl Place {
    #[allow(clippy::expect_used)] // without it there is nothing to try
    fn start() -> Self {
        let directory = TempDir::new().expect("a directory");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let mut config = Config::new(
            SocketAddr::from(([127, 0, 0, 1], 0)),
            directory.path().join("data"),
        );
        config.limits.cache_bytes = 4 << 20;
        config.limits.store_bytes = 64 << 20;
        config.limits.admission.free_lanes_per_minute = 1 << 24;
        config.limits.admission.prefix_free_lanes_per_minute = 1 << 24;
        // Devices are taken and watch, and none is ever woken.
        config.push.allow = vec!["push.example.org".to_owned()];
        config.push.delay = Duration::from_hours(24);
        config.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
        let relay = runtime.block_on(async {
            // A program that Rust begins ignores writing to who is gone (SIGPIPE); libFuzzer begins this one.
            let _handled = signal(SignalKind::pipe()).expect("a handler");
            Relay::start(config).await.expect("a relay")
        });
        let place = Self {
            runtime,
            relay,
            directory,
            inputs: 0,
        };
        place.runtime.block_on(place.post(&repair::lanes()));
        place
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("data/admin.sock")
    }

    /// Sends bytes and nothing after them; what is answered until the relay hangs up.
    async fn send(&self, bytes: &[u8], leave: bool) -> Vec<u8> {
        let mut answer = Vec::new();
        let talk = async {
            let mut stream = TcpStream::connect(self.relay.address()).await?;
            // It may have hung up before it has heard all.
            let _ = stream.write_all(bytes).await;
            if leave {
                let _ = stream.shutdown().await;
            }
            let _ = stream.read_to_end(&mut answer).await;
            Ok::<_, std::io::Error>(())
        };
        let talked = timeout(PATIENCE, talk).await;
        assert!(
            matches!(talked, Ok(Ok(()))),
            "the relay does not let go: {talked:?}"
        );
        answer
    }

    /// Frames by `POST`; every answer is of frames that answer one of them.
    async fn post(&self, frames: &[Bytes]) -> Vec<Frame> {
        let body = frames.concat();
        // Without HTTP/1.1 the answer is not cut into chunks.
        let head = format!(
            "POST /v1/f HTTP/1.0\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let answer = self.send(&[head.as_bytes(), &body].concat(), false).await;
        let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
            panic_at("no answer to a POST", &answer)
        };
        if !answer.starts_with(b"HTTP/1.0 200") {
            return Vec::new();
        }
        let body = Bytes::copy_from_slice(&answer[end + 4..]);
        assert!(body.len().is_multiple_of(FRAME_BYTES));
        let answers = (0..body.len()).step_by(FRAME_BYTES);
        answers
            .map(|at| understood(&body.slice(at..at + FRAME_BYTES)))
            .collect()
    }

    /// A WebSocket: a greeting, then whatever `say` makes of the relay's.
    async fn websocket(&self, pace: Option<Pace>, say: impl FnOnce(Signer) -> Vec<u8>) {
        let talk = async {
            let mut stream = TcpStream::connect(self.relay.address()).await?;
            stream.write_all(UPGRADE.as_bytes()).await?;
            let hello = Hello {
                version_min: 1,
                version_max: 1,
                nonce: vec![5; 32].into(),
                pace: pace.map(Pace::to_wire),
            };
            stream.write_all(&message(1, Body::Hello(hello))).await?;
            let mut heard = Vec::new();
            let mut said = Some(say);
            let mut piece = vec![0; 16 << 10];
            loop {
                let Ok(read) = timeout(SILENCE, stream.read(&mut piece)).await else {
                    if said.is_none() {
                        break;
                    }
                    continue;
                };
                let read = read.unwrap_or_default();
                if read == 0 {
                    break;
                }
                heard.extend_from_slice(&piece[..read]);
                let welcome = frames(&heard)
                    .into_iter()
                    .find_map(|frame| match frame.body {
                        Some(Body::Welcome(welcome)) => Some(welcome),
                        _ => None,
                    });
                if let Some(welcome) = welcome
                    && let Some(say) = said.take()
                {
                    let relay = relay_id(&welcome.relay_key);
                    let bytes = say(Signer::here(relay, welcome.challenge));
                    let _ = stream.write_all(&bytes).await;
                }
            }
            Ok::<_, std::io::Error>(())
        };
        let talked = timeout(PATIENCE, talk).await;
        assert!(talked.is_ok(), "the relay does not let go");
    }

    /// The socket for operators.
    async fn ask(&self, bytes: &[u8]) {
        let talk = async {
            let mut stream = UnixStream::connect(self.socket()).await?;
            let _ = stream.write_all(bytes).await;
            let _ = stream.shutdown().await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = timeout(PATIENCE, talk).await;
        let Ok(Ok(answer)) = answer else {
            panic_at("the socket for operators does not answer", bytes)
        };
        if let Some((length, json)) = answer.split_first_chunk::<4>() {
            assert_eq!(usize::try_from(u32::from_le_bytes(*length)), Ok(json.len()));
            assert!(serde_json::from_slice::<admin::Answer>(json).is_ok());
        }
    }

    async fn is_well(&self) -> bool {
        let answer = self.send(b"GET /healthz HTTP/1.0\r\n\r\n", false).await;
        answer.starts_with(b"HTTP/1.0 200")
    }
}

#[allow(clippy::panic)] // a broken rule
fn panic_at(what: &str, bytes: &[u8]) -> ! {
    panic!("{what}: {}", String::from_utf8_lossy(bytes))
}

#[allow(clippy::expect_used)] // a broken rule
fn understood(bytes: &Bytes) -> Frame {
    let frame = frame::decode(bytes).expect("a whole frame");
    assert!(frame.body.is_some(), "the relay says what there is");
    frame
}

const UPGRADE: &str = "GET /v1/ws HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A client's message with a frame; its mask is zero (RFC 6455, section 5.3 lets a client choose).
fn message(request: u32, body: Body) -> Vec<u8> {
    let frame = Frame {
        request,
        body: Some(body),
    };
    frame::encode(&frame).map_or(Vec::new(), |frame| masked(&frame))
}

fn masked(frame: &[u8]) -> Vec<u8> {
    [&[0x82, 0xfe, 0x08, 0x00, 0, 0, 0, 0], frame].concat()
}

/// The frames among what came on a WebSocket.
fn frames(heard: &[u8]) -> Vec<Frame> {
    let Some(end) = heard.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Vec::new();
    };
    let messages = heard[end + 4..].chunks_exact(HEADER_BYTES + FRAME_BYTES);
    let binary = messages.take_while(|message| message.starts_with(&[0x82, 0x7e, 0x08, 0x00]));
    binary
        .map(|message| understood(&Bytes::copy_from_slice(&message[HEADER_BYTES..])))
        .collect()
}

/// What is asked of the relay: messages as they are, or with keys and signatures put right.
fn asked(input: &mut Input<'_>, signer: &Signer) -> Vec<Bytes> {
    let mut frames = Vec::new();
    while !input.is_empty() && frames.len() < FRAMES_MAX {
        let (sound, piece) = (input.byte().is_multiple_of(2), input.piece());
        let frame = match wire::message(piece) {
            Some(frame) if sound => frame::encode(&signer.sign(frame)).ok(),
            _ => wire::framed(piece),
        };
        frames.extend(frame);
    }
    frames
}

pub(crate) fn run(bytes: &[u8]) {
    let mut place = PLACE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let place = place.get_or_insert_with(Place::start);
    let mut input = Input::new(bytes);
    let kind = input.byte();
    // Some connections keep a pace.
    let kept = (kind / 5 % 2 == 1).then_some(PACE);
    place.inputs += 1;
    place.runtime.block_on(async {
        match kind % 5 {
            0 => {
                let answer = place.send(input.rest(), true).await;
                assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."));
            }
            1 => {
                let frames = asked(&mut input, &Signer::by_post());
                let requests: Vec<u32> = frames
                    .iter()
                    .filter_map(|bytes| frame::decode(bytes).ok())
                    .map(|frame| frame.request)
                    .collect();
                for answer in place.post(&frames).await {
                    assert!(answer.request == 0 || requests.contains(&answer.request));
                }
            }
            2 => {
                let say = |signer: Signer| {
                    asked(&mut input, &signer)
                        .iter()
                        .flat_map(|frame| masked(frame))
                        .collect()
                };
                place.websocket(kept, say).await;
            }
            3 => place.websocket(kept, |_| input.rest().to_vec()).await,
            _ => {
                let (length, json) = (input.number(), input.rest());
                // A backup would go wherever the input says.
                let question = serde_json::from_slice(json);
                if !matches!(question, Ok(admin::Question::Backup { .. })) {
                    let length = match u32::try_from(length) {
                        Ok(0) | Err(_) => u32::try_from(json.len()).unwrap_or_default(),
                        Ok(length) => length,
                    };
                    place.ask(&[&length.to_le_bytes(), json].concat()).await;
                }
            }
        }
        if place.inputs.is_multiple_of(INPUTS_PER_LOOK) {
            assert!(place.is_well().await, "the relay is well");
        }
    });
}

/// Stops the relay, if an input started it.
pub(crate) fn stop() {
    let mut place = PLACE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(place) = place.take() {
        place.runtime.block_on(place.relay.stop());
    }
}
