//! The ledger: a community's hash chain of signed statements, and what follows from it: who is in, with which devices,
//! in what role, and which invites hold.
//!
//! `hash_0 = SHA-256("ume/1/ledger" ‖ Genesis)`, `hash_(n+1) = SHA-256(hash_n ‖ statement n)`, statements as the exact
//! bytes received. Every commit of the group names the hash that it leads to, so equal group keys mean equal ledgers.

mod answering;
mod leaving;
mod ownership;
mod profile;
mod rebirth;
mod recovery;
mod rights;
mod signing;
mod transfer;

pub(crate) use answering::Private;
pub(crate) use profile::Access;
pub(crate) use rebirth::{INCARNATION, Rebirth};
pub(crate) use recovery::Recovery;
use rights::Rights;
pub(crate) use rights::role_number;
use signing::read_cert;
pub(crate) use signing::{
    Purpose, check, check_claim, key, make_cert, make_claim, make_statement, name_is_sound,
    open_cert, sign,
};
pub(crate) use transfer::Transfer;

use crate::proto;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use ume_api::{EntryId, HistoryWindow, InviteKind, PEOPLE_MAX, Right, Role};
use ume_wire::auth::{Hash, hash};

/// Longest rescue key that is taken: one of X-Wing has 1,216 bytes.
const RESCUE_BYTES_MAX: usize = 2048;

/// Bytes of statements from which on nobody comes in any more: newcomers have to fetch all of them. Some 13,000 admissions.
const BYTES_MAX: usize = 24 * 1024 * 1024;

/// Why a statement does not hold. A record with such a statement is void for everybody alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum LedgerError {
    /// Not of the form that it has to have, or beyond a bound.
    #[error("malformed statement")]
    Malformed,
    /// A signature does not verify.
    #[error("a signature does not verify")]
    Signature,
    /// The Genesis is another community's.
    #[error("the Genesis does not hash to the community's id")]
    Genesis,
    /// The signer is not in, or has not the role or right for it.
    #[error("signed by nobody who may do this")]
    Authority,
    /// It follows another statement than the last one: repeated, out of order, or from before.
    #[error("made for another place in the ledger")]
    Place,
    /// It would change nothing.
    #[error("already so")]
    Repeated,
    /// It is about somebody or something that is not there.
    #[error("unknown person")]
    Unknown,
    /// There are as many as there may be.
    #[error("more than there may be")]
    TooMany,
    /// There is no such invite.
    #[error("the invite is unknown")]
    InviteUnknown,
    /// The invite was withdrawn, or who made it may no longer invite.
    #[error("the invite was withdrawn, or who made it may no longer invite")]
    InviteWithdrawn,
    /// The invite has expired by the time of the record.
    #[error("the invite has expired")]
    InviteExpired,
    /// The invite let in as many as it says.
    #[error("the invite is used up")]
    InviteUsedUp,
    /// It was signed for another community.
    #[error("of another community")]
    Community,
    /// The invite is private, and the ledger holds no yes for this person.
    #[error("the invite is private, and nobody has let this person in")]
    InviteUnanswered,
    /// There are as many people as there may be, or statements of so many that came and went.
    #[error("there are as many people as there may be")]
    Full,
}

/// Somebody in the community.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// What they say about themselves.
    pub(crate) line: String,
    pub(crate) role: Role,
    /// Leaf keys of their devices now in the group.
    pub(crate) leaves: Vec<Hash>,
    /// What reaches a device that has lost the group's keys.
    pub(crate) rescue: Arc<[u8]>,
}

/// An invite as the ledger has it.
#[derive(Clone, Debug)]
pub(crate) struct Invite {
    pub(crate) key: [u8; 32],
    pub(crate) expires_ms: Option<u64>,
    pub(crate) max_uses: Option<u32>,
    /// How many came in by it; by a private one, how many were let in.
    pub(crate) uses: u32,
    pub(crate) window: HistoryWindow,
    /// What a newcomer is.
    pub(crate) role: Role,
    pub(crate) issuer: Hash,
    /// Whether it was withdrawn.
    pub(crate) revoked: bool,
    /// Whether a ban withdrew it.
    pub(crate) banned: bool,
    /// The number of the statement that made it.
    pub(crate) point: u32,
    /// What a private one has beside that.
    pub(crate) private: Option<Private>,
}

impl Invite {
    pub(crate) fn kind(&self) -> InviteKind {
        match self.private {
            None => InviteKind::Open,
            Some(_) => InviteKind::Private,
        }
    }

