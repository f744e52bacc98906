//! The operator's side: asks the relay that runs, or does without one.

use super::{
    ANSWER_BYTES_MAX, AdminError, Answer, Desk, LENGTH_BYTES, Question, Running, RunningTotals,
    SOCKET,
};
use crate::{
    Limits,
    commit::now,
    identity::{self, Identity},
    refusal::Refusal,
    store::{EmbeddedStore, Outcome, Store, Write},
};
use std::{
    io::{self, Read, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    sync::Arc,
};
use zeroize::Zeroizing;

/// Asks the relay of a data directory.
///
/// # Errors
/// [`AdminError`], and then nothing was changed.
pub fn ask(data: &Path, question: Question) -> Result<Answer, AdminError> {
    use io::ErrorKind::{ConnectionRefused, NotFound};
    let answer = match UnixStream::connect(data.join(SOCKET)) {
        Ok(stream) => talk(stream, &question)?,
        // Nobody listens any more, or nobody ever did.
        Err(error) if matches!(error.kind(), ConnectionRefused | NotFound) => {
            open(data)?.answer(question, now())
        }
        Err(error) => return Err(AdminError::Socket(error)),
    };
    match answer {
        Answer::Failed(words) => Err(AdminError::Failed(words)),
        answer => Ok(answer),
    }
}

fn talk(mut stream: UnixStream, question: &Question) -> Result<Answer, AdminError> {
    let bytes = serde_json::to_vec(question).map_err(|_| AdminError::Other)?;
    let length = u32::try_from(bytes.len()).map_err(|_| AdminError::Other)?;
    let mut exchange = || -> io::Result<Zeroizing<Vec<u8>>> {
        stream.write_all(&length.to_le_bytes())?;
        stream.write_all(&bytes)?;
        let mut length = [0; LENGTH_BYTES];
        stream.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if length > ANSWER_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut answer = Zeroizing::new(vec![0; length]);
        stream.read_exact(&mut answer)?;
        Ok(answer)
    };
    let answer = exchange().map_err(AdminError::Socket)?;
    serde_json::from_slice(&answer).map_err(|_| AdminError::Other)
}

/// A relay that does not run.
struct Stopped(Arc<dyn Store>);

impl Running for Stopped {
    fn write(&self, write: Write) -> Outcome {
        let outcomes = self.0.apply(now(), &[write]);
        outcomes
            .ok()
            .and_then(|mut outcomes| outcomes.pop())
            .unwrap_or(Outcome::Refused(Refusal::STORAGE))
    }

    fn is_stopping(&self) -> bool {
        false
    }

    fn totals(&self) -> Option<RunningTotals> {
        None
    }
}

fn open(data: &Path) -> Result<Desk<Stopped>, AdminError> {
    let is_there = |name| data.join(name).exists();
    if !is_there(identity::FILE) && !is_there(identity::BACKUP_FILE) {
        return Err(AdminError::NoRelay(data.to_owned()));
    }
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(data, Limits::default())?);
    let identity = Identity::open(data, now())?.identity;
    Ok(Desk::new(store.clone(), Arc::new(identity), Stopped(store)))
}
