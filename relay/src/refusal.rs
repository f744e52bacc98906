//! Why a request is refused.

use ume_wire::relay::{Refused, RefusedCode, frame::Body};

/// A refusal on its way to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: RefusedCode,
    pub(crate) detail: u64,
}

impl Refusal {
    pub(crate) const UNKNOWN: Self = Self::new(RefusedCode::RefusedUnknown);
    pub(crate) const VERSION: Self = Self::new(RefusedCode::RefusedVersion);
    pub(crate) const MALFORMED: Self = Self::new(RefusedCode::RefusedMalformed);
    pub(crate) const DENIED: Self = Self::new(RefusedCode::RefusedDenied);
    pub(crate) const CONFLICT: Self = Self::new(RefusedCode::RefusedConflict);
    pub(crate) const LIMIT: Self = Self::new(RefusedCode::RefusedLimit);
    pub(crate) const STORAGE: Self = Self::new(RefusedCode::RefusedStorage);
    pub(crate) const ORDER: Self = Self::new(RefusedCode::RefusedOrder);
    pub(crate) const ACCESS: Self = Self::new(RefusedCode::RefusedAccess);
    pub(crate) const QUOTA: Self = Self::new(RefusedCode::RefusedQuota);

    const fn new(code: RefusedCode) -> Self {
        Self { code, detail: 0 }
    }

    /// A higher ballot was promised; `round` is its round.
    pub(crate) const fn ballot(round: u32) -> Self {
        Self {
            code: RefusedCode::RefusedBallot,
            detail: round as u64,
        }
    }

    /// Too much of something, for so many milliseconds.
    pub(crate) const fn limit(wait_ms: u64) -> Self {
        Self {
            code: RefusedCode::RefusedLimit,
            detail: wait_ms,
        }
    }

    /// A lane takes so many bits of work.
    pub(crate) const fn work(bits: u32) -> Self {
        Self {
            code: RefusedCode::RefusedWork,
            detail: bits as u64,
        }
    }

    /// As it travels.
    pub(crate) fn body(self) -> Body {
        Body::Refused(Refused {
            code: self.code.into(),
            detail: self.detail,
        })
    }
}
