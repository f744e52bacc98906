//! HTTP: one connection, and which way its requests go.

mod body;
mod gather;
mod post;
mod room;

pub(crate) use body::AnswerBody;
pub(crate) use room::{Intake, ROOM_BYTES};

use crate::{
    admission::Visitor,
    bucket::Bucket,
    patience::Patience,
    peer::Peer,
    server::{Core, asked, retry_millis},
};
use bytes::Bytes;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderName, HeaderValue},
    server::conn::http1,
    service::service_fn,
    upgrade::OnUpgrade,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration, time::Instant};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{Mutex, watch},
    time,
};

pub(crate) type Answer = Response<AnswerBody>;

/// Headers in one request.
const HEADERS_MAX: usize = 64;
/// Longest life of a connection that is no WebSocket: whoever takes an answer drop by drop does not hold it for ever.
const LIFE: Duration = Duration::from_mins(5);
/// Time for what is on its way when the relay stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(4);

/// Where the connection is left that a request wants to be a WebSocket, with whom it is for.
type Switch = parking_lot::Mutex<Option<(OnUpgrade, Arc<Visitor>)>>;

/// A connection that is a WebSocket from now on. `early` is what came together with the handshake.
pub(crate) struct Upgraded<S> {
    pub(crate) stream: S,
    pub(crate) early: Bytes,
    pub(crate) visitor: Arc<Visitor>,
}

/// Serves one connection for as long as it speaks HTTP.
pub(crate) async fn serve<S>(
    core: Arc<Core>,
    stream: S,
    peer: Peer,
    visitor: Arc<Visitor>,
    mut stopped: watch::Receiver<bool>,
) -> Option<Upgraded<S>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = core.config.get();
    let limits = &config.limits;
    let bucket = Bucket::new(
        limits.frames_burst,
        limits.frames_per_second,
        Instant::now(),
    );
    let bucket = Arc::new(Mutex::new(bucket));
    let switched = Arc::new(Switch::default());
    let asking = stopped.clone();
    let service = service_fn(|request: Request<Incoming>| {
        let trusted = &core.config.get().trusted_proxies;
        // A proxy's connection counts for nobody; each of its requests counts for whom it speaks for.
        let visitor = if peer.is_proxy(trusted) {
            let client = peer.client(request.headers(), trusted);
            core.admission.arrive(client, Instant::now()).map(Arc::new)
        } else {
            Some(visitor.clone())
        };
        let (core, bucket, switched) = (core.clone(), bucket.clone(), switched.clone());
        // A request that comes now has to come again, to whoever is here then.
        let stops = *asking.borrow();
        async move {
            Ok::<_, Infallible>(match visitor {
                _ if stops => stopping(),
                None => {
                    core.metrics.turned_away.inc();
                    open_to_all(later(plain(
                        StatusCode::TOO_MANY_REQUESTS,
                        "too many connections from there\n",
                    )))
                }
                Some(visitor) => route(core, visitor, request, bucket, &switched).await,
            })
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header_bytes)
        .max_headers(HEADERS_MAX)
        .serve_connection(
            TokioIo::new(Patience::new(stream, limits.demand())),
            service,
        )
        .with_upgrades();
    let mut connection = pin!(connection);
    let finished = tokio::select! {
        _ = connection.as_mut() => true,
        () = time::sleep(LIFE) => false,
        () = asked(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            time::timeout(STOP_TIMEOUT, connection.as_mut()).await.is_ok()
        }
    };
    let (upgrade, visitor) = switched.lock().take().filter(|_| finished)?;
    let parts = upgrade
        .await
        .ok()?
        .downcast::<TokioIo<Patience<S>>>()
        .ok()?;
    Some(Upgraded {
        stream: parts.io.into_inner().into_inner(),
        early: parts.read_buf,
        visitor,
    })
}

async fn route(
    core: Arc<Core>,
    visitor: Arc<Visitor>,
    request: Request<Incoming>,
    bucket: Arc<Mutex<Bucket>>,
    switched: &Switch,
) -> Answer {
    let is_get = request.method() == Method::GET || request.method() == Method::HEAD;
    match request.uri().path() {
        "/v1/ws" => upgrade(request, visitor, switched),
        "/v1/f" => match *request.method() {
            // Boxed, so that a connection without one does not have the memory for it.
            Method::POST => {
                open_to_all(Box::pin(post::answer(core, visitor, request, bucket)).await)
            }
            Method::OPTIONS => open_to_all(preflight()),
            _ => open_to_all(plain(StatusCode::METHOD_NOT_ALLOWED, "POST frames here\n")),
        },
        "/healthz" if is_get => open_to_all(plain(StatusCode::OK, "ok\n")),
        "/readyz" if is_get => open_to_all(match core.readiness() {
            Ok(()) => plain(StatusCode::OK, "ready\n"),
            Err(words) => later(plain(StatusCode::SERVICE_UNAVAILABLE, words)),
        }),
        path if path.starts_with("/v1/") => {
            open_to_all(plain(StatusCode::NOT_FOUND, "not found\n"))
        }
        _ if is_get => core.app.answer(&request),
        _ => plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n"),
    }
}

/// Switches to the WebSocket protocol (RFC 6455 section 4.2).
fn upgrade(request: Request<Incoming>, visitor: Arc<Visitor>, switched: &Switch) -> Answer {
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
    let accept = HeaderValue::try_from(ume_websocket::accept_key(key.as_bytes()));
    let Ok(accept) = accept else {
        return plain(StatusCode::BAD_REQUEST, "not a WebSocket handshake\n");
    };
    *switched.lock() = Some((hyper::upgrade::on(request), visitor));
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

/// The answer of a relay that is about to stop.
fn stopping() -> Answer {
    open_to_all(later(plain(
        StatusCode::SERVICE_UNAVAILABLE,
        "the relay stops\n",
    )))
}

/// Says when it is worth to ask again, at a time of its own for everybody.
fn later(mut answer: Answer) -> Answer {
    let seconds = HeaderValue::from(retry_millis().div_ceil(1000));
    answer.headers_mut().insert(header::RETRY_AFTER, seconds);
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
    let mut answer = Response::new(AnswerBody::whole(Bytes::from_static(text.as_bytes())));
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
