//! Where OpenMLS keeps a group: values in memory, in a compact form, whose changes can be taken out as rows.
//!
//! Written instead of using `openmls_memory_storage` because that one panics on values that it cannot read, and its
//! JSON is several times larger. The form is [`compact`], but for one value that only a form that describes itself can
//! hold.
//!
//! A long value is cut into rows ([`pieces`]). Every message sent or opened writes the secrets of all epochs that can still
//! be read, and every commit the whole tree; most of that does not change, and is not stored again. What changed is found out
//! once, when it is taken out, however often a value was written until then. Rows belong to one group, so their keys do not
//! name it.

mod compact;
mod pieces;

use pieces::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use openmls_traits::storage::{CURRENT_VERSION as V, StorageProvider, traits};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// What a row is; the first byte of its key. Numbers are never used again for something else.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(super) enum Kind {
    /// [`super::notes::Notes`]: ours, not OpenMLS'.
    Notes = 0,
    JoinConfig = 1,
    Tree = 2,
    InterimTranscriptHash = 3,
    Context = 4,
    ConfirmationTag = 5,
    GroupState = 6,
    MessageSecrets = 7,
    ResumptionPsks = 8,
    OwnLeafIndex = 9,
    EpochSecrets = 10,
    EncryptionKeyPair = 11,
    EpochKeyPairs = 12,
}

/// Why a row cannot be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RowError {
    /// A row is not what it should be.
    #[error("unreadable row")]
    Unreadable,
    /// A value has no compact form.
    #[error("value cannot be written")]
    Unwritable,
    /// Key packages, stored signature keys, pre-shared keys and proposals by reference are not used.
    #[error("not used")]
    Unused,
}

/// The values of one group.
#[derive(Debug, Default)]
pub(super) struct Rows {
    state: Mutex<State>,
    forgetful: bool,
}

#[derive(Default)]
struct State {
    /// Values whose rows were taken out, or came from the store.
    values: BTreeMap<Vec<u8>, Value>,
    /// What was written since; empty: deleted.
    written: BTreeMap<Vec<u8>, Zeroizing<Vec<u8>>>,
}

impl Rows {
    /// Puts the values together again from stored rows.
    pub(super) fn stored(rows: BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Self, RowError> {
        let state = State {
            values: pieces::values(rows)?,
            written: BTreeMap::new(),
        };
        Ok(Self {
            state: Mutex::new(state),
            forgetful: false,
        })
    }

    /// Keeps nothing: for a follower, which needs nothing kept.
    pub(super) fn forgetful() -> Self {
        Self {
            forgetful: true,
            ..Self::default()
        }
    }

    /// What changed since the last call: a row to put, or `None` for one to delete.
    pub(super) fn take_changes(&self) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
        self.lock().take_changes()
    }

    /// Writes a value of a kind of which there is one.
    pub(super) fn put(&self, kind: Kind, value: &impl Serialize) -> Result<(), RowError> {
        self.put_at(vec![kind as u8], value)
    }

    /// Reads a value of a kind of which there is one.
    pub(super) fn get<T: DeserializeOwned>(&self, kind: Kind) -> Result<Option<T>, RowError> {
        self.get_at(&[kind as u8])
    }

    fn put_at(&self, key: Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<(), RowError> {
        if self.forgetful {
            return Ok(());
        }
        let bytes = postcard::to_allocvec(value).map_err(|_| RowError::Unwritable)?;
        self.lock().set(key, bytes);
        Ok(())
    }

    fn get_at<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, RowError> {
        match self.lock().bytes(key) {
            Some(bytes) => compact::read(bytes)
                .map(Some)
                .map_err(|_| RowError::Unreadable),
            None => Ok(None),
        }
    }

    fn delete_at(&self, key: Vec<u8>) {
        self.lock().set(key, vec![]);
    }

    /// A panic while the lock is held cannot leave values half written, so they stay usable.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Sets a value, or deletes it if it is to be empty.
    fn set(&mut self, key: Vec<u8>, bytes: Vec<u8>) {
        self.written.insert(key, Zeroizing::new(bytes));
    }

    fn bytes(&self, key: &[u8]) -> Option<&[u8]> {
        let written = self.written.get(key).map(|bytes| &bytes[..]);
        let bytes = written.or_else(|| self.values.get(key).map(Value::bytes));
        bytes.filter(|bytes| !bytes.is_empty())
    }

    fn take_changes(&mut self) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
        let mut changed = BTreeMap::new();
        for (key, bytes) in std::mem::take(&mut self.written) {
            let old = self.values.remove(&key).unwrap_or_default();
            let new = Value::new(bytes, &old);
            let gone = old.keys_without(&key, &new).into_iter();
            changed.extend(gone.map(|row| (row, None)));
            let rows = new.rows(&key, &old).into_iter();
            changed.extend(rows.map(|(row, bytes)| (row, Some(bytes))));
            if !new.is_empty() {
                self.values.insert(key, new);
            }
        }
        changed
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("values", &self.values.len())
            .field("written", &self.written.len())
            .finish_non_exhaustive()
    }
}

