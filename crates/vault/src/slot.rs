use zeroize::{Zeroize, ZeroizeOnDrop};

/// Version of the list of slots that is written.
pub const SLOTS_VERSION: u8 = 1;
/// Longest `WebAuthn` credential id, bytes.
pub const CREDENTIAL_BYTES_MAX: usize = 1023;
/// Longest body of a slot of an unknown kind that is kept, bytes.
pub const UNKNOWN_BYTES_MAX: usize = 64 * 1024;

const SLOTS_MAX: usize = 64;

/// A list of slots could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SlotError {
    /// Written by a newer version. Remedy: update.
    #[error("the slots were written by a newer version")]
    Newer,
    /// Not a list of slots. Cause: damage, or a bug.
    #[error("the slots are damaged")]
    Malformed,
    /// A passphrase slot asks for less work than is ever written. Cause: an attack on the passphrase.
    #[error("a slot was weakened")]
    Downgrade,
    /// A slot or the list is longer than its limit. Cause: a bug in the caller.
    #[error("a slot is too long")]
    TooLong,
}

/// Cost of Argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Params {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Argon2Params {
    /// What a new slot uses: 64 MiB, three passes, one lane.
    pub const DEFAULT: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };
    /// The least that is accepted: 19 MiB, two passes, one lane.
    pub const FLOOR: Self = Self {
        memory_kib: 19 * 1024,
        passes: 2,
        lanes: 1,
    };
    /// The most that is accepted, so that a damaged slot cannot ask for all memory or an hour: 1 GiB, 16 passes, 8 lanes.
    pub const CEILING: Self = Self {
        memory_kib: 1024 * 1024,
        passes: 16,
        lanes: 8,
    };

    pub(crate) fn check(self) -> Result<Self, SlotError> {
        let (floor, ceiling) = (Self::FLOOR, Self::CEILING);
        if self.memory_kib < floor.memory_kib
            || self.passes < floor.passes
            || self.lanes < floor.lanes
        {
            return Err(SlotError::Downgrade);
        }
        if self.memory_kib > ceiling.memory_kib
            || self.passes > ceiling.passes
            || self.lanes > ceiling.lanes
        {
            return Err(SlotError::Malformed);
        }
        Ok(self)
    }
}

/// The vault key under AES-256-GCM with the slot's own key, [`Slot::associated`] as associated data.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct WrappedKey {
    /// The nonce.
    pub nonce: [u8; 12],
    /// 32 bytes of ciphertext and a tag of 16.
    pub sealed: [u8; 48],
}

impl WrappedKey {
    /// Nothing yet: what a slot has before the vault key is wrapped into it.
    pub const NONE: Self = Self {
        nonce: [0; 12],
        sealed: [0; 48],
    };
}

impl std::fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WrappedKey(..)")
    }
}

/// One way to get the vault key back. Any one slot opens the vault.
///
/// ```text
/// list       = version u8 (1) | slot*                      at most 64 slots
/// slot       = kind u8 | length of body u32 | body
/// device     = 1: wrapped
/// passphrase = 2: memory KiB u32 | passes u32 | lanes u32 | salt 16 | wrapped
/// passkey    = 3: length of credential u16 | credential | salt 32 | wrapped
/// key file   = 4: id 16 | salt 32 | wrapped
/// words      = 5: salt 32 | wrapped
/// wrapped    = nonce 12 | ciphertext 32 | tag 16
/// ```
///
/// Integers are little-endian. The associated data of the wrap is `ume/1/vault/slot`, a zero byte, the kind and the
/// body up to `wrapped`: a changed parameter does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Under a non-extractable key that the browser keeps beside the database.
    Device {
        /// The vault key.
        wrapped: WrappedKey,
    },
    /// Under a key that Argon2id makes from a passphrase.
    Passphrase {
        /// The cost.
        params: Argon2Params,
        /// The salt.
        salt: [u8; 16],
        /// The vault key.
        wrapped: WrappedKey,
    },
    /// Under a key from the PRF of a passkey.
    Passkey {
        /// Names the passkey, at most [`CREDENTIAL_BYTES_MAX`] bytes.
        credential: Vec<u8>,
        /// Input of the PRF.
        salt: [u8; 32],
        /// The vault key.
        wrapped: WrappedKey,
    },
    /// Under a key from a file.
    KeyFile {
        /// Names the file, so that the right one can be asked for.
        id: [u8; 16],
        /// Makes the wrapping key from the file's secret, one per profile.
        salt: [u8; 32],
        /// The vault key.
        wrapped: WrappedKey,
    },
    /// Under a key that recovery words give.
    Words {
        /// The salt.
        salt: [u8; 32],
        /// The vault key.
        wrapped: WrappedKey,
    },
    /// A kind that this version does not know: kept as it is, never lost, never used.
    Unknown {
        /// Its kind.
        kind: u8,
        /// Its body, at most [`UNKNOWN_BYTES_MAX`] bytes.
        body: Vec<u8>,
    },
}

