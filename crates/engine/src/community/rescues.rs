//! Rescues that lie beside their record, in a parcel, because the group is large: keeping them until they are at the relay
//! and as long as the record, and fetching them when this device needs one.

use super::slots::Place;
use super::{Community, Ctx, Tag};
use crate::io::{Millis, Table};
use crate::parcel::{Blob, Fetch, Fetched};
use crate::proto;
use prost::Message;
use std::collections::BTreeMap;
use ume_api::Notice;
use ume_wire::auth::Hash;
use ume_wire::relay::frame::Body;

/// Rows of a parcel begin so; generation and slot of its record follow.
const PARCEL: &[u8] = b"parcel";
/// Pause before a parcel that the relay does not have is asked for again, milliseconds.
const AGAIN_MS: u64 = 60_000;

/// The blobs of a parcel, as they are stored.
type Row = Vec<(Hash, Vec<Vec<u8>>)>;

/// Parcels of records that this device made, and the one that it needs.
#[derive(Debug, Default)]
pub(super) struct Rescues {
    made: BTreeMap<Place, Vec<Blob>>,
    fetch: Option<Fetch>,
    /// When it is asked for again.
    again_at: Option<Millis>,
    told: bool,
}

impl Rescues {
    pub(super) fn line_down(&mut self) {
        if let Some(fetch) = &mut self.fetch {
            fetch.restart();
        }
    }
}

impl Community {
    /// Takes back what was stored.
    pub(super) fn load_parcels(&mut self, rows: &BTreeMap<Vec<u8>, Vec<u8>>) {
        let mut found: BTreeMap<Place, Row> = BTreeMap::new();
        self.damaged += super::restored::load_by_place(rows, PARCEL, &mut found);
        for (place, row) in found {
            let blobs = row.into_iter().map(|(id, cells)| Blob {
                id,
                cells: cells.into_iter().map(Into::into).collect(),
            });
            self.rescues.made.insert(place, blobs.collect());
        }
    }

    /// Keeps the parcel of a record that is to be proposed.
    pub(super) fn keep_parcel(&mut self, ctx: &mut Ctx<'_>, at: Place, blobs: Vec<Blob>) {
        if blobs.is_empty() {
            return;
        }
        let cells = |blob: &Blob| blob.cells.iter().map(|cell| cell.to_vec()).collect();
        let row: Row = blobs.iter().map(|blob| (blob.id, cells(blob))).collect();
        self.put_row(
            ctx,
            Table::Community,
            &super::restored::key_of(PARCEL, at),
            &row,
        );
        self.rescues.made.insert(at, blobs);
    }

    /// Its record was not chosen, or is too old to be put back.
    pub(super) fn drop_parcel(&mut self, ctx: &mut Ctx<'_>, at: Place) {
        if let Some(blobs) = self.rescues.made.remove(&at) {
            self.uploads
                .drop(|id| blobs.iter().any(|blob| blob.id == *id));
            self.erase_row(ctx, Table::Community, &super::restored::key_of(PARCEL, at));
        }
    }

    pub(super) fn drop_parcels(&mut self, ctx: &mut Ctx<'_>) {
        let places: Vec<Place> = self.rescues.made.keys().copied().collect();
        for at in places {
            self.drop_parcel(ctx, at);
        }
    }

    /// Whether what belongs to a record is at the relay; sees to it if not. A record is proposed only then.
    pub(super) fn parcel_is_there(&mut self, at: Place) -> bool {
        let Some(blobs) = self.rescues.made.get(&at) else {
            return true;
        };
        self.uploads.put(blobs);
        blobs.iter().all(|blob| self.uploads.has(&blob.id))
    }

    /// The relay was put back: it may have the records and not what belongs to them.
    pub(super) fn put_parcels_again(&mut self) {
        self.uploads.doubt();
        for blobs in self.rescues.made.values() {
            self.uploads.put(blobs);
        }
    }

    /// Whether this device's way on lies in a parcel that is being fetched.
    pub(super) fn awaits_rescue(&self) -> bool {
        let waits = self
            .watch
            .as_ref()
            .is_some_and(|watch| watch.parcel().is_some());
        waits && self.rescues.again_at.is_none()
    }

    pub(super) fn rescue_due(&self) -> Option<Millis> {
        self.rescues.again_at
    }

    /// Fetches what leads into the generation that began while this device was out of the group's keys.
    pub(super) fn advance_rescue(&mut self, ctx: &mut Ctx<'_>) {
        let Some(parcel) = self
            .watch
            .as_ref()
            .and_then(|watch| watch.parcel().cloned())
        else {
            self.rescues.fetch = None;
            self.rescues.again_at = None;
            return;
        };
        if self.rescues.again_at.is_some_and(|at| at > ctx.now) {
            return;
        }
        self.rescues.again_at = None;
        let fetch = match &mut self.rescues.fetch {
            Some(fetch) => fetch,
            none => match Fetch::new(&parcel) {
                Some(fetch) => none.insert(fetch),
                // Judged when its record was: not to be.
                None => return,
            },
        };
        if let Some(body) = fetch.ask() {
            ctx.ask(Tag::Get, Some(body.into()));
        }
        let opened = match fetch.result() {
            Fetched::NotYet => return,
            Fetched::Lost => None,
            Fetched::Whole(content) => proto::Rescues::decode(content).ok(),
        };
        self.rescues.fetch = None;
        let rescuer = self.rescuer();
        let relay = self.saved.relay.id;
        let led_on = self.watch.as_mut().zip(rescuer).zip(opened).is_some_and(
            |((watch, rescuer), opened)| watch.rescued(&opened.rescues, &rescuer, &relay),
        );
        if led_on {
            self.follow_generation();
            if self.saved.forked {
                self.save_watch(ctx);
            }
            self.advance_records(ctx);
            return;
        }
        // The relay may find it again, or whoever made it puts it there again; meanwhile the invite is looked at.
        self.rescues.again_at = Some(ctx.now.plus(AGAIN_MS));
        if !std::mem::replace(&mut self.rescues.told, true) {
            ctx.news.notices.push(Notice::WayBackMissing);
        }
    }

    /// A cell of it arrived, or a refusal.
    pub(super) fn fetched(&mut self, body: &Body) {
        match (&mut self.rescues.fetch, body) {
            (Some(fetch), Body::BlobPart(part)) => fetch.take(part),
            (Some(fetch), Body::Refused(refused)) => fetch.refused(refused),
            _ => {}
        }
    }
}
