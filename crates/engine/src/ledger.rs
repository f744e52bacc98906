//! The ledger: a community's hash chain of signed statements, and what follows from it: who is in, with which devices,
//! in what role, and which invites hold.
//!
//! `hash_0 = SHA-256("ume/1/ledger" ‖ Genesis)`, `hash_(n+1) = SHA-256(hash_n ‖ statement n)`, statements as the exact
//! bytes received. Every commit of the group names the hash that it leads to, so equal group keys mean equal ledgers.

use crate::keys::{Label, Secret};
use crate::proto;
use ed25519_dalek::{Signer, SigningKey, Verifier, VerifyingKey};
use prost::Message;
use std::collections::BTreeMap;
use ume_api::{HistoryWindow, NAME_BYTES_MAX};
use ume_wire::auth::{Hash, hash};

/// Why a statement does not hold. A record with such a statement is void for everybody alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LedgerError {
    #[error("malformed statement")]
    Malformed,
    #[error("a signature does not verify")]
    Signature,
    #[error("the Genesis does not hash to the community's id")]
    Genesis,
    #[error("signed by nobody who may do this")]
    Authority,
    #[error("already there")]
    Repeated,
    #[error("the invite is unknown")]
    InviteUnknown,
    #[error("the invite has expired")]
    InviteExpired,
    #[error("the invite is used up")]
    InviteUsedUp,
}

/// What a member may do. Widened by later statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Owner,
    Member,
}

/// Somebody in the community.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Leaf keys of their devices now in the group.
    pub(crate) leaves: Vec<Hash>,
}

/// An invite as the ledger has it.
#[derive(Clone, Debug)]
pub(crate) struct Invite {
    pub(crate) key: [u8; 32],
    pub(crate) expires_ms: Option<u64>,
    pub(crate) max_uses: Option<u32>,
    pub(crate) uses: u32,
    pub(crate) window: HistoryWindow,
    pub(crate) issuer: Hash,
}

impl Invite {
    /// Whether somebody may still come in through it at this time.
    pub(crate) fn usable(&self, time_ms: u64) -> Result<(), LedgerError> {
        if self.expires_ms.is_some_and(|at| time_ms > at) {
            return Err(LedgerError::InviteExpired);
        }
        if self.max_uses.is_some_and(|max| self.uses >= max) {
            return Err(LedgerError::InviteUsedUp);
        }
        Ok(())
    }
}

/// What a statement did, for whoever checks it against the group's change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Admitted { persona: Hash, leaf: Hash },
    InviteCreated { invite: Hash },
}

/// The replayed ledger.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) community: Hash,
    pub(crate) genesis: proto::Genesis,
    genesis_bytes: Vec<u8>,
    statements: Vec<Vec<u8>>,
    head: Hash,
    pub(crate) members: BTreeMap<Hash, Member>,
    pub(crate) invites: BTreeMap<Hash, Invite>,
    /// Persona of every leaf key that ever was, so that old entries keep their author.
    leaves: BTreeMap<Hash, Hash>,
}

impl Ledger {
    /// Begins with a Genesis; its hash is the community's id.
    pub(crate) fn begin(genesis_bytes: &[u8]) -> Result<Self, LedgerError> {
        let genesis = proto::Genesis::decode(genesis_bytes).map_err(|_| LedgerError::Malformed)?;
        let sound = genesis.salt.len() == 32
            && genesis.owner.len() == 32
            && name_is_sound(&genesis.name)
            && genesis.quorum == 1
            && !genesis.relays.is_empty()
            && genesis.relays.iter().all(|relay| relay.id.len() == 32);
        if !sound {
            return Err(LedgerError::Malformed);
        }
        Ok(Self {
            community: hash(genesis_bytes),
            genesis,
            genesis_bytes: genesis_bytes.to_vec(),
            statements: Vec::new(),
            head: hash(&[b"ume/1/ledger", genesis_bytes].concat()),
            members: BTreeMap::new(),
            invites: BTreeMap::new(),
            leaves: BTreeMap::new(),
        })
    }

    /// Replays a whole ledger and checks that it is that community's.
    pub(crate) fn replay(
        community: &Hash,
        genesis: &[u8],
        statements: &[Vec<u8>],
    ) -> Result<Self, LedgerError> {
        let mut ledger = Self::begin(genesis)?;
        if ledger.community != *community {
            return Err(LedgerError::Genesis);
        }
        for statement in statements {
            // Whether an invite held when it was used was decided by the record that carried the statement.
            ledger.apply(statement, 0)?;
        }
        if ledger.members.is_empty() {
            return Err(LedgerError::Malformed);
        }
        Ok(ledger)
    }

