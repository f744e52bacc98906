//! What is sent, before an outside judge; and what is never connected to.

#[path = "../../tests/support/judge.rs"]
mod judge;

use super::{
    carrier::{Carrier, Letter, Sent},
    endpoint::Endpoint,
    key::PushKey,
    seal::{seal, text},
};
use judge::{Push, judge};
use p256::{SecretKey, elliptic_curve::sec1::ToEncodedPoint};
use rand_core::{OsRng, RngCore};
use std::time::{Duration, Instant};
use ume_wire::limits::PUSH_BODY_BYTES;

#[test]
fn an_independent_library_opens_a_thousand_pushes_and_believes_their_tokens() {
    let place = tempfile::tempdir().unwrap();
    let key = PushKey::open(place.path()).unwrap();
    let mut pushes = Vec::new();
    for n in 0..1000 {
        let browser = SecretKey::random(&mut OsRng);
        let mut auth = [0; 16];
        OsRng.fill_bytes(&mut auth);
        let public = browser.public_key().to_encoded_point(false);
        let said = text(None, &format!("https://{n}.example"));
        let body = seal(said, public.as_bytes(), &auth).unwrap();
        assert_eq!(body.len(), PUSH_BODY_BYTES);
        let contact = Some("mailto:o'hara+ume@example.org").filter(|_| n % 2 == 0);
        pushes.push(Push {
            secret: browser.to_bytes().to_vec(),
            auth: auth.to_vec(),
            body,
            authorization: key.authorization(&format!("https://{n}.example"), n, contact),
        });
    }
    let Some(said) = judge(&pushes) else { return };
    for (n, said) in said.into_iter().enumerate() {
        let says = said["says"].as_str().unwrap();
        let says: serde_json::Value = serde_json::from_str(says).unwrap();
        assert_eq!(
            says["notification"]["navigate"],
            format!("https://{n}.example/")
        );
        assert_eq!(said["claims"]["aud"], format!("https://{n}.example"));
        assert_eq!(said["claims"]["exp"], n);
        assert_eq!(said["claims"].get("sub").is_some(), n % 2 == 0);
    }
}

#[tokio::test]
async fn a_service_of_the_public_network_is_not_looked_for_in_this_one() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let carrier = Carrier::new(None).unwrap();
    let letter = |is_private| Letter {
        endpoint: Endpoint::parse(&format!("https://localhost:{port}/a")).unwrap(),
        is_private,
        authorization: String::new(),
        body: Vec::new(),
    };
    let soon = Instant::now() + Duration::from_secs(5);
    let within = Duration::from_secs(5);
    let sent = carrier.carry(letter(false), soon, within).await;
    assert_eq!(sent, Sent::Later(None));
    let none = tokio::time::timeout(Duration::from_millis(200), listener.accept()).await;
    assert!(none.is_err(), "somebody came");
    // The same where the operator says so, as far as a handshake that nobody answers.
    let private = carrier.carry(letter(true), soon, Duration::from_millis(500));
    let (_, came) = tokio::join!(private, listener.accept());
    assert!(came.is_ok());
}
