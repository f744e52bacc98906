//! Following a group from outside: with everything that is public and no member's secrets. Who joins does it, and who
//! fell out of the group's keys.

use super::chain::{Chain, Judged};
use crate::mls::{Follower, MlsError, PublicIncoming};
use crate::proto;

/// A place in the chain with the group's public state there.
pub(crate) struct Watch {
    pub(crate) chain: Chain,
    follower: Follower,
    /// `GroupInfo` of the epoch here: what an external commit starts from.
    group_info: Vec<u8>,
}

impl Watch {
    /// Begins at a place with the tree and the `GroupInfo` of its epoch.
    pub(crate) fn new(chain: Chain, tree: &[u8], group_info: Vec<u8>) -> Result<Self, MlsError> {
        Ok(Self {
            chain,
            follower: Follower::new(tree, &group_info)?,
            group_info,
        })
    }

    /// Takes what the next slot holds.
    pub(crate) fn take(&mut self, record: Option<&[u8]>) {
        let judged = record.and_then(|bytes| self.judge(bytes));
        let Some((judged, incoming, group_info)) = judged else {
            self.chain.advance(None);
            return;
        };
        if self.follower.merge(incoming).is_ok() {
            self.group_info = group_info;
            self.chain.advance(Some(judged));
        } else {
            self.chain.advance(None);
        }
    }

    fn judge(&self, bytes: &[u8]) -> Option<(Judged, PublicIncoming, Vec<u8>)> {
        let record: proto::Record = self.chain.read(bytes).ok()?;
        let incoming = self.follower.process(&record.commit).ok()?;
        let judged = self.chain.judge(bytes, &record, &incoming.facts).ok()?;
        Some((judged, incoming, record.group_info))
    }

    /// Whether everybody in the group's tree is a device that the ledger knows.
    pub(crate) fn all_admitted(&self) -> bool {
        let ledger = &self.chain.ledger;
        self.follower
            .members()
            .iter()
            .all(|member| ledger.current(&member.leaf_key).is_ok())
    }

    pub(crate) fn tree(&self) -> Result<Vec<u8>, MlsError> {
        self.follower.tree()
    }

    pub(crate) fn group_info(&self) -> &[u8] {
        &self.group_info
    }
}
