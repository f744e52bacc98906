//! A push service (RFC 8030) for tests: real TLS, and answers as it is told.
#![allow(dead_code)] // every test file uses another part
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

use crate::client::{Lane, done, post};
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use ume_wire::relay::{Done, PushEnd, PushSet, PushWatch, Read, frame::Body};
use web_push_native::{
    Auth,
    p256::{
        SecretKey,
        ecdsa::{Signature, VerifyingKey, signature::Verifier},
        elliptic_curve::sec1::ToEncodedPoint,
    },
};

pub(crate) const TAKEN: &str = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
/// Says nothing for as long as the test lasts.
pub(crate) const HANG: &str = "";

/// What came.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// The service.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    /// The certificate by which it is known, PEM.
    pub(crate) roots: PathBuf,
    _directory: tempfile::TempDir,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
    letters: mpsc::UnboundedReceiver<Letter>,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        crate::process::write_pair(directory.path(), "localhost", -1..30);
        let roots = directory.path().join("chain.pem");
        let chain = CertificateDer::pem_file_iter(&roots).unwrap();
        let chain: Vec<_> = chain.map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(directory.path().join("key.pem")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (came, letters) = mpsc::unbounded_channel();
        let answers = Arc::<Mutex<VecDeque<&'static str>>>::default();
        let told = answers.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, came, told) = (acceptor.clone(), came.clone(), told.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let Some(letter) = read(&mut stream).await else {
                        return;
                    };
                    let answer = told.lock().unwrap().pop_front().unwrap_or(TAKEN);
                    let _ = came.send(letter);
                    if answer == HANG {
                        sleep(Duration::from_mins(10)).await;
                    }
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self {
            address,
            roots,
            _directory: directory,
            answers,
            letters,
        }
    }

    /// Its name and port.
    pub(crate) fn name(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// What it answers next; without this, that it has taken it.
    pub(crate) fn answer(&self, with: impl IntoIterator<Item = &'static str>) {
        self.answers.lock().unwrap().extend(with);
    }

    /// The next letter, which has to come.
    pub(crate) async fn letter(&mut self) -> Letter {
        let letter = timeout(Duration::from_secs(20), self.letters.recv()).await;
        letter.expect("a letter in time").unwrap()
    }

    /// None comes for a while.
    pub(crate) async fn is_quiet(&mut self, length: Duration) {
        if let Ok(letter) = timeout(length, self.letters.recv()).await {
            panic!("a letter came: {letter:?}");
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Letter> {
    let (mut bytes, mut some) = (Vec::new(), [0; 4096]);
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut some).await {
            Ok(count @ 1..) => bytes.extend_from_slice(&some[..count]),
            _ => return None,
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().to_owned();
    let headers: BTreeMap<_, _> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers["content-length"].parse().unwrap();
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        match stream.read(&mut some).await {
            Ok(count @ 1..) => body.extend_from_slice(&some[..count]),
            _ => return None,
        }
    }
    Some(Letter {
        line,
        headers,
        body,
    })
}

/// What a browser keeps of an address that it gave out.
pub(crate) struct Browser {
    pub(crate) secret: SecretKey,
    pub(crate) auth: [u8; 16],
}

impl Browser {
    pub(crate) fn new(n: u8) -> Self {
        Self {
            secret: SecretKey::from_slice(&[n; 32]).unwrap(),
            auth: [n; 16],
        }
    }

    pub(crate) fn public(&self) -> Vec<u8> {
        let public = self.secret.public_key().to_encoded_point(false);
        public.as_bytes().to_vec()
    }

    /// What a letter says, after its form and its token were looked at.
    pub(crate) fn open(&self, letter: &Letter, relay_key: &[u8], service: &Service) -> Value {
        let header = |name: &str| letter.headers[name].as_str();
        assert_eq!(header("content-encoding"), "aes128gcm");
        assert_eq!(header("content-type"), "application/octet-stream");
        assert_eq!(header("urgency"), "high");
        assert_eq!(header("topic"), "ume");
        assert_eq!(header("ttl"), "604800");
        assert_eq!(header("host"), service.name());
        assert_eq!(letter.headers.len(), 8, "{:?}", letter.headers);
        let claims = claims(header("authorization"), relay_key);
        assert_eq!(claims["aud"], format!("https://{}", service.name()));
        assert_eq!(claims["sub"], "mailto:admin@example.org");
        let now = std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap()
            .as_secs();
        let left = claims["exp"].as_u64().unwrap() - now;
        assert!((39_600..86_400).contains(&left), "{left}");
        assert_eq!(letter.body.len(), ume_wire::limits::PUSH_BODY_BYTES);
        let auth = Auth::from_slice(&self.auth);
        let said = web_push_native::decrypt(letter.body.clone(), &self.secret, auth).unwrap();
        serde_json::from_slice(&said).unwrap()
    }
}

/// The claims of a token that this key has signed (RFC 8292).
fn claims(header: &str, key: &[u8]) -> Value {
    let (token, named) = header
        .strip_prefix("vapid t=")
        .and_then(|rest| rest.split_once(", k="))
        .unwrap();
    assert_eq!(BASE64URL_NOPAD.decode(named.as_bytes()).unwrap(), key);
    let (said, signature) = token.rsplit_once('.').unwrap();
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    let signature = Signature::from_slice(&signature).unwrap();
    let key = VerifyingKey::from_sec1_bytes(key).unwrap();
    key.verify(said.as_bytes(), &signature).unwrap();
    let claims = said.split_once('.').unwrap().1;
    serde_json::from_slice(&BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap()).unwrap()
}

/// A device that wants to be woken.
pub(crate) struct Device {
    pub(crate) id: Bytes,
    pub(crate) browser: Browser,
    pub(crate) set: PushSet,
}

impl Device {
    pub(crate) fn new(n: u8, service: &Service) -> Self {
        let browser = Browser::new(n);
        let id = Bytes::copy_from_slice(&[n; 32]);
        let set = PushSet {
            id: id.clone(),
            endpoint: format!("https://{}/device/{n}?a=%2f", service.name()),
            p256dh: browser.public().into(),
            auth: Bytes::copy_from_slice(&browser.auth),
            origin: "https://ume.example".to_owned(),
        };
        Self { id, browser, set }
    }

    pub(crate) fn set(&self) -> Body {
        Body::PushSet(self.set.clone())
    }

    pub(crate) fn watch(&self, lane: &Lane) -> Body {
        let Body::Read(Read {
            lane, signature, ..
        }) = lane.read(1)
        else {
            panic!("a read")
        };
        Body::PushWatch(PushWatch {
            id: self.id.clone(),
            lane,
            signature,
            stop: false,
        })
    }

    pub(crate) fn stop(&self, lane: &Lane) -> Body {
        Body::PushWatch(PushWatch {
            id: self.id.clone(),
            lane: lane.0.lane.clone(),
            signature: Bytes::new(),
            stop: true,
        })
    }

    pub(crate) fn end(&self) -> Body {
        Body::PushEnd(PushEnd {
            id: self.id.clone(),
        })
    }

    /// Makes itself known by `POST`, and is not there.
    pub(crate) async fn leave_word(&self, relay: SocketAddr, lanes: &[&Lane]) {
        let mut bodies = vec![self.set()];
        bodies.extend(lanes.iter().map(|lane| self.watch(lane)));
        let answers = post(relay, bodies).await.into_iter();
        for (n, answer) in answers.enumerate() {
            let expected = if n == 0 { made(true) } else { done() };
            assert_eq!(answer.body, Some(expected));
        }
    }

    /// Whether the relay knows it.
    pub(crate) async fn is_known(&self, relay: SocketAddr) -> bool {
        match post(relay, vec![self.set()]).await.remove(0).body {
            Some(Body::Done(done)) => !done.made,
            other => panic!("{other:?}"),
        }
    }
}

/// The answer to a device that is known or is not.
pub(crate) fn made(made: bool) -> Body {
    Body::Done(Done {
        made,
        ..Done::default()
    })
}
