//! Many connections in one thread: epoll, raw sockets, one buffer for all that comes in.

use crate::{
    dialect::{Dialect, Seen, Session, Todo},
    fault::{During, Fault, Result, fault},
    inflow::Inflow,
};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};
use std::{
    collections::VecDeque,
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    time::{Duration, Instant},
};

/// Incoming bytes are read up to this many at a time.
const SCRATCH: usize = 256 << 10;
/// Time for all connections to come up.
const PATIENCE: Duration = Duration::from_mins(3);
/// Connections from one address of the loopback, as a household or an office might have them.
const PER_ADDRESS: usize = 16;

struct Conn {
    stream: TcpStream,
    out: Vec<u8>,
    written: usize,
    inflow: Inflow,
    session: Session,
    todo: VecDeque<Todo>,
    live: bool,
}

/// Something that came in on a connection, and when.
pub(crate) struct Happened {
    pub(crate) conn: usize,
    pub(crate) seen: Seen,
    pub(crate) at: u64,
}

/// All connections to one server.
pub(crate) struct Net {
    poll: Poll,
    events: Events,
    conns: Vec<Option<Conn>>,
    scratch: Vec<u8>,
    server: SocketAddr,
    pub(crate) dialect: Dialect,
    begin: Instant,
    open: usize,
    live: usize,
}

impl Net {
    pub(crate) fn new(server: SocketAddr, dialect: Dialect) -> Result<Self> {
        Ok(Self {
            poll: Poll::new().during("epoll")?,
            events: Events::with_capacity(1024),
            conns: Vec::new(),
            scratch: vec![0; SCRATCH],
            server,
            dialect,
            begin: Instant::now(),
            open: 0,
            live: 0,
        })
    }

    /// Nanoseconds since the beginning.
    pub(crate) fn now(&self) -> u64 {
        self.begin.elapsed().as_nanos() as u64
    }

    /// Connections whose setup is done.
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// Connections that are being set up.
    pub(crate) fn waiting(&self) -> usize {
        self.open - self.live
    }

    /// Opens a connection with things to do before it is live; gives its number.
    pub(crate) fn open(&mut self, todo: &[Todo]) -> Result<usize> {
        let number = self.conns.len();
        let mut stream = self.dial(number).during("connect")?;
        self.poll
            .registry()
            .register(
                &mut stream,
                Token(number),
                Interest::READABLE | Interest::WRITABLE,
            )
            .during("epoll")?;
        let mut conn = Conn {
            stream,
            out: self.dialect.opening(),
            written: 0,
            inflow: Inflow::default(),
            session: Session::default(),
            todo: todo.iter().copied().collect(),
            live: false,
        };
        if conn.out.is_empty() {
            // Nothing to wait for: a dialect without an opening begins at once.
            next(&self.dialect, &mut conn, &mut self.live);
        }
        self.conns.push(Some(conn));
        self.open += 1;
        Ok(number)
    }

