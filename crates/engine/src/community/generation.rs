//! Generations: a span of records with one commit lane and one chain of history keys. When somebody is out, or a link is,
//! a new one begins with that very record. Its secret comes from the group's new epoch, which who is out cannot derive;
//! a device that has lost the group's keys finds it in the record, sealed to its rescue key.

use super::chain::{RESCUES_HERE, Ways};
use super::slots::{CommitKeys, SlotReader};
use super::watch::Watch;
use super::{Community, Ctx, invites};
use crate::keys::{EXPORT_GENERATION, Label, Secret};
use crate::ledger::Ledger;
use crate::mls::hpke::{self, Use};
use crate::mls::{Group, Suite};
use crate::parcel::{self, Blob};
use crate::proto;
use prost::Message;
use rand_core::RngCore;
use ume_wire::auth::{Hash, hash};

/// What has to be done by anyone is done after a random part of this time, milliseconds.
const UPKEEP_MS: u32 = 2_000;
/// The longest that a device of a large group waits for its turn, milliseconds.
const UPKEEP_TURN_MS: u64 = 10 * 60_000;

/// The history of one generation: from a day on, with that day's key.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Era {
    pub(crate) generation: u32,
    pub(crate) day: u64,
    pub(crate) key: Secret,
}

impl Era {
    /// Of a generation that begins with a record of this time.
    pub(crate) fn of(secret: &Secret, generation: u32, time_ms: u64) -> Self {
        Self {
            generation,
            day: invites::day_of(time_ms).min(super::LATEST_DAY),
            key: secret.derive(Label::GenerationHistory, &[]),
        }
    }
}

/// What this device may open of a record that it cannot process.
pub(crate) struct Rescuer {
    leaf: Hash,
    secret: Secret,
    suite: Suite,
    community: Hash,
}

impl Rescuer {
    pub(super) fn new(leaf: &Secret, ledger: &Ledger) -> Option<Self> {
        Some(Self {
            leaf: leaf.signing_key().verifying_key().to_bytes(),
            secret: leaf.derive(Label::Rescue, &[]),
            suite: suite(&ledger.genesis)?,
            community: ledger.community,
        })
    }

    /// The secret of a generation, from the rescues of what begins it.
    pub(super) fn open(&self, rescues: &[proto::Rescue], generation: u32) -> Option<Secret> {
        let mine = rescues.iter().find(|one| one.leaf == self.leaf)?;
        let sealed = hpke::Sealed {
            encapsulation: mine.encapsulation.clone(),
            content: mine.sealed.clone(),
        };
        let context = context(&self.community, generation, &self.leaf);
        let opened = hpke::open(
            self.suite,
            Use::Rescue,
            self.secret.bytes(),
            &context,
            &sealed,
        )
        .ok()?;
        Secret::from_slice(&opened)
    }
}

/// The suite of a community's groups.
pub(crate) fn suite(genesis: &proto::Genesis) -> Option<Suite> {
    Suite::from_number(u16::try_from(genesis.suite).ok()?)
}

fn context(community: &Hash, generation: u32, leaf: &[u8]) -> Vec<u8> {
    [&community[..], &generation.to_le_bytes(), leaf].concat()
}

/// The public half of a device's rescue key, for its admission.
pub(crate) fn rescue_key(leaf: &Secret, suite: Suite) -> Vec<u8> {
    let secret = leaf.derive(Label::Rescue, &[]);
    hpke::public_key(suite, secret.bytes()).unwrap_or_default()
}

/// The secret of a generation, sealed to every device that is in.
pub(super) fn rescues(secret: &Secret, after: &Ledger, generation: u32) -> Vec<proto::Rescue> {
    let Some(suite) = suite(&after.genesis) else {
        return vec![];
    };
    let devices = after.devices();
    devices
        .map(|(leaf, key)| {
            let place = context(&after.community, generation, leaf);
            // A device with a key of no sense has itself to blame.
            let sealed =
                hpke::seal(suite, Use::Rescue, key, &place, secret.bytes()).unwrap_or_default();
            proto::Rescue {
                leaf: leaf.to_vec(),
                encapsulation: sealed.encapsulation,
                sealed: sealed.content,
            }
        })
        .collect()
}

impl Community {
    /// The commit lane that is followed now.
    pub(super) fn commit_keys(&self) -> &CommitKeys {
        let watched = self.watch.as_ref().map(|watch| &watch.chain.keys);
        watched.unwrap_or(&self.chain.keys)
    }

    /// The generation that is followed now.
    pub(super) fn generation(&self) -> u32 {
        let watched = self.watch.as_ref().map(|watch| watch.chain.generation);
        watched.unwrap_or(self.chain.generation)
    }

    pub(super) fn rescuer(&self) -> Option<Rescuer> {
        // Who is not in yet is in no record.
        let joining = self.saved.join.is_some();
        (!joining).then(|| Rescuer::new(&self.saved.leaf, &self.chain.ledger))?
    }

