//! Requests to push services: HTTPS with a connection for each, without redirects, with bounds on everything that a service could
//! make last or grow.

use super::endpoint::{Endpoint, is_public};
use crate::tls::{TlsError, add_roots, provider};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, StatusCode,
    client::conn::http1,
    header::{self, HeaderMap},
};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use std::{
    collections::HashMap,
    io,
    net::{SocketAddr, ToSocketAddrs},
    path::Path,
    sync::{Arc, Weak},
    time::{Duration, Instant, SystemTime},
};
use tokio::{
    net::TcpStream,
    sync::Semaphore,
    time::{timeout, timeout_at},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Requests at once, of all services and of one: a service that hangs keeps no other from being asked.
const REQUESTS: usize = 32;
const REQUESTS_PER_HOST: usize = 4;
/// Names that are looked up at once. Each takes one of the threads that read from the store as well, for as long as the
/// system's resolver likes.
const LOOKUPS: usize = 2;
/// Addresses of a name that are tried, and the time for each.
const ADDRESSES: usize = 4;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest header of an answer.
const HEADER_BYTES: usize = 16 << 10;
/// Longest time that a service may ask us to wait.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);
/// What a service keeps a push for while its device is off.
const KEEP_SECONDS: u32 = 7 * 24 * 3600;
/// Of pushes that a service keeps for a device, one is enough.
const TOPIC: &str = "ume";

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// The service has it.
    Taken,
    /// There is no such device.
    Gone,
    /// Not now; perhaps after this.
    Later(Option<Duration>),
    /// Never.
    Refused,
}

impl Sent {
    /// Its name among the metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Gone => "gone",
            Self::Later(_) => "later",
            Self::Refused => "refused",
        }
    }
}

/// What is sent.
pub(super) struct Letter {
    pub(super) endpoint: Endpoint,
    /// The service may be at an address that only this network has.
    pub(super) is_private: bool,
    pub(super) authorization: String,
    pub(super) body: Vec<u8>,
}

/// Whoever takes letters to push services.
pub(super) struct Carrier {
    public: TlsConnector,
    private: TlsConnector,
    lookups: Arc<Semaphore>,
    requests: Semaphore,
    hosts: Mutex<HashMap<String, Weak<Semaphore>>>,
}

impl Carrier {
    /// With further roots for services of one's own.
    pub(super) fn new(roots: Option<&Path>) -> Result<Self, TlsError> {
        let known = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let mut own = known.clone();
        if let Some(roots) = roots {
            add_roots(&mut own, roots)?;
        }
        Ok(Self {
            public: trusting(known)?,
            private: trusting(own)?,
            lookups: Arc::new(Semaphore::new(LOOKUPS)),
            requests: Semaphore::new(REQUESTS),
            hosts: Mutex::default(),
        })
    }

    /// Takes a letter to its service: begins before a moment, and gives up after a time.
    pub(super) async fn carry(
        &self,
        letter: Letter,
        begin_before: Instant,
        within: Duration,
    ) -> Sent {
        let host = self.host(&letter.endpoint.authority());
        let turn = async {
            let of_host = host.acquire().await.ok()?;
            Some((of_host, self.requests.acquire().await.ok()?))
        };
        let Ok(Some(_turn)) = timeout_at(begin_before.into(), turn).await else {
            return Sent::Later(None);
        };
        // Large, and only few at once have it.
        let asked = Box::pin(self.ask(letter));
        match timeout(within, asked).await {
            Ok(Ok(sent)) => sent,
            Ok(Err(_)) | Err(_) => Sent::Later(None),
        }
    }

    /// The turns of one host.
    fn host(&self, authority: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock();
        if let Some(host) = hosts.get(authority).and_then(Weak::upgrade) {
            return host;
        }
        hosts.retain(|_, host| host.strong_count() > 0);
        let host = Arc::new(Semaphore::new(REQUESTS_PER_HOST));
        hosts.insert(authority.to_owned(), Arc::downgrade(&host));
        host
    }

