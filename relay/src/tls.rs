//! TLS that the relay ends itself: with certificate files, or with certificates that it gets by ACME.
//!
//! Only TLS 1.3: every browser that can run the app has it.

mod acme;
mod files;
mod names;
mod validity;

use crate::{config::Config, journal};
use files::Pair;
use names::Names;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, pem::PemObject},
    server::ResolvesServerCert,
    version::TLS13,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    sync::watch,
    time,
};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};
pub(crate) use validity::Validity;

/// What a connection holds encrypted while the system takes no more.
const UNSENT_BYTES: usize = 16 * 1024;
/// How often files are looked at, and whether the certificate is still valid.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{path} does not hold {what} (PEM)")]
    Content {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// Certificate and key do not belong together, or are of a kind that cannot be used.
    #[error("{path} cannot be used with its key: {source}")]
    Pair {
        /// The certificate's file.
        path: PathBuf,
        /// What the library says.
        source: rustls::Error,
    },
    /// The certificate is over, or begins later.
    #[error("{0} is not valid now")]
    NotValid(PathBuf),
    /// The library does not work with these settings.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[source] rustls::Error),
    /// The directory for certificates cannot be used.
    #[error("cannot use {path}: {source}")]
    Cache {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// What ends TLS.
pub(crate) struct Tls {
    serving: Arc<ServerConfig>,
    /// For the connections by which a certificate authority looks whether the name is ours.
    challenge: Option<Arc<ServerConfig>>,
    pair: Option<Arc<Pair>>,
    /// Names that certificates are ordered for.
    ordered: Names,
    validity: Arc<Validity>,
}

impl Tls {
    /// What the configuration asks for, if it does; and what has to run beside it.
    pub(crate) fn start(config: &Config) -> Result<Option<(Self, Option<acme::Orders>)>, TlsError> {
        let validity = Arc::new(Validity::default());
        if let (Some(certificate), Some(key)) = (&config.tls_certificate, &config.tls_key) {
            let pair = Arc::new(Pair::load(certificate, key, validity.clone())?);
            let tls = Self {
                serving: serving(pair.clone())?,
                challenge: None,
                pair: Some(pair),
                ordered: Names::default(),
                validity,
            };
            return Ok(Some((tls, None)));
        }
        if config.acme.domains.is_empty() {
            return Ok(None);
        }
        let orders = acme::Orders::new(config, validity.clone())?;
        let tls = Self {
            serving: serving(orders.resolver())?,
            challenge: Some(orders.challenge()),
            pair: None,
            ordered: Names::given(&config.acme.domains),
            validity,
        };
        Ok(Some((tls, Some(orders))))
    }

    /// Whether browsers would find the relay's certificate to be for this host.
    pub(crate) fn is_for(&self, host: &str) -> bool {
        let pair = self.pair.as_ref();
        self.ordered.hold(host) || pair.is_some_and(|pair| pair.is_for(host))
    }

    /// When the certificate ends, in seconds since 1970; nothing while there is none.
    pub(crate) fn ends_at(&self) -> Option<u64> {
        self.validity.ends_at()
    }

    /// Whether browsers accept the certificate, as far as time goes.
    pub(crate) fn is_valid(&self) -> bool {
        self.validity.is_now()
    }

    /// Does the handshake. Nothing comes of a connection that a certificate authority made to look at us.
    pub(crate) async fn accept<S>(&self, stream: S) -> io::Result<Option<TlsStream<S>>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
        match &self.challenge {
            Some(challenge) if rustls_acme::is_tls_alpn_challenge(&start.client_hello()) => {
                let mut stream = start.into_stream(challenge.clone()).await?;
                stream.shutdown().await?;
                Ok(None)
            }
            _ => {
                let mut stream = start.into_stream(self.serving.clone()).await?;
                // What waits is to wait where it is counted.
                stream.get_mut().1.set_buffer_limit(Some(UNSENT_BYTES));
                Ok(Some(stream))
            }
        }
    }

    /// Takes the files again, if there are files and they have changed.
    pub(crate) fn reload(&self) {
        let Some(pair) = &self.pair else {
            return;
        };
        match pair.reload() {
            Ok(true) => journal::note(journal::CERTIFICATE_NEW),
            Ok(false) => {}
            Err(error) => journal::because(journal::CERTIFICATE_BAD, &journal::chain(&error)),
        }
    }

    /// Looks after the certificate until the relay stops.
    pub(crate) async fn watch(&self, stopped: &mut watch::Receiver<bool>) {
        let mut was_valid = true;
        loop {
            let is_valid = self.is_valid() || self.ends_at().is_none();
            if was_valid && !is_valid {
                journal::note(journal::CERTIFICATE_LATE);
            }
            was_valid = is_valid;
            tokio::select! {
                () = crate::server::asked(stopped) => return,
                () = time::sleep(LOOK_EVERY) => self.reload(),
            }
        }
    }
}

/// Says whether the files can be used, without starting anything.
pub(crate) fn check(config: &Config) -> Result<(), TlsError> {
    if let (Some(certificate), Some(key)) = (&config.tls_certificate, &config.tls_key) {
        let validity = Arc::new(Validity::default());
        Pair::load(certificate, key, validity.clone())?;
        if !validity.is_now() {
            return Err(TlsError::NotValid(certificate.clone()));
        }
    }
    if let Some(roots) = &config.push.roots {
        add_roots(&mut RootCertStore::empty(), roots)?;
    }
    acme::check(config)
}

/// Adds the root certificates of a file.
pub(crate) fn add_roots(store: &mut RootCertStore, path: &Path) -> Result<(), TlsError> {
    let text = fs::read(path).map_err(|source| TlsError::Read {
        path: path.to_path_buf(),
        source,
    })?;
    let content = || TlsError::Content {
        path: path.to_path_buf(),
        what: "root certificates",
    };
    let before = store.len();
    for root in CertificateDer::pem_slice_iter(&text) {
        let root = root.map_err(|_| content())?;
        store.add(root).map_err(|_| content())?;
    }
    if store.len() == before {
        return Err(content());
    }
    Ok(())
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn serving(resolver: Arc<dyn ResolvesServerCert>) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Setup)?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
