//! Does what is asked.

use super::{Answer, KeyLine, Question, RunningTotals, Terms, Totals};
use crate::{
    access::{self, Accounts, is_good, was_written},
    identity::Identity,
    store::{Outcome, Store, Write},
};
use std::{io, path::Path, sync::Arc};

/// What a relay that runs adds to what lies in the store.
pub(crate) trait Running: Send + Sync {
    /// Writes, and returns once it is durable.
    fn write(&self, write: Write) -> Outcome;
    /// Whether it was asked to stop, and what takes long has to be given up.
    fn is_stopping(&self) -> bool;
    /// Numbers of the moment; none if nothing runs.
    fn totals(&self) -> Option<RunningTotals>;
}

/// Does what operators ask.
pub(crate) struct Desk<R> {
    store: Arc<dyn Store>,
    identity: Arc<Identity>,
    running: R,
}

impl<R: Running> Desk<R> {
    pub(crate) fn new(store: Arc<dyn Store>, identity: Arc<Identity>, running: R) -> Self {
        Self {
            store,
            identity,
            running,
        }
    }

    /// May take long, and blocks.
    pub(crate) fn answer(&self, question: Question, now: u64) -> Answer {
        self.try_answer(question, now)
            .unwrap_or_else(|error| Answer::Failed(error.to_string()))
    }

    fn try_answer(
        &self,
        question: Question,
        now: u64,
    ) -> Result<Answer, Box<dyn std::error::Error>> {
        let accounts = || Accounts::of(&*self.store);
        match question {
            Question::Issue { name, terms } => {
                let (text, write) = accounts()?.issue(&name, terms.into(), now)?;
                self.write([write])?;
                return Ok(Answer::Key(text));
            }
            Question::Set { name, terms } => self.write([accounts()?.set(&name, terms.into())?])?,
            Question::Revoke { name, delete } => self.write(accounts()?.revoke(&name, delete)?)?,
            Question::List => {
                return Ok(Answer::Keys(accounts()?.iter().map(key_line).collect()));
            }
            Question::Stats => return Ok(Answer::Totals(self.totals(now)?)),
            Question::Backup { to } => self.backup(&to)?,
            Question::Gc => self.store.gc(now, &|| self.running.is_stopping())?,
        }
        Ok(Answer::Done)
    }

    fn write(&self, writes: impl IntoIterator<Item = Write>) -> io::Result<()> {
        for write in writes {
            if !was_written(&self.running.write(write)) {
                return Err(io::Error::other("the store cannot be written"));
            }
        }
        Ok(())
    }

    fn totals(&self, now: u64) -> Result<Totals, crate::StoreError> {
        let stats = self.store.stats()?;
        let accounts = Accounts::of(&*self.store)?;
        let good = accounts
            .iter()
            .filter(|(_, account, _)| is_good(account, now));
        Ok(Totals {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            running: self.running.totals(),
            lanes: stats.lanes,
            cells: stats.cells,
            bytes: stats.bytes,
            segments: stats.segments,
            disk_bytes: stats.disk_bytes,
            free_bytes: stats.free_bytes,
            damaged: stats.damaged,
            access_keys: good.count() as u64,
        })
    }

    fn backup(&self, to: &Path) -> Result<(), Box<dyn std::error::Error>> {
        if !to.is_absolute() {
            return Err("a backup needs an absolute path".into());
        }
        make_private(to)?;
        self.store.backup(to, &|| self.running.is_stopping())?;
        // The key comes last: without it a backup is not whole, and nobody takes it for one.
        self.identity.write_backup(to)?;
        Ok(())
    }
}

/// A directory that only this user may look into, which may be there already if it is empty.
pub(super) fn make_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    if std::fs::read_dir(directory)?.next().is_some() {
        let words = format!("{} is not empty", directory.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, words));
    }
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700))
}

fn key_line(
    (_, account, usage): &(
        crate::store::AccountId,
        crate::store::Account,
        crate::store::Usage,
    ),
) -> KeyLine {
    KeyLine {
        name: account.name.clone(),
        bytes: usage.bytes,
        bytes_max: account.bytes_max,
        lanes: usage.lanes,
        lanes_max: account.lanes_max,
        made_ms: account.made,
        until_ms: account.until,
        revoked: account.revoked,
    }
}

impl From<Terms> for access::Terms {
    fn from(terms: Terms) -> Self {
        Self {
            bytes: terms.bytes,
            lanes: terms.lanes,
            until: terms.until_ms,
        }
    }
}
