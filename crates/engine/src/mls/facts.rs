//! What a commit does, as everyone can see it, and the public rules that it must keep.
//!
//! Members and followers both call [`judge`], and only on what is public, so their verdicts are the same.

use openmls::group::{Member as MlsMember, PublicGroup, StagedCommit};
use openmls::prelude::{
    BasicCredential, ContentType, DeserializeBytes as _, LeafNode, MlsMessageBodyIn, MlsMessageIn,
    ProcessedMessage, ProcessedMessageContent, Proposal, ProposalOrRefType, ProtocolMessage,
    Sender,
};
use openmls::treesync::LeafNodeSource;

use super::Member;
use super::crypto::Crypto;
use std::collections::BTreeSet;

/// What a commit does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommitFacts {
    /// The epoch that it ends; the one it begins is the next.
    pub(crate) epoch: u64,
    /// What the committer attached, signed by it.
    pub(crate) aad: Vec<u8>,
    /// Who made it.
    pub(crate) committer: Committer,
    /// Whom it adds, besides an external committer.
    pub(crate) added: Vec<Newcomer>,
    /// Whom it removes, as they were before. At most one if the committer is external.
    pub(crate) removed: Vec<Member>,
    /// Leaf keys of all who were in the group before and are not removed.
    pub(crate) staying: BTreeSet<[u8; 32]>,
}

/// Who made a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Committer {
    /// A member; its identity and leaf key stay what they were.
    Member(Member),
    /// A device that joins by this commit, at this index. That it may join, and may remove whom it removes, is to be checked by the caller.
    External(Member),
}

/// A device that someone else adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Newcomer {
    /// What its credential says.
    pub(crate) identity: Vec<u8>,
    /// Its Ed25519 key.
    pub(crate) leaf_key: [u8; 32],
}

/// Reads a handshake message; anything but a commit in a `PublicMessage` is refused.
pub(super) fn read_commit(bytes: &[u8]) -> Result<ProtocolMessage, String> {
    let message =
        MlsMessageIn::tls_deserialize_exact_bytes(bytes).map_err(|error| error.to_string())?;
    match message.extract() {
        MlsMessageBodyIn::PublicMessage(message)
            if message.content_type() == ContentType::Commit =>
        {
            Ok(ProtocolMessage::from(message))
        }
        _ => Err("not a public commit".into()),
    }
}

/// Checks a commit against the public state and our rules. The staged commit holds public state only.
pub(super) fn judge(
    group: &PublicGroup,
    crypto: &Crypto,
    commit: ProtocolMessage,
) -> Result<(CommitFacts, StagedCommit), String> {
    let processed = group
        .process_message(crypto, commit)
        .map_err(|error| error.to_string())?;
    let (epoch, aad, sender, staged) = take_apart(processed)?;
    let path = staged.update_path_leaf_node().ok_or("no path")?;
    let author = newcomer(path)?;
    let mut facts = CommitFacts {
        epoch,
        aad,
        committer: committer(group, &sender, &staged, author)?,
        added: Vec::new(),
        removed: Vec::new(),
        staying: leaf_keys(group),
    };
    for queued in staged.queued_proposals() {
        if queued.proposal_or_ref_type() != ProposalOrRefType::Proposal {
            return Err("proposal by reference".into());
        }
        match queued.proposal() {
            Proposal::ExternalInit(_) => {}
            Proposal::Add(add) => facts.added.push(added(add.key_package().leaf_node())?),
            Proposal::Remove(remove) => {
                let gone = member_at(group, remove.removed().u32()).ok_or("removes nobody")?;
                facts.staying.remove(&gone.leaf_key);
                facts.removed.push(gone);
            }
            _ => return Err("kind of proposal not allowed".into()),
        }
    }
    Ok((facts, staged))
}

fn take_apart(processed: ProcessedMessage) -> Result<(u64, Vec<u8>, Sender, StagedCommit), String> {
    let (epoch, aad) = (processed.epoch().as_u64(), processed.aad().to_vec());
    let sender = processed.sender().clone();
    match processed.into_content() {
        ProcessedMessageContent::StagedCommitMessage(staged) => Ok((epoch, aad, sender, *staged)),
        _ => Err("not a commit".into()),
    }
}

fn committer(
    group: &PublicGroup,
    sender: &Sender,
    staged: &StagedCommit,
    author: Newcomer,
) -> Result<Committer, String> {
    match sender {
        Sender::Member(index) => {
            let member = member_at(group, index.u32()).ok_or("committer is not a member")?;
            if member.identity != author.identity || member.leaf_key != author.leaf_key {
                return Err("committer changes who it is".into());
            }
            Ok(Committer::Member(member))
        }
        Sender::NewMemberCommit => {
            let index = group
                .ext_commit_sender_index(staged)
                .map_err(|error| error.to_string())?
                .u32();
            Ok(Committer::External(Member {
                index,
                identity: author.identity,
                leaf_key: author.leaf_key,
            }))
        }
        _ => Err("sender may not commit".into()),
    }
}

/// A leaf out of a key package. Its lifetime must not end, or the verdict would depend on who looks when.
fn added(leaf: &LeafNode) -> Result<Newcomer, String> {
    match leaf.leaf_node_source() {
        LeafNodeSource::KeyPackage(life)
            if life.not_before() == 0 && life.not_after() == u64::MAX =>
        {
            newcomer(leaf)
        }
        _ => Err("added leaf with a lifetime".into()),
    }
}

fn newcomer(leaf: &LeafNode) -> Result<Newcomer, String> {
    let credential =
        BasicCredential::try_from(leaf.credential().clone()).map_err(|error| error.to_string())?;
    let leaf_key = leaf
        .signature_key()
        .as_slice()
        .try_into()
        .map_err(|_| "leaf key of a wrong size")?;
    Ok(Newcomer {
        identity: credential.identity().to_vec(),
        leaf_key,
    })
}

/// All members, by index.
pub(super) fn members(group: &PublicGroup) -> Vec<Member> {
    group.members().filter_map(member).collect()
}

/// Leaf keys of all members.
pub(super) fn leaf_keys(group: &PublicGroup) -> BTreeSet<[u8; 32]> {
    let members = members(group).into_iter();
    members.map(|member| member.leaf_key).collect()
}

/// The member at an index.
pub(super) fn member_at(group: &PublicGroup, index: u32) -> Option<Member> {
    group
        .members()
        .find(|member| member.index.u32() == index)
        .and_then(member)
}

/// Leaves in a tree carry Basic credentials and valid Ed25519 keys: whatever puts one there has been judged.
fn member(member: MlsMember) -> Option<Member> {
    Some(Member {
        index: member.index.u32(),
        identity: BasicCredential::try_from(member.credential)
            .ok()?
            .identity()
            .to_vec(),
        leaf_key: member.signature_key.try_into().ok()?,
    })
}
