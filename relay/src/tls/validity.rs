//! When the certificate that is in use begins and ends.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// Times in seconds since 1970; both 0 while there is no certificate.
#[derive(Debug, Default)]
pub(crate) struct Validity {
    from: AtomicI64,
    until: AtomicI64,
}

impl Validity {
    /// Reads it from a certificate (DER).
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
        let validity = certificate.validity();
        Some(Self {
            from: validity.not_before.timestamp().into(),
            until: validity.not_after.timestamp().into(),
        })
    }

    pub(super) fn set(&self, other: &Self) {
        self.from
            .store(other.from.load(Ordering::Relaxed), Ordering::Relaxed);
        self.until
            .store(other.until.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Whether it is between the two.
    pub(crate) fn is_now(&self) -> bool {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        (self.from.load(Ordering::Relaxed)..self.until.load(Ordering::Relaxed)).contains(&now)
    }

    /// The end, if there is a certificate.
    pub(crate) fn ends_at(&self) -> Option<u64> {
        u64::try_from(self.until.load(Ordering::Relaxed))
            .ok()
            .filter(|end| *end > 0)
    }
}
