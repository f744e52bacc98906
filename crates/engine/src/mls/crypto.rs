//! The cryptography of OpenMLS and of HPKE (RFC 9180): `RustCrypto`'s, for the algorithms of our two suites and no others.
//!
//! The libraries decide by an argument which algorithm is meant, so all that they know would come along: four curves and
//! three post-quantum signatures that no group of ours can have. Here curves and signatures are named as constants: what cannot
//! be named is not part of the app. Hashes and ciphers that are not ours are in the app for other ends, and refused here.

mod hpke;

use hpke::hpke;
use hpke_rs::{HpkeError, HpkePrivateKey, HpkePublicKey};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig,
    HpkeKeyPair, SignatureScheme,
};
use tls_codec::SecretVLBytes;

use super::Suite;

/// What our suites need.
#[derive(Debug, Default)]
pub(crate) struct Crypto(RustCrypto);

/// A key that is none of the suite is named as such: whoever sent it is to blame.
fn blame(error: &HpkeError) -> CryptoError {
    match error {
        HpkeError::InvalidInput => CryptoError::InvalidLength,
        _ => CryptoError::CryptoLibraryError,
    }
}

fn our_hash(hash: HashType) -> Result<HashType, CryptoError> {
    match hash {
        HashType::Sha2_256 | HashType::Sha2_384 => Ok(hash),
        HashType::Sha2_512 => Err(CryptoError::UnsupportedHashAlgorithm),
    }
}

fn our_cipher(cipher: AeadType) -> Result<AeadType, CryptoError> {
    match cipher {
        AeadType::Aes128Gcm | AeadType::Aes256Gcm => Ok(cipher),
        AeadType::ChaCha20Poly1305 => Err(CryptoError::UnsupportedAeadAlgorithm),
    }
}

impl OpenMlsCrypto for Crypto {
    fn supports(&self, ciphersuite: Ciphersuite) -> Result<(), CryptoError> {
        match Suite::of(ciphersuite) {
            Ok(_) => Ok(()),
            Err(_) => Err(CryptoError::UnsupportedCiphersuite),
        }
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        [Suite::Hybrid, Suite::Classic]
            .map(Suite::ciphersuite)
            .to_vec()
    }

    fn hkdf_extract(
        &self,
        hash: HashType,
        salt: &[u8],
        ikm: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        self.0.hkdf_extract(our_hash(hash)?, salt, ikm)
    }

    fn hmac(
        &self,
        hash: HashType,
        key: &[u8],
        message: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        self.0.hmac(our_hash(hash)?, key, message)
    }

    fn hkdf_expand(
        &self,
        hash: HashType,
        prk: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        self.0.hkdf_expand(our_hash(hash)?, prk, info, length)
    }

    fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.0.hash(our_hash(hash)?, data)
    }

    fn aead_encrypt(
        &self,
        cipher: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let cipher = our_cipher(cipher)?;
        self.0.aead_encrypt(cipher, key, data, nonce, aad)
    }

    fn aead_decrypt(
        &self,
        cipher: AeadType,
        key: &[u8],
        sealed: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let cipher = our_cipher(cipher)?;
        self.0.aead_decrypt(cipher, key, sealed, nonce, aad)
    }

    fn signature_key_gen(
        &self,
        scheme: SignatureScheme,
    ) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        match scheme {
            SignatureScheme::ED25519 => self.0.signature_key_gen(SignatureScheme::ED25519),
            _ => Err(CryptoError::UnsupportedSignatureScheme),
        }
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        data: &[u8],
        key: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        match scheme {
            SignatureScheme::ED25519 => {
                self.0
                    .verify_signature(SignatureScheme::ED25519, data, key, signature)
            }
            _ => Err(CryptoError::UnsupportedSignatureScheme),
        }
    }

    fn sign(
        &self,
        scheme: SignatureScheme,
        data: &[u8],
        key: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        match scheme {
            SignatureScheme::ED25519 => self.0.sign(SignatureScheme::ED25519, data, key),
            _ => Err(CryptoError::UnsupportedSignatureScheme),
        }
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        public: &[u8],
        info: &[u8],
        aad: &[u8],
        content: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        let (encapsulation, sealed) = hpke(&config)?
            .seal(
                &HpkePublicKey::from(public),
                info,
                aad,
                content,
                None,
                None,
                None,
            )
            .map_err(|error| blame(&error))?;
        Ok(HpkeCiphertext {
            kem_output: encapsulation.into(),
            ciphertext: sealed.into(),
        })
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        sealed: &HpkeCiphertext,
        private: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let (encapsulation, content) = (sealed.kem_output.as_slice(), sealed.ciphertext.as_slice());
        let private = HpkePrivateKey::from(private);
        hpke(&config)?
            .open(
                encapsulation,
                &private,
                info,
                aad,
                content,
                None,
                None,
                None,
            )
            .map_err(|_| CryptoError::HpkeDecryptionError)
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        public: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<(Vec<u8>, ExporterSecret), CryptoError> {
        let (encapsulation, sender) = hpke(&config)?
            .setup_sender(&HpkePublicKey::from(public), info, None, None, None)
            .map_err(|_| CryptoError::SenderSetupError)?;
        let secret = sender
            .export(context, length)
            .map_err(|_| CryptoError::ExporterError)?;
        Ok((encapsulation, secret.into()))
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        encapsulation: &[u8],
        private: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        let private = HpkePrivateKey::from(private);
        let receiver = hpke(&config)?
            .setup_receiver(encapsulation, &private, info, None, None, None)
            .map_err(|_| CryptoError::ReceiverSetupError)?;
        let secret = receiver
            .export(context, length)
            .map_err(|_| CryptoError::ExporterError)?;
        Ok(secret.into())
    }

    fn derive_hpke_keypair(
        &self,
        config: HpkeConfig,
        ikm: &[u8],
    ) -> Result<HpkeKeyPair, CryptoError> {
        let pair = hpke(&config)?
            .derive_key_pair(ikm)
            .map_err(|error| blame(&error))?;
        let (private, public) = pair.into_keys();
        Ok(HpkeKeyPair {
            private: private.as_slice().into(),
            public: public.as_slice().to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_suite_of_ours_has_is_refused() {
        let crypto = Crypto::default();
        for ciphersuite in RustCrypto::default().supported_ciphersuites() {
            let ours = crypto.supported_ciphersuites().contains(&ciphersuite);
            assert_eq!(crypto.supports(ciphersuite).is_ok(), ours);
            let pair = crypto.derive_hpke_keypair(ciphersuite.hpke_config(), &[1; 64]);
            assert_eq!(pair.is_ok(), ours, "{ciphersuite:?}");
            let scheme = ciphersuite.signature_algorithm();
            let signs = crypto.signature_key_gen(scheme).is_ok();
            assert_eq!(signs, scheme == SignatureScheme::ED25519);
            if !signs {
                let no = CryptoError::UnsupportedSignatureScheme;
                assert_eq!(crypto.sign(scheme, b"", &[1; 32]), Err(no));
                assert_eq!(crypto.verify_signature(scheme, b"", b"", b""), Err(no));
            }
            let hashes = crypto.hash(ciphersuite.hash_algorithm(), b"");
            assert_eq!(hashes.is_ok(), ciphersuite.hash_length() < 64);
        }
        let (key, nonce) = ([1; 32], [2; 12]);
        let chacha = AeadType::ChaCha20Poly1305;
        assert!(crypto.aead_encrypt(chacha, &key, b"", &nonce, b"").is_err());
        assert!(crypto.aead_decrypt(chacha, &key, b"", &nonce, b"").is_err());
    }

    #[test]
    fn ours_does_what_the_library_does() {
        let (ours, whole) = (Crypto::default(), RustCrypto::default());
        for suite in [Suite::Hybrid, Suite::Classic] {
            let config = || suite.ciphersuite().hpke_config();
            let pair = ours.derive_hpke_keypair(config(), &[5; 64]).unwrap();
            let theirs = whole.derive_hpke_keypair(config(), &[5; 64]).unwrap();
            assert_eq!(
                (&pair.public, &*pair.private),
                (&theirs.public, &*theirs.private)
            );
            let sealed = ours
                .hpke_seal(config(), &pair.public, b"i", b"a", b"text")
                .unwrap();
            let open = whole.hpke_open(config(), &sealed, &pair.private, b"i", b"a");
            assert_eq!(open.unwrap(), b"text");
            let sealed = whole
                .hpke_seal(config(), &pair.public, b"i", b"a", b"text")
                .unwrap();
            let open = ours.hpke_open(config(), &sealed, &pair.private, b"i", b"a");
            assert_eq!(open.unwrap(), b"text");
            let sent = ours.hpke_setup_sender_and_export(config(), &pair.public, b"i", b"c", 48);
            let (encapsulation, secret) = sent.unwrap();
            let got = whole.hpke_setup_receiver_and_export(
                config(),
                &encapsulation,
                &pair.private,
                b"i",
                b"c",
                48,
            );
            assert!(*got.unwrap() == *secret);
        }
    }
}
