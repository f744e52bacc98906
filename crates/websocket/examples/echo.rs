//! Sends every message back, on the same codec and socket as the relay, for Autobahn's test suite.
//!
//! `cargo run -p ume-websocket --example echo -- 127.0.0.1:9001`

use bytes::Bytes;
use std::{collections::VecDeque, future::poll_fn, io, task::Poll};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use ume_websocket::{Event, Limits, Socket, SocketError, accept_key, encode};

/// Autobahn's longest message has 16 MiB.
const MESSAGE_BYTES: usize = 16 << 20;
/// So much waits to be written before nothing more is read.
const QUEUE_BYTES: usize = 1 << 20;

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or("127.0.0.1:9001".to_owned());
    let listener = TcpListener::bind(&address).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = serve(stream).await {
                eprintln!("echo: {error}");
            }
        });
    }
}

async fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let early = shake_hands(&mut stream).await?;
    let limits = Limits {
        message_bytes: MESSAGE_BYTES,
    };
    let mut socket = Socket::new(stream, early, limits);
    let mut events = VecDeque::new();
    loop {
        let read = poll_fn(|context| {
            let flushed = socket.poll_flush(context)?;
            if flushed.is_pending() && socket.queued_bytes() > QUEUE_BYTES {
                return Poll::Pending;
            }
            socket.poll_events(context, &mut events)
        });
        match read.await {
            Ok(()) => {}
            Err(SocketError::Violation(violation)) => {
                socket
                    .close(Some(violation.code()), &violation.to_string())
                    .await;
                return Ok(());
            }
            Err(SocketError::Stream(error)) => return Err(error),
            Err(_) => return Ok(()),
        }
        for event in events.drain(..) {
            match event {
                Event::Text(text) => {
                    socket.queue(encode::text(std::str::from_utf8(&text).unwrap_or_default()));
                }
                Event::Binary(bytes) => socket.queue(encode::binary(&bytes)),
                Event::Ping(payload) => socket.queue(encode::pong(&payload)),
                Event::Pong(_) => {}
                Event::Close(reason) => {
                    socket.answer_close(reason.map(|reason| reason.code)).await;
                    return Ok(());
                }
            }
        }
    }
}

/// The handshake, as much of it as a test client needs. Gives what came after it.
async fn shake_hands(stream: &mut TcpStream) -> io::Result<Bytes> {
    let mut read = Vec::new();
    let end = loop {
        if let Some(at) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if read.len() > 16 * 1024 || stream.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    };
    let header = String::from_utf8_lossy(&read[..end]).into_owned();
    let mut lines = header.lines().filter_map(|line| line.split_once(':'));
    let key = lines
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
        .map(|(_, value)| accept_key(value.trim().as_bytes()))
        .ok_or(io::ErrorKind::InvalidData)?;
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {key}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await?;
    Ok(Bytes::copy_from_slice(&read[end..]))
}
