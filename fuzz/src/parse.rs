//! What people and operators write, and what lies in a browser.

use crate::input::Input;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use ume_relay::admin::Question;
use ume_vault::{Vault, decode_slots, encode_slots};
use ume_wire::access as key;
use zeroize::Zeroizing;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Refused, or it says the same again.
pub(crate) fn access(bytes: &[u8]) {
    if let Ok(found) = key::parse(&text(bytes)) {
        assert_eq!(key::parse(&key::to_text(&found)), Ok(found));
    }
    if let Ok(found) = <[u8; 32]>::try_from(bytes) {
        assert_eq!(key::parse(&key::to_text(&found)), Ok(found));
    }
}

/// Refused, or it says the same again.
pub(crate) fn link(bytes: &[u8]) {
    ume_engine::fuzzing::link(&text(bytes));
}

/// Made harmless or left out, and the same again.
pub(crate) fn files(bytes: &[u8]) {
    ume_engine::fuzzing::files(bytes);
}

/// Bounded, and harmless.
pub(crate) fn markdown(bytes: &[u8]) {
    ume_engine::fuzzing::markdown(&text(bytes));
}

/// The first line is looked for in the rest: nothing of it is lost, and what is there is marked.
pub(crate) fn search(bytes: &[u8]) {
    let text = text(bytes);
    let (looked_for, rest) = text.split_once('\n').unwrap_or((&text, &text));
    ume_engine::fuzzing::search(looked_for, rest);
}

/// Refused, or the file that `check-config` prints says the same.
pub(crate) fn config(bytes: &[u8]) {
    if let Some(said) = ume_relay::fuzzing::config(&text(bytes)) {
        let values = |file: &str| {
            // Behind each value stands where it comes from, which is another line now.
            let lines = file.lines().map(|line| line.rsplit_once(" # "));
            let values: Vec<_> = lines.flatten().map(|(value, _)| value.to_owned()).collect();
            values
        };
        let again = ume_relay::fuzzing::config(&said);
        assert_eq!(again.as_deref().map(values), Some(values(&said)));
    }
}

/// Not understood, or it is the same when it is asked again.
pub(crate) fn admin(bytes: &[u8]) {
    if let Ok(question) = serde_json::from_slice::<Question>(bytes) {
        let again = serde_json::to_vec(&question)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        assert_eq!(again, Some(question));
    }
}

/// Refused, or what a browser would make of it; and asked only at a service that is listed.
pub(crate) fn endpoint(bytes: &[u8]) {
    let text = text(bytes);
    for text in [text.clone(), format!("https://fcm.googleapis.com{text}")] {
        let Some((host, port, path, is_asked)) = ume_relay::fuzzing::endpoint(&text) else {
            continue;
        };
        let Ok(url) = url::Url::parse(&text) else {
            // Names of other alphabets that browsers know to be none.
            assert!(
                host.split('.').any(|label| label.starts_with("xn--")),
                "{text}"
            );
            continue;
        };
        assert_eq!(
            (url.scheme(), url.host_str()),
            ("https", Some(&*host)),
            "{text}"
        );
        assert_eq!(url.port_or_known_default(), Some(port), "{text}");
        assert!(
            url.username().is_empty() && url.password().is_none(),
            "{text}"
        );
        assert!(matches!(url.host(), Some(url::Host::Domain(_))), "{text}");
        assert!(url.fragment().is_none() && text.ends_with(&path), "{text}");
        let listed = [
            "fcm.googleapis.com",
            ".push.services.mozilla.com",
            ".notify.windows.com",
            ".push.apple.com",
        ];
        let is_listed = listed.iter().any(|end| host.ends_with(end));
        assert!(!is_asked || is_listed && port == 443, "{text}");
    }
}

/// A list that can be read has one form.
pub(crate) fn unlock(bytes: &[u8]) {
    if let Ok(slots) = decode_slots(bytes) {
        assert_eq!(encode_slots(&slots).as_deref(), Ok(bytes));
        for slot in &slots {
            assert!(slot.associated().starts_with(b"ume/1/vault/slot\0"));
        }
    }
}

/// A row opens as it was sealed, in its own place, and in no other way.
pub(crate) fn vault(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (place, change) = (input.number(), input.byte());
    let (id, value) = (input.piece(), input.rest());
    let vault = Vault::new(Zeroizing::new([7; 32]));
    let name = vault.name("table", id);
    assert!(vault.open("table", &name, bytes).is_err());
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let Ok(sealed) = vault.seal("table", id, value, &mut rng) else {
        return;
    };
    assert_eq!(sealed.name, name);
    let opened = vault.open("table", &name, &sealed.value);
    assert_eq!(opened, Ok((id.to_vec(), value.to_vec())));
    assert!(vault.open("other", &name, &sealed.value).is_err());
    let mut changed = sealed.value;
    let place = usize::try_from(place).map_or(0, |place| place % changed.len());
    changed[place] ^= change.max(1);
    assert!(vault.open("table", &name, &changed).is_err());
    changed.truncate(place);
    assert!(vault.open("table", &name, &changed).is_err());
}
