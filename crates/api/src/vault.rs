use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// A secret on its way: a passphrase, recovery words, or what a passkey gave. Never printed, wiped when dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(pub Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Shortest passphrase, letters.
pub const PASSPHRASE_LETTERS_MIN: usize = 10;
/// Longest passphrase, bytes of UTF-8.
pub const PASSPHRASE_BYTES_MAX: usize = 1024;

/// What a person opens a locked vault with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnlockKey {
    /// The passphrase.
    Passphrase(Secret),
    /// The recovery words, as typed.
    Words(Secret),
    /// A passkey.
    Passkey {
        /// Which.
        credential: Vec<u8>,
        /// What its PRF gave, 32 bytes.
        output: Secret,
    },
}

/// A passkey that opens the vault.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PasskeyView {
    /// Names it to the browser.
    pub credential: Vec<u8>,
    /// What its PRF is asked for.
    pub salt: [u8; 32],
}

/// A vault that is locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockView {
    /// Whether recovery words open it, too. A passphrase always does.
    pub words: bool,
    /// The passkeys that open it, too.
    pub passkeys: Vec<PasskeyView>,
    /// Milliseconds before anything is tried.
    pub wait_ms: u32,
    /// What became of the last attempt of this page.
    pub refused: Option<Refused>,
}

/// Why a key did not open the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    /// It is another one.
    Wrong,
    /// These are no recovery words: one is mistyped or missing.
    NoWords,
    /// It was not tried: the pause after the attempts before is not over.
    TooSoon,
    /// It was not tried: there is too little memory.
    Memory,
}

/// When ume locks itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockRules {
    /// After so many minutes in which nobody touched it; 0: never.
    pub idle_minutes: u16,
    /// As soon as nobody looks.
    pub hide: bool,
}

/// What opens the vault of this profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultView {
    /// This browser by itself. Then it cannot be locked.
    pub device: bool,
    /// A passphrase.
    pub passphrase: bool,
    /// Recovery words.
    pub words: bool,
    /// Passkeys.
    pub passkeys: Vec<PasskeyView>,
    /// When ume locks itself, if it can.
    pub rules: LockRules,
}

/// A change to what opens the vault. Each is one transaction; one way at least remains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VaultDeed {
    /// Sets, changes or keeps the passphrase, and says whether it is asked for each time.
    Passphrase {
        /// The passphrase so far, if there is one.
        current: Option<Secret>,
        /// The new one; `None`: as it is.
        new: Option<Secret>,
        /// Whether this browser does not open the vault by itself any more.
        alone: bool,
    },
    /// Removes the passphrase, and with it words and passkeys; this browser opens the vault by itself again.
    NoPassphrase {
        /// The passphrase so far.
        current: Secret,
    },
    /// Makes recovery words. Answer: [`crate::Reply::Words`]. They open nothing before [`VaultDeed::KeepWords`].
    MakeWords,
    /// Keeps the words made last, if two of them are right.
    KeepWords {
        /// The two that were asked for.
        answers: [Secret; 2],
    },
    /// Removes the recovery words.
    NoWords,
    /// Adds a passkey.
    Passkey {
        /// Which.
        passkey: PasskeyView,
        /// What its PRF gave, 32 bytes.
        output: Secret,
    },
    /// Removes a passkey.
    NoPasskey {
        /// Which.
        credential: Vec<u8>,
    },
    /// Says when ume locks itself.
    Rules(LockRules),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let key = UnlockKey::Passphrase(Secret(b"open sesame".to_vec()));
        assert_eq!(format!("{key:?}"), "Passphrase(Secret(..))");
    }
}