    pub(crate) fn head(&self) -> Hash {
        self.head
    }

    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.statements.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn genesis_bytes(&self) -> &[u8] {
        &self.genesis_bytes
    }

    pub(crate) fn statements(&self) -> &[Vec<u8>] {
        &self.statements
    }

    /// The persona behind a leaf key, also one that has left the group since.
    pub(crate) fn persona_of(&self, leaf: &Hash) -> Option<&Hash> {
        self.leaves.get(leaf)
    }

    /// Applies the next statement; `time_ms` is the time of the record that carries it. On error nothing has changed.
    pub(crate) fn apply(&mut self, statement: &[u8], time_ms: u64) -> Result<Effect, LedgerError> {
        let signed = proto::Signed::decode(statement).map_err(|_| LedgerError::Malformed)?;
        let content =
            proto::Statement::decode(&signed.content[..]).map_err(|_| LedgerError::Malformed)?;
        let leaf = key(&content.signer)?;
        check(
            &leaf,
            Purpose::Statement,
            &signed.content,
            &signed.signature,
        )?;
        let effect = match content.body.as_ref().ok_or(LedgerError::Malformed)? {
            proto::statement::Body::Admit(admit) => self.admit(&leaf, admit, time_ms)?,
            proto::statement::Body::InviteCreate(invite) => self.create_invite(&leaf, invite)?,
        };
        self.head = hash(&[&self.head[..], statement].concat());
        self.statements.push(statement.to_vec());
        Ok(effect)
    }

    fn admit(
        &mut self,
        signer: &Hash,
        admit: &proto::Admit,
        time_ms: u64,
    ) -> Result<Effect, LedgerError> {
        let cert = open_cert(&admit.cert, &self.community)?;
        if cert.leaf != *signer {
            return Err(LedgerError::Authority);
        }
        if self.members.contains_key(&cert.persona) || self.leaves.contains_key(&cert.leaf) {
            return Err(LedgerError::Repeated);
        }
        if !name_is_sound(&admit.name) {
            return Err(LedgerError::Malformed);
        }
        let role = match &admit.claim {
            None if self.members.is_empty() && cert.persona[..] == self.genesis.owner[..] => {
                Role::Owner
            }
            None => return Err(LedgerError::Authority),
            Some(claim) => {
                let id = key(&claim.invite)?;
                let invite = self
                    .invites
                    .get_mut(&id)
                    .ok_or(LedgerError::InviteUnknown)?;
                invite.usable(time_ms)?;
                let statement = claim_bytes(&self.community, &id, &admit.cert);
                check(
                    &invite.key,
                    Purpose::JoinClaim,
                    &statement,
                    &claim.signature,
                )?;
                invite.uses += 1;
                Role::Member
            }
        };
        let member = Member {
            name: admit.name.clone(),
            role,
            leaves: vec![cert.leaf],
        };
        self.members.insert(cert.persona, member);
        self.leaves.insert(cert.leaf, cert.persona);
        Ok(Effect::Admitted {
            persona: cert.persona,
            leaf: cert.leaf,
        })
    }

    fn create_invite(
        &mut self,
        signer: &Hash,
        invite: &proto::InviteCreate,
    ) -> Result<Effect, LedgerError> {
        let issuer = *self.current(signer)?;
        if self.members.get(&issuer).map(|member| member.role) != Some(Role::Owner) {
            return Err(LedgerError::Authority);
        }
        let public = key(&invite.key)?;
        let id = hash(&public);
        if self.invites.contains_key(&id) {
            return Err(LedgerError::Repeated);
        }
        let created = Invite {
            key: public,
            expires_ms: (invite.expires_ms > 0).then_some(invite.expires_ms),
            max_uses: (invite.max_uses > 0).then_some(invite.max_uses),
            uses: 0,
            window: window(invite),
            issuer,
        };
        self.invites.insert(id, created);
        Ok(Effect::InviteCreated { invite: id })
    }

    /// The persona whose device this leaf is now.
    pub(crate) fn current(&self, leaf: &Hash) -> Result<&Hash, LedgerError> {
        let persona = self.leaves.get(leaf).ok_or(LedgerError::Authority)?;
        let member = self.members.get(persona).ok_or(LedgerError::Authority)?;
        if member.leaves.contains(leaf) {
            Ok(persona)
        } else {
            Err(LedgerError::Authority)
        }
    }
}

