//! What a push says, and how it is sealed for a browser (RFC 8291 on top of RFC 8188).
//!
//! It says the same every time: that there may be something new. The text is a declarative push message as well (Push API,
//! section "Declarative push message"), so that a browser can show it where the app's service worker does not run, and is
//! filled up to one size.

use ece_native::encrypt;
use hkdf::Hkdf;
use p256::{PublicKey, SecretKey, ecdh::diffie_hellman, elliptic_curve::sec1::ToEncodedPoint};
use rand_core::{OsRng, RngCore};
use serde_json::json;
use sha2::Sha256;
use ume_wire::limits::{PUSH_AUTH_BYTES, PUSH_KEY_BYTES, PUSH_PLAIN_BYTES};
use zeroize::Zeroizing;

/// What the app is called where its host calls it nothing else.
const NAME: &str = "ume";
/// Size of a record. One holds all that a push says.
const RECORD_BYTES: u32 = 4096;
/// A point that is written whole begins so (SEC 1, section 2.3.3).
const WHOLE: u8 = 4;

/// What a push says to whoever opens the app at this place.
pub(super) fn text(name: Option<&str>, origin: &str) -> Vec<u8> {
    let said = |name: &str| {
        let notification = json!({ "title": name, "navigate": format!("{origin}/"), "tag": NAME });
        json!({ "web_push": 8030, "notification": notification, "mutable": true }).to_string()
    };
    let mut text = said(name.unwrap_or(NAME));
    if text.len() > PUSH_PLAIN_BYTES {
        text = said(NAME);
    }
    let mut text = text.into_bytes();
    // Spaces after it mean nothing in JSON.
    text.resize(PUSH_PLAIN_BYTES, b' ');
    text
}

/// Whether this is a browser's key.
pub(super) fn is_key(bytes: &[u8]) -> bool {
    key(bytes).is_some()
}

fn key(bytes: &[u8]) -> Option<PublicKey> {
    let is_whole = bytes.len() == PUSH_KEY_BYTES && bytes[0] == WHOLE;
    is_whole.then(|| PublicKey::from_sec1_bytes(bytes).ok())?
}

/// Seals a text for a browser. `None`: it is no browser's key or secret, or the system has no randomness.
pub(super) fn seal(text: Vec<u8>, browser: &[u8], auth: &[u8]) -> Option<Vec<u8>> {
    let mut salt = [0; 16];
    OsRng.try_fill_bytes(&mut salt).ok()?;
    let own = SecretKey::random(&mut OsRng);
    seal_with(text, &key(browser)?, auth, &own, salt)
}

fn seal_with(
    text: Vec<u8>,
    browser: &PublicKey,
    auth: &[u8],
    own: &SecretKey,
    salt: [u8; 16],
) -> Option<Vec<u8>> {
    if auth.len() != PUSH_AUTH_BYTES {
        return None;
    }
    let public = own.public_key().to_encoded_point(false);
    let shared = diffie_hellman(own.to_nonzero_scalar(), browser.as_affine());
    // RFC 8291, section 3.4.
    let info = [
        &b"WebPush: info\0"[..],
        browser.to_encoded_point(false).as_bytes(),
        public.as_bytes(),
    ]
    .concat();
    let mut secret = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(auth), shared.raw_secret_bytes())
        .expand(&info, &mut secret[..])
        .ok()?;
    encrypt(
        &secret[..],
        salt,
        public,
        std::iter::once(text),
        RECORD_BYTES,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64URL_NOPAD;
    use ume_wire::limits::PUSH_BODY_BYTES;
    use web_push_native::{Auth, decrypt};

    fn bytes(text: &str) -> Vec<u8> {
        BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_example_of_rfc_8291_comes_out_byte_for_byte() {
        // Section 5 and appendix A.
        let browser = bytes(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        );
        let own = bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw");
        let sealed = seal_with(
            b"When I grow up, I want to be a watermelon".to_vec(),
            &key(&browser).unwrap(),
            &bytes("BTBZMqHH6r4Tts7J_aSIgg"),
            &SecretKey::from_slice(&own).unwrap(),
            salt.try_into().unwrap(),
        );
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(sealed, Some(bytes(expected)));
    }

    #[test]
    fn a_push_has_one_size_and_opens_for_its_browser_only() {
        let (browser, other) = (SecretKey::random(&mut OsRng), SecretKey::random(&mut OsRng));
        let public = browser.public_key().to_encoded_point(false);
        let auth = [7; 16];
        for (name, origin) in [
            (None, ""),
            (Some("Harbour"), "https://ume.example"),
            (
                Some(&*"\u{1f338}".repeat(24)),
                &*format!("https://{}", "a".repeat(120)),
            ),
            (Some(&*"\u{1}".repeat(1000)), ""),
        ] {
            let sealed = seal(text(name, origin), public.as_bytes(), &auth).unwrap();
            assert_eq!(sealed.len(), PUSH_BODY_BYTES);
            let opened = decrypt(sealed.clone(), &browser, Auth::from_slice(&auth)).unwrap();
            assert_eq!(opened.len(), PUSH_PLAIN_BYTES);
            let said: serde_json::Value = serde_json::from_slice(&opened).unwrap();
            assert_eq!(said["web_push"], 8030);
            assert_eq!(said["notification"]["navigate"], format!("{origin}/"));
            let title = name.filter(|name| name.chars().count() <= 24);
            assert_eq!(said["notification"]["title"], title.unwrap_or("ume"));
            assert!(decrypt(sealed, &other, Auth::from_slice(&auth)).is_err());
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let public = SecretKey::random(&mut OsRng).public_key();
        assert!(is_key(public.to_encoded_point(false).as_bytes()));
        assert!(!is_key(public.to_encoded_point(true).as_bytes()));
        let mut off_the_curve = public.to_encoded_point(false).as_bytes().to_vec();
        off_the_curve[64] ^= 1;
        for wrong in [&[][..], &[0], &[4; 65], &[0; 65], &off_the_curve] {
            assert!(!is_key(wrong));
            assert_eq!(seal(text(None, ""), wrong, &[7; 16]), None);
        }
        let public = public.to_encoded_point(false);
        assert_eq!(seal(text(None, ""), public.as_bytes(), &[7; 15]), None);
    }
}
