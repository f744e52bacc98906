//! A certificate and its key from files, which somebody else renews.

use super::{Names, TlsError, Validity, provider};
use parking_lot::RwLock;
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

/// The pair that is in use, and where the next one will lie.
#[derive(Debug)]
pub(super) struct Pair {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Current>,
    validity: Arc<Validity>,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    names: Names,
    /// Content of the certificate's file when it was last looked at. Times of files say less: tools that renew put old
    /// files in the place of others, and link them.
    seen: Vec<u8>,
}

impl Pair {
    pub(super) fn load(
        certificate: &Path,
        key: &Path,
        validity: Arc<Validity>,
    ) -> Result<Self, TlsError> {
        let seen = read(certificate)?;
        let loaded = parse(certificate, &seen, key)?;
        validity.set(&loaded.validity);
        Ok(Self {
            certificate: certificate.to_path_buf(),
            key: key.to_path_buf(),
            current: RwLock::new(loaded.with(seen)),
            validity,
        })
    }

    /// Whether the certificate is for this host.
    pub(super) fn is_for(&self, host: &str) -> bool {
        self.current.read().names.hold(host)
    }

    /// Takes another certificate that lies there now; says whether it did. One that cannot be used changes nothing, and
    /// is not complained about twice.
    pub(super) fn reload(&self) -> Result<bool, TlsError> {
        let seen = read(&self.certificate)?;
        if seen == self.current.read().seen {
            return Ok(false);
        }
        match parse(&self.certificate, &seen, &self.key) {
            Ok(loaded) if !loaded.validity.is_now() && self.validity.is_now() => {
                self.current.write().seen = seen;
                Err(TlsError::NotValid(self.certificate.clone()))
            }
            Ok(loaded) => {
                self.validity.set(&loaded.validity);
                *self.current.write() = loaded.with(seen);
                Ok(true)
            }
            // Maybe only one of the two files is there yet: it is looked at again.
            Err(error) => Err(error),
        }
    }
}

/// What two files hold.
struct Loaded {
    key: CertifiedKey,
    names: Names,
    validity: Validity,
}

impl Loaded {
    fn with(self, seen: Vec<u8>) -> Current {
        Current {
            key: Arc::new(self.key),
            names: self.names,
            seen,
        }
    }
}

impl ResolvesServerCert for Pair {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().key.clone())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read {
        path: path.to_path_buf(),
        source,
    })
}

fn parse(path: &Path, chain: &[u8], key: &Path) -> Result<Loaded, TlsError> {
    let content = |path: &Path, what| TlsError::Content {
        path: path.to_path_buf(),
        what,
    };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<_, _>>()
        .map_err(|_| content(path, "a certificate chain"))?;
    let validity = chain.first().and_then(|first| Validity::of(first));
    let validity = validity.ok_or_else(|| content(path, "a certificate chain"))?;
    let names = chain
        .first()
        .map(|first| Names::of(first))
        .unwrap_or_default();
    let secret = Zeroizing::new(read(key)?);
    let secret =
        PrivateKeyDer::from_pem_slice(&secret).map_err(|_| content(key, "a private key"))?;
    let key = CertifiedKey::from_der(chain, secret, &provider());
    let key = key.map_err(|source| TlsError::Pair {
        path: path.to_path_buf(),
        source,
    })?;
    Ok(Loaded {
        key,
        names,
        validity,
    })
}
