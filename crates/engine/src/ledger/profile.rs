//! What people say about themselves, and what the community pays its relay with.

use super::{Effect, Ledger, LedgerError, key, name_is_sound};
use crate::keys::Secret;
use crate::proto;
use ume_api::{LINE_BYTES_MAX, Role};
use ume_wire::auth::Hash;

/// What the community pays its relay with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nobody has said so in the ledger: as it was told by the invite, or entered by the founder.
    #[default]
    Unsaid,
    Nothing,
    Key(Secret),
}

impl Ledger {
    pub(super) fn set_profile(
        &mut self,
        signer: &Hash,
        profile: &proto::ProfileSet,
    ) -> Result<Effect, LedgerError> {
        let persona = *self.current(signer)?;
        let line = &profile.line;
        let sound = line.len() <= LINE_BYTES_MAX && !line.chars().any(char::is_control);
        if !name_is_sound(&profile.name) || !sound {
            return Err(LedgerError::Malformed);
        }
        let member = self
            .members
            .get_mut(&persona)
            .ok_or(LedgerError::Authority)?;
        if (&member.name, &member.line) == (&profile.name, line) {
            return Err(LedgerError::Repeated);
        }
        member.name.clone_from(&profile.name);
        member.line.clone_from(line);
        Ok(Effect::ProfileChanged { persona })
    }

    pub(super) fn set_access(
        &mut self,
        signer: &Hash,
        access: &proto::AccessSet,
    ) -> Result<Effect, LedgerError> {
        let by = *self.current(signer)?;
        if self.role(&by) < Some(Role::Admin) {
            return Err(LedgerError::Authority);
        }
        let new = match access.key.len() {
            0 => Access::Nothing,
            _ => Access::Key(Secret::new(key(&access.key)?)),
        };
        if self.access == new {
            return Err(LedgerError::Repeated);
        }
        self.access = new;
        Ok(Effect::AccessChanged)
    }
}

#[cfg(test)]
mod tests;
