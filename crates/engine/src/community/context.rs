//! What a community works with while it handles something, and what it asks and tells.

use super::history;
use crate::io::{Batch, Key, Millis};
use crate::line::Request;
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use ume_api::{EntryId, Failure, FileId, FileState, Notice, PostView, Reply};
use ume_wire::auth::{Hash, LaneId};

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    /// Creating a lane.
    Lane(LaneId),
    /// Reading or following a lane.
    Read(LaneId),
    /// Appending a cell of a row of the outbox.
    Append {
        out: u64,
        part: Part,
        index: u16,
        /// For which epoch, day or slot the cell was sealed: a row may be sealed again while an answer is under way.
        place: u64,
    },
    /// Asking where the commit lane ends, to know what is settled.
    Settle(u32),
    /// Something said to other members: nothing is done about its answer.
    Talk,
    /// A promise.
    Prepare,
    /// A cell of a value.
    Accept(u32),
    /// A cell of a blob.
    Put(Hash, u32),
    /// A blob of a parcel.
    Get,
    /// A blob of a pack.
    Pack,
    /// The same, of what an owner's call brings.
    Call,
    /// Where this device is woken.
    Wake,
    /// A lane that wakes it.
    Watch(LaneId),
    /// A blob of a file.
    File,
}

/// The two places that an entry goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Post,
    History,
}

/// What a community may use while it handles something.
pub(crate) struct Ctx<'a> {
    /// The device's clock: for timers.
    pub(crate) now: Millis,
    /// The time of day, corrected by the relay's clock where the device's is far off: for what others will read.
    pub(crate) time: Millis,
    pub(crate) rng: &'a mut ChaCha20Rng,
    pub(crate) batch: &'a mut Batch,
    /// Requests to the community's relay.
    pub(crate) asks: Vec<(Tag, Request)>,
    pub(crate) news: News,
    /// Whether the relay is connected.
    pub(crate) up: bool,
    /// Its key, once it greeted.
    pub(crate) relay_key: Option<[u8; 32]>,
}

impl Ctx<'_> {
    pub(crate) fn ask(&mut self, tag: Tag, request: Option<Request>) {
        self.asks.extend(request.map(|request| (tag, request)));
    }

    pub(super) fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        seed
    }

    pub(super) fn today(&self) -> u64 {
        history::day(self.time)
    }
}

/// What changed for whoever looks at it.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // each is news of its own, in any combination
pub(crate) struct News {
    pub(crate) view: bool,
    pub(crate) posts: Vec<PostView>,
    pub(crate) notices: Vec<Notice>,
    /// Posts that turned out not to stand.
    pub(crate) gone: Vec<EntryId>,
    /// Wishes that came true, or never will.
    pub(crate) wishes: Vec<(u32, Result<(), Failure>)>,
    /// Invites whose link works now.
    pub(crate) published: Vec<Hash>,
    /// The relay has the lane for the group's records: a community that was founded is there.
    pub(crate) settled_in: bool,
    /// Why the relay made a lane for nobody: about the access key.
    pub(crate) unpaid: Option<Failure>,
    /// The relay's records are others than those known here, from before all that is kept.
    pub(crate) astray: bool,
    /// Something long is on its way: whoever waits for it has reason to.
    pub(crate) goes_on: bool,
    /// How a join ended.
    pub(crate) joined: Option<Result<(), Failure>>,
    /// Rows that are to be read.
    pub(crate) reads: Vec<Key>,
    /// Answers to commands that waited for rows.
    pub(crate) replies: Vec<(u32, Result<Reply, Failure>)>,
    /// Where files are now.
    pub(crate) files: Vec<(FileId, FileState)>,
    /// There are more files here that could be fetched again.
    pub(crate) grew: bool,
}
