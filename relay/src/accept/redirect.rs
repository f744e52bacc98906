//! Plain HTTP where people expect it: every request for this relay is sent to the same place over HTTPS. A request for
//! somebody else is sent nowhere.

use crate::{
    http::{Answer, plain},
    patience::Patience,
    server::{Core, asked},
};
use hyper::{
    Request, StatusCode,
    header::{self, HeaderValue},
    http::uri::Authority,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    time,
};
use tokio_util::task::TaskTracker;

/// Connections at once, apart from those of the relay.
const CONNECTIONS: usize = 256;
/// Longest life of a connection.
const LIFE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);

/// Answers on one socket until the relay stops.
pub(crate) async fn redirect(
    socket: TcpListener,
    core: Arc<Core>,
    port: u16,
    connections: TaskTracker,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = asked(&mut stopped) => return,
            accepted = async { (places.clone().acquire_owned().await, socket.accept().await) } => accepted,
        };
        let (Ok(place), Ok((stream, _))) = accepted else {
            time::sleep(PAUSE).await;
            continue;
        };
        let (core, mut stopped) = (core.clone(), stopped.clone());
        connections.spawn(async move {
            let config = core.config.get();
            let limits = &config.limits;
            let is_ours = |host: &str| core.tls.as_ref().is_some_and(|tls| tls.is_for(host));
            let service = service_fn(|request| {
                let answer = answer(&request, port, is_ours);
                async move { Ok::<_, Infallible>(answer) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.header_timeout)
                .keep_alive(false)
                .serve_connection(
                    TokioIo::new(Patience::new(stream, limits.demand())),
                    service,
                );
            tokio::select! {
                _ = connection => {}
                () = time::sleep(LIFE) => {}
                () = asked(&mut stopped) => {}
            }
            drop(place);
        });
    }
}

fn answer<B>(request: &Request<B>, port: u16, is_ours: impl Fn(&str) -> bool) -> Answer {
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let Some(host) = host else {
        return plain(StatusCode::BAD_REQUEST, "which host?\n");
    };
    if !is_ours(host.host()) {
        return plain(StatusCode::MISDIRECTED_REQUEST, "another host\n");
    }
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let port = if port == 443 {
        String::new()
    } else {
        format!(":{port}")
    };
    let place = HeaderValue::try_from(format!("https://{}{port}{path}", host.host()));
    let Some(place) = place.ok().filter(|_| path.starts_with('/')) else {
        return plain(StatusCode::BAD_REQUEST, "which place?\n");
    };
    let mut answer = plain(
        StatusCode::PERMANENT_REDIRECT,
        "this is served over https\n",
    );
    answer.headers_mut().insert(header::LOCATION, place);
    answer
}
