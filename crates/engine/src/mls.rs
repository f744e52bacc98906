//! MLS groups behind our own types: nothing outside this module names OpenMLS.
//!
//! A [`Group`] is one device's membership, with its own storage; a [`Follower`] watches the same group with nobody's
//! secrets. Both judge a commit by the same public rules ([`facts`]), so that all of them agree on which commits are void.
//!
//! Everything is synchronous. Randomness comes from the seed that the caller hands in, with one exception: what HPKE
//! needs inside (ephemeral keys of encapsulations) is drawn by the library from the system. **A seed is used once**: two groups, or a
//! group and its reloaded self, must never get the same one. No verdict depends on the clock: leaves carry a lifetime without end.

mod commit;
mod crypto;
mod facts;
mod follower;
mod group;
pub(crate) mod hpke;
mod join;
mod leaf;
mod notes;
mod provider;
mod rows;
#[cfg(test)]
mod tests;

#[cfg(feature = "unruly")]
pub(crate) use commit::Staged;
pub(crate) use facts::{CommitFacts, Committer};
pub(crate) use follower::{Follower, PublicIncoming};
pub(crate) use group::Group;
pub(crate) use leaf::LeafKey;

use openmls::prelude::Ciphersuite;

/// Past epochs whose messages can still be opened.
pub(crate) const PAST_EPOCHS: usize = 5;

/// Which cryptography a group uses; fixed when it is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suite {
    /// X-Wing (ML-KEM-768 with X25519), AES-256-GCM, SHA-384, Ed25519: 0x004E, a draft code point.
    Hybrid,
    /// X25519, AES-128-GCM, SHA-256, Ed25519: 0x0001.
    Classic,
}

impl Suite {
    /// The number by which MLS names it.
    pub(crate) const fn number(self) -> u16 {
        match self {
            Self::Hybrid => 0x004E,
            Self::Classic => 0x0001,
        }
    }

    /// The suite with this number, if it is one of ours.
    pub(crate) const fn from_number(number: u16) -> Option<Self> {
        match number {
            0x004E => Some(Self::Hybrid),
            0x0001 => Some(Self::Classic),
            _ => None,
        }
    }

    const fn ciphersuite(self) -> Ciphersuite {
        match self {
            Self::Hybrid => Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519,
            Self::Classic => Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
        }
    }

    fn of(ciphersuite: Ciphersuite) -> Result<Self, MlsError> {
        Self::from_number(ciphersuite.into()).ok_or(MlsError::Suite)
    }
}

/// A device in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Where its leaf is in the tree. Free places are used again by later members.
    pub(crate) index: u32,
    /// What its credential says, as bytes; MLS proves only that the leaf key signed it.
    pub(crate) identity: Vec<u8>,
    /// Its Ed25519 key.
    pub(crate) leaf_key: [u8; 32],
}

/// Why something with a group failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MlsError {
    /// Bytes that are not what they should be, or whose proofs fail.
    #[error("malformed or not authentic: {0}")]
    Malformed(String),
    /// A suite that we do not use.
    #[error("unknown suite")]
    Suite,
    /// A message whose keys are gone: of an epoch too long ago, or before this device joined, or too far behind its sender's newest.
    #[error("too old to be opened")]
    TooOld,
    /// A message of an epoch that this device has not reached.
    #[error("of a later epoch")]
    NotYet,
    /// A message that was opened before.
    #[error("opened before")]
    Duplicate,
    /// A message of this device itself, which nobody can open again.
    #[error("this device's own message")]
    OwnMessage,
    /// There is a pending commit, or an unconfirmed join, in the way.
    #[error("a commit is pending")]
    Pending,
    /// There is no pending commit.
    #[error("no commit is pending")]
    NothingPending,
    /// What is to be merged does not start from the current epoch.
    #[error("made for another epoch")]
    WrongEpoch,
    /// This device is not, or no longer, in the group.
    #[error("not a member")]
    NotMember,
    /// What is stored is not a whole group, or another device's.
    #[error("stored state is unusable: {0}")]
    Stored(String),
    /// OpenMLS refused for a reason that no caller can do anything about.
    #[error("refused: {0}")]
    Refused(String),
}

/// Why a commit is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommitError {
    /// It breaks the public rules: everyone skips it, whatever they know.
    #[error("void: {0}")]
    Void(String),
    /// It keeps the public rules but this device cannot process it (path secrets, membership or confirmation tag).
    /// Either the committer or this device is broken; joining again by an external commit helps.
    #[error("cannot be processed here: {0}")]
    Private(String),
    /// It is the commit that this device made itself: merge the pending one.
    #[error("this device's own pending commit")]
    Own,
    /// This device's own join is not confirmed, so it cannot judge others' commits: only a follower can. If the commit is valid,
    /// the join has lost and the group is to be thrown away.
    #[error("own join is not confirmed")]
    Joining,
    /// This device was removed earlier.
    #[error("not a member")]
    NotMember,
}

impl MlsError {
    fn malformed(error: impl std::fmt::Display) -> Self {
        Self::Malformed(error.to_string())
    }

    fn refused(error: impl std::fmt::Display) -> Self {
        Self::Refused(error.to_string())
    }
}
