//! Joining by an external commit: with nobody online, from a tree and the group info of the same epoch.

use openmls::group::MlsGroup;
use openmls::prelude::{
    LeafNodeParameters, MlsMessageOut, OpenMlsSignaturePublicKey, Verifiable as _,
};
use openmls_traits::OpenMlsProvider as _;
use openmls_traits::types::SignatureScheme;
use sha2::{Digest as _, Sha256};

use super::commit::Staged;
use super::facts;
use super::follower::{Follower, read_group_info, read_tree};
use super::group::{Group, capabilities, join_config};
use super::notes::Notes;
use super::provider::Provider;
use super::rows::Rows;
use super::{LeafKey, MlsError};

impl Group {
    /// Makes a group that joins by an external commit.
    ///
    /// OpenMLS puts the group into its new epoch at once. Until [`Group::merge_pending`] confirms that the commit was
    /// chosen, it counts as pending: it seals nothing, and opens and judges nothing of others. If the commit is not chosen, the
    /// group is to be thrown away with all its rows, and made anew.
    ///
    /// With `remove_prior` the commit also removes this device's old leaf. OpenMLS does that exactly if the old leaf has
    /// **the same leaf key** (credentials are not compared), and it cannot be made to remove another.
    ///
    /// # Errors
    /// [`MlsError::Malformed`] if tree and group info are not whole, authentic and of each other; [`MlsError::Suite`];
    /// [`MlsError::Refused`] if the leaf key is in the tree without `remove_prior`, or is not with it.
    pub(crate) fn join(
        tree: &[u8],
        group_info: &[u8],
        leaf: &LeafKey,
        identity: &[u8],
        aad: &[u8],
        seed: [u8; 32],
        remove_prior: bool,
    ) -> Result<(Self, Staged), MlsError> {
        let follower = Follower::new(tree, group_info)?;
        let present = follower
            .members()
            .iter()
            .any(|member| member.leaf_key == leaf.public());
        if present != remove_prior {
            return Err(MlsError::Refused(
                "leaf key in the tree against expectation, or missing".into(),
            ));
        }
        let suite = follower.suite()?;
        let provider = Provider::new(Rows::default(), seed);
        let (mls, bundle) = MlsGroup::external_commit_builder()
            .with_ratchet_tree(read_tree(tree)?)
            .with_config(join_config())
            .with_aad(aad.to_vec())
            .skip_lifetime_validation()
            .build_group(
                &provider,
                read_group_info(group_info)?,
                leaf.credential(identity),
            )
            .map_err(MlsError::malformed)?
            .leaf_node_parameters(
                LeafNodeParameters::builder()
                    .with_capabilities(capabilities(suite))
                    .build(),
            )
            .load_psks(provider.storage())
            .map_err(MlsError::refused)?
            .create_group_info(true)
            .build(provider.rand(), provider.crypto(), leaf, |_| true)
            .map_err(MlsError::malformed)?
            .finalize(&provider)
            .map_err(MlsError::refused)?;
        let (commit, _, info) = bundle.into_contents();
        let staged = Staged::new(&commit, info.map(MlsMessageOut::from))?;
        let notes = Notes::new(
            mls.epoch().as_u64(),
            Some(Sha256::digest(&staged.commit).into()),
        );
        notes.write(provider.storage())?;
        Ok((
            Self {
                mls,
                provider,
                leaf: leaf.clone(),
                notes,
            },
            staged,
        ))
    }

    /// Checks another member's group info of the current epoch: whether one who joins by it ends up where this device is.
    /// The signature alone does not say so, because the external key in it can be judged by members only.
    ///
    /// It has to say what this device's own says, but for who signed it; so there is no tree to be looked at.
    ///
    /// # Errors
    /// [`MlsError::Malformed`] says what is wrong with it; [`MlsError::NotMember`], [`MlsError::Refused`].
    pub(crate) fn check_group_info(&self, group_info: &[u8]) -> Result<(), MlsError> {
        let theirs = read_group_info(group_info)?;
        let content = theirs.unsigned_payload().map_err(MlsError::malformed)?;
        let ours = read_group_info(&self.group_info()?)?;
        let ours = ours.unsigned_payload().map_err(MlsError::refused)?;
        // Who signed comes last: the number of a leaf.
        let elsewhere = || MlsError::Malformed("leads elsewhere".into());
        let (content, signer) = content.split_last_chunk().ok_or_else(elsewhere)?;
        let (ours, _) = ours.split_last_chunk::<4>().ok_or_else(elsewhere)?;
        if content != ours {
            return Err(elsewhere());
        }
        let signer = facts::member_at(self.mls.public_group(), u32::from_be_bytes(*signer));
        let key = signer.ok_or_else(elsewhere)?.leaf_key.to_vec();
        let key = OpenMlsSignaturePublicKey::new(key.into(), SignatureScheme::ED25519);
        theirs
            .verify_no_out(self.provider.crypto(), &key.map_err(MlsError::malformed)?)
            .map_err(MlsError::malformed)
    }
}
