//! A member's commits: making its own, and taking others'.

use openmls::group::StagedCommit;
use openmls::prelude::{LeafNodeIndex, LeafNodeParameters, MlsMessageOut, ProcessedMessageContent};
use openmls_traits::OpenMlsProvider as _;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use zeroize::Zeroizing;

use super::facts::{self, CommitFacts};
use super::group::{Group, secret_of};
use super::{CommitError, MlsError};

/// A commit that this device made, and that waits to be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Staged {
    /// The commit: a `PublicMessage` of the current epoch.
    pub(crate) commit: Vec<u8>,
    /// The group info of the epoch that it begins: signed, with the external key, without the tree.
    pub(crate) group_info: Vec<u8>,
}

/// Another's commit that can be merged.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// What it does.
    pub(crate) facts: CommitFacts,
    staged: Box<StagedCommit>,
}

impl Group {
    /// Makes a commit that renews this device's keys and removes the devices with some leaf keys. It is pending until it is
    /// merged or cleared.
    ///
    /// # Errors
    /// [`MlsError::Pending`], [`MlsError::NotMember`], [`MlsError::Refused`].
    pub(crate) fn stage_update(
        &mut self,
        aad: &[u8],
        remove: &BTreeSet<[u8; 32]>,
    ) -> Result<Staged, MlsError> {
        self.ensure_member()?;
        if self.has_pending() {
            return Err(MlsError::Pending);
        }
        let members = facts::members(self.mls.public_group()).into_iter();
        let gone: Vec<_> = members
            .filter(|member| remove.contains(&member.leaf_key))
            .map(|member| LeafNodeIndex::new(member.index))
            .collect();
        self.mls.set_aad(aad.to_vec());
        let (commit, _, info) = self
            .mls
            .commit_builder()
            .consume_proposal_store(false)
            .force_self_update(true)
            .leaf_node_parameters(LeafNodeParameters::default())
            .propose_removals(gone)
            .load_psks(self.provider.storage())
            .map_err(MlsError::refused)?
            .create_group_info(true)
            .build(
                self.provider.rand(),
                self.provider.crypto(),
                &self.leaf,
                |_| true,
            )
            .map_err(MlsError::refused)?
            .stage_commit(&self.provider)
            .map_err(MlsError::refused)?
            .into_contents();
        Staged::new(&commit, info.map(MlsMessageOut::from))
    }

    /// A secret of the epoch that the pending commit begins; see [`Group::export`].
    ///
    /// # Errors
    /// [`MlsError::NothingPending`], [`MlsError::Refused`].
    pub(crate) fn export_pending(
        &self,
        label: &str,
        context: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, MlsError> {
        let staged = self.mls.pending_commit().ok_or(MlsError::NothingPending)?;
        let secret = staged
            .export_secret(self.provider.crypto(), label, context, 32)
            .map_err(MlsError::refused)?;
        secret_of(secret)
    }

    /// Leaf keys of all devices in the group.
    pub(crate) fn leaf_keys(&self) -> BTreeSet<[u8; 32]> {
        facts::leaf_keys(self.mls.public_group())
    }

    /// Whether a commit of this device, or its join, waits to be chosen.
    pub(crate) fn has_pending(&self) -> bool {
        self.mls.pending_commit().is_some() || self.notes.joining.is_some()
    }

    /// Goes on to the epoch that the pending commit begins. After a join, which is in its epoch already, this confirms it.
    ///
    /// # Errors
    /// [`MlsError::NothingPending`], [`MlsError::Refused`].
    pub(crate) fn merge_pending(&mut self) -> Result<(), MlsError> {
        if self.notes.joining.take().is_some() {
            return self.notes.write(self.provider.storage());
        }
        if self.mls.pending_commit().is_none() {
            return Err(MlsError::NothingPending);
        }
        self.mls
            .merge_pending_commit(&self.provider)
            .map_err(MlsError::refused)
    }

    /// Drops the pending commit. Only when it is sure that it was not and will not be chosen.
    ///
    /// # Errors
    /// [`MlsError::NothingPending`]; [`MlsError::Pending`] for a join: then the whole group is to be thrown away.
    pub(crate) fn clear_pending(&mut self) -> Result<(), MlsError> {
        self.ensure_joined()?;
        if self.mls.pending_commit().is_none() {
            return Err(MlsError::NothingPending);
        }
        self.mls
            .clear_pending_commit(self.provider.storage())
            .map_err(MlsError::refused)
    }

    /// Judges a commit, first by the public rules, then by this device's secrets. Changes nothing.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub(crate) fn process_commit(&mut self, commit: &[u8]) -> Result<Incoming, CommitError> {
        if let Some(own) = self.notes.joining {
            let joins = <[u8; 32]>::from(Sha256::digest(commit)) == own;
            return Err(if joins {
                CommitError::Own
            } else {
                CommitError::Joining
            });
        }
        if !self.is_member() {
            return Err(CommitError::NotMember);
        }
        let message = facts::read_commit(commit).map_err(CommitError::Void)?;
        let (facts, _) = facts::judge(
            self.mls.public_group(),
            self.provider.crypto(),
            message.clone(),
        )
        .map_err(CommitError::Void)?;
        let processed = self
            .mls
            .process_message(&self.provider, message)
            .map_err(|error| CommitError::Private(error.to_string()))?;
        match processed.into_content() {
            ProcessedMessageContent::StagedCommitMessage(staged) => Ok(Incoming { facts, staged }),
            ProcessedMessageContent::OwnPendingCommit => Err(CommitError::Own),
            _ => Err(CommitError::Private("not a commit".into())),
        }
    }

    /// Goes on to the epoch that the commit begins. An own pending commit has lost the race and is to be cleared before.
    ///
    /// # Errors
    /// [`MlsError::WrongEpoch`], [`MlsError::Pending`], [`MlsError::Refused`].
    pub(crate) fn merge(&mut self, incoming: Incoming) -> Result<(), MlsError> {
        if incoming.facts.epoch != self.epoch() {
            return Err(MlsError::WrongEpoch);
        }
        if self.has_pending() {
            return Err(MlsError::Pending);
        }
        self.mls
            .merge_staged_commit(&self.provider, *incoming.staged)
            .map_err(MlsError::refused)
    }
}

impl Staged {
    pub(super) fn new(
        commit: &MlsMessageOut,
        group_info: Option<MlsMessageOut>,
    ) -> Result<Self, MlsError> {
        let group_info = group_info.ok_or_else(|| MlsError::Refused("no group info".into()))?;
        Ok(Self {
            commit: commit.to_bytes().map_err(MlsError::refused)?,
            group_info: group_info.to_bytes().map_err(MlsError::refused)?,
        })
    }
}
