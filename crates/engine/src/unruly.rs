//! A member with a changed program, for the simulation: what no program of ours does, and others have to stand. It is compiled
//! with the feature `unruly`, which no program of ours has.

use crate::Engine;
use crate::community::Ways;
use crate::ledger::make_cert;
use crate::mls::Staged;
use crate::proto;
use crate::request::make_card;
use ed25519_dalek::{Signer as _, SigningKey};
use prost::Message as _;

/// Bytes of a signature with its length, as it ends a `GroupInfo`, and of the number before it that says whose it is.
const SIGNATURE: usize = 66;
const SIGNER: usize = 4;
/// Bytes of a message before what it holds.
const HEAD: usize = 4;

/// How a device's program was changed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unruly {
    /// Its next commit keeps all public rules and leads nowhere.
    pub spoils: Option<Spoils>,
    /// It begins the group anew without need.
    pub calls: bool,
    /// Its cards are by somebody whom nobody knows, as a relay may make them that has the link.
    pub poses: bool,
    /// What it answers those who ask is of another community.
    pub misleads: bool,
}

/// What is wrong with a commit that members cannot process, beside that: what it holds for devices without the group's keys
/// does not open, and its `GroupInfo`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoils {
    /// has a signature that does not hold,
    Garbage,
    /// or is signed and of no epoch that there is.
    Lie,
}

impl Engine {
    /// Changes the program.
    pub fn unruly(&mut self, how: Unruly) {
        for community in self.communities() {
            community.unruly = how;
        }
    }
}

impl Unruly {
    /// Spoils a commit once. The tag at its end is for members only.
    pub(crate) fn spoil(
        &mut self,
        leaf: &SigningKey,
        mut staged: Staged,
        mut ways: Ways,
    ) -> (Staged, Ways) {
        let Some(how) = self.spoils.take() else {
            return (staged, ways);
        };
        flip_last(&mut staged.commit);
        ways.spoil();
        let info = &mut staged.group_info;
        match how {
            Spoils::Garbage => flip_last(info),
            Spoils::Lie => {
                info.truncate(info.len().saturating_sub(SIGNATURE));
                let end = info.len().saturating_sub(SIGNER);
                flip_last(info.get_mut(..end).unwrap_or_default());
                let said = said(info.get(HEAD..).unwrap_or_default());
                info.extend([0x40, 0x40]);
                info.extend(leaf.sign(&said).to_bytes());
            }
        }
        (staged, ways)
    }
}

/// A card by a stranger's device.
pub(crate) fn pose(community: &[u8; 32], card: &proto::InviteCard) -> Vec<u8> {
    let [persona, leaf] = [[7; 32], [8; 32]].map(|seed| SigningKey::from_bytes(&seed));
    let cert = make_cert(&persona, community, leaf.verifying_key().as_bytes(), 1);
    let card = proto::InviteCard {
        cert,
        ..card.clone()
    };
    make_card(&leaf, &card)
}

/// A bundle of a community that has another beginning.
pub(crate) fn mislead(bundle: proto::JoinBundle) -> proto::JoinBundle {
    let genesis = proto::Genesis {
        salt: vec![0; 32],
        ..proto::Genesis::decode(&bundle.genesis[..]).unwrap_or_default()
    };
    proto::JoinBundle {
        genesis: genesis.encode_to_vec(),
        ..bundle
    }
}

fn flip_last(bytes: &mut [u8]) {
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
}

/// What is signed of a `GroupInfo` (RFC 9420, section 5.1.2).
fn said(content: &[u8]) -> Vec<u8> {
    let label = b"MLS 1.0 GroupInfoTBS";
    [&length(label)[..], label, &length(content), content].concat()
}

fn length(of: &[u8]) -> Vec<u8> {
    let length = u16::try_from(of.len()).unwrap_or_default();
    match u8::try_from(length).ok().filter(|short| *short < 0x40) {
        Some(short) => vec![short],
        None => (length | 0x4000).to_be_bytes().to_vec(),
    }
}
