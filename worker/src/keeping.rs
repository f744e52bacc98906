//! Changes to what opens the vault, while it is open.

use crate::browser;
use crate::database::StoreError;
use crate::slots::{self, Device};
use crate::store::Store;
use ume_api::{
    Failure, LockRules, PASSPHRASE_BYTES_MAX, PASSPHRASE_LETTERS_MIN, PasskeyView, Reply, Secret,
    UnlockKey, VaultDeed, VaultView,
};
use ume_vault::{
    Argon2Params, CREDENTIAL_BYTES_MAX, Slot, SlotKey, UnlockError, WORDS, WORDS_ENTROPY_BYTES,
    WrappedKey,
};
use zeroize::Zeroizing;

/// Passkeys of one vault, at most.
const PASSKEYS_MAX: usize = 8;

/// Carries deeds out. Remembers the words that were made and not yet kept.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    made: Option<Made>,
}

struct Made {
    words: Zeroizing<String>,
    asked: [u8; 2],
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Made(..)")
    }
}

/// What opens the vault now, as the page is told.
pub(crate) fn view(store: &Store) -> VaultView {
    let any = |kind: fn(&Slot) -> bool| store.slots().iter().any(kind);
    VaultView {
        device: any(|slot| matches!(slot, Slot::Device { .. })),
        passphrase: any(is_passphrase),
        words: any(is_words),
        passkeys: slots::passkeys(store.slots()),
        rules: store.rules(),
    }
}

impl Keeper {
    /// Does one deed.
    ///
    /// # Errors
    /// What the page is told; nothing has changed then.
    pub(crate) async fn keep(
        &mut self,
        store: &mut Store,
        deed: VaultDeed,
    ) -> Result<Reply, Failure> {
        let has_passphrase = store.slots().iter().any(is_passphrase);
        match deed {
            VaultDeed::Passphrase {
                current,
                new,
                alone,
            } => set_passphrase(store, current, new, alone).await?,
            VaultDeed::NoPassphrase { current } => no_passphrase(store, current).await?,
            VaultDeed::Rules(rules) => keep_rules(store, rules).await?,
            VaultDeed::NoWords => without(store, is_words).await?,
            VaultDeed::NoPasskey { credential } => {
                let it = |slot: &Slot| matches!(slot, Slot::Passkey { credential: one, .. } if *one == credential);
                without(store, it).await?;
            }
            // They are for somebody who has a passphrase and cannot say it; without one they would open nothing.
            _ if !has_passphrase => return Err(Failure::NotAllowed),
            VaultDeed::MakeWords => return self.make_words(),
            VaultDeed::KeepWords { answers } => self.keep_words(store, &answers).await?,
            VaultDeed::Passkey { passkey, output } => add_passkey(store, passkey, &output).await?,
        }
        Ok(Reply::Done)
    }

    fn make_words(&mut self) -> Result<Reply, Failure> {
        let mut entropy = Zeroizing::new([0; WORDS_ENTROPY_BYTES]);
        random(entropy.as_mut_slice())?;
        let words = ume_vault::words(&entropy).map_err(|_| Failure::Internal)?;
        let asked = two_places()?;
        let reply = Reply::Words {
            words: Secret(words.as_bytes().to_vec()),
            asked,
        };
        self.made = Some(Made { words, asked });
        Ok(reply)
    }

    async fn keep_words(
        &mut self,
        store: &mut Store,
        answers: &[Secret; 2],
    ) -> Result<(), Failure> {
        let made = self.made.as_ref().ok_or(Failure::NotHere)?;
        let right = made.asked.iter().zip(answers).all(|(place, answer)| {
            let word = made.words.split(' ').nth(usize::from(*place));
            let typed = std::str::from_utf8(&answer.0).unwrap_or_default();
            word.is_some_and(|word| word.eq_ignore_ascii_case(typed.trim()))
        });
        if !right {
            return Err(Failure::KeyWrong);
        }
        let mut salt = [0; 32];
        random(&mut salt)?;
        let key = SlotKey::from_words(&made.words, &salt).map_err(failure)?;
        let slot = Slot::Words {
            salt,
            wrapped: WrappedKey::NONE,
        };
        put(store, is_words, &key, slot).await?;
        self.made = None;
        Ok(())
    }
}

async fn set_passphrase(
    store: &mut Store,
    current: Option<Secret>,
    new: Option<Secret>,
    alone: bool,
) -> Result<(), Failure> {
    let has = store.slots().iter().any(is_passphrase);
    if has {
        check(store, current.ok_or(Failure::KeyWrong)?)?;
    } else if new.is_none() {
        return Err(Failure::BadText);
    }
    let mut slots = store.slots().to_vec();
    if let Some(new) = new {
        let slot = passphrase_slot(store, &new)?;
        slots.retain(|slot| !is_passphrase(slot));
        slots.push(slot);
    }
    let has_device = slots.iter().any(is_device);
    let device = match (alone, has_device) {
        (true, true) => {
            slots.retain(|slot| !is_device(slot));
            Device::Erased
        }
        (false, false) => add_device(store, &mut slots).await?,
        _ => Device::Same,
    };
    replace(store, slots, device).await
}

