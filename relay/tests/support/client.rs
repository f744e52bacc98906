//! A client of the relay for tests: real sockets, real signatures.
#![allow(dead_code)] // every test file uses another part
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

use bytes::Bytes;
use ed25519_dalek::SigningKey;
use futures_util::{SinkExt, StreamExt};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_websockets::{ClientBuilder, MaybeTlsStream, Message, WebSocketStream};
use ume_relay::{Config, Relay};
use ume_wire::{
    auth::{Hash, Statement, hash, hash_cells, relay_id},
    frame,
    limits::CELL_BYTES,
    relay::{self, Frame, frame::Body, *},
};

pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn public(key: &SigningKey) -> Bytes {
    Bytes::copy_from_slice(key.verifying_key().as_bytes())
}

fn bytes(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

/// A cell that differs for every number.
pub(crate) fn cell(n: u64) -> Bytes {
    let mut cell = vec![0; CELL_BYTES];
    cell[..8].copy_from_slice(&n.to_le_bytes());
    cell[CELL_BYTES - 1] = 1;
    cell.into()
}

/// A relay in this process with a data directory of its own.
pub(crate) struct Place {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) relay: Relay,
}

pub(crate) async fn place() -> Place {
    place_with(|_| {}).await
}

pub(crate) async fn place_with(change: impl FnOnce(&mut Config)) -> Place {
    let directory = tempfile::tempdir().unwrap();
    let mut config = defaults(&directory);
    change(&mut config);
    let relay = Relay::start(config).await.unwrap();
    Place { directory, relay }
}

fn defaults(directory: &tempfile::TempDir) -> Config {
    let data = directory.path().join("data");
    Config::new("127.0.0.1:0".parse().unwrap(), data)
}

impl Place {
    /// The configuration before any change.
    pub(crate) fn config(&self) -> Config {
        defaults(&self.directory)
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.relay.address()).await.unwrap()
    }
}

/// A lane with all its keys: writers 1 and 2, reader 3, owner 4.
#[derive(Clone)]
pub(crate) struct Lane(pub(crate) LaneNew);

impl Lane {
    pub(crate) fn new(kind: LaneKind, n: u8) -> Self {
        Self(LaneNew {
            lane: bytes(&[n; 32]),
            kind: kind.into(),
            writers: vec![public(&key(1)), public(&key(2))],
            reader: public(&key(3)),
            owner: public(&key(4)),
            ttl_seconds: 3600,
            acceptors: 1,
            ..LaneNew::default()
        })
    }

    pub(crate) fn log(n: u8) -> Self {
        Self::new(LaneKind::Log, n)
    }

    pub(crate) fn slots(n: u8) -> Self {
        Self::new(LaneKind::Slot, n)
    }

    pub(crate) fn create(&self) -> Body {
        Body::LaneNew(self.0.clone())
    }

    pub(crate) fn append(&self, cell: Bytes) -> Body {
        let signature = bytes(&Statement::Append(&self.0.lane, &hash(&cell)).sign(&key(1)));
        Body::Append(Append {
            lane: self.0.lane.clone(),
            cell,
            signature,
        })
    }

    pub(crate) fn read(&self, from: u64) -> Body {
        let signature = bytes(&Statement::Read(&self.0.lane).sign(&key(3)));
        Body::Read(Read {
            lane: self.0.lane.clone(),
            from,
            signature,
        })
    }

    pub(crate) fn subscribe(&self, from: u64) -> Body {
        let signature = bytes(&Statement::Read(&self.0.lane).sign(&key(3)));
        Body::Subscribe(Subscribe {
            lane: self.0.lane.clone(),
            from,
            signature,
        })
    }

    pub(crate) fn unsubscribe(&self) -> Body {
        Body::Unsubscribe(Unsubscribe {
            lane: self.0.lane.clone(),
        })
    }

    pub(crate) fn acknowledge(&self, upto: u64) -> Body {
        let signature = bytes(&Statement::Acknowledge(&self.0.lane, upto).sign(&key(4)));
        Body::Acknowledge(Acknowledge {
            lane: self.0.lane.clone(),
            upto,
            signature,
        })
    }

    pub(crate) fn delete(&self) -> Body {
        let signature = bytes(&Statement::Delete(&self.0.lane).sign(&key(4)));
        Body::LaneDelete(LaneDelete {
            lane: self.0.lane.clone(),
            signature,
        })
    }

    pub(crate) fn prepare(&self, slot: u64, ballot: &Ballot, writer: u8) -> Body {
        let signature = bytes(&Statement::Prepare(&self.0.lane, slot, ballot).sign(&key(writer)));
        Body::Prepare(Prepare {
            lane: self.0.lane.clone(),
            slot,
            ballot: Some(ballot.clone()),
            signature,
        })
    }

