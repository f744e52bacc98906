//! The chain of records: what a slot's record means, judged from public facts alone, so that everybody who reads the
//! lane comes to the same verdict. A record that fails any rule is void: its slot counts, and nothing else changes.

use super::slots::CommitKeys;
use crate::ledger::{self, Effect, Ledger, LedgerError};
use crate::mls::{CommitFacts, Committer};
use crate::proto;
use prost::Message;
use ume_wire::auth::{Hash, hash};

/// Why a record is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Void {
    #[error("malformed")]
    Malformed,
    #[error("made for another place in the chain")]
    Place,
    #[error("its time runs backwards")]
    Time,
    #[error("its statements do not lead to the ledger that it names")]
    Ledger,
    #[error("{0}")]
    Statement(#[from] LedgerError),
    #[error("the committer may not do this")]
    Authority,
}

/// A place in the chain and everything public that follows from the records up to it.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) ledger: Ledger,
    pub(crate) generation: u32,
    pub(crate) keys: CommitKeys,
    /// The last slot that was judged.
    pub(crate) slot: u64,
    /// Hash of the last record that was not void.
    pub(crate) record: Hash,
    /// Its time.
    pub(crate) time_ms: u64,
}

/// A record that holds.
#[derive(Debug)]
pub(crate) struct Judged {
    ledger: Ledger,
    record: Hash,
    time_ms: u64,
    pub(crate) effects: Vec<Effect>,
}

/// A record that is to be proposed for the slot after a place.
pub(crate) struct Proposal {
    pub(crate) slot: u64,
    pub(crate) aad: Vec<u8>,
    statements: Vec<Vec<u8>>,
}

impl Chain {
    /// Reads a record of the next slot; its commit is then to be given to MLS.
    pub(crate) fn read(&self, bytes: &[u8]) -> Result<proto::Record, Void> {
        let record = proto::Record::decode(bytes).map_err(|_| Void::Malformed)?;
        if record.slot != self.slot + 1 || record.generation != self.generation {
            return Err(Void::Place);
        }
        Ok(record)
    }

    /// Judges a record by what its commit does.
    pub(crate) fn judge(
        &self,
        bytes: &[u8],
        record: &proto::Record,
        facts: &CommitFacts,
    ) -> Result<Judged, Void> {
        let context = proto::CommitContext::decode(&facts.aad[..]).map_err(|_| Void::Malformed)?;
        if context.previous != self.record || context.slot != record.slot {
            return Err(Void::Place);
        }
        if context.time_ms < self.time_ms {
            return Err(Void::Time);
        }
        let mut ledger = self.ledger.clone();
        let mut effects = Vec::new();
        for statement in &record.statements {
            effects.push(ledger.apply(statement, context.time_ms)?);
        }
        if context.ledger != ledger.head() {
            return Err(Void::Ledger);
        }
        self.authorise(facts, &effects)?;
        Ok(Judged {
            ledger,
            record: hash(bytes),
            time_ms: context.time_ms,
            effects,
        })
    }

    /// A member may renew its keys and carry invites; a device from outside may come in as the one person that the
    /// record admits, or come back as itself.
    fn authorise(&self, facts: &CommitFacts, effects: &[Effect]) -> Result<(), Void> {
        if !facts.added.is_empty() {
            return Err(Void::Authority);
        }
        match &facts.committer {
            Committer::Member(member) => {
                self.ledger.current(&member.leaf_key)?;
                let quiet = effects
                    .iter()
                    .all(|effect| matches!(effect, Effect::InviteCreated { .. }));
                if facts.removed.is_empty() && quiet {
                    Ok(())
                } else {
                    Err(Void::Authority)
                }
            }
            Committer::External(device) => {
                let cert = ledger::open_cert(&device.identity, &self.ledger.community)?;
                if cert.leaf != device.leaf_key {
                    return Err(Void::Authority);
                }
                match (effects, &facts.removed[..]) {
                    ([Effect::Admitted { persona, leaf }], [])
                        if *persona == cert.persona && *leaf == cert.leaf =>
                    {
                        Ok(())
                    }
                    ([], [old]) if old.leaf_key == cert.leaf => {
                        if *self.ledger.current(&cert.leaf)? == cert.persona {
                            Ok(())
                        } else {
                            Err(Void::Authority)
                        }
                    }
                    _ => Err(Void::Authority),
                }
            }
        }
    }

    /// Goes on past the next slot, with the record that holds there or with none.
    pub(crate) fn advance(&mut self, judged: Option<Judged>) {
        self.slot += 1;
        if let Some(judged) = judged {
            self.ledger = judged.ledger;
            self.record = judged.record;
            self.time_ms = judged.time_ms;
        }
    }

    /// Prepares a record for the next slot.
    pub(crate) fn propose(
        &self,
        statements: Vec<Vec<u8>>,
        now_ms: u64,
    ) -> Result<Proposal, LedgerError> {
        let time_ms = now_ms.max(self.time_ms);
        let mut ledger = self.ledger.clone();
        for statement in &statements {
            ledger.apply(statement, time_ms)?;
        }
        let context = proto::CommitContext {
            previous: self.record.to_vec(),
            slot: self.slot + 1,
            ledger: ledger.head().to_vec(),
            time_ms,
        };
        Ok(Proposal {
            slot: self.slot + 1,
            aad: context.encode_to_vec(),
            statements,
        })
    }

    /// Completes a proposal with the commit that carries it.
    pub(crate) fn record(
        &self,
        proposal: Proposal,
        commit: Vec<u8>,
        group_info: Vec<u8>,
        previous: Option<proto::Certificate>,
    ) -> Vec<u8> {
        let record = proto::Record {
            generation: self.generation,
            slot: proposal.slot,
            statements: proposal.statements,
            commit,
            group_info,
            previous,
        };
        record.encode_to_vec()
    }
}

#[cfg(test)]
mod tests;