fn key_of(kind: Kind, name: &impl Serialize) -> Result<Vec<u8>, RowError> {
    postcard::to_extend(name, vec![kind as u8]).map_err(|_| RowError::Unwritable)
}

/// Writing a value of which a group has one.
macro_rules! writers {
    ($($method:ident: $kind:ident, $value:ident;)*) => {$(
        fn $method<G: traits::GroupId<V>, T: traits::$value<V>>(&self, _: &G, value: &T) -> Result<(), RowError> {
            self.put(Kind::$kind, value)
        }
    )*};
}

/// Reading a value of which a group has one.
macro_rules! readers {
    ($($method:ident: $kind:ident, $value:ident;)*) => {$(
        fn $method<G: traits::GroupId<V>, T: traits::$value<V>>(&self, _: &G) -> Result<Option<T>, RowError> {
            self.get(Kind::$kind)
        }
    )*};
}

/// Deleting a value of which a group has one.
macro_rules! deleters {
    ($($method:ident: $kind:ident;)*) => {$(
        fn $method<G: traits::GroupId<V>>(&self, _: &G) -> Result<(), RowError> {
            self.delete_at(vec![Kind::$kind as u8]);
            Ok(())
        }
    )*};
}

impl StorageProvider<V> for Rows {
    type Error = RowError;

    writers! {
        write_tree: Tree, TreeSync;
        write_interim_transcript_hash: InterimTranscriptHash, InterimTranscriptHash;
        write_context: Context, GroupContext;
        write_confirmation_tag: ConfirmationTag, ConfirmationTag;
        write_message_secrets: MessageSecrets, MessageSecrets;
        write_resumption_psk_store: ResumptionPsks, ResumptionPskStore;
        write_own_leaf_index: OwnLeafIndex, LeafNodeIndex;
        write_group_epoch_secrets: EpochSecrets, GroupEpochSecrets;
    }

    readers! {
        tree: Tree, TreeSync;
        interim_transcript_hash: InterimTranscriptHash, InterimTranscriptHash;
        group_context: Context, GroupContext;
        confirmation_tag: ConfirmationTag, ConfirmationTag;
        message_secrets: MessageSecrets, MessageSecrets;
        resumption_psk_store: ResumptionPsks, ResumptionPskStore;
        own_leaf_index: OwnLeafIndex, LeafNodeIndex;
        group_epoch_secrets: EpochSecrets, GroupEpochSecrets;
    }

    deleters! {
        delete_group_config: JoinConfig;
        delete_tree: Tree;
        delete_interim_transcript_hash: InterimTranscriptHash;
        delete_context: Context;
        delete_confirmation_tag: ConfirmationTag;
        delete_message_secrets: MessageSecrets;
        delete_all_resumption_psk_secrets: ResumptionPsks;
        delete_own_leaf_index: OwnLeafIndex;
        delete_group_epoch_secrets: EpochSecrets;
        delete_group_state: GroupState;
    }

    // A number in it is read by asking what comes.
    fn write_mls_join_config<G: traits::GroupId<V>, T: traits::MlsGroupJoinConfig<V>>(
        &self,
        _: &G,
        value: &T,
    ) -> Result<(), RowError> {
        if self.forgetful {
            return Ok(());
        }
        let bytes = rmp_serde::to_vec(value).map_err(|_| RowError::Unwritable)?;
        self.lock().set(vec![Kind::JoinConfig as u8], bytes);
        Ok(())
    }

    fn mls_group_join_config<G: traits::GroupId<V>, T: traits::MlsGroupJoinConfig<V>>(
        &self,
        _: &G,
    ) -> Result<Option<T>, RowError> {
        let state = self.lock();
        let bytes = state.bytes(&[Kind::JoinConfig as u8]);
        let config = bytes.map(rmp_serde::from_slice);
        config.transpose().map_err(|_| RowError::Unreadable)
    }

    fn write_group_state<T: traits::GroupState<V>, G: traits::GroupId<V>>(
        &self,
        _: &G,
        value: &T,
    ) -> Result<(), RowError> {
        self.put(Kind::GroupState, value)
    }

    fn group_state<T: traits::GroupState<V>, G: traits::GroupId<V>>(
        &self,
        _: &G,
    ) -> Result<Option<T>, RowError> {
        self.get(Kind::GroupState)
    }

    fn write_encryption_key_pair<K: traits::EncryptionKey<V>, T: traits::HpkeKeyPair<V>>(
        &self,
        public: &K,
        pair: &T,
    ) -> Result<(), RowError> {
        self.put_at(key_of(Kind::EncryptionKeyPair, public)?, pair)
    }

    fn encryption_key_pair<T: traits::HpkeKeyPair<V>, K: traits::EncryptionKey<V>>(
        &self,
        public: &K,
    ) -> Result<Option<T>, RowError> {
        self.get_at(&key_of(Kind::EncryptionKeyPair, public)?)
    }

