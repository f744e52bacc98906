//! Taking connections: from the socket to the first byte that belongs to HTTP.

mod redirect;

use crate::{
    admission::Visitor,
    http, journal,
    peer::Peer,
    server::{Core, asked},
    ws,
};
pub(crate) use redirect::redirect;
use socket2::SockRef;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time,
};
use tokio_util::task::TaskTracker;

/// Pause after the system refused a connection (too many open files, say).
const PAUSE: Duration = Duration::from_millis(100);
/// What the system takes of a connection beyond what is on its way. It takes more when half of this went out: a client
/// that takes 1 KiB a second, which is what the defaults ask for, is seen to take something within their 15 s.
const UNSENT_BYTES: u32 = 32 * 1024;

/// Takes connections on one socket until the relay stops. All sockets share the `places`.
pub(crate) async fn accept(
    socket: TcpListener,
    core: Arc<Core>,
    places: Arc<Semaphore>,
    connections: TaskTracker,
    mut stopped: watch::Receiver<bool>,
) {
    let mut was_fine = true;
    loop {
        let accepted = tokio::select! {
            () = asked(&mut stopped) => return,
            accepted = async {
                let place = places.clone().acquire_owned().await;
                (place, socket.accept().await)
            } => accepted,
        };
        let (Ok(place), Ok((stream, address))) = accepted else {
            if was_fine {
                journal::note(journal::ACCEPT_FAILED);
            }
            was_fine = false;
            time::sleep(PAUSE).await;
            continue;
        };
        was_fine = true;
        let Some(visitor) = take_in(&core, Peer::new(address)) else {
            core.metrics.turned_away.inc();
            continue;
        };
        // Frames are whole messages; waiting for more to send makes them late.
        let _ = stream.set_nodelay(true);
        // What waits is to wait here, where it is counted; and that somebody takes it is to be seen soon.
        let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_BYTES);
        let (core, stopped) = (core.clone(), stopped.clone());
        connections.spawn(async move {
            core.metrics.connections.inc();
            serve(&core, stream, Peer::new(address), visitor, stopped).await;
            core.metrics.connections.dec();
            drop(place);
        });
        // Who comes takes turns with those who are there: however many come at once, these are served as they were.
        tokio::task::yield_now().await;
    }
}

/// Whether there is room for this peer. A proxy stands for many, each of whom counts when their request comes.
fn take_in(core: &Core, peer: Peer) -> Option<Arc<Visitor>> {
    if core.memory.turns_away() {
        return None;
    }
    let is_proxy = peer.is_proxy(&core.config.get().trusted_proxies);
    if is_proxy {
        return Some(Arc::new(Visitor::unbounded()));
    }
    core.admission
        .arrive(peer.address(), Instant::now())
        .map(Arc::new)
}

async fn serve(
    core: &Arc<Core>,
    stream: TcpStream,
    peer: Peer,
    visitor: Arc<Visitor>,
    stopped: watch::Receiver<bool>,
) {
    let Some(tls) = &core.tls else {
        return talk(core, stream, peer, visitor, stopped).await;
    };
    let limit = core.config.get().limits.tls_timeout;
    // Boxed, so that the room that these take does not count for connections without TLS.
    match time::timeout(limit, Box::pin(tls.accept(stream))).await {
        Ok(Ok(Some(stream))) => Box::pin(talk(core, stream, peer, visitor, stopped)).await,
        Ok(Ok(None)) => {}
        Ok(Err(_)) | Err(_) => journal::note(journal::HANDSHAKE_FAILED),
    }
}

/// HTTP, and a WebSocket if that is what it comes to.
async fn talk<S>(
    core: &Arc<Core>,
    stream: S,
    peer: Peer,
    visitor: Arc<Visitor>,
    stopped: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // In memory of its own, which is given back before a WebSocket begins: that one may be idle for days.
    let asking = Box::pin(http::serve(
        core.clone(),
        stream,
        peer,
        visitor,
        stopped.clone(),
    ));
    if let Some(upgraded) = asking.await {
        Box::pin(ws::serve(core.clone(), upgraded, stopped)).await;
    }
}
