//! The limit: a server in one thread that hands every byte of a topic's publisher to all its subscribers, with one write each
//! for all that came in together. No framing, no storage, no checks; whoever is too slow makes it keep more.

use crate::{
    dialect::raw::{GREETING, SUBSCRIBE},
    fault::{During, Result},
};
use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};
use std::{
    collections::HashMap,
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
};

struct Conn {
    stream: TcpStream,
    greeting: Vec<u8>,
    topic: Option<u32>,
    out: Vec<u8>,
}

struct Server {
    conns: Vec<Option<Conn>>,
    subscribers: HashMap<u32, Vec<usize>>,
}

/// Serves until it is killed.
pub(crate) fn serve(address: SocketAddr) -> Result {
    let mut poll = Poll::new().during("epoll")?;
    let mut listener = TcpListener::bind(address).during("listen")?;
    let door = Token(usize::MAX);
    poll.registry()
        .register(&mut listener, door, Interest::READABLE)
        .during("epoll")?;
    let mut events = Events::with_capacity(1024);
    let mut scratch = vec![0; 256 << 10];
    let mut server = Server {
        conns: Vec::new(),
        subscribers: HashMap::new(),
    };
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other.during("epoll")?,
        }
        for event in &events {
            if event.token() == door {
                while let Ok((mut stream, _)) = listener.accept() {
                    let both = Interest::READABLE | Interest::WRITABLE;
                    let token = Token(server.conns.len());
                    poll.registry()
                        .register(&mut stream, token, both)
                        .during("epoll")?;
                    stream.set_nodelay(true).during("a socket")?;
                    server.conns.push(Some(Conn {
                        stream,
                        greeting: Vec::new(),
                        topic: None,
                        out: Vec::new(),
                    }));
                }
                continue;
            }
            let number = event.token().0;
            if event.is_writable() {
                server.send(number, &[]);
            }
            if event.is_readable() {
                server.receive(number, &mut scratch);
            }
        }
    }
}

impl Server {
    fn receive(&mut self, number: usize, scratch: &mut [u8]) {
        loop {
            let Some(Some(conn)) = self.conns.get_mut(number) else {
                return;
            };
            let read = match conn.stream.read(scratch) {
                Ok(read) if read > 0 => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                _ => {
                    self.conns[number] = None;
                    return;
                }
            };
            let mut bytes = &scratch[..read];
            if conn.greeting.len() < GREETING {
                let more = bytes.len().min(GREETING - conn.greeting.len());
                conn.greeting.extend_from_slice(&bytes[..more]);
                bytes = &bytes[more..];
                if let Some((&role, topic)) = conn.greeting.split_first()
                    && let Ok(topic) = topic.try_into()
                {
                    let topic = u32::from_le_bytes(topic);
                    conn.topic = Some(topic);
                    if role == SUBSCRIBE {
                        self.subscribers.entry(topic).or_default().push(number);
                    }
                    self.send(number, &[0; 4]);
                }
            }
            let topic = self.conns[number].as_ref().and_then(|conn| conn.topic);
            if let Some(readers) = topic
                .and_then(|topic| self.subscribers.get(&topic))
                .cloned()
            {
                for reader in readers {
                    self.send(reader, bytes);
                }
            }
            if read < scratch.len() {
                return;
            }
        }
    }

    /// Writes what waits and then this, as far as the socket takes it.
    fn send(&mut self, number: usize, bytes: &[u8]) {
        let Some(Some(conn)) = self.conns.get_mut(number) else {
            return;
        };
        if !conn.out.is_empty() {
            conn.out.extend_from_slice(bytes);
            if let Ok(written) = conn.stream.write(&conn.out) {
                conn.out.drain(..written);
            }
        } else if !bytes.is_empty() {
            let written = conn.stream.write(bytes).unwrap_or(0);
            conn.out.extend_from_slice(&bytes[written..]);
        }
    }
}
