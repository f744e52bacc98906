//! One device's membership in a group: what it knows, and its messages.

use std::collections::BTreeMap;
use std::fmt;

use openmls::framing::errors::{MessageDecryptionError, SecretTreeError};
use openmls::group::{
    GroupId, MIXED_PLAINTEXT_WIRE_FORMAT_POLICY, MlsGroup, MlsGroupCreateConfig,
    MlsGroupJoinConfig, PastEpochDeletion, ProcessMessageError, ValidationError,
};
use openmls::prelude::{
    Capabilities, CredentialType, DeserializeBytes as _, Lifetime, MlsMessageBodyIn, MlsMessageIn,
    ProcessedMessageContent, ProtocolMessage, Sender, SenderRatchetConfiguration,
};
use openmls_traits::OpenMlsProvider as _;
use openmls_traits::random::OpenMlsRand as _;
use tls_codec::Serialize as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::notes::Notes;
use super::provider::Provider;
use super::rows::Rows;
use super::{LeafKey, MlsError, PAST_EPOCHS, Suite};

/// Bytes of a group id.
const ID_LEN: usize = 32;
/// How far behind its sender's newest a message may be and still be opened.
const OUT_OF_ORDER: u32 = 1_000;
/// How many messages of one sender may be missing before the next.
const SKIPPED: u32 = 2_000;

/// One device's membership in a group, with all its keys.
pub(crate) struct Group {
    pub(super) mls: MlsGroup,
    pub(super) provider: Provider,
    pub(super) leaf: LeafKey,
    pub(super) notes: Notes,
}