async fn no_passphrase(store: &mut Store, current: Secret) -> Result<(), Failure> {
    check(store, current)?;
    let mut slots = store.slots().to_vec();
    slots.retain(|slot| {
        !matches!(
            slot,
            Slot::Passphrase { .. } | Slot::Words { .. } | Slot::Passkey { .. }
        )
    });
    let device = if slots.iter().any(is_device) {
        Device::Same
    } else {
        add_device(store, &mut slots).await?
    };
    replace(store, slots, device).await
}

async fn add_passkey(
    store: &mut Store,
    passkey: PasskeyView,
    output: &Secret,
) -> Result<(), Failure> {
    let output = output
        .0
        .as_slice()
        .try_into()
        .map_err(|_| Failure::BadText)?;
    let PasskeyView { credential, salt } = passkey;
    let fits = (1..=CREDENTIAL_BYTES_MAX).contains(&credential.len());
    if !fits || slots::passkeys(store.slots()).len() >= PASSKEYS_MAX {
        return Err(Failure::BadText);
    }
    let key = SlotKey::from_passkey(output, &salt);
    let same = credential.clone();
    let slot = Slot::Passkey {
        credential,
        salt,
        wrapped: WrappedKey::NONE,
    };
    let it =
        move |slot: &Slot| matches!(slot, Slot::Passkey { credential, .. } if *credential == same);
    put(store, it, &key, slot).await
}

async fn keep_rules(store: &Store, rules: LockRules) -> Result<(), Failure> {
    store.keep_rules(rules).await.map_err(StoreError::failure)
}

/// The passphrase so far, before anything that it guards is changed.
fn check(store: &Store, current: Secret) -> Result<(), Failure> {
    slots::unlock(store.slots(), &UnlockKey::Passphrase(current))
        .map(drop)
        .map_err(failure)
}

fn passphrase_slot(store: &Store, passphrase: &Secret) -> Result<Slot, Failure> {
    let text = std::str::from_utf8(&passphrase.0).map_err(|_| Failure::BadText)?;
    if text.len() > PASSPHRASE_BYTES_MAX || text.chars().count() < PASSPHRASE_LETTERS_MIN {
        return Err(Failure::BadText);
    }
    let mut salt = [0; 16];
    random(&mut salt)?;
    let params = Argon2Params::DEFAULT;
    let key = SlotKey::from_passphrase(&passphrase.0, params, &salt).map_err(failure)?;
    let slot = Slot::Passphrase {
        params,
        salt,
        wrapped: WrappedKey::NONE,
    };
    wrap(store, &key, slot)
}

async fn add_device(store: &Store, slots: &mut Vec<Slot>) -> Result<Device, Failure> {
    let (slot, key) = slots::for_device(store.vault_key())
        .await
        .map_err(StoreError::failure)?;
    slots.retain(|slot| !is_device(slot));
    slots.push(slot);
    Ok(Device::New(key))
}

/// Wraps the vault key into a slot that takes the place of those that `old` names.
async fn put(
    store: &mut Store,
    old: impl Fn(&Slot) -> bool,
    key: &SlotKey,
    slot: Slot,
) -> Result<(), Failure> {
    let mut slots = store.slots().to_vec();
    slots.retain(|slot| !old(slot));
    slots.push(wrap(store, key, slot)?);
    replace(store, slots, Device::Same).await
}

async fn without(store: &mut Store, which: impl Fn(&Slot) -> bool) -> Result<(), Failure> {
    let mut slots = store.slots().to_vec();
    slots.retain(|slot| !which(slot));
    replace(store, slots, Device::Same).await
}

async fn replace(store: &mut Store, slots: Vec<Slot>, device: Device) -> Result<(), Failure> {
    // Each way here leaves one; this is what stands between a mistake and a vault that nothing opens.
    if !slots
        .iter()
        .any(|slot| is_device(slot) || is_passphrase(slot))
    {
        return Err(Failure::Internal);
    }
    store
        .replace_slots(slots, device)
        .await
        .map_err(StoreError::failure)
}

fn wrap(store: &Store, key: &SlotKey, slot: Slot) -> Result<Slot, Failure> {
    let mut nonce = [0; 12];
    random(&mut nonce)?;
    key.wrap(slot, store.vault_key(), nonce).map_err(failure)
}

/// Two different places among the words, the first one first.
fn two_places() -> Result<[u8; 2], Failure> {
    let mut drawn = [0; 2];
    random(&mut drawn)?;
    // Nothing hangs on an even choice.
    let words = u8::try_from(WORDS).unwrap_or(2);
    let [first, step] = drawn;
    let first = first % words;
    let second = (first + 1 + step % (words - 1)) % words;
    Ok([first.min(second), first.max(second)])
}

fn random(bytes: &mut [u8]) -> Result<(), Failure> {
    browser::random(bytes).map_err(StoreError::failure)
}

fn failure(why: UnlockError) -> Failure {
    match why {
        UnlockError::Memory => Failure::StorageFailed,
        UnlockError::Bounds => Failure::BadText,
        _ => Failure::KeyWrong,
    }
}

fn is_device(slot: &Slot) -> bool {
    matches!(slot, Slot::Device { .. })
}

fn is_passphrase(slot: &Slot) -> bool {
    matches!(slot, Slot::Passphrase { .. })
}

fn is_words(slot: &Slot) -> bool {
    matches!(slot, Slot::Words { .. })
}
