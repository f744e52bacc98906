//! The cards of private invites made here: what a holder of the link sees, and whom they may ask. A card is made anew when
//! any of it changes, and a last time when the invite has ended.

use super::invites::invite_id;
use super::outbox::{Out, Sealed, What};
use super::{Community, Ctx, intent};
use crate::cell;
use crate::ledger::{self, Invite};
use crate::proto;
use crate::request::{ANSWERING_MAX, CARD, ended, make_card, refusal_number};
use ume_api::InviteKind;
use ume_wire::auth::{Hash, hash};

impl Community {
    /// Puts a new card into the outbox for every private invite whose card says no longer what holds.
    pub(super) fn advance_cards(&mut self, ctx: &mut Ctx<'_>) {
        if !self.is_synced() {
            return;
        }
        for index in 0..self.saved.invites.len() {
            let own = &self.saved.invites[index];
            let id = invite_id(&own.secret);
            let invite = self.chain.ledger.invites.get(&id);
            let (InviteKind::Private, Some(invite)) = (own.kind, invite) else {
                continue;
            };
            let card = self.card(&id, invite, ctx.time.0);
            let digest = hash(&card);
            if own.card == Some(digest) {
                continue;
            }
            let lane = own.lane(&self.saved.relay.id);
            let Ok(cells) = cell::seal(&lane, CARD, &card, ctx.rng) else {
                continue;
            };
            self.saved.invites[index].card = Some(digest);
            self.saved_changed = true;
            for key in self.outs_of(&What::Bundle(id)) {
                self.erase_out(ctx, key);
            }
            let sealed = Sealed::new(self.chain.slot, &cells);
            self.put_out(ctx, Out::new(What::Bundle(id), Some(sealed)));
        }
        self.drop_ended_cards(ctx);
    }

    /// Forgets the secrets of private invites that were withdrawn, once their cards say so.
    fn drop_ended_cards(&mut self, ctx: &mut Ctx<'_>) {
        let known = &self.chain.ledger.invites;
        let revoked = |id: &Hash| known.get(id).is_some_and(|invite| invite.revoked);
        let private = self.saved.invites.iter();
        let private = private.filter(|own| own.kind == InviteKind::Private);
        let done: Vec<Hash> = private
            .map(|own| invite_id(&own.secret))
            .filter(|id| revoked(id) && self.outs_of(&What::Bundle(*id)).is_empty())
            .collect();
        for id in done {
            self.forget_invite(ctx, &id);
        }
    }

    pub(super) fn card(&self, id: &Hash, invite: &Invite, time_ms: u64) -> Vec<u8> {
        let ledger = &self.chain.ledger;
        let why = ledger.usable(id, time_ms).err().map(ended);
        let (window, days) = intent::window_numbers(invite.window);
        let me = ledger.person(&self.saved.persona);
        let card = proto::InviteCard {
            genesis: ledger.genesis_bytes().to_vec(),
            cert: self.saved.cert.clone(),
            name: me.map(|me| me.name.clone()).unwrap_or_default(),
            terms: Some(proto::InviteTerms {
                expires_ms: invite.expires_ms.unwrap_or_default(),
                window: window.into(),
                days,
                role: ledger::role_number(invite.role),
            }),
            answering: if why.is_some() {
                vec![]
            } else {
                self.answering(invite)
            },
            ended: why.map(refusal_number).unwrap_or_default(),
            invite: id.to_vec(),
        };
        #[cfg(feature = "unruly")]
        if self.unruly.poses {
            return crate::unruly::pose(&ledger.community, &card);
        }
        make_card(&self.saved.leaf.signing_key(), &card)
    }

    /// The devices of those who may answer: of who made the invite, and of those with the highest roles.
    fn answering(&self, invite: &Invite) -> Vec<proto::DeviceKey> {
        let ledger = &self.chain.ledger;
        let members = ledger.members.iter();
        let mut people: Vec<_> = members
            .filter(|(persona, _)| ledger.may_answer(persona, invite))
            .collect();
        people.sort_by_key(|(persona, member)| {
            (**persona != invite.issuer, std::cmp::Reverse(member.role))
        });
        let devices = people.into_iter().flat_map(|(_, member)| {
            member.leaves.iter().map(|leaf| proto::DeviceKey {
                leaf: leaf.to_vec(),
                rescue: member.rescue.to_vec(),
            })
        });
        devices.take(ANSWERING_MAX).collect()
    }
}