impl Group {
    /// Creates a group with a random id and this device as its only member, in epoch 0.
    ///
    /// # Errors
    /// [`MlsError::Refused`]; not expected.
    pub(crate) fn create(
        suite: Suite,
        leaf: &LeafKey,
        identity: &[u8],
        seed: [u8; 32],
    ) -> Result<Self, MlsError> {
        let provider = Provider::new(Rows::default(), seed);
        let id = provider
            .rand()
            .random_vec(ID_LEN)
            .map_err(MlsError::refused)?;
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(suite.ciphersuite())
            .capabilities(capabilities(suite))
            .lifetime(Lifetime::init(0, u64::MAX))
            .wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY)
            .max_past_epochs(PAST_EPOCHS)
            .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER, SKIPPED))
            .use_ratchet_tree_extension(false)
            .build();
        let mls = MlsGroup::new_with_group_id(
            &provider,
            leaf,
            &config,
            GroupId::from_slice(&id),
            leaf.credential(identity),
        )
        .map_err(MlsError::refused)?;
        let notes = Notes::new(0, None);
        notes.write(provider.storage())?;
        Ok(Self {
            mls,
            provider,
            leaf: leaf.clone(),
            notes,
        })
    }

    /// Goes on with a group whose rows were stored: everything that [`Group::take_changes`] ever gave, applied in order.
    ///
    /// # Errors
    /// [`MlsError::Stored`] if the rows are not a whole group, or not of this leaf key.
    pub(crate) fn load(
        rows: BTreeMap<Vec<u8>, Vec<u8>>,
        id: &[u8],
        leaf: &LeafKey,
        seed: [u8; 32],
    ) -> Result<Self, MlsError> {
        let rows = Rows::stored(rows).map_err(|error| MlsError::Stored(error.to_string()))?;
        let provider = Provider::new(rows, seed);
        let notes = Notes::read(provider.storage())?;
        let mls = MlsGroup::load(provider.storage(), &GroupId::from_slice(id))
            .map_err(|error| MlsError::Stored(error.to_string()))?
            .ok_or_else(|| MlsError::Stored("rows missing".into()))?;
        if mls.group_id().as_slice() != id {
            return Err(MlsError::Stored("another group's".into()));
        }
        Suite::of(mls.ciphersuite())?;
        if mls.is_active()
            && mls
                .own_leaf_node()
                .is_none_or(|own| own.signature_key().as_slice() != leaf.public())
        {
            return Err(MlsError::Stored("another leaf's".into()));
        }
        Ok(Self {
            mls,
            provider,
            leaf: leaf.clone(),
            notes,
        })
    }

    /// The rows that changed since the last call: `Some` is to be put, `None` to be deleted. They hold secrets.
    ///
    /// They are to be stored before anything that the group made goes out. If that fails, the group is to be dropped
    /// and loaded again.
    pub(crate) fn take_changes(&mut self) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
        self.provider.storage().take_changes()
    }

    /// The group's id.
    pub(crate) fn id(&self) -> Vec<u8> {
        self.mls.group_id().to_vec()
    }

    /// The current epoch.
    pub(crate) fn epoch(&self) -> u64 {
        self.mls.epoch().as_u64()
    }

    /// Whether this device is still a member.
    pub(crate) fn is_member(&self) -> bool {
        self.mls.is_active()
    }

    /// This device's index.
    pub(crate) fn own_index(&self) -> u32 {
        self.mls.own_leaf_index().u32()
    }

    /// A secret that all members of the current epoch can derive, and nobody else.
    ///
    /// # Errors
    /// [`MlsError::NotMember`].
    pub(crate) fn export(
        &self,
        label: &str,
        context: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, MlsError> {
        let secret = self
            .mls
            .export_secret(self.provider.crypto(), label, context, 32);
        secret_of(secret.map_err(|_| MlsError::NotMember)?)
    }

    /// A value that is the same for two devices exactly if they agree on everything in this epoch.
    pub(crate) fn epoch_authenticator(&self) -> Vec<u8> {
        self.mls.epoch_authenticator().as_slice().to_vec()
    }

    /// The ratchet tree of the current epoch.
    ///
    /// # Errors
    /// [`MlsError::Refused`] if it is too large to be encoded.
    pub(crate) fn tree(&self) -> Result<Vec<u8>, MlsError> {
        self.mls
            .export_ratchet_tree()
            .tls_serialize_detached()
            .map_err(MlsError::refused)
    }

    /// The group info of the current epoch, signed by this device: what joining takes, without the tree.
    ///
    /// # Errors
    /// [`MlsError::NotMember`], [`MlsError::Refused`].
    pub(crate) fn group_info(&self) -> Result<Vec<u8>, MlsError> {
        self.ensure_member()?;
        let info = self
            .mls
            .export_group_info(self.provider.crypto(), &self.leaf, false);
        info.map_err(MlsError::refused)?
            .to_bytes()
            .map_err(MlsError::refused)
    }

    /// Seals a message for the members of the current epoch. Allowed while a commit is pending; it then belongs to the epoch before it.
    ///
    /// # Errors
    /// [`MlsError::NotMember`]; [`MlsError::Pending`] while the own join is not confirmed.
    pub(crate) fn protect(&mut self, plaintext: &[u8]) -> Result<Vec<u8>, MlsError> {
        self.ensure_member()?;
        self.ensure_joined()?;
        self.mls.set_aad(Vec::new());
        let message = self
            .mls
            .create_message(&self.provider, &self.leaf, plaintext)
            .map_err(MlsError::refused)?;
        message.to_bytes().map_err(MlsError::refused)
    }

    /// Opens a message of a member, of the current epoch or one of the last [`PAST_EPOCHS`].
    ///
    /// # Errors
    /// [`MlsError::TooOld`], [`MlsError::NotYet`], [`MlsError::Duplicate`], [`MlsError::OwnMessage`],
    /// [`MlsError::Malformed`] for everything else that is wrong with it, [`MlsError::NotMember`].
    pub(crate) fn unprotect(&mut self, message: &[u8]) -> Result<Vec<u8>, MlsError> {
        self.ensure_member()?;
        let message =
            MlsMessageIn::tls_deserialize_exact_bytes(message).map_err(MlsError::malformed)?;
        let MlsMessageBodyIn::PrivateMessage(message) = message.extract() else {
            return Err(MlsError::Malformed("not a private message".into()));
        };
        let message = ProtocolMessage::from(message);
        if message.group_id() != self.mls.group_id() || message.is_handshake_message() {
            return Err(MlsError::Malformed("not a message of this group".into()));
        }
        let epoch = message.epoch().as_u64();
        if epoch > self.epoch() {
            return Err(MlsError::NotYet);
        }
        if epoch < self.notes.first_epoch {
            return Err(MlsError::TooOld);
        }
        let processed = self
            .mls
            .process_message(&self.provider, message)
            .map_err(|error| opening(&error))?;
        if !matches!(processed.sender(), Sender::Member(_)) {
            return Err(MlsError::Malformed("not from a member".into()));
        }
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => Ok(message.into_bytes()),
            ProcessedMessageContent::OwnPrivateMessage => Err(MlsError::OwnMessage),
            _ => Err(MlsError::Malformed("not a message".into())),
        }
    }

    /// Forgets the secrets of all epochs before this one. It must not be later than the current one.
    ///
    /// # Errors
    /// [`MlsError::Refused`] if what is left cannot be written.
    pub(crate) fn forget_before(&mut self, epoch: u64) -> Result<(), MlsError> {
        let kept = self.epoch().saturating_sub(epoch);
        let kept = usize::try_from(kept).unwrap_or(usize::MAX);
        // All have a time: none is forgotten for that, and no clock is asked.
        let old = PastEpochDeletion::delete_all_without_timestamps().max_past_epochs(kept);
        let forgotten = self.mls.delete_past_epoch_secrets(&self.provider, old);
        forgotten.map_err(MlsError::refused)
    }

    pub(super) fn ensure_member(&self) -> Result<(), MlsError> {
        if self.is_member() {
            Ok(())
        } else {
            Err(MlsError::NotMember)
        }
    }

    pub(super) fn ensure_joined(&self) -> Result<(), MlsError> {
        if self.notes.joining.is_none() {
            Ok(())
        } else {
            Err(MlsError::Pending)
        }
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("epoch", &self.epoch())
            .field("index", &self.own_index())
            .finish_non_exhaustive()
    }
}