    fn dial(&self, number: usize) -> std::io::Result<TcpStream> {
        let socket = socket_with(
            AddressFamily::INET,
            SocketType::STREAM,
            SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
            None,
        )?;
        let group = number / PER_ADDRESS;
        let source = Ipv4Addr::new(127, 1 + (group >> 8) as u8, group as u8, 1);
        if self.server.ip().is_loopback() {
            bind(&socket, &SocketAddrV4::new(source, 0))?;
        }
        match connect(&socket, &self.server) {
            Ok(()) | Err(rustix::io::Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        let stream = TcpStream::from_std(socket.into());
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Waits until all connections are live.
    pub(crate) fn settle(&mut self) -> Result {
        let patience = Instant::now() + PATIENCE;
        let mut happened = Vec::new();
        while self.waiting() > 0 {
            self.turn(Some(Duration::from_millis(100)), &mut happened)?;
            happened.clear();
            if Instant::now() > patience {
                return fault(format!(
                    "only {} of {} connections came up",
                    self.live, self.open
                ));
            }
        }
        Ok(())
    }

    /// Closes a connection.
    pub(crate) fn close(&mut self, conn: usize) {
        if let Some(Some(gone)) = self.conns.get_mut(conn).map(Option::take) {
            self.open -= 1;
            self.live -= usize::from(gone.live);
        }
    }

    /// Publishes on a connection.
    pub(crate) fn publish(&mut self, conn: usize, topic: u32, number: u64, size: usize) -> Result {
        if let Some(Some(one)) = self.conns.get_mut(conn) {
            self.dialect
                .publish(topic, number, size, &mut one.session, &mut one.out);
            flush(one)?;
        }
        Ok(())
    }

    /// Sends what `write` makes on a connection.
    pub(crate) fn say(
        &mut self,
        conn: usize,
        write: impl FnOnce(&mut Session, &mut Vec<u8>),
    ) -> Result {
        if let Some(Some(one)) = self.conns.get_mut(conn) {
            write(&mut one.session, &mut one.out);
            flush(one)?;
        }
        Ok(())
    }

    /// Waits for something and gives what happened on live connections.
    pub(crate) fn turn(
        &mut self,
        timeout: Option<Duration>,
        happened: &mut Vec<Happened>,
    ) -> Result {
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            other => other.during("epoll")?,
        }
        for event in &self.events {
            let number = event.token().0;
            let Some(Some(conn)) = self.conns.get_mut(number) else {
                continue;
            };
            if event.is_writable() {
                flush(conn)?;
            }
            if event.is_readable() {
                let begin = self.begin;
                let live = &mut self.live;
                receive(conn, &self.dialect, &mut self.scratch, live, |seen| {
                    happened.push(Happened {
                        conn: number,
                        seen,
                        at: begin.elapsed().as_nanos() as u64,
                    });
                })?;
            }
        }
        Ok(())
    }
}

/// Reads what is there. A read that does not fill the buffer has emptied the socket (epoll(7), question 9).
fn receive(
    conn: &mut Conn,
    dialect: &Dialect,
    scratch: &mut [u8],
    live: &mut usize,
    mut see: impl FnMut(Seen),
) -> Result {
    loop {
        let read = match conn.stream.read(scratch) {
            Ok(0) => return fault("the server closed a connection"),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Fault::Io("receive".to_owned(), error)),
        };
        let mut steps = Vec::new();
        let was_live = conn.live;
        conn.inflow
            .feed(dialect, &scratch[..read], &mut |seen| match seen {
                Seen::Nothing => {}
                Seen::Delivered(_) => see(seen),
                Seen::Acked | Seen::Ready if was_live => see(seen),
                seen => steps.push(seen),
            });
        for seen in steps {
            step(conn, dialect, live, seen)?;
        }
        if read < scratch.len() {
            return Ok(());
        }
    }
}

/// What is no delivery: the setup goes on, a ping is answered, the rest ends the measurement.
fn step(conn: &mut Conn, dialect: &Dialect, live: &mut usize, seen: Seen) -> Result {
    match seen {
        Seen::Ping(ping) => dialect.pong(&ping, &mut conn.out),
        Seen::Welcome(here) => {
            conn.session.here = *here;
            next(dialect, conn, live);
        }
        Seen::Ready if !conn.live => next(dialect, conn, live),
        Seen::Refused(why) => return fault(format!("the server refuses: {why}")),
        Seen::Closed => return fault("the server closed a connection"),
        _ => {}
    }
    flush(conn)
}

/// Asks for the next step of the setup; without one the connection is live.
fn next(dialect: &Dialect, conn: &mut Conn, live: &mut usize) {
    while let Some(todo) = conn.todo.pop_front() {
        if dialect.ask(todo, &mut conn.session, &mut conn.out) {
            return;
        }
    }
    conn.live = true;
    *live += 1;
}

/// Writes as much as the socket takes; the rest goes when it is writable again.
fn flush(conn: &mut Conn) -> Result {
    while conn.written < conn.out.len() {
        match conn.stream.write(&conn.out[conn.written..]) {
            Ok(written) => conn.written += written,
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::NotConnected
                ) =>
            {
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Fault::Io("send".to_owned(), error)),
        }
    }
    conn.out.clear();
    conn.written = 0;
    Ok(())
}