    async fn ask(&self, letter: Letter) -> io::Result<Sent> {
        let stream = self.connect(&letter.endpoint, letter.is_private).await?;
        let (mut service, connection) = http1::Builder::new()
            .max_buf_size(HEADER_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let request = Request::post(letter.endpoint.path.as_str())
            .header(header::HOST, letter.endpoint.authority())
            .header(header::AUTHORIZATION, letter.authorization)
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header("ttl", KEEP_SECONDS)
            .header("urgency", "high")
            .header("topic", TOPIC)
            .body(Full::new(Bytes::from(letter.body)))
            .map_err(io::Error::other)?;
        let asked = service.send_request(request);
        tokio::pin!(asked, connection);
        let answer = tokio::select! {
            biased;
            answer = &mut asked => answer,
            // It may have answered before it hung up.
            _ = &mut connection => asked.await,
        };
        let answer = answer.map_err(io::Error::other)?;
        // Nobody reads the rest of it.
        Ok(judge(answer.status(), answer.headers()))
    }

    async fn connect(
        &self,
        endpoint: &Endpoint,
        is_private: bool,
    ) -> io::Result<TlsStream<TcpStream>> {
        let tls = if is_private {
            &self.private
        } else {
            &self.public
        };
        let name = ServerName::try_from(endpoint.host.clone()).map_err(io::Error::other)?;
        let mut result = Err(io::ErrorKind::AddrNotAvailable.into());
        // What was looked at is what is connected to: the name is not looked up again.
        let addresses = self.look_up(endpoint).await?.into_iter();
        let addresses = addresses.filter(|address| is_private || is_public(address.ip()));
        for address in addresses.take(ADDRESSES) {
            result = match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return tls.connect(name, stream).await,
                Ok(Err(error)) => Err(error),
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            };
        }
        result
    }

    async fn look_up(&self, endpoint: &Endpoint) -> io::Result<Vec<SocketAddr>> {
        let permit = self.lookups.clone().acquire_owned().await;
        let permit = permit.map_err(io::Error::other)?;
        let place = (endpoint.host.clone(), endpoint.port);
        tokio::task::spawn_blocking(move || {
            // Until it is really over, also if nobody waits for it any more.
            let _permit = permit;
            Ok(place.to_socket_addrs()?.collect())
        })
        .await
        .map_err(io::Error::other)?
    }
}

fn trusting(roots: RootCertStore) -> Result<TlsConnector, TlsError> {
    // Not only TLS 1.3: who the services are is not our choice.
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn judge(status: StatusCode, headers: &HeaderMap) -> Sent {
    match status {
        status if status.is_success() => Sent::Taken,
        StatusCode::NOT_FOUND | StatusCode::GONE => Sent::Gone,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            Sent::Later(retry_after(headers))
        }
        status if status.is_server_error() => Sent::Later(retry_after(headers)),
        _ => Sent::Refused,
    }
}

/// RFC 9110, section 10.2.3: seconds, or a time.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(text)
            .ok()?
            .duration_since(SystemTime::now())
            .unwrap_or_default(),
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, after: Option<&str>) -> Sent {
        let mut headers = HeaderMap::new();
        if let Some(after) = after {
            headers.insert(header::RETRY_AFTER, after.parse().unwrap());
        }
        judge(StatusCode::from_u16(status).unwrap(), &headers)
    }

    #[test]
    fn an_answer_says_what_became_of_it() {
        for status in [200, 201, 202, 204] {
            assert_eq!(judged(status, None), Sent::Taken);
        }
        for status in [404, 410] {
            assert_eq!(judged(status, None), Sent::Gone);
        }
        for status in [301, 307, 400, 401, 403, 413] {
            assert_eq!(judged(status, Some("5")), Sent::Refused);
        }
        for status in [408, 429, 500, 503, 599] {
            assert_eq!(judged(status, None), Sent::Later(None));
        }
    }

    #[test]
    fn how_long_to_wait_is_read_in_both_forms_and_bounded() {
        let seconds = |seconds| Sent::Later(Some(Duration::from_secs(seconds)));
        assert_eq!(judged(429, Some("7")), seconds(7));
        assert_eq!(judged(503, Some(" 0 ")), seconds(0));
        assert_eq!(judged(503, Some("99999999999")), seconds(3600));
        assert_eq!(
            judged(503, Some("Sun, 06 Nov 1994 08:49:37 GMT")),
            seconds(0)
        );
        assert_eq!(
            judged(503, Some("Fri, 31 Dec 2399 23:59:59 GMT")),
            seconds(3600)
        );
        for wrong in ["", "-1", "soon", "1.5", "99999999999999999999999"] {
            assert_eq!(judged(503, Some(wrong)), Sent::Later(None), "{wrong}");
        }
    }

    #[test]
    fn a_host_has_its_own_turns_while_somebody_uses_them() {
        let carrier = Carrier::new(None).unwrap();
        let one = carrier.host("a.example");
        assert!(Arc::ptr_eq(&one, &carrier.host("a.example")));
        assert!(!Arc::ptr_eq(&one, &carrier.host("b.example")));
        for n in 0..100 {
            carrier.host(&format!("{n}.example"));
        }
        assert!(carrier.hosts.lock().len() <= 2);
    }
}
