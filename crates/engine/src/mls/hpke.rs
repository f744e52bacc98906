//! Reaching a device outside of the group's keys: one that has lost them, or that asks to come in. HPKE (RFC 9180) in the
//! group's suite, so that what keeps a group's secrets from whoever records today and computes tomorrow keeps these as well.

use openmls::prelude::HpkeCiphertext;
use openmls_traits::crypto::OpenMlsCrypto as _;

use super::crypto::Crypto;
use super::{MlsError, Suite};
use zeroize::Zeroizing;

/// What something is sealed for. Sealed for one use, it opens for no other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Use {
    /// A generation's secret, to a member's device.
    Rescue,
    /// Somebody's asking to come in, to a member's device.
    Request,
    /// What they are answered, to their device.
    Answer,
}

impl Use {
    fn info(self) -> &'static [u8] {
        match self {
            Self::Rescue => b"ume/1/rescue-seal",
            Self::Request => b"ume/1/request-seal",
            Self::Answer => b"ume/1/answer-seal",
        }
    }
}

/// What is sealed to one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) encapsulation: Vec<u8>,
    pub(crate) content: Vec<u8>,
}

/// The public key of a device, from its own secret.
///
/// # Errors
/// [`MlsError::Refused`]; not expected.
pub(crate) fn public_key(suite: Suite, secret: &[u8; 32]) -> Result<Vec<u8>, MlsError> {
    let config = suite.ciphersuite().hpke_config();
    let pair = Crypto::default().derive_hpke_keypair(config, secret);
    pair.map(|pair| pair.public).map_err(MlsError::refused)
}

/// Seals something to a device. `context` has to be the same when it is opened.
///
/// # Errors
/// [`MlsError::Refused`] if the key is none of this suite.
pub(crate) fn seal(
    suite: Suite,
    purpose: Use,
    public: &[u8],
    context: &[u8],
    what: &[u8],
) -> Result<Sealed, MlsError> {
    let config = suite.ciphersuite().hpke_config();
    let sealed = Crypto::default()
        .hpke_seal(config, public, purpose.info(), context, what)
        .map_err(MlsError::refused)?;
    Ok(Sealed {
        encapsulation: sealed.kem_output.as_slice().to_vec(),
        content: sealed.ciphertext.as_slice().to_vec(),
    })
}

/// Opens what was sealed to this device.
///
/// # Errors
/// [`MlsError::Malformed`] if it was sealed to another, in another context, or not at all.
pub(crate) fn open(
    suite: Suite,
    purpose: Use,
    secret: &[u8; 32],
    context: &[u8],
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, MlsError> {
    let config = suite.ciphersuite().hpke_config();
    let crypto = Crypto::default();
    let pair = crypto
        .derive_hpke_keypair(suite.ciphersuite().hpke_config(), secret)
        .map_err(MlsError::refused)?;
    let input = HpkeCiphertext {
        kem_output: sealed.encapsulation.clone().into(),
        ciphertext: sealed.content.clone().into(),
    };
    crypto
        .hpke_open(config, &input, &pair.private, purpose.info(), context)
        .map(Zeroizing::new)
        .map_err(MlsError::malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_device_opens_what_was_sealed_to_it() {
        for suite in [Suite::Hybrid, Suite::Classic] {
            let public = public_key(suite, &[1; 32]).unwrap();
            let sealed = seal(suite, Use::Rescue, &public, b"here", &[7; 32]).unwrap();
            let open =
                |what, secret, context, sealed: &Sealed| open(suite, what, secret, context, sealed);
            let opened = open(Use::Rescue, &[1; 32], b"here", &sealed).unwrap();
            assert_eq!(opened[..], [7; 32]);
            assert!(open(Use::Rescue, &[2; 32], b"here", &sealed).is_err());
            assert!(open(Use::Rescue, &[1; 32], b"gone", &sealed).is_err());
            assert!(open(Use::Request, &[1; 32], b"here", &sealed).is_err());
            assert!(open(Use::Answer, &[1; 32], b"here", &sealed).is_err());
            let mut changed = sealed.clone();
            changed.encapsulation[3] ^= 1;
            assert!(open(Use::Rescue, &[1; 32], b"here", &changed).is_err());
            assert!(seal(suite, Use::Rescue, &public[1..], b"here", &[7; 32]).is_err());
        }
    }
}
