//! Blobs: stored once, for as long as anybody wants them. Each account that wants one holds it for a time of its own and
//! pays for all of it meanwhile; account 0 holds what nobody pays for. So nobody can make another pay for longer, and
//! nobody can take away what another has paid for.

use super::super::{AccountId, Outcome, StoreError};
use super::apply::Applying;
use super::rows::EXPIRES_HOLD;
use crate::refusal::Refusal;
use bytes::Bytes;
use redb::ReadableTable;
use ume_wire::auth::Hash;

impl Applying<'_> {
    pub(super) fn blob_put(
        &mut self,
        id: &Hash,
        cells: &[Bytes],
        ttl_seconds: u32,
        account: Option<AccountId>,
    ) -> Result<Outcome, StoreError> {
        if self.blobs.get(id)?.is_some() {
            return self.blob_touch(id, ttl_seconds, account);
        }
        let account = account.unwrap_or(0);
        let content = cells.concat();
        if let Err(refusal) = self.take(account, content.len() as u64, 0)? {
            return Ok(refusal.into());
        }
        self.blobs.insert(id, content.as_slice())?;
        self.hold(id, ttl_seconds, account)?;
        Ok(Outcome::Done)
    }

    /// Whoever wants a blob that is there pays for it as whoever put it does.
    pub(super) fn blob_touch(
        &mut self,
        id: &Hash,
        ttl_seconds: u32,
        account: Option<AccountId>,
    ) -> Result<Outcome, StoreError> {
        let Some(bytes) = self.blob_bytes(id)? else {
            return Ok(Refusal::DENIED.into());
        };
        let account = account.unwrap_or(0);
        if self.holds.get((id, account))?.is_none()
            && let Err(refusal) = self.charge(account, bytes, 0)?
        {
            return Ok(refusal.into());
        }
        self.hold(id, ttl_seconds, account)?;
        Ok(Outcome::Done)
    }

    /// Ends a hold, and the blob with the last one.
    pub(super) fn let_go(&mut self, id: &Hash, account: AccountId) -> Result<(), StoreError> {
        let Some(until) = self.holds.remove((id, account))?.map(|row| row.value()) else {
            return Ok(());
        };
        self.expiry.remove((until, EXPIRES_HOLD, id, account))?;
        let bytes = self.blob_bytes(id)?.ok_or(StoreError::Damaged)?;
        let is_wanted = {
            let mut others = self.holds.range((id, 0)..=(id, AccountId::MAX))?;
            others.next().is_some()
        };
        if is_wanted {
            return self.refund(account, bytes, 0);
        }
        self.blobs.remove(id)?;
        self.give_back(account, bytes, 0)
    }

    /// Ends all holds of an account.
    pub(super) fn let_go_all(&mut self, account: AccountId) -> Result<(), StoreError> {
        let mut held = Vec::new();
        for row in self.holds.iter()? {
            let (key, _) = row?;
            let (id, holder) = key.value();
            if account != 0 && holder == account {
                held.push(*id);
            }
        }
        for id in &held {
            self.let_go(id, account)?;
        }
        Ok(())
    }

    fn hold(&mut self, id: &Hash, ttl_seconds: u32, account: AccountId) -> Result<(), StoreError> {
        let until = self.until(ttl_seconds);
        let old = self.holds.get((id, account))?.map(|row| row.value());
        if old.is_some_and(|old| old >= until) {
            return Ok(());
        }
        if let Some(old) = old {
            self.expiry.remove((old, EXPIRES_HOLD, id, account))?;
        }
        self.holds.insert((id, account), until)?;
        self.expiry.insert((until, EXPIRES_HOLD, id, account), ())?;
        Ok(())
    }

    fn blob_bytes(&self, id: &Hash) -> Result<Option<u64>, StoreError> {
        Ok(self.blobs.get(id)?.map(|row| row.value().len() as u64))
    }
}