    pub(crate) fn vote(&self, slot: u64, ballot: &Ballot, cells: &[Bytes], writer: u8) -> Vote {
        let mut vote = Vote {
            ballot: Some(ballot.clone()),
            value_hash: bytes(&hash_cells(cells)),
            cells: u32::try_from(cells.len()).unwrap(),
            signature: Bytes::new(),
        };
        vote.signature = bytes(&Statement::Accept(&self.0.lane, slot, &vote).sign(&key(writer)));
        vote
    }

    pub(crate) fn accept(&self, slot: u64, vote: &Vote, index: u32, cell: &Bytes) -> Body {
        let (lane, cell) = (self.0.lane.clone(), cell.clone());
        Body::Accept(Accept {
            lane,
            slot,
            vote: Some(vote.clone()),
            index,
            cell,
        })
    }

    /// All cells of a value, signed by writer 1.
    pub(crate) fn accepts(&self, slot: u64, ballot: &Ballot, cells: &[Bytes]) -> Vec<Body> {
        let vote = self.vote(slot, ballot, cells, 1);
        (0..)
            .zip(cells)
            .map(|(index, cell)| self.accept(slot, &vote, index, cell))
            .collect()
    }
}

pub(crate) fn ballot(round: u32, tie: u8) -> Ballot {
    Ballot {
        round,
        tie: bytes(&[tie; 12]),
    }
}

pub(crate) fn blob_put(id: &[u8; 32], cells: &[Bytes], index: usize) -> Body {
    Body::BlobPut(BlobPut {
        id: bytes(id),
        cells: u32::try_from(cells.len()).unwrap(),
        index: u32::try_from(index).unwrap(),
        cell: cells[index].clone(),
        ttl_seconds: 3600,
        ..BlobPut::default()
    })
}

pub(crate) fn blob_get(id: &[u8; 32]) -> Body {
    Body::BlobGet(BlobGet { id: bytes(id) })
}

pub(crate) fn refused(code: RefusedCode) -> Body {
    Body::Refused(Refused {
        code: code.into(),
        detail: 0,
    })
}

pub(crate) fn done() -> Body {
    Body::Done(relay::Done::default())
}

/// The answer to a cell of a blob that lacks others.
pub(crate) fn unfinished() -> Body {
    Body::Done(relay::Done {
        unfinished: true,
        ..relay::Done::default()
    })
}

pub(crate) fn hello() -> Body {
    Body::Hello(Hello {
        version_min: 1,
        version_max: 1,
        nonce: bytes(&[9; 32]),
        pace: None,
    })
}

/// A WebSocket to a relay.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    request: u32,
    /// The relay's id and the connection's challenge.
    here: Option<(Hash, Bytes)>,
}

impl Client {
    /// Connects and says hello.
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self, Box<dyn std::error::Error>> {
        let mut client = Self::open(address).await?;
        let request = client.try_send(hello()).await?;
        let frame = client.try_receive().await?;
        let Some(Body::Welcome(welcome)) = frame.body else {
            return Err("no welcome".into());
        };
        assert_eq!((frame.request, welcome.version), (request, 1));
        Statement::Welcome(&[9; 32], &welcome.challenge)
            .verify(&welcome.relay_key, &welcome.signature)?;
        client.greeted(&welcome);
        Ok(client)
    }

    /// From now on what it signs is for this connection.
    pub(crate) fn greeted(&mut self, welcome: &Welcome) {
        let relay = relay_id(&welcome.relay_key);
        self.here = Some((relay, welcome.challenge.clone()));
    }