    /// The secret of the next generation for every device that is in, in the record or in blobs beside it.
    pub(super) fn ways(
        &self,
        ctx: &mut Ctx<'_>,
        secret: &Secret,
        after: &Ledger,
    ) -> (Ways, Vec<Blob>) {
        let rescues = rescues(secret, after, self.chain.generation + 1);
        if rescues.len() > RESCUES_HERE {
            let rescues = proto::Rescues { rescues }.encode_to_vec();
            let Some((parcel, blobs)) = parcel::seal(&rescues, ctx.rng) else {
                return (Ways::default(), vec![]);
            };
            let (here, parcel) = (vec![], Some(parcel));
            return (Ways { here, parcel }, blobs);
        }
        let (here, parcel) = (rescues, None);
        (Ways { here, parcel }, vec![])
    }

    /// How long this device leaves to others what any of them may do, milliseconds: in a large group each has its turn, by
    /// the newest record, so that not all of them do it at once.
    pub(super) fn turn_ms(&self, step_ms: u64, longest_ms: u64) -> u64 {
        let devices = self.chain.ledger.devices();
        let draw = |leaf: &Hash| hash(&[&self.chain.record[..], leaf].concat());
        let mine = draw(&self.leaf_public());
        let (mut all, mut before) = (0, 0);
        for (leaf, _) in devices {
            all += 1;
            before += u64::from(draw(leaf) < mine);
        }
        if all > RESCUES_HERE {
            (before * step_ms).min(longest_ms)
        } else {
            0
        }
    }

    /// The group has gone over to the epoch that begins a generation.
    pub(super) fn begin_generation(&mut self, ctx: &mut Ctx<'_>) {
        let exported = self
            .group
            .as_ref()
            .map(|group| group.export(EXPORT_GENERATION, &[]));
        let Some(Ok(secret)) = exported else {
            self.heal(ctx, None);
            return;
        };
        let secret: Secret = secret.into();
        self.chain.keys = CommitKeys::of_generation(&secret, &self.saved.relay.id);
        let era = Era::of(&secret, self.chain.generation, self.chain.time_ms);
        self.enter_era(ctx, era);
    }

    /// What is not in a history lane yet goes to one of the new generation: who is out could read the old one.
    pub(super) fn enter_era(&mut self, ctx: &mut Ctx<'_>, era: Era) {
        self.saved.history.push(era);
        self.saved_changed = true;
        self.reseal_history(ctx);
    }

    /// The keys of the commit lane that is read now. That is another one while older generations are compared.
    pub(super) fn lane_keys(&self) -> &CommitKeys {
        let now = self.commit_keys();
        if now.id == self.slots.id() {
            now
        } else {
            self.slots.keys()
        }
    }

    /// Whether the group has gone where it cannot be followed with what is known here.
    pub(super) fn is_lost(&self) -> bool {
        self.watch.as_ref().is_some_and(Watch::is_lost)
    }

    /// Reads on from the place where this device is.
    pub(super) fn reader_here(&self) -> SlotReader {
        let (generation, slot) = self.place();
        SlotReader::new(self.commit_keys().clone(), (generation, slot + 1))
    }

    /// Follows the lane of the generation that has begun.
    pub(super) fn follow_generation(&mut self) {
        self.slots = self.reader_here();
        self.saved.certificate = None;
        self.generation_shown();
    }

    /// Leaves in the group whose people are out.
    pub(super) fn dangling(&self, after: &Ledger) -> std::collections::BTreeSet<Hash> {
        let me = self.leaf_public();
        let leaves = self.group.as_ref().map(Group::leaf_keys);
        let mut leaves = leaves.unwrap_or_default();
        leaves.retain(|leaf| *leaf != me && after.current(leaf).is_err());
        leaves
    }

    /// What any member has to do one day is done by whoever comes first: removing who went, ending an old generation.
    pub(super) fn advance_upkeep(&mut self, ctx: &mut Ctx<'_>) {
        if !self.is_synced() {
            return;
        }
        let dangles = match self.dangles {
            Some(known) => known,
            None => !self.dangling(&self.chain.ledger).is_empty(),
        };
        self.dangles = Some(dangles);
        let needed = dangles || self.chain.is_old(ctx.time.0);
        match self.upkeep_at {
            _ if !needed => self.upkeep_at = None,
            None => {
                let wait = u64::from(ctx.rng.next_u32() % UPKEEP_MS)
                    + self.turn_ms(u64::from(UPKEEP_MS), UPKEEP_TURN_MS);
                self.upkeep_at = Some(ctx.now.plus(wait));
            }
            Some(at) if at <= ctx.now => {
                self.intend_update();
                self.advance_commit(ctx);
            }
            Some(_) => {}
        }
    }
}
