//! HTTP: one connection, and which way its requests go.

mod post;

use crate::{
    bucket::Bucket,
    server::{Core, asked},
    ws,
};
use bytes::Bytes;
use data_encoding::BASE64;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderName, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, sync::Arc, time::Duration, time::Instant};
use tokio::{
    net::TcpStream,
    sync::{Mutex, mpsc, watch},
    time,
};

pub(crate) type Answer = Response<Full<Bytes>>;

/// Longest header of a request, in bytes.
const HEADER_BYTES: usize = 16 * 1024;
/// Headers in one request.
const HEADERS_MAX: usize = 64;
/// Longest life of a connection that is no WebSocket: whoever takes an answer drop by drop does not hold it for ever.
const LIFE: Duration = Duration::from_mins(5);
/// Time for what is on its way when the relay stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(4);

/// Serves one connection to its end.
pub(crate) async fn serve(core: Arc<Core>, stream: TcpStream, mut stopped: watch::Receiver<bool>) {
    let bucket = Bucket::new(
        core.limits.frames_burst,
        core.limits.frames_per_second,
        Instant::now(),
    );
    let bucket = Arc::new(Mutex::new(bucket));
    // An upgraded connection comes back through here, so that it stays within this task.
    let (upgrades, mut taken) = mpsc::channel(1);
    let service = service_fn(|request| {
        let (core, bucket, upgrades) = (core.clone(), bucket.clone(), upgrades.clone());
        async move { Ok::<_, Infallible>(route(core, request, bucket, upgrades).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(core.limits.header_timeout)
        .max_buf_size(HEADER_BYTES)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let finished = tokio::select! {
        _ = connection.as_mut() => true,
        () = time::sleep(LIFE) => false,
        () = asked(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            time::timeout(STOP_TIMEOUT, connection.as_mut()).await.is_ok()
        }
    };
    if !finished {
        return;
    }
    if let Ok(upgrade) = taken.try_recv()
        && let Ok(io) = hyper::upgrade::on::<Request<Incoming>>(upgrade).await
    {
        ws::serve(core, TokioIo::new(io), stopped).await;
    }
}

async fn route(
    core: Arc<Core>,
    request: Request<Incoming>,
    bucket: Arc<Mutex<Bucket>>,
    upgrades: mpsc::Sender<Request<Incoming>>,
) -> Answer {
    let is_get = request.method() == Method::GET || request.method() == Method::HEAD;
    match request.uri().path() {
        "/v1/ws" => upgrade(request, &upgrades),
        "/v1/f" => match *request.method() {
            Method::POST => open_to_all(post::answer(core, request, bucket).await),
            Method::OPTIONS => open_to_all(preflight()),
            _ => open_to_all(plain(StatusCode::METHOD_NOT_ALLOWED, "POST frames here\n")),
        },
        "/healthz" if is_get => open_to_all(if core.commit.is_healthy() {
            plain(StatusCode::OK, "ok\n")
        } else {
            plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "the store cannot be written\n",
            )
        }),
        path if path.starts_with("/v1/") => {
            open_to_all(plain(StatusCode::NOT_FOUND, "not found\n"))
        }
        _ if is_get => core.app.answer(&request),
        _ => plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n"),
    }
}

/// Switches to the WebSocket protocol (RFC 6455 section 4.2).
fn upgrade(request: Request<Incoming>, upgrades: &mpsc::Sender<Request<Incoming>>) -> Answer {
    let has = |name: HeaderName, token: &str| {
        let values = request
            .headers()
            .get_all(name)
            .into_iter()
            .filter_map(|value| value.to_str().ok());
        values
            .flat_map(|value| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(token))
    };
    let is_upgrade = request.method() == Method::GET
        && has(header::CONNECTION, "upgrade")
        && has(header::UPGRADE, "websocket")
        && has(header::SEC_WEBSOCKET_VERSION, "13");
    let key = request
        .headers()
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|key| key.len() == 24);
    let Some(key) = key.filter(|_| is_upgrade) else {
        let mut refused = plain(StatusCode::UPGRADE_REQUIRED, "a WebSocket is served here\n");
        refused
            .headers_mut()
            .insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        refused.headers_mut().insert(
            header::SEC_WEBSOCKET_VERSION,
            HeaderValue::from_static("13"),
        );
        return open_to_all(refused);
    };
    let mut digest = sha1_smol::Sha1::new();
    digest.update(key.as_bytes());
    digest.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let accept = HeaderValue::try_from(BASE64.encode(&digest.digest().bytes()));
    let (Ok(accept), Ok(())) = (accept, upgrades.try_send(request)) else {
        return plain(StatusCode::BAD_REQUEST, "not a WebSocket handshake\n");
    };
    let mut answer = plain(StatusCode::SWITCHING_PROTOCOLS, "");
    answer.headers_mut().clear();
    answer
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    answer
        .headers_mut()
        .insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    answer
        .headers_mut()
        .insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    answer
}

fn preflight() -> Answer {
    let mut answer = plain(StatusCode::NO_CONTENT, "");
    let headers = answer.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("POST"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("content-type"),
    );
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("86400"),
    );
    answer
}

/// Any copy of the app may use any relay, wherever it was loaded from. There are no cookies that this could lend out.
fn open_to_all(mut answer: Answer) -> Answer {
    let headers = answer.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(policy, HeaderValue::from_static("cross-origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A short answer in words.
pub(crate) fn plain(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    answer
}
