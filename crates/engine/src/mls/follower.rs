//! Watching a group from outside, with nobody's secrets.

use std::fmt;

use openmls::group::{ProposalStore, PublicGroup, StagedCommit};
use openmls::messages::group_info::VerifiableGroupInfo;
use openmls::prelude::{
    DeserializeBytes as _, MlsMessageBodyIn, MlsMessageIn, RatchetTreeIn, Verifiable as _,
};
use tls_codec::{Deserialize as _, Serialize as _};

use super::crypto::Crypto;
use super::facts::{self, CommitFacts};
use super::rows::Rows;
use super::{Member, MlsError, Suite};

/// The public side of a group, kept up by its commits.
pub(crate) struct Follower {
    group: PublicGroup,
    crypto: Crypto,
    /// OpenMLS insists on writing somewhere; nothing is ever read from here.
    storage: Rows,
}

/// A commit that keeps the public rules, to be merged by [`Follower::merge`].
#[derive(Debug)]
pub(crate) struct PublicIncoming {
    /// What it does.
    pub(crate) facts: CommitFacts,
    staged: StagedCommit,
}

impl Follower {
    /// Begins with a tree and the group info of the same epoch, whose signatures and hashes are checked.
    ///
    /// # Errors
    /// [`MlsError::Malformed`] if they are not whole, authentic and of each other; [`MlsError::Suite`].
    pub(crate) fn new(tree: &[u8], group_info: &[u8]) -> Result<Self, MlsError> {
        let (crypto, storage) = (Crypto::default(), Rows::forgetful());
        let tree = read_tree(tree)?;
        let info = read_group_info(group_info)?;
        Suite::of(info.ciphersuite())?;
        let (group, info) =
            PublicGroup::from_external(&crypto, &storage, tree, info, ProposalStore::new())
                .map_err(MlsError::malformed)?;
        if facts::members(&group).len() != group.members().count() {
            return Err(MlsError::Malformed("unknown kind of leaf".into()));
        }
        if info.extensions().external_pub().is_none() {
            return Err(MlsError::Malformed("no external key".into()));
        }
        Ok(Self {
            group,
            crypto,
            storage,
        })
    }

    /// Judges a commit by the public rules; changes nothing.
    ///
    /// # Errors
    /// [`MlsError::Malformed`]: the commit is void for everyone.
    pub(crate) fn process(&self, commit: &[u8]) -> Result<PublicIncoming, MlsError> {
        let message = facts::read_commit(commit).map_err(MlsError::Malformed)?;
        let (facts, staged) =
            facts::judge(&self.group, &self.crypto, message).map_err(MlsError::Malformed)?;
        Ok(PublicIncoming { facts, staged })
    }

    /// Goes on to the epoch that the commit begins.
    ///
    /// # Errors
    /// [`MlsError::WrongEpoch`] if it was judged in another epoch.
    pub(crate) fn merge(&mut self, incoming: PublicIncoming) -> Result<(), MlsError> {
        if incoming.facts.epoch != self.epoch() {
            return Err(MlsError::WrongEpoch);
        }
        self.group
            .merge_commit(&self.storage, incoming.staged)
            .map_err(MlsError::refused)
    }

    /// Whether a group info is of the epoch here, as far as everybody can tell. By one that is not, a device would come into
    /// a group in which nobody else is.
    ///
    /// # Errors
    /// [`MlsError::Malformed`] if it is not, or none at all.
    pub(crate) fn check_group_info(&self, group_info: &[u8]) -> Result<(), MlsError> {
        let info = read_group_info(group_info)?;
        let content = info.unsigned_payload().map_err(MlsError::malformed)?;
        // What stands last is who signed it: the number of a leaf.
        let content = content.split_last_chunk::<4>().map(|(content, _)| content);
        let tag = self.group.confirmation_tag();
        let tag = tag.tls_serialize_detached().map_err(MlsError::refused)?;
        let fits = info.group_context() == self.group.group_context()
            && content.is_some_and(|content| content.ends_with(&tag));
        let elsewhere = || MlsError::Malformed("leads elsewhere".into());
        fits.then_some(()).ok_or_else(elsewhere)
    }

    /// The current epoch.
    pub(crate) fn epoch(&self) -> u64 {
        self.group.group_context().epoch().as_u64()
    }

    /// The group's suite.
    ///
    /// # Errors
    /// None in practice: checked when the follower was made.
    pub(crate) fn suite(&self) -> Result<Suite, MlsError> {
        Suite::of(self.group.ciphersuite())
    }

    /// All members, by index.
    pub(crate) fn members(&self) -> Vec<Member> {
        facts::members(&self.group)
    }

    /// The ratchet tree, for [`Follower::new`] and [`super::Group::join`].
    ///
    /// # Errors
    /// [`MlsError::Refused`] if it is too large to be encoded.
    pub(crate) fn tree(&self) -> Result<Vec<u8>, MlsError> {
        self.group
            .export_ratchet_tree()
            .tls_serialize_detached()
            .map_err(MlsError::refused)
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower")
            .field("epoch", &self.epoch())
            .finish_non_exhaustive()
    }
}

/// Reads a tree as [`super::Group::tree`] gives it. Nothing in it is verified yet.
///
/// Read as a stream: reading from bytes, `tls_codec` 0.5.0 asserts lengths in debug builds instead of refusing them.
pub(super) fn read_tree(mut bytes: &[u8]) -> Result<RatchetTreeIn, MlsError> {
    let tree = RatchetTreeIn::tls_deserialize(&mut bytes).map_err(MlsError::malformed)?;
    if bytes.is_empty() {
        Ok(tree)
    } else {
        Err(MlsError::Malformed("bytes after the tree".into()))
    }
}

/// Reads a group info as [`super::Group::group_info`] gives it. Nothing in it is verified yet.
pub(super) fn read_group_info(bytes: &[u8]) -> Result<VerifiableGroupInfo, MlsError> {
    let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes).map_err(MlsError::malformed)?;
    match message.extract() {
        MlsMessageBodyIn::GroupInfo(info) => Ok(info),
        _ => Err(MlsError::Malformed("not a group info".into())),
    }
}