    /// Connects and says nothing.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Box<dyn std::error::Error>> {
        let connect = ClientBuilder::new().uri(&format!("ws://{address}/v1/ws"))?;
        let (socket, _) = timeout(PATIENCE, connect.connect()).await??;
        Ok(Self {
            socket,
            request: 0,
            here: None,
        })
    }

    pub(crate) async fn try_send(&mut self, body: Body) -> Result<u32, Box<dyn std::error::Error>> {
        self.request += 1;
        let frame = frame::encode(&Frame {
            request: self.request,
            body: Some(self.signed_here(body)),
        })?;
        timeout(PATIENCE, self.socket.send(Message::binary(frame))).await??;
        Ok(self.request)
    }

    /// What [`Lane`] signs is good for a POST; here it is signed for this connection. Other signatures stay as they are.
    fn signed_here(&self, mut body: Body) -> Body {
        let Some((relay, challenge)) = &self.here else {
            return body;
        };
        let good = |statement: Statement<'_>, n: u8, signature: &[u8]| {
            statement.verify(&public(&key(n)), signature).is_ok()
        };
        let read = |lane: &Bytes, signature: &mut Bytes| {
            if good(Statement::Read(lane), 3, signature) {
                let here = Statement::ReadHere(relay, challenge, lane);
                *signature = bytes(&here.sign(&key(3)));
            }
        };
        match &mut body {
            Body::Read(one) => read(&one.lane, &mut one.signature),
            Body::Subscribe(one) => read(&one.lane, &mut one.signature),
            Body::PushWatch(one) => read(&one.lane, &mut one.signature),
            Body::Append(one) => {
                let cell = hash(&one.cell);
                if good(Statement::Append(&one.lane, &cell), 1, &one.signature) {
                    let here = Statement::AppendHere(relay, challenge, &one.lane);
                    one.signature = bytes(&here.sign(&key(1)));
                }
            }
            _ => {}
        }
        body
    }

    pub(crate) async fn send(&mut self, body: Body) -> u32 {
        self.try_send(body).await.unwrap()
    }

    pub(crate) async fn try_receive(&mut self) -> Result<Frame, Box<dyn std::error::Error>> {
        loop {
            let message = timeout(PATIENCE, self.socket.next())
                .await?
                .ok_or("closed")??;
            if message.is_binary() {
                return Ok(frame::decode(&Bytes::from(message.into_payload()))?);
            }
        }
    }

    pub(crate) async fn receive(&mut self) -> Frame {
        self.try_receive().await.unwrap()
    }

    /// Sends a request and gives its single answer.
    pub(crate) async fn ask(&mut self, body: Body) -> Body {
        let request = self.send(body).await;
        let frame = self.receive().await;
        assert_eq!(frame.request, request, "{frame:?}");
        frame.body.unwrap()
    }

    /// Sends a request and gives its answers up to the head, and the head.
    pub(crate) async fn ask_all(&mut self, body: Body) -> (Vec<Body>, Head) {
        let request = self.send(body).await;
        let mut bodies = Vec::new();
        loop {
            let frame = self.receive().await;
            assert_eq!(frame.request, request, "{frame:?}");
            match frame.body.unwrap() {
                Body::Head(head) => return (bodies, head),
                body => bodies.push(body),
            }
        }
    }

    /// Receives a cell that came on its own.
    pub(crate) async fn live(&mut self) -> Delivery {
        let frame = self.receive().await;
        match frame.body {
            Some(Body::Delivery(delivery)) if frame.request == 0 => delivery,
            _ => panic!("not a live cell: {frame:?}"),
        }
    }

    /// Code of the close that must come.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        while let Ok(Some(Ok(message))) = timeout(PATIENCE, self.socket.next()).await {
            if let Some((code, _)) = message.as_close() {
                return Some(code.into());
            }
        }
        None
    }
}

/// An answer of the relay's HTTP side.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header's value; its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self
            .headers
            .lines()
            .filter_map(|line| line.split_once(": "));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }
}

/// Sends one HTTP request on a connection of its own. `lines` are further header lines, each with its line end.
pub(crate) async fn http(
    address: SocketAddr,
    method: &str,
    path: &str,
    lines: &str,
    body: &[u8],
) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\nContent-Length: {length}\r\n{lines}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // A relay that refuses a body need not read it.
    let _ = stream.write_all(body).await;
    let mut all = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut all))
        .await
        .unwrap();
    let end = all
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("a whole header")
        + 4;
    let headers = String::from_utf8(all[..end].to_vec()).unwrap();
    let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer {
        status,
        headers,
        body: all[end..].to_vec(),
    };
    if answer.header("transfer-encoding") == Some("chunked") {
        answer.body = unchunk(&answer.body);
    }
    answer
}

/// Joins the chunks of a body (RFC 9112 section 7.1).
fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let line = body.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = std::str::from_utf8(&body[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        body = &body[line + 2..];
        if size == 0 {
            return out;
        }
        out.extend_from_slice(&body[..size]);
        body = &body[size + 2..];
    }
}

/// Sends frames by `POST` and gives the frames of the answer.
pub(crate) async fn post(address: SocketAddr, bodies: Vec<Body>) -> Vec<Frame> {
    let mut request = Vec::new();
    for (number, body) in (1..).zip(bodies) {
        request.extend_from_slice(
            &frame::encode(&Frame {
                request: number,
                body: Some(body),
            })
            .unwrap(),
        );
    }
    let answer = http(address, "POST", "/v1/f", "", &request).await;
    assert_eq!(answer.status, 200, "{}", answer.headers);
    let frames = answer.body.chunks(frame_bytes());
    frames
        .map(|frame| frame::decode(&bytes(frame)).unwrap())
        .collect()
}

fn frame_bytes() -> usize {
    ume_wire::limits::FRAME_BYTES
}