impl Slot {
    /// What the wrap of this slot is bound to: kind and parameters. The wrapped key itself has no part in it.
    #[must_use]
    pub fn associated(&self) -> Vec<u8> {
        let mut bytes = b"ume/1/vault/slot\0".to_vec();
        bytes.push(self.kind());
        self.put_parameters(&mut bytes);
        bytes
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Device { .. } => 1,
            Self::Passphrase { .. } => 2,
            Self::Passkey { .. } => 3,
            Self::KeyFile { .. } => 4,
            Self::Words { .. } => 5,
            Self::Unknown { kind, .. } => *kind,
        }
    }

    fn put_parameters(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Device { .. } => {}
            Self::Passphrase { params, salt, .. } => {
                for number in [params.memory_kib, params.passes, params.lanes] {
                    bytes.extend_from_slice(&number.to_le_bytes());
                }
                bytes.extend_from_slice(salt);
            }
            Self::Passkey {
                credential, salt, ..
            } => {
                // `encode_slots` refuses longer credentials, so the length always fits.
                bytes.extend_from_slice(
                    &u16::try_from(credential.len())
                        .unwrap_or(u16::MAX)
                        .to_le_bytes(),
                );
                bytes.extend_from_slice(credential);
                bytes.extend_from_slice(salt);
            }
            Self::KeyFile { id, salt, .. } => {
                bytes.extend_from_slice(id);
                bytes.extend_from_slice(salt);
            }
            Self::Words { salt, .. } => bytes.extend_from_slice(salt),
            Self::Unknown { body, .. } => bytes.extend_from_slice(body),
        }
    }

    pub(crate) fn wrapped(&self) -> Option<&WrappedKey> {
        match self {
            Self::Device { wrapped }
            | Self::Passphrase { wrapped, .. }
            | Self::Passkey { wrapped, .. }
            | Self::KeyFile { wrapped, .. }
            | Self::Words { wrapped, .. } => Some(wrapped),
            Self::Unknown { .. } => None,
        }
    }

    pub(crate) fn wrapped_mut(&mut self) -> Option<&mut WrappedKey> {
        match self {
            Self::Device { wrapped }
            | Self::Passphrase { wrapped, .. }
            | Self::Passkey { wrapped, .. }
            | Self::KeyFile { wrapped, .. }
            | Self::Words { wrapped, .. } => Some(wrapped),
            Self::Unknown { .. } => None,
        }
    }

    fn check(&self) -> Result<(), SlotError> {
        match self {
            Self::Passphrase { params, .. } => params.check().map(|_| ()),
            Self::Passkey { credential, .. } if credential.len() > CREDENTIAL_BYTES_MAX => {
                Err(SlotError::TooLong)
            }
            Self::Unknown { body, .. } if body.len() > UNKNOWN_BYTES_MAX => Err(SlotError::TooLong),
            _ => Ok(()),
        }
    }
}

