//! A device as mls-rs has it. It comes in by an external commit, as one of ume does that holds an open link.

use mls_rs::client_builder::{MlsConfig, PaddingMode};
use mls_rs::error::MlsError;
use mls_rs::group::{ExportedTree, ReceivedMessage};
use mls_rs::identity::SigningIdentity;
use mls_rs::identity::basic::{BasicCredential, BasicIdentityProvider};
use mls_rs::mls_rules::{CommitOptions, DefaultMlsRules, EncryptionOptions};
use mls_rs::storage_provider::in_memory::InMemoryGroupStateStorage;
use mls_rs::{
    CipherSuite, CipherSuiteProvider as _, Client, CryptoProvider, ExtensionList, Group,
    GroupStateStorage as _, MlsMessage,
};

/// Why the comparison cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The library refused.
    #[error("{0}")]
    Refused(#[from] MlsError),
    /// Something is not as it has to be.
    #[error("{0}")]
    Other(String),
}

/// A device before it is in the group.
pub(crate) struct Device<C: MlsConfig> {
    client: Client<C>,
    store: InMemoryGroupStateStorage,
}

/// A device in the group.
pub(crate) struct Member<C: MlsConfig> {
    device: Device<C>,
    group: Group<C>,
}

/// What somebody fetches who wants to come in, bytes of `GroupInfo` and of the tree.
pub(crate) struct Door {
    info: Vec<u8>,
    tree: Vec<u8>,
}

impl Door {
    pub(crate) fn bytes(&self) -> usize {
        self.info.len() + self.tree.len()
    }
}

/// A device with keys of its own. Nothing is padded, commits are signed and not encrypted, and each renews its path, as in ume.
pub(crate) fn device<P: CryptoProvider + Clone>(
    provider: &P,
    suite: CipherSuite,
    number: usize,
) -> Result<Device<impl MlsConfig + use<P>>, Fault> {
    let ciphers = provider.cipher_suite_provider(suite);
    let ciphers = ciphers.ok_or_else(|| Fault::Other("the suite is not supported".into()))?;
    let keys = ciphers.signature_key_generate();
    let (secret, public) = keys.map_err(|_| Fault::Other("no key".into()))?;
    let credential = BasicCredential::new(format!("Guest {number}").into_bytes());
    let identity = SigningIdentity::new(credential.into_credential(), public);
    let commits = CommitOptions::new()
        .with_path_required(true)
        .with_ratchet_tree_extension(false);
    let rules = DefaultMlsRules::new()
        .with_commit_options(commits)
        .with_encryption_options(EncryptionOptions::new(false, PaddingMode::None));
    let store = InMemoryGroupStateStorage::new();
    let client = Client::builder()
        .identity_provider(BasicIdentityProvider)
        .crypto_provider(provider.clone())
        .group_state_storage(store.clone())
        .mls_rules(rules)
        .signing_identity(identity, secret, suite)
        .build();
    Ok(Device { client, store })
}

impl<C: MlsConfig> Device<C> {
    pub(crate) fn found(self) -> Result<Member<C>, Fault> {
        let none = ExtensionList::default;
        let group = self.client.create_group(none(), none(), None)?;
        Ok(Member {
            device: self,
            group,
        })
    }

    /// Comes in; the commit that says so.
    pub(crate) fn join(self, door: &Door) -> Result<(Member<C>, Vec<u8>), Fault> {
        let info = MlsMessage::from_bytes(&door.info)?;
        let tree = ExportedTree::from_bytes(&door.tree)?;
        let way = self.client.external_commit_builder()?;
        let (group, commit) = way.with_tree_data(tree).build(info)?;
        let member = Member {
            device: self,
            group,
        };
        Ok((member, commit.to_bytes()?))
    }
}

impl<C: MlsConfig> Member<C> {
    pub(crate) fn door(&self) -> Result<Door, Fault> {
        let info = self.group.group_info_message_allowing_ext_commit(false)?;
        Ok(Door {
            info: info.to_bytes()?,
            tree: self.group.export_tree().to_bytes()?,
        })
    }

    /// Where its leaf is.
    pub(crate) fn leaf(&self) -> u32 {
        self.group.current_member_index()
    }

    /// Takes somebody out; the commit that says so.
    pub(crate) fn remove(&mut self, leaf: u32) -> Result<Vec<u8>, Fault> {
        let commit = self.group.commit_builder().remove_member(leaf)?.build()?;
        self.group.apply_pending_commit()?;
        Ok(commit.commit_message.to_bytes()?)
    }

    pub(crate) fn take(&mut self, commit: &[u8]) -> Result<(), Fault> {
        let message = MlsMessage::from_bytes(commit)?;
        match self.group.process_incoming_message(message)? {
            ReceivedMessage::Commit(_) => Ok(()),
            _ => Err(Fault::Other("not a commit".into())),
        }
    }

    pub(crate) fn seal(&mut self, text: &[u8]) -> Result<Vec<u8>, Fault> {
        let sealed = self.group.encrypt_application_message(text, vec![])?;
        Ok(sealed.to_bytes()?)
    }

    pub(crate) fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        let message = MlsMessage::from_bytes(sealed)?;
        match self.group.process_incoming_message(message)? {
            ReceivedMessage::ApplicationMessage(text) => Ok(text.data().to_vec()),
            _ => Err(Fault::Other("not a message".into())),
        }
    }

    /// Stores the group; bytes of its state, tree included.
    pub(crate) fn store(&mut self) -> Result<usize, Fault> {
        self.group.write_to_storage()?;
        let state = self.device.store.state(self.group.group_id());
        let state = state.map_err(|_| Fault::Other("nothing is stored".into()))?;
        Ok(state.map_or(0, |state| state.len()))
    }

    /// Starts on what is stored.
    pub(crate) fn load(&mut self) -> Result<(), Fault> {
        let id = self.group.group_id().to_vec();
        self.group = self.device.client.load_group(&id)?;
        Ok(())
    }

    /// Whether two are in the same group, in the same state.
    pub(crate) fn agrees(&self, other: &Self) -> Result<bool, Fault> {
        let (mine, theirs) = (
            self.group.epoch_authenticator()?,
            other.group.epoch_authenticator()?,
        );
        Ok(mine.as_bytes() == theirs.as_bytes())
    }
}
