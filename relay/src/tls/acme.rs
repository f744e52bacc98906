//! Certificates by ACME (RFC 8555), proven by TLS-ALPN-01 (RFC 8737) on the port that serves TLS anyway.

use super::{TlsError, Validity, add_roots, provider};
use crate::{config::Config, journal, server::asked};
use async_trait::async_trait;
use data_encoding::HEXLOWER;
use futures_util::StreamExt;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_acme::{
    AccountCache, AcmeConfig, AcmeState, CertCache, EventError, EventOk, ResolvesServerCertAcme,
};
use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::watch;

/// Directory below the data directory for the account's key and for certificates.
const DIRECTORY: &str = "acme";

/// The conversation with the certificate authority.
pub(crate) struct Orders(AcmeState<io::Error>);

impl Orders {
    pub(super) fn new(config: &Config, validity: Arc<Validity>) -> Result<Self, TlsError> {
        let directory = config.data.join(DIRECTORY);
        let make = make_private(&directory);
        make.map_err(|source| TlsError::Cache {
            path: directory.clone(),
            source,
        })?;
        let acme = &config.acme;
        let order = match &acme.roots {
            Some(roots) => AcmeConfig::new_with_client_config(&acme.domains, trusting(roots)?),
            None => AcmeConfig::new_with_provider(&acme.domains, provider()),
        };
        let contact = acme
            .contact
            .iter()
            .map(|address| format!("mailto:{address}"));
        let order = order.contact(contact).cache(Cache {
            directory,
            validity,
        });
        let order = match &acme.directory {
            Some(url) => order.directory(url),
            None => order.directory_lets_encrypt(!acme.staging),
        };
        Ok(Self(order.state()))
    }

    pub(super) fn resolver(&self) -> Arc<ResolvesServerCertAcme> {
        self.0.resolver()
    }

    pub(super) fn challenge(&self) -> Arc<ServerConfig> {
        self.0.challenge_rustls_config_with_provider(provider())
    }

    /// Gets certificates and renews them, after two thirds of their time, until the relay stops.
    pub(crate) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        loop {
            let event = tokio::select! {
                () = asked(&mut stopped) => return,
                event = self.0.next() => event,
            };
            match event {
                None => return,
                Some(Ok(EventOk::DeployedCachedCert | EventOk::DeployedNewCert)) => {
                    journal::note(journal::CERTIFICATE_NEW);
                }
                Some(Ok(_)) => {}
                Some(Err(error @ (EventError::Order(_) | EventError::NewCertParse(_)))) => {
                    journal::because(journal::ACME_FAILED, &journal::chain(&error));
                }
                Some(Err(error)) => {
                    journal::because(journal::ACME_CACHE, &journal::chain(&error));
                }
            }
        }
    }
}

/// Says whether the files can be used.
pub(super) fn check(config: &Config) -> Result<(), TlsError> {
    config
        .acme
        .roots
        .as_deref()
        .map_or(Ok(()), |roots| trusting(roots).map(drop))
}

/// A client that believes these roots only.
fn trusting(roots: &Path) -> Result<Arc<ClientConfig>, TlsError> {
    let mut store = RootCertStore::empty();
    add_roots(&mut store, roots)?;
    let client = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?;
    Ok(Arc::new(
        client.with_root_certificates(store).with_no_client_auth(),
    ))
}

/// Keeps keys and certificates where only the relay reads them, and notices how long a certificate is good.
struct Cache {
    directory: PathBuf,
    validity: Arc<Validity>,
}

impl Cache {
    /// A file for each authority and set of names.
    fn path(&self, kind: &str, names: &[String], url: &str) -> PathBuf {
        let text = [names.join("\n").as_bytes(), b"\n", url.as_bytes()].concat();
        let tag = HEXLOWER.encode(&ume_wire::auth::hash(&text)[..8]);
        self.directory.join(format!("{kind}-{tag}.pem"))
    }

    fn notice(&self, pem: &[u8]) {
        let first = CertificateDer::pem_slice_iter(pem).next();
        if let Some(validity) = first
            .and_then(Result::ok)
            .and_then(|first| Validity::of(&first))
        {
            self.validity.set(&validity);
        }
    }
}

#[async_trait]
impl CertCache for Cache {
    type EC = io::Error;

    async fn load_cert(&self, domains: &[String], url: &str) -> io::Result<Option<Vec<u8>>> {
        let pem = read_if_there(self.path("certificate", domains, url)).await?;
        if let Some(pem) = &pem {
            self.notice(pem);
        }
        Ok(pem)
    }

    async fn store_cert(&self, domains: &[String], url: &str, pem: &[u8]) -> io::Result<()> {
        self.notice(pem);
        write(self.path("certificate", domains, url), pem.to_vec()).await
    }
}

#[async_trait]
impl AccountCache for Cache {
    type EA = io::Error;

    async fn load_account(&self, contact: &[String], url: &str) -> io::Result<Option<Vec<u8>>> {
        read_if_there(self.path("account", contact, url)).await
    }

    async fn store_account(&self, contact: &[String], url: &str, key: &[u8]) -> io::Result<()> {
        write(self.path("account", contact, url), key.to_vec()).await
    }
}

async fn read_if_there(path: PathBuf) -> io::Result<Option<Vec<u8>>> {
    match tokio::fs::read(path).await {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes aside and renames, so that a crash leaves the old file or the new one.
async fn write(path: PathBuf, content: Vec<u8>) -> io::Result<()> {
    let job = move || {
        let directory = path.parent().unwrap_or(Path::new("."));
        // Nobody else may read a temporary file.
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&content)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        fs::File::open(directory)?.sync_all()
    };
    tokio::task::spawn_blocking(job)
        .await
        .map_err(io::Error::other)?
}

fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