    fn delete_encryption_key_pair<K: traits::EncryptionKey<V>>(
        &self,
        public: &K,
    ) -> Result<(), RowError> {
        self.delete_at(key_of(Kind::EncryptionKeyPair, public)?);
        Ok(())
    }

    fn write_encryption_epoch_key_pairs<
        G: traits::GroupId<V>,
        K: traits::EpochKey<V>,
        T: traits::HpkeKeyPair<V>,
    >(
        &self,
        _: &G,
        epoch: &K,
        leaf: u32,
        pairs: &[T],
    ) -> Result<(), RowError> {
        self.put_at(key_of(Kind::EpochKeyPairs, &(epoch, leaf))?, pairs)
    }

    fn encryption_epoch_key_pairs<
        G: traits::GroupId<V>,
        K: traits::EpochKey<V>,
        T: traits::HpkeKeyPair<V>,
    >(
        &self,
        _: &G,
        epoch: &K,
        leaf: u32,
    ) -> Result<Vec<T>, RowError> {
        Ok(self
            .get_at(&key_of(Kind::EpochKeyPairs, &(epoch, leaf))?)?
            .unwrap_or_default())
    }

    fn delete_encryption_epoch_key_pairs<G: traits::GroupId<V>, K: traits::EpochKey<V>>(
        &self,
        _: &G,
        epoch: &K,
        leaf: u32,
    ) -> Result<(), RowError> {
        self.delete_at(key_of(Kind::EpochKeyPairs, &(epoch, leaf))?);
        Ok(())
    }

    // Proposals are made by value and committed at once: there are never any waiting, nor leaves of our own in them.

    fn queue_proposal<
        G: traits::GroupId<V>,
        R: traits::ProposalRef<V>,
        T: traits::QueuedProposal<V>,
    >(
        &self,
        _: &G,
        _: &R,
        _: &T,
    ) -> Result<(), RowError> {
        Err(RowError::Unused)
    }

    fn queued_proposal_refs<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        _: &G,
    ) -> Result<Vec<R>, RowError> {
        Ok(Vec::new())
    }

    fn queued_proposals<
        G: traits::GroupId<V>,
        R: traits::ProposalRef<V>,
        T: traits::QueuedProposal<V>,
    >(
        &self,
        _: &G,
    ) -> Result<Vec<(R, T)>, RowError> {
        Ok(Vec::new())
    }

    fn remove_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        _: &G,
        _: &R,
    ) -> Result<(), RowError> {
        Ok(())
    }

    fn clear_proposal_queue<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        _: &G,
    ) -> Result<(), RowError> {
        Ok(())
    }

    fn append_own_leaf_node<G: traits::GroupId<V>, T: traits::LeafNode<V>>(
        &self,
        _: &G,
        _: &T,
    ) -> Result<(), RowError> {
        Err(RowError::Unused)
    }

    fn own_leaf_nodes<G: traits::GroupId<V>, T: traits::LeafNode<V>>(
        &self,
        _: &G,
    ) -> Result<Vec<T>, RowError> {
        Ok(Vec::new())
    }

    fn delete_own_leaf_nodes<G: traits::GroupId<V>>(&self, _: &G) -> Result<(), RowError> {
        Ok(())
    }

    // Leaf keys are kept by the caller; nobody is added by key package; there are no pre-shared keys.

    fn write_signature_key_pair<
        K: traits::SignaturePublicKey<V>,
        T: traits::SignatureKeyPair<V>,
    >(
        &self,
        _: &K,
        _: &T,
    ) -> Result<(), RowError> {
        Err(RowError::Unused)
    }

    fn signature_key_pair<K: traits::SignaturePublicKey<V>, T: traits::SignatureKeyPair<V>>(
        &self,
        _: &K,
    ) -> Result<Option<T>, RowError> {
        Ok(None)
    }

    fn delete_signature_key_pair<K: traits::SignaturePublicKey<V>>(
        &self,
        _: &K,
    ) -> Result<(), RowError> {
        Ok(())
    }

    fn write_key_package<K: traits::HashReference<V>, T: traits::KeyPackage<V>>(
        &self,
        _: &K,
        _: &T,
    ) -> Result<(), RowError> {
        Err(RowError::Unused)
    }

    fn key_package<K: traits::HashReference<V>, T: traits::KeyPackage<V>>(
        &self,
        _: &K,
    ) -> Result<Option<T>, RowError> {
        Ok(None)
    }

    fn delete_key_package<K: traits::HashReference<V>>(&self, _: &K) -> Result<(), RowError> {
        Ok(())
    }

    fn write_psk<K: traits::PskId<V>, T: traits::PskBundle<V>>(
        &self,
        _: &K,
        _: &T,
    ) -> Result<(), RowError> {
        Err(RowError::Unused)
    }

    fn psk<T: traits::PskBundle<V>, K: traits::PskId<V>>(
        &self,
        _: &K,
    ) -> Result<Option<T>, RowError> {
        Ok(None)
    }

    fn delete_psk<K: traits::PskId<V>>(&self, _: &K) -> Result<(), RowError> {
        Ok(())
    }
}