/// What every leaf says that it can do: nothing beyond what we use.
pub(super) fn capabilities(suite: Suite) -> Capabilities {
    Capabilities::new(
        None,
        Some(&[suite.ciphersuite()]),
        Some(&[]),
        Some(&[]),
        Some(&[CredentialType::Basic]),
    )
}

/// The same settings as [`Group::create`] makes, for a device that joins.
pub(super) fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY)
        .max_past_epochs(PAST_EPOCHS)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER, SKIPPED))
        .use_ratchet_tree_extension(false)
        .build()
}

pub(super) fn secret_of(mut secret: Vec<u8>) -> Result<Zeroizing<[u8; 32]>, MlsError> {
    let taken = <[u8; 32]>::try_from(secret.as_slice())
        .map(Zeroizing::new)
        .map_err(MlsError::refused);
    secret.zeroize();
    taken
}

fn opening<E>(error: &ProcessMessageError<E>) -> MlsError
where
    ProcessMessageError<E>: fmt::Display,
{
    let ProcessMessageError::ValidationError(invalid) = error else {
        return MlsError::malformed(error);
    };
    match invalid {
        ValidationError::NoPastEpochData
        | ValidationError::UnableToDecrypt(MessageDecryptionError::SecretTreeError(
            SecretTreeError::TooDistantInThePast,
        )) => MlsError::TooOld,
        ValidationError::UnableToDecrypt(MessageDecryptionError::SecretTreeError(
            SecretTreeError::SecretReuseError,
        )) => MlsError::Duplicate,
        _ => MlsError::malformed(invalid),
    }
}
