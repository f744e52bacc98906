//! What push services know the relay by (RFC 8292, "VAPID"): a P-256 key, made at the first start and kept in `push.key` in the
//! data directory, 32 bytes.
//!
//! Browsers bind a device's address to this key. So it stays the same when the relay comes back from a backup: another one would
//! end all addresses, and this one has promised nothing that could have been forgotten.

use crate::identity::{IdentityError, replace};
use data_encoding::BASE64URL_NOPAD;
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use rand_core::OsRng;
use serde_json::json;
use std::{fs, io, path::Path};
use ume_wire::limits::PUSH_KEY_BYTES;
use zeroize::Zeroizing;

/// Its file.
const FILE: &str = "push.key";
const SECRET_BYTES: usize = 32;
/// `{"typ":"JWT","alg":"ES256"}`, as RFC 8292 writes it.
const HEAD: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9";

/// The key.
pub(crate) struct PushKey {
    secret: SigningKey,
    public: [u8; PUSH_KEY_BYTES],
}

impl PushKey {
    /// Reads it, or makes one.
    pub(crate) fn open(directory: &Path) -> Result<Self, IdentityError> {
        let path = directory.join(FILE);
        match fs::read(&path).map(Zeroizing::new) {
            Ok(bytes) => Self::of(&bytes).ok_or(IdentityError::NoKey(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let new = Self::new(SigningKey::random(&mut OsRng));
                let new = new.ok_or(IdentityError::NoKey(path))?;
                new.write(directory)?;
                Ok(new)
            }
            Err(source) => Err(IdentityError::File { path, source }),
        }
    }

    /// Writes it into a directory: the relay's, or a backup.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), IdentityError> {
        let bytes = Zeroizing::new(<[u8; SECRET_BYTES]>::from(self.secret.to_bytes()));
        replace(directory, FILE, &bytes[..]).map_err(|source| IdentityError::File {
            path: directory.join(FILE),
            source,
        })
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        // The library would fill up what is shorter.
        let bytes = <[u8; SECRET_BYTES]>::try_from(bytes).ok()?;
        Self::new(SigningKey::from_slice(&bytes).ok()?)
    }

    fn new(secret: SigningKey) -> Option<Self> {
        let public = secret.verifying_key().to_encoded_point(false);
        let public = public.as_bytes().try_into().ok()?;
        Some(Self { secret, public })
    }

    /// What browsers bind a device's address to.
    pub(crate) fn public(&self) -> &[u8; PUSH_KEY_BYTES] {
        &self.public
    }

    /// The header by which the relay may ask a service, until a time in seconds since 1970.
    pub(super) fn authorization(
        &self,
        audience: &str,
        until: u64,
        contact: Option<&str>,
    ) -> String {
        let said = said(audience, until, contact);
        let signature: Signature = self.secret.sign(said.as_bytes());
        let signature = BASE64URL_NOPAD.encode(&signature.to_bytes());
        let key = BASE64URL_NOPAD.encode(&self.public);
        format!("vapid t={said}.{signature}, k={key}")
    }
}

/// What is signed (RFC 7515, section 5.1), in the order of the example in RFC 8292.
fn said(audience: &str, until: u64, contact: Option<&str>) -> String {
    let contact = contact.map_or_else(String::new, |contact| {
        format!(",\"sub\":{}", json!(contact))
    });
    let claims = format!("{{\"aud\":{},\"exp\":{until}{contact}}}", json!(audience));
    format!("{HEAD}.{}", BASE64URL_NOPAD.encode(claims.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::{VerifyingKey, signature::Verifier};
    use std::os::unix::fs::PermissionsExt;

    /// RFC 8292, section 2.4.
    const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA";
    const KEY: &str =
        "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";

    /// Whether a header is what RFC 8292 section 3 says, and signed by the key that it names.
    fn is_signed(header: &str) -> bool {
        let (token, key) = header
            .strip_prefix("vapid t=")
            .and_then(|rest| rest.split_once(", k="))
            .unwrap();
        let (said, signature) = token.rsplit_once('.').unwrap();
        let key = BASE64URL_NOPAD.decode(key.as_bytes()).unwrap();
        let key = VerifyingKey::from_sec1_bytes(&key).unwrap();
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
        let signature = Signature::from_slice(&signature).unwrap();
        key.verify(said.as_bytes(), &signature).is_ok()
    }

    #[test]
    fn the_example_of_rfc_8292_is_what_we_say_and_signed_as_we_sign() {
        let contact = Some("mailto:push@example.com");
        let (token, _) = TOKEN.rsplit_once('.').unwrap();
        assert_eq!(
            said("https://push.example.net", 1_453_523_768, contact),
            token
        );
        assert!(is_signed(&format!("vapid t={TOKEN}, k={KEY}")));
        // The RFC does not tell its secret, so a signature of our own has to be like it in form.
        let own = PushKey::of(&[7; 32]).unwrap();
        let header = own.authorization("https://push.example.net", 1_453_523_768, contact);
        assert!(is_signed(&header));
        assert_eq!(header.len(), format!("vapid t={TOKEN}, k={KEY}").len());
        assert!(!is_signed(&header.replace("eyJhdWQ", "eyJhdWR")));
    }

    #[test]
    fn the_key_stays_the_same_private_and_is_not_replaced_by_damage() {
        let directory = tempfile::tempdir().unwrap();
        let first = PushKey::open(directory.path()).unwrap();
        let second = PushKey::open(directory.path()).unwrap();
        assert_eq!(first.public(), second.public());
        let file = directory.path().join(FILE);
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for content in [&[0; 32][..], &[0xff; 32], &[1; 31], &[1; 33], &[]] {
            fs::write(&file, content).unwrap();
            let opened = PushKey::open(directory.path());
            assert!(matches!(opened, Err(IdentityError::NoKey(_))));
            assert_eq!(fs::read(&file).unwrap(), content);
        }
    }

    #[test]
    fn without_a_contact_there_is_none() {
        let claims = said("https://a.example", 5, None);
        let claims = claims.split_once('.').unwrap().1;
        let claims = BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap();
        assert_eq!(claims, b"{\"aud\":\"https://a.example\",\"exp\":5}");
    }
}
