//! Private invites: people ask by them, and somebody answers. The answers stand here, so that all who may answer see the
//! same, and the order of the ledger decides between two of them.

use super::{Effect, Invite, Ledger, LedgerError, key};
use crate::keys::Secret;
use crate::proto;
use std::collections::BTreeMap;
use ume_api::{Right, Role};
use ume_wire::auth::{Hash, hash};

/// What somebody who asked was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) yes: bool,
    /// The persona who answered.
    pub(crate) by: Hash,
    /// The statement that says so, counted from 1.
    pub(crate) point: u32,
}

/// What a private invite has beside what all have.
#[derive(Clone, Debug)]
pub(crate) struct Private {
    /// What its request lane is read with.
    pub(crate) requests: Secret,
    /// Public half of the key that writes there.
    pub(crate) writer: [u8; 32],
    /// First day of the history that it grants, days since 1970.
    pub(crate) first_day: u64,
    /// By the hashes of the askers' certificates.
    pub(crate) answers: BTreeMap<Hash, Answered>,
}

impl Private {
    /// Of an invite that is being made; `None` if it is an open one.
    pub(super) fn of(invite: &proto::InviteCreate) -> Result<Option<Self>, LedgerError> {
        let malformed = LedgerError::Malformed;
        match proto::InviteKind::try_from(invite.kind).map_err(|_| malformed)? {
            proto::InviteKind::Open if invite.requests.is_empty() => Ok(None),
            // One redeemer: there is one place to be given away.
            proto::InviteKind::Private if invite.max_uses == 1 => Ok(Some(Self {
                requests: Secret::from_slice(&invite.requests).ok_or(malformed)?,
                writer: key(&invite.requests_writer)?,
                first_day: invite.first_day,
                answers: BTreeMap::new(),
            })),
            _ => Err(malformed),
        }
    }
}

impl Ledger {
    /// Whether somebody may answer those who ask by an invite.
    pub(crate) fn may_answer(&self, persona: &Hash, invite: &Invite) -> bool {
        let made = invite.issuer == *persona && self.may(persona, Right::Invite);
        made || self.role(persona) >= Some(Role::Admin)
    }

    pub(super) fn answer_request(
        &mut self,
        signer: &Hash,
        answer: &proto::InviteAnswer,
        time_ms: u64,
    ) -> Result<Effect, LedgerError> {
        let by = *self.current(signer)?;
        let (id, request) = (key(&answer.invite)?, key(&answer.request)?);
        let invite = self.invites.get(&id).ok_or(LedgerError::InviteUnknown)?;
        let private = invite.private.as_ref().ok_or(LedgerError::Authority)?;
        if !self.may_answer(&by, invite) {
            return Err(LedgerError::Authority);
        }
        if private.answers.contains_key(&request) {
            return Err(LedgerError::Repeated);
        }
        // A no is always possible; a yes is what an open invite's admission is.
        if answer.yes {
            self.usable(&id, time_ms)?;
        }
        let point = self.point();
        if let Some(invite) = self.invites.get_mut(&id) {
            invite.uses = invite.uses.saturating_add(answer.yes.into());
            if let Some(private) = &mut invite.private {
                let yes = answer.yes;
                private.answers.insert(request, Answered { yes, by, point });
            }
        }
        Ok(Effect::RequestAnswered)
    }

    /// The invite by which the device with a certificate may come in at this time. By a private one it may if it was let in
    /// while the invite worked: the time of that is what counts.
    pub(crate) fn admits(
        &self,
        id: &Hash,
        cert: &[u8],
        time_ms: u64,
    ) -> Result<&Invite, LedgerError> {
        let invite = self.standing(id)?;
        let Some(private) = &invite.private else {
            return self.usable(id, time_ms);
        };
        match private.answers.get(&hash(cert)) {
            Some(answered) if answered.yes => Ok(invite),
            _ => Err(LedgerError::InviteUnanswered),
        }
    }
}

#[cfg(test)]
mod tests;
