//! Accounts as they are in memory: few, and asked for often.

use super::super::{Account, AccountId, StoreError, Usage};
use super::rows::{ACCOUNTS, USAGE};
use prost::Message;
use redb::{ReadTransaction, ReadableTable};
use std::collections::{BTreeMap, HashMap};
use ume_wire::auth::Hash;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    by_key: HashMap<Hash, AccountId>,
    all: BTreeMap<AccountId, Account>,
    /// What they hold in the tables.
    usage: HashMap<AccountId, Usage>,
}

impl Accounts {
    pub(super) fn read(transaction: &ReadTransaction) -> Result<Self, StoreError> {
        let mut accounts = Self::default();
        for row in transaction.open_table(ACCOUNTS)?.iter()? {
            let (id, row) = row?;
            let account = Account::decode(row.value()).map_err(|_| StoreError::Damaged)?;
            let key = Hash::try_from(&account.key_hash[..]).map_err(|_| StoreError::Damaged)?;
            accounts.by_key.insert(key, id.value());
            accounts.all.insert(id.value(), account);
        }
        for row in transaction.open_table(USAGE)?.iter()? {
            let (id, row) = row?;
            let (bytes, lanes) = row.value();
            accounts.usage.insert(id.value(), Usage { bytes, lanes });
        }
        Ok(accounts)
    }

    pub(super) fn usage(&self, id: AccountId) -> Usage {
        self.usage.get(&id).copied().unwrap_or_default()
    }

    pub(super) fn set_usage(&mut self, usage: HashMap<AccountId, Usage>) {
        self.usage.extend(usage);
    }

    pub(super) fn by_key(&self, key_hash: &Hash) -> Option<(AccountId, Account)> {
        let id = *self.by_key.get(key_hash)?;
        Some((id, self.all.get(&id)?.clone()))
    }

    /// What an account may hold at most.
    pub(super) fn bytes_max(&self, id: AccountId) -> u64 {
        self.all.get(&id).map_or(0, |account| account.bytes_max)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        self.all.iter().map(|(id, account)| (*id, account))
    }
}
