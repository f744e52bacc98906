//! Access keys as the operator deals with them: issued once, named, bounded, taken back. A key names a quota, never a
//! person; of the key itself only its SHA-256 is kept.

use crate::store::{Account, AccountId, Millis, Outcome, Store, Usage, Write};
use bytes::Bytes;
use rand_core::{OsRng, RngCore};
use ume_wire::{access, auth::hash, limits::ACCESS_BYTES};
use zeroize::Zeroizing;

/// What may be stored with a key, if nothing else is said: 1 GiB.
pub(crate) const BYTES_DEFAULT: u64 = 1 << 30;
/// Lanes that may be made with it. A community takes about one a day, and one for each change of its members.
pub(crate) const LANES_DEFAULT: u64 = 10_000;
const NAME_CHARS_MAX: usize = 64;

/// Why nothing was done.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum AccessError {
    #[error("a name has 1 to 64 characters, none of which is a control character")]
    Name,
    #[error("there is an access key of this name already")]
    Taken,
    #[error("there is no access key of this name")]
    Unknown,
    #[error("the system gives no random numbers")]
    Random,
}

/// What an operator can say about a key; what is left out stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terms {
    pub(crate) bytes: Option<u64>,
    pub(crate) lanes: Option<u64>,
    /// From when on it opens nothing; 0: never.
    pub(crate) until: Option<Millis>,
}

impl Terms {
    fn apply(self, account: &mut Account) {
        account.bytes_max = self.bytes.unwrap_or(account.bytes_max);
        account.lanes_max = self.lanes.unwrap_or(account.lanes_max);
        account.until = self.until.unwrap_or(account.until);
    }
}

/// All accounts that there are.
pub(crate) struct Accounts(Vec<(AccountId, Account, Usage)>);

impl Accounts {
    pub(crate) fn of(store: &dyn Store) -> Result<Self, crate::StoreError> {
        store.accounts().map(Self)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(AccountId, Account, Usage)> {
        self.0.iter()
    }

    fn find(&self, name: &str) -> Result<(AccountId, Account), AccessError> {
        let mut all = self.0.iter();
        let found = all.find(|(_, account, _)| account.name == name);
        let (id, account, _) = found.ok_or(AccessError::Unknown)?;
        Ok((*id, account.clone()))
    }

    /// A new key, as people copy it, and what has to be written for it.
    pub(crate) fn issue(
        &self,
        name: &str,
        terms: Terms,
        now: Millis,
    ) -> Result<(Zeroizing<String>, Write), AccessError> {
        let sound = (1..=NAME_CHARS_MAX).contains(&name.chars().count())
            && !name.chars().any(char::is_control);
        if !sound {
            return Err(AccessError::Name);
        }
        if self.find(name).is_ok() {
            return Err(AccessError::Taken);
        }
        let mut key = Zeroizing::new([0; ACCESS_BYTES]);
        OsRng
            .try_fill_bytes(key.as_mut())
            .map_err(|_| AccessError::Random)?;
        let mut account = Account {
            name: name.to_owned(),
            key_hash: Bytes::copy_from_slice(&hash(&key[..])),
            bytes_max: BYTES_DEFAULT,
            lanes_max: LANES_DEFAULT,
            made: now,
            until: 0,
            revoked: false,
        };
        terms.apply(&mut account);
        Ok((access::to_text(&key), Write::AccountPut(account)))
    }

    /// What has to be written so that a key has other terms.
    pub(crate) fn set(&self, name: &str, terms: Terms) -> Result<Write, AccessError> {
        let (_, mut account) = self.find(name)?;
        terms.apply(&mut account);
        Ok(Write::AccountPut(account))
    }

    /// What has to be written so that nothing new can be made with a key, and so that what it paid for goes, if wanted.
    pub(crate) fn revoke(&self, name: &str, delete: bool) -> Result<Vec<Write>, AccessError> {
        let (id, mut account) = self.find(name)?;
        account.revoked = true;
        let mut writes = vec![Write::AccountPut(account)];
        if delete {
            writes.push(Write::AccountClear(id));
        }
        Ok(writes)
    }
}

/// Whether a key opens something at a time.
pub(crate) fn is_good(account: &Account, time: Millis) -> bool {
    !account.revoked && (account.until == 0 || time < account.until)
}

/// Whether an outcome says that it was written.
pub(crate) fn was_written(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Refused(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(accounts: &[Account]) -> Accounts {
        let all = (1..).zip(accounts);
        Accounts(
            all.map(|(id, account)| (id, account.clone(), Usage::default()))
                .collect(),
        )
    }

    #[test]
    fn only_the_hash_of_an_issued_key_is_written() {
        let (text, write) = accounts(&[]).issue("choir", Terms::default(), 7).unwrap();
        let key = access::parse(&text).unwrap();
        let Write::AccountPut(account) = write else {
            panic!("{write:?}")
        };
        assert_eq!(account.key_hash[..], hash(&key)[..]);
        assert_eq!((account.bytes_max, account.made), (BYTES_DEFAULT, 7));
        let (other, _) = accounts(&[]).issue("choir", Terms::default(), 7).unwrap();
        assert_ne!(text, other);
        let again = accounts(&[account]).issue("choir", Terms::default(), 7);
        assert_eq!(again.unwrap_err(), AccessError::Taken);
    }

    #[test]
    fn names_are_short_and_can_be_printed() {
        for name in ["", "a\nb", "a\u{1b}[2J", &"x".repeat(65)] {
            let issued = accounts(&[]).issue(name, Terms::default(), 7);
            assert_eq!(issued.unwrap_err(), AccessError::Name, "{name:?}");
        }
        assert!(
            accounts(&[])
                .issue(&"ä".repeat(64), Terms::default(), 7)
                .is_ok()
        );
    }

    #[test]
    fn what_is_not_said_stays() {
        let account = Account {
            name: "choir".into(),
            bytes_max: 5,
            lanes_max: 6,
            until: 7,
            ..Account::default()
        };
        let all = accounts(std::slice::from_ref(&account));
        let terms = Terms {
            lanes: Some(60),
            ..Terms::default()
        };
        let Ok(Write::AccountPut(set)) = all.set("choir", terms) else {
            panic!("not set")
        };
        assert_eq!((set.bytes_max, set.lanes_max, set.until), (5, 60, 7));
        assert!(is_good(&account, 6) && !is_good(&account, 7));
        assert!(matches!(all.set("band", terms), Err(AccessError::Unknown)));

        let writes = all.revoke("choir", true).unwrap();
        let [Write::AccountPut(revoked), Write::AccountClear(1)] = &writes[..] else {
            panic!("{writes:?}")
        };
        assert!(!is_good(revoked, 6));
    }
}
