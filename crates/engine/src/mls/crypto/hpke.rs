//! HPKE of our two suites.

use hpke_rs::{Hpke, Mode};
use hpke_rs_crypto::HpkeCrypto;
use hpke_rs_crypto::error::Error;
use hpke_rs_crypto::types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm};
use hpke_rs_rust_crypto::HpkeRustCrypto;
use openmls_traits::types::{CryptoError, HpkeAeadType, HpkeConfig, HpkeKdfType, HpkeKemType};

/// HPKE with one of our suites.
pub(super) fn hpke(config: &HpkeConfig) -> Result<Hpke<OfOurs>, CryptoError> {
    let (kem, kdf, aead) = match (&config.0, &config.1, &config.2) {
        (HpkeKemType::XWingKemDraft6, HpkeKdfType::HkdfSha384, HpkeAeadType::AesGcm256) => (
            KemAlgorithm::XWingDraft06,
            KdfAlgorithm::HkdfSha384,
            AeadAlgorithm::Aes256Gcm,
        ),
        (HpkeKemType::DhKem25519, HpkeKdfType::HkdfSha256, HpkeAeadType::AesGcm128) => (
            KemAlgorithm::DhKem25519,
            KdfAlgorithm::HkdfSha256,
            AeadAlgorithm::Aes128Gcm,
        ),
        _ => return Err(CryptoError::UnsupportedCiphersuite),
    };
    Ok(Hpke::new(Mode::Base, kem, kdf, aead))
}

/// What HPKE needs for them.
#[derive(Debug)]
pub(super) struct OfOurs;

impl HpkeCrypto for OfOurs {
    type HpkePrng = <HpkeRustCrypto as HpkeCrypto>::HpkePrng;

    fn name() -> String {
        HpkeRustCrypto::name()
    }

    fn supports_kdf(kdf: KdfAlgorithm) -> Result<(), Error> {
        match kdf {
            KdfAlgorithm::HkdfSha256 | KdfAlgorithm::HkdfSha384 => Ok(()),
            KdfAlgorithm::HkdfSha512 => Err(Error::UnknownKdfAlgorithm),
        }
    }

    fn supports_kem(kem: KemAlgorithm) -> Result<(), Error> {
        match kem {
            KemAlgorithm::DhKem25519 | KemAlgorithm::XWingDraft06 => Ok(()),
            _ => Err(Error::UnknownKemAlgorithm),
        }
    }

    fn supports_aead(cipher: AeadAlgorithm) -> Result<(), Error> {
        match cipher {
            AeadAlgorithm::Aes128Gcm | AeadAlgorithm::Aes256Gcm => Ok(()),
            _ => Err(Error::UnknownAeadAlgorithm),
        }
    }

    fn prng() -> Self::HpkePrng {
        HpkeRustCrypto::prng()
    }

    fn kdf_extract(kdf: KdfAlgorithm, salt: &[u8], ikm: &[u8]) -> Result<Vec<u8>, Error> {
        Self::supports_kdf(kdf)?;
        HpkeRustCrypto::kdf_extract(kdf, salt, ikm)
    }

    fn kdf_expand(
        kdf: KdfAlgorithm,
        prk: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<Vec<u8>, Error> {
        Self::supports_kdf(kdf)?;
        HpkeRustCrypto::kdf_expand(kdf, prk, info, length)
    }

    fn dh(kem: KemAlgorithm, public: &[u8], secret: &[u8]) -> Result<Vec<u8>, Error> {
        match kem {
            KemAlgorithm::DhKem25519 => {
                HpkeRustCrypto::dh(KemAlgorithm::DhKem25519, public, secret)
            }
            _ => Err(Error::UnknownKemAlgorithm),
        }
    }

    fn secret_to_public(kem: KemAlgorithm, secret: &[u8]) -> Result<Vec<u8>, Error> {
        match kem {
            KemAlgorithm::DhKem25519 => {
                HpkeRustCrypto::secret_to_public(KemAlgorithm::DhKem25519, secret)
            }
            _ => Err(Error::UnknownKemAlgorithm),
        }
    }

    fn kem_key_gen(
        kem: KemAlgorithm,
        prng: &mut Self::HpkePrng,
    ) -> Result<(Vec<u8>, Vec<u8>), Error> {
        use KemAlgorithm::{DhKem25519, XWingDraft06};
        match kem {
            DhKem25519 => HpkeRustCrypto::kem_key_gen(DhKem25519, prng),
            XWingDraft06 => HpkeRustCrypto::kem_key_gen(XWingDraft06, prng),
            _ => Err(Error::UnknownKemAlgorithm),
        }
    }

    fn kem_key_gen_derand(kem: KemAlgorithm, seed: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
        use KemAlgorithm::XWingDraft06;
        match kem {
            XWingDraft06 => HpkeRustCrypto::kem_key_gen_derand(XWingDraft06, seed),
            _ => Err(Error::UnknownKemAlgorithm),
        }
    }

    fn kem_encaps(
        kem: KemAlgorithm,
        public: &[u8],
        prng: &mut Self::HpkePrng,
    ) -> Result<(Vec<u8>, Vec<u8>), Error> {
        use KemAlgorithm::XWingDraft06;
        match kem {
            XWingDraft06 => HpkeRustCrypto::kem_encaps(XWingDraft06, public, prng),
            _ => Err(Error::UnknownKemAlgorithm),
        }
    }

    fn kem_decaps(
        kem: KemAlgorithm,
        encapsulation: &[u8],
        secret: &[u8],
    ) -> Result<Vec<u8>, Error> {
        use KemAlgorithm::XWingDraft06;
        match kem {
            XWingDraft06 => HpkeRustCrypto::kem_decaps(XWingDraft06, encapsulation, secret),
            _ => Err(Error::UnknownKemAlgorithm),
        }
    }

    /// Only other curves ask: every 32 bytes are a secret of X25519 (RFC 7748, section 5).
    fn dh_validate_sk(_: KemAlgorithm, _: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::UnknownKemAlgorithm)
    }

    fn aead_seal(
        cipher: AeadAlgorithm,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        content: &[u8],
    ) -> Result<Vec<u8>, Error> {
        Self::supports_aead(cipher)?;
        HpkeRustCrypto::aead_seal(cipher, key, nonce, aad, content)
    }

    fn aead_open(
        cipher: AeadAlgorithm,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Error> {
        Self::supports_aead(cipher)?;
        HpkeRustCrypto::aead_open(cipher, key, nonce, aad, sealed)
    }
}
