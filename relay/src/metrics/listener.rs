//! Where the numbers are fetched: an HTTP listener of its own, apart from everything that browsers reach.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    time,
};

/// Those who ask, at once.
const ASKERS_MAX: usize = 8;
/// Time for one connection with all that it asks.
const LIFE: Duration = Duration::from_secs(30);
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
const HEADER_BYTES: usize = 16 * 1024;
/// Pause after the system refused a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers with `text` until the relay stops. `names` are those of this host that monitoring knows it by.
pub(crate) async fn listen<T>(
    socket: TcpListener,
    names: Vec<String>,
    text: T,
    mut stopped: watch::Receiver<bool>,
) where
    T: Fn() -> String + Send + Sync + 'static,
{
    let (text, names) = (Arc::new(text), Arc::new(names));
    let places = Arc::new(Semaphore::new(ASKERS_MAX));
    loop {
        let accepted = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            accepted = async {
                let place = places.clone().acquire_owned().await;
                (place, socket.accept().await)
            } => accepted,
        };
        let (Ok(place), Ok((stream, _))) = accepted else {
            time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (text, names) = (text.clone(), names.clone());
        let service = service_fn(move |request| {
            let (text, names) = (text.clone(), names.clone());
            async move { Ok::<_, Infallible>(answer(&request, &names, text).await) }
        });
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .max_buf_size(HEADER_BYTES)
                .serve_connection(TokioIo::new(stream), service);
            let _ = time::timeout(LIFE, connection).await;
            drop(place);
        });
    }
}

async fn answer<T>(
    request: &Request<Incoming>,
    names: &[String],
    text: Arc<T>,
) -> Response<Full<Bytes>>
where
    T: Fn() -> String + Send + Sync + 'static,
{
    let (status, body) = if !is_from_monitoring(request, names) {
        (
            StatusCode::FORBIDDEN,
            "not by this name: ask by an address, or see metrics_names\n".to_owned(),
        )
    } else if request.method() != Method::GET || request.uri().path() != "/metrics" {
        (StatusCode::NOT_FOUND, "GET /metrics\n".to_owned())
    } else {
        // Counting what the store holds may wait for the disk.
        match tokio::task::spawn_blocking(move || text()).await {
            Ok(text) => (StatusCode::OK, text),
            Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "it failed\n".to_owned()),
        }
    };
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// A page in a browser on the same machine could ask as well, through a name of its own that leads here (DNS rebinding).
/// Such requests carry that name, or an origin. Only names that the operator gave are believed.
fn is_from_monitoring(request: &Request<Incoming>, names: &[String]) -> bool {
    let headers = request.headers();
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    !headers.contains_key(header::ORIGIN) && host.is_none_or(|host| is_known(host, names))
}

/// An address, this machine, or a name that is known; with or without a port.
fn is_known(host: &str, names: &[String]) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let mut known = names.iter().map(String::as_str).chain(["localhost"]);
    known.any(|known| name.eq_ignore_ascii_case(known))
        || bare.unwrap_or(name).parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_here_are_refused_unless_the_operator_gave_them() {
        let names = ["relay.internal".to_owned()];
        for host in [
            "localhost",
            "LOCALHOST:9090",
            "127.0.0.1:1",
            "[::1]:1",
            "[::1]",
            "192.0.2.1",
            "relay.internal",
            "Relay.internal:9464",
        ] {
            assert!(is_known(host, &names), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:9090",
            "localhost.evil.example",
            "relay.internal.evil.example",
            "internal",
            "",
            "127.0.0.1.nip.io:1",
        ] {
            assert!(!is_known(host, &names), "{host}");
        }
    }
}
