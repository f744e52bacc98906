//! Certificates, claims and statements: what is signed between members, and how it is checked.

use super::LedgerError;
use crate::keys::{Label, Secret};
use crate::proto;
use ed25519_dalek::{Signer, SigningKey, Verifier, VerifyingKey};
use prost::Message;
use ume_api::NAME_BYTES_MAX;
use ume_wire::auth::{Hash, hash};

/// Whether a name may stand in the ledger: not empty, not too long, no control characters.
pub(crate) fn name_is_sound(name: &str) -> bool {
    !name.trim().is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control)
}

/// A device's certificate whose signature holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cert {
    pub(crate) persona: Hash,
    pub(crate) leaf: Hash,
}

/// Checks a certificate: made by its persona, for this community.
pub(crate) fn open_cert(cert: &[u8], community: &Hash) -> Result<Cert, LedgerError> {
    let opened = read_cert(cert, community)?;
    let signed = proto::Signed::decode(cert).map_err(|_| LedgerError::Malformed)?;
    check(
        &opened.persona,
        Purpose::DeviceCert,
        &signed.content,
        &signed.signature,
    )?;
    Ok(opened)
}

/// Reads a certificate whose signature was checked before.
pub(super) fn read_cert(cert: &[u8], community: &Hash) -> Result<Cert, LedgerError> {
    let signed = proto::Signed::decode(cert).map_err(|_| LedgerError::Malformed)?;
    let content =
        proto::DeviceCert::decode(&signed.content[..]).map_err(|_| LedgerError::Malformed)?;
    if content.community != community {
        return Err(LedgerError::Community);
    }
    Ok(Cert {
        persona: key(&content.persona)?,
        leaf: key(&content.leaf)?,
    })
}

/// Certifies a device's leaf key.
pub(crate) fn make_cert(
    persona: &SigningKey,
    community: &Hash,
    leaf: &Hash,
    device: u32,
) -> Vec<u8> {
    let cert = proto::DeviceCert {
        community: community.to_vec(),
        persona: persona.verifying_key().to_bytes().to_vec(),
        leaf: leaf.to_vec(),
        device,
    };
    sign(persona, Purpose::DeviceCert, cert.encode_to_vec()).encode_to_vec()
}

/// Signs a statement with a device's leaf key, for one place in the ledger.
pub(crate) fn make_statement(
    leaf: &SigningKey,
    after: &Hash,
    body: proto::statement::Body,
) -> Vec<u8> {
    let statement = proto::Statement {
        signer: leaf.verifying_key().to_bytes().to_vec(),
        after: after.to_vec(),
        body: Some(body),
    };
    sign(leaf, Purpose::Statement, statement.encode_to_vec()).encode_to_vec()
}

/// Proves possession of an invite for one certificate.
pub(crate) fn make_claim(invite: &Secret, community: &Hash, cert: &[u8]) -> proto::JoinClaim {
    let invite = invite.derive(Label::InviteKey, &[]).signing_key();
    let id = hash(invite.verifying_key().as_bytes());
    let signed = sign(
        &invite,
        Purpose::JoinClaim,
        claim_bytes(community, &id, cert),
    );
    proto::JoinClaim {
        invite: id.to_vec(),
        signature: signed.signature,
    }
}

/// Checks that a claim was made by somebody who holds an invite, for one certificate.
pub(crate) fn check_claim(
    community: &Hash,
    invite: &Hash,
    invite_key: &[u8; 32],
    cert: &[u8],
    claim: &proto::JoinClaim,
) -> Result<(), LedgerError> {
    if claim.invite != invite {
        return Err(LedgerError::InviteUnknown);
    }
    let content = claim_bytes(community, invite, cert);
    check(invite_key, Purpose::JoinClaim, &content, &claim.signature)
}

fn claim_bytes(community: &Hash, invite: &Hash, cert: &[u8]) -> Vec<u8> {
    [&community[..], &invite[..], &hash(cert)[..]].concat()
}

/// What a signature is for; part of what is signed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    DeviceCert,
    Statement,
    JoinClaim,
    Entry,
    Contest,
    Rebirth,
    Card,
    Request,
    Talk,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::DeviceCert => b"ume/1/device-cert\0",
            Self::Statement => b"ume/1/statement\0",
            Self::JoinClaim => b"ume/1/join-claim\0",
            Self::Entry => b"ume/1/entry\0",
            Self::Contest => b"ume/1/contest\0",
            Self::Rebirth => b"ume/1/rebirth\0",
            Self::Card => b"ume/1/card\0",
            Self::Request => b"ume/1/request\0",
            Self::Talk => b"ume/1/talk\0",
        }
    }
}

/// Signs content for a purpose (Ed25519, RFC 8032).
pub(crate) fn sign(key: &SigningKey, purpose: Purpose, content: Vec<u8>) -> proto::Signed {
    let signature = key
        .sign(&[purpose.label(), &content].concat())
        .to_bytes()
        .to_vec();
    proto::Signed { content, signature }
}

/// Checks a signature for a purpose.
pub(crate) fn check(
    key: &Hash,
    purpose: Purpose,
    content: &[u8],
    signature: &[u8],
) -> Result<(), LedgerError> {
    let key = VerifyingKey::from_bytes(key).map_err(|_| LedgerError::Malformed)?;
    let signature =
        ed25519_dalek::Signature::from_slice(signature).map_err(|_| LedgerError::Malformed)?;
    if key.is_weak() {
        return Err(LedgerError::Signature);
    }
    key.verify(&[purpose.label(), content].concat(), &signature)
        .map_err(|_| LedgerError::Signature)
}

pub(crate) fn key(bytes: &[u8]) -> Result<Hash, LedgerError> {
    bytes.try_into().map_err(|_| LedgerError::Malformed)
}