fn window(invite: &proto::InviteCreate) -> HistoryWindow {
    match invite.window() {
        proto::Window::None => HistoryWindow::None,
        proto::Window::Days => HistoryWindow::Days(u16::try_from(invite.days).unwrap_or(u16::MAX)),
        proto::Window::All => HistoryWindow::All,
    }
}

/// Whether a name may stand in the ledger: not empty, not too long, no control characters.
pub(crate) fn name_is_sound(name: &str) -> bool {
    !name.trim().is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control)
}

/// A device's certificate whose signature holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cert {
    pub(crate) persona: Hash,
    pub(crate) leaf: Hash,
}

/// Checks a certificate: made by its persona, for this community.
pub(crate) fn open_cert(cert: &[u8], community: &Hash) -> Result<Cert, LedgerError> {
    let signed = proto::Signed::decode(cert).map_err(|_| LedgerError::Malformed)?;
    let content =
        proto::DeviceCert::decode(&signed.content[..]).map_err(|_| LedgerError::Malformed)?;
    let persona = key(&content.persona)?;
    check(
        &persona,
        Purpose::DeviceCert,
        &signed.content,
        &signed.signature,
    )?;
    if content.community != community {
        return Err(LedgerError::Authority);
    }
    Ok(Cert {
        persona,
        leaf: key(&content.leaf)?,
    })
}

/// Certifies a device's leaf key.
pub(crate) fn make_cert(
    persona: &SigningKey,
    community: &Hash,
    leaf: &Hash,
    device: u32,
) -> Vec<u8> {
    let cert = proto::DeviceCert {
        community: community.to_vec(),
        persona: persona.verifying_key().to_bytes().to_vec(),
        leaf: leaf.to_vec(),
        device,
    };
    sign(persona, Purpose::DeviceCert, cert.encode_to_vec()).encode_to_vec()
}

/// Signs a statement with a device's leaf key.
pub(crate) fn make_statement(leaf: &SigningKey, body: proto::statement::Body) -> Vec<u8> {
    let statement = proto::Statement {
        signer: leaf.verifying_key().to_bytes().to_vec(),
        body: Some(body),
    };
    sign(leaf, Purpose::Statement, statement.encode_to_vec()).encode_to_vec()
}

/// Proves possession of an invite for one certificate.
pub(crate) fn make_claim(invite: &Secret, community: &Hash, cert: &[u8]) -> proto::JoinClaim {
    let invite = invite.derive(Label::InviteKey, &[]).signing_key();
    let id = hash(invite.verifying_key().as_bytes());
    let signed = sign(
        &invite,
        Purpose::JoinClaim,
        claim_bytes(community, &id, cert),
    );
    proto::JoinClaim {
        invite: id.to_vec(),
        signature: signed.signature,
    }
}

fn claim_bytes(community: &Hash, invite: &Hash, cert: &[u8]) -> Vec<u8> {
    [&community[..], &invite[..], &hash(cert)[..]].concat()
}

/// What a signature is for; part of what is signed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    DeviceCert,
    Statement,
    JoinClaim,
    Entry,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::DeviceCert => b"ume/1/device-cert\0",
            Self::Statement => b"ume/1/statement\0",
            Self::JoinClaim => b"ume/1/join-claim\0",
            Self::Entry => b"ume/1/entry\0",
        }
    }
}

/// Signs content for a purpose (Ed25519, RFC 8032).
pub(crate) fn sign(key: &SigningKey, purpose: Purpose, content: Vec<u8>) -> proto::Signed {
    let signature = key
        .sign(&[purpose.label(), &content].concat())
        .to_bytes()
        .to_vec();
    proto::Signed { content, signature }
}

/// Checks a signature for a purpose.
pub(crate) fn check(
    key: &Hash,
    purpose: Purpose,
    content: &[u8],
    signature: &[u8],
) -> Result<(), LedgerError> {
    let key = VerifyingKey::from_bytes(key).map_err(|_| LedgerError::Malformed)?;
    let signature =
        ed25519_dalek::Signature::from_slice(signature).map_err(|_| LedgerError::Malformed)?;
    if key.is_weak() {
        return Err(LedgerError::Signature);
    }
    key.verify(&[purpose.label(), content].concat(), &signature)
        .map_err(|_| LedgerError::Signature)
}

pub(crate) fn key(bytes: &[u8]) -> Result<Hash, LedgerError> {
    bytes.try_into().map_err(|_| LedgerError::Malformed)
}

#[cfg(test)]
mod tests;