    fn is_open(&self, time_ms: u64) -> Result<(), LedgerError> {
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
    Admitted {
        persona: Hash,
        leaf: Hash,
    },
    InviteCreated,
    /// Somebody's role, or the rules.
    RightsChanged,
    Pinned,
    OwnershipOffered,
    /// Somebody was taken out.
    Removed {
        ban: bool,
    },
    /// Somebody went by themselves.
    Left,
    InviteRevoked,
    /// Open invites let in nobody any more.
    LinksClosed,
    /// Somebody who asked is answered.
    RequestAnswered,
    /// Posts have another owner.
    Transferred,
    /// Somebody's name or line.
    ProfileChanged {
        persona: Hash,
    },
    /// What the relay is paid with.
    AccessChanged,
    /// A device says that a recovery was a mistake.
    Contested,
    /// A recovery was undone.
    RecoveryUndone,
    /// The group begins anew.
    Reborn,
}

/// A statement that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    /// The leaf key that signed it.
    pub(crate) signer: Hash,
    pub(crate) effect: Effect,
}

/// The replayed ledger.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) community: Hash,
    pub(crate) genesis: proto::Genesis,
    genesis_bytes: Vec<u8>,
    statements: Vec<Arc<[u8]>>,
    /// Of all statements.
    bytes: usize,
    head: Hash,
    /// Whether signatures were checked before: what is read from this device's own store was.
    proven: bool,
    pub(crate) members: BTreeMap<Hash, Member>,
    pub(crate) invites: BTreeMap<Hash, Invite>,
    /// Those who are no longer there, as they were.
    pub(crate) former: BTreeMap<Hash, Member>,
    /// Those among them who were banned,
    pub(crate) banned: BTreeSet<Hash>,
    /// and those who went by themselves.
    pub(crate) left: BTreeSet<Hash>,
    /// Persona of every leaf key that ever was, so that old entries keep their author.
    leaves: BTreeMap<Hash, Hash>,
    rights: Rights,
    /// Ownership that is offered: to whom and by whom, and whether who offers stays an owner.
    pub(crate) offers: BTreeMap<(Hash, Hash), bool>,
    /// People who came in again after they lost their key, in order.
    pub(crate) recoveries: Vec<Recovery>,
    /// Times that the group began anew, in order.
    pub(crate) rebirths: Vec<Rebirth>,
    /// Who may come in once more under the same persona, and what they are then: their recovery was undone.
    returning: BTreeMap<Hash, Role>,
    /// Since when a device is out for good: the number of the statement.
    ends: BTreeMap<Hash, u32>,
    pub(crate) access: Access,
    /// Posts that were given to somebody, in order.
    transfers: Vec<Transfer>,
    /// Posts on top of the feed, the newest pin last.
    pub(crate) pins: Vec<EntryId>,
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
            proven: false,
            bytes: 0,
            members: BTreeMap::new(),
            invites: BTreeMap::new(),
            former: BTreeMap::new(),
            banned: BTreeSet::new(),
            left: BTreeSet::new(),
            leaves: BTreeMap::new(),
            rights: Rights::default(),
            offers: BTreeMap::new(),
            recoveries: Vec::new(),
            rebirths: Vec::new(),
            returning: BTreeMap::new(),
            ends: BTreeMap::new(),
            access: Access::Unsaid,
            transfers: Vec::new(),
            pins: Vec::new(),
        })
    }

    /// Replays a whole ledger and checks that it is that community's.
    pub(crate) fn replay(
        community: &Hash,
        genesis: &[u8],
        statements: &[impl AsRef<[u8]>],
    ) -> Result<Self, LedgerError> {
        let ledger = Self::begin(genesis)?;
        if ledger.community != *community {
            return Err(LedgerError::Genesis);
        }
        ledger.replayed(statements)
    }

    /// Replays a ledger that this device verified when it stored it: the store's own seal covers the signatures since.
    pub(crate) fn stored(
        genesis: &[u8],
        statements: &[impl AsRef<[u8]>],
    ) -> Result<Self, LedgerError> {
        let mut ledger = Self::begin(genesis)?;
        ledger.proven = true;
        let mut ledger = ledger.replayed(statements)?;
        ledger.proven = false;
        Ok(ledger)
    }

    fn replayed(mut self, statements: &[impl AsRef<[u8]>]) -> Result<Self, LedgerError> {
        for statement in statements {
            // Whether an invite held when it was used was decided by the record that carried the statement.
            self.apply(statement.as_ref(), 0)?;
        }
        if self.members.is_empty() {
            return Err(LedgerError::Malformed);
        }
        Ok(self)
    }

    /// A hash of all that follows from the statements.
    pub(crate) fn digest(&self) -> Hash {
        hash(format!("{self:?}").as_bytes())
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

    pub(crate) fn statements(&self) -> &[Arc<[u8]>] {
        &self.statements
    }

    /// Somebody who is or was in.
    pub(crate) fn person(&self, persona: &Hash) -> Option<&Member> {
        self.members
            .get(persona)
            .or_else(|| self.former.get(persona))
    }

    /// Whether somebody is or was in.
    pub(crate) fn knows(&self, persona: &Hash) -> bool {
        self.person(persona).is_some()
    }

    /// The persona behind a leaf key, also one that has left the group since.
    pub(crate) fn persona_of(&self, leaf: &Hash) -> Option<&Hash> {
        self.leaves.get(leaf)
    }

    /// Applies the next statement; `time_ms` is the time of the record that carries it. On error this ledger is not to be
    /// used any more: callers try statements on a copy.
    pub(crate) fn apply(&mut self, statement: &[u8], time_ms: u64) -> Result<Applied, LedgerError> {
        use proto::statement::Body;
        let sealed = proto::Signed::decode(statement).map_err(|_| LedgerError::Malformed)?;
        let content =
            proto::Statement::decode(&sealed.content[..]).map_err(|_| LedgerError::Malformed)?;
        let signer = key(&content.signer)?;
        self.prove(
            &signer,
            Purpose::Statement,
            &sealed.content,
            &sealed.signature,
        )?;
        if content.after != self.head {
            return Err(LedgerError::Place);
        }
        let effect = match content.body.as_ref().ok_or(LedgerError::Malformed)? {
            Body::Admit(admit) => self.admit(&signer, admit, time_ms)?,
            Body::InviteCreate(invite) => self.create_invite(&signer, invite)?,
            Body::RoleSet(change) => self.set_role(&signer, change)?,
            Body::RulesSet(change) => self.set_rules(&signer, change)?,
            Body::Pin(pin) => self.pin(&signer, pin)?,
            Body::Remove(remove) => self.remove(&signer, remove)?,
            Body::Leave(leave) => self.leave(&signer, leave)?,
            Body::OwnerOffer(offer) => self.offer_ownership(&signer, offer)?,
            Body::OwnerAccept(accept) => self.accept_ownership(&signer, accept)?,
            Body::InviteRevoke(revoke) => self.revoke_invite(&signer, revoke)?,
            Body::Transfer(transfer) => self.transfer(&signer, transfer)?,
            Body::ProfileSet(profile) => self.set_profile(&signer, profile)?,
            Body::AccessSet(access) => self.set_access(&signer, access)?,
            Body::Recover(recover) => self.recover(&signer, recover)?,
            Body::Contest(said) => self.contest(&signer, said)?,
            Body::RecoverUndo(undo) => self.undo_recovery(&signer, undo)?,
            Body::Rebirth(rebirth) => self.begin_anew(&signer, rebirth)?,
            Body::InviteAnswer(answer) => self.answer_request(&signer, answer, time_ms)?,
        };
        let point = self.point();
        self.head = hash(&[&self.head[..], statement].concat());
        self.bytes += statement.len();
        self.statements.push(statement.into());
        if let Some(recovery) = self.recoveries.last_mut().filter(|one| one.point == point) {
            recovery.head = self.head;
        }
        if let Some(rebirth) = self.rebirths.last_mut().filter(|one| one.point == point) {
            rebirth.head = self.head;
        }
        Ok(Applied { signer, effect })
    }

    /// Checks a signature, unless that was done before.
    fn prove(
        &self,
        key: &Hash,
        purpose: Purpose,
        content: &[u8],
        signature: &[u8],
    ) -> Result<(), LedgerError> {
        if self.proven {
            return Ok(());
        }
        check(key, purpose, content, signature)
    }

    /// The number of the statement that is being applied.
    fn point(&self) -> u32 {
        self.len().saturating_add(1)
    }

    fn admit(
        &mut self,
        signer: &Hash,
        admit: &proto::Admit,
        time_ms: u64,
    ) -> Result<Effect, LedgerError> {
        let cert = if self.proven {
            read_cert(&admit.cert, &self.community)?
        } else {
            open_cert(&admit.cert, &self.community)?
        };
        if cert.leaf != *signer {
            return Err(LedgerError::Authority);
        }
        let back = self.returning.get(&cert.persona).copied();
        let known = self.knows(&cert.persona) && back.is_none();
        if known || self.leaves.contains_key(&cert.leaf) {
            return Err(LedgerError::Repeated);
        }
        if !name_is_sound(&admit.name) || !(1..=RESCUE_BYTES_MAX).contains(&admit.rescue.len()) {
            return Err(LedgerError::Malformed);
        }
        let role = match &admit.claim {
            None if self.members.is_empty() && cert.persona[..] == self.genesis.owner[..] => {
                Role::Owner
            }
            None => return Err(LedgerError::Authority),
            Some(claim) => {
                self.has_room()?;
                let id = key(&claim.invite)?;
                let invite = self.admits(&id, &admit.cert, time_ms)?;
                if !self.proven {
                    check_claim(&self.community, &id, &invite.key, &admit.cert, claim)?;
                }
                let role = invite.role;
                if let Some(invite) = self.invites.get_mut(&id)
                    && invite.private.is_none()
                {
                    invite.uses = invite.uses.saturating_add(1);
                }
                self.returning.remove(&cert.persona);
                self.former.remove(&cert.persona);
                back.unwrap_or(role)
            }
        };
        let member = Member {
            name: admit.name.clone(),
            line: String::new(),
            role,
            leaves: vec![cert.leaf],
            rescue: admit.rescue[..].into(),
        };
        self.rights.begin(cert.persona, self.point(), Some(role));
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
        let issuer = self.entitled(signer, Right::Invite)?;
        let role = newcomer(invite.role())?;
        let private = Private::of(invite)?;
        if private.is_none() && self.rules().private_only {
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
            window: window(invite.window(), invite.days),
            role,
            issuer,
            revoked: false,
            banned: false,
            point: self.point(),
            private,
        };
        self.invites.insert(id, created);
        Ok(Effect::InviteCreated)
    }

    /// An invite that still works at this time: by which somebody may come in, or, if it is private, be let in.
    pub(crate) fn usable(&self, id: &Hash, time_ms: u64) -> Result<&Invite, LedgerError> {
        let invite = self.standing(id)?;
        invite.is_open(time_ms)?;
        Ok(invite)
    }

    /// An invite that was not withdrawn, by whatever way.
    fn standing(&self, id: &Hash) -> Result<&Invite, LedgerError> {
        let invite = self.invites.get(id).ok_or(LedgerError::InviteUnknown)?;
        let closed = invite.private.is_none() && self.rules().private_only;
        if invite.revoked || closed || !self.may(&invite.issuer, Right::Invite) {
            return Err(LedgerError::InviteWithdrawn);
        }
        Ok(invite)
    }

    /// Whether one more may come in.
    pub(crate) fn has_room(&self) -> Result<(), LedgerError> {
        if self.members.len() < PEOPLE_MAX && self.bytes < BYTES_MAX {
            Ok(())
        } else {
            Err(LedgerError::Full)
        }
    }

    /// All devices that a persona ever had.
    pub(crate) fn leaves_of(&self, persona: &Hash) -> impl Iterator<Item = &Hash> {
        let leaves = self.leaves.iter();
        leaves
            .filter(move |(_, one)| *one == persona)
            .map(|(leaf, _)| leaf)
    }

    /// Whether a persona that was in before may come in again.
    pub(crate) fn may_return(&self, persona: &Hash) -> bool {
        self.returning.contains_key(persona)
    }

    /// Since when a device is out for good: the number of the statement.
    pub(crate) fn end_of(&self, leaf: &Hash) -> Option<u32> {
        self.ends.get(leaf).copied()
    }

    /// Whether a device's person was in, and is no longer.
    pub(crate) fn is_out(&self, leaf: &Hash) -> bool {
        self.leaves.contains_key(leaf) && self.current(leaf).is_err()
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

/// What a newcomer by an invite may be.
pub(crate) fn newcomer(role: proto::Role) -> Result<Role, LedgerError> {
    match role {
        proto::Role::Reader => Ok(Role::Reader),
        proto::Role::Member => Ok(Role::Member),
        _ => Err(LedgerError::Malformed),
    }
}

/// A window as it is written down.
pub(crate) fn window(window: proto::Window, days: u32) -> HistoryWindow {
    match window {
        proto::Window::None => HistoryWindow::None,
        proto::Window::Days => HistoryWindow::Days(u16::try_from(days).unwrap_or(u16::MAX)),
        proto::Window::All => HistoryWindow::All,
    }
}

#[cfg(test)]
mod tests;