/// Writes a list of slots.
///
/// # Errors
/// [`SlotError::TooLong`]; [`SlotError::Downgrade`] or [`SlotError::Malformed`] for a cost that would be refused on reading.
pub fn encode_slots(slots: &[Slot]) -> Result<Vec<u8>, SlotError> {
    if slots.len() > SLOTS_MAX {
        return Err(SlotError::TooLong);
    }
    let mut bytes = vec![SLOTS_VERSION];
    for slot in slots {
        slot.check()?;
        let mut body = Vec::new();
        slot.put_parameters(&mut body);
        if let Some(wrapped) = slot.wrapped() {
            body.extend_from_slice(&wrapped.nonce);
            body.extend_from_slice(&wrapped.sealed);
        }
        bytes.push(slot.kind());
        bytes.extend_from_slice(
            &u32::try_from(body.len())
                .map_err(|_| SlotError::TooLong)?
                .to_le_bytes(),
        );
        bytes.extend_from_slice(&body);
    }
    Ok(bytes)
}

/// Reads a list of slots.
///
/// # Errors
/// [`SlotError`].
pub fn decode_slots(bytes: &[u8]) -> Result<Vec<Slot>, SlotError> {
    let mut reader = Reader(bytes);
    let [version] = reader.array()?;
    if version > SLOTS_VERSION {
        return Err(SlotError::Newer);
    }
    if version != SLOTS_VERSION {
        return Err(SlotError::Malformed);
    }
    let mut slots = Vec::new();
    while !reader.0.is_empty() {
        if slots.len() == SLOTS_MAX {
            return Err(SlotError::Malformed);
        }
        let [kind] = reader.array()?;
        let length = usize::try_from(reader.number()?).map_err(|_| SlotError::Malformed)?;
        let body = reader.take(length)?;
        slots.push(decode_slot(kind, body)?);
    }
    Ok(slots)
}

fn decode_slot(kind: u8, body: &[u8]) -> Result<Slot, SlotError> {
    let mut reader = Reader(body);
    let slot = match kind {
        1 => Slot::Device {
            wrapped: reader.wrapped()?,
        },
        2 => {
            let params = Argon2Params {
                memory_kib: reader.number()?,
                passes: reader.number()?,
                lanes: reader.number()?,
            };
            Slot::Passphrase {
                params: params.check()?,
                salt: reader.array()?,
                wrapped: reader.wrapped()?,
            }
        }
        3 => {
            let length = usize::from(u16::from_le_bytes(reader.array()?));
            if length > CREDENTIAL_BYTES_MAX {
                return Err(SlotError::Malformed);
            }
            Slot::Passkey {
                credential: reader.take(length)?.to_vec(),
                salt: reader.array()?,
                wrapped: reader.wrapped()?,
            }
        }
        4 => Slot::KeyFile {
            id: reader.array()?,
            salt: reader.array()?,
            wrapped: reader.wrapped()?,
        },
        5 => Slot::Words {
            salt: reader.array()?,
            wrapped: reader.wrapped()?,
        },
        _ if body.len() > UNKNOWN_BYTES_MAX => return Err(SlotError::Malformed),
        _ => Slot::Unknown {
            kind,
            body: reader.take(body.len())?.to_vec(),
        },
    };
    if reader.0.is_empty() {
        Ok(slot)
    } else {
        Err(SlotError::Malformed)
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], SlotError> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(SlotError::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], SlotError> {
        let (taken, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(SlotError::Malformed)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn number(&mut self) -> Result<u32, SlotError> {
        self.array().map(u32::from_le_bytes)
    }

    fn wrapped(&mut self) -> Result<WrappedKey, SlotError> {
        Ok(WrappedKey {
            nonce: self.array()?,
            sealed: self.array()?,
        })
    }
}

#[cfg(test)]
mod tests;
