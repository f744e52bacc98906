//! Where the ledger's statements lie: a row each. A ledger grows by one statement at a time and is hardly ever cut, so
//! that nearly always one row is written.

use super::{Community, Ctx};
use crate::io::Table;
use crate::ledger::Ledger;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of statements begin so; the statement's number from 0 follows.
const STATEMENT: &[u8] = b"statement";

/// The statements in a community's rows, up to the first that is missing.
pub(super) fn stored(rows: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<Arc<[u8]>> {
    let found = (0..u32::MAX).map_while(|number| rows.get(&key(number)));
    found.map(|row| row[..].into()).collect()
}

fn key(number: u32) -> Vec<u8> {
    [STATEMENT, &number.to_be_bytes()].concat()
}

impl Community {
    /// The ledger as far as it is known: where this device follows from outside, it may be ahead of the group's.
    pub(super) fn ledger_ahead(&self) -> &Ledger {
        let watched = self.watch.as_ref().map(|watch| &watch.chain.ledger);
        watched.unwrap_or(&self.chain.ledger)
    }

    /// Writes the statements that are not in the store yet, and erases those that another relay's ledger does not have.
    /// After a restart this device may know fewer than it had stored, and comes to know the same ones again.
    pub(super) fn put_statements(&mut self, ctx: &mut Ctx<'_>) {
        let now = self.ledger_ahead().statements().to_vec();
        let is_same =
            |(one, other): &(&Arc<[u8]>, &Arc<[u8]>)| Arc::ptr_eq(one, other) || one == other;
        let same = now.iter().zip(&self.said).take_while(is_same).count();
        if same == now.len() {
            return;
        }
        let new = now[same..].iter().map(|one| Some(one.to_vec()));
        let old = (now.len()..self.said.len()).map(|_| None);
        let first = u32::try_from(same).unwrap_or(u32::MAX);
        for (number, row) in (first..).zip(new.chain(old)) {
            self.put_raw(ctx, Table::Community, &key(number), row);
        }
        self.said = now;
    }

    /// Erases them all.
    pub(super) fn erase_statements(&mut self, ctx: &mut Ctx<'_>) {
        let count = u32::try_from(self.said.len()).unwrap_or(u32::MAX);
        for number in 0..count {
            self.erase_row(ctx, Table::Community, &key(number));
        }
        self.said = vec![];
    }
}
