//! The relay's side of the socket.

use super::{
    ANSWER_BYTES_MAX, Answer, Desk, LENGTH_BYTES, QUESTION_BYTES_MAX, Question, Running, SOCKET,
};
use crate::server::asked;
use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::{Semaphore, watch},
    time,
};
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

/// Questions that are answered at once.
const TALKS_MAX: usize = 8;
/// Time to ask, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause after the system refused a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const ROOT: u32 = 0;

/// A socket that listens; gone from the directory when dropped.
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
    owner: u32,
}

impl Socket {
    /// The store's lock has to be held already: only then is a socket that lies there a dead one.
    pub(crate) fn bind(data: &Path) -> io::Result<Self> {
        let path = data.join(SOCKET);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        // Until this is done others may connect, if the directory lets them; `is_allowed` turns them away.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        let owner = fs::symlink_metadata(&path)?.uid();
        Ok(Self {
            listener,
            path,
            owner,
        })
    }

    /// Answers until the relay stops.
    pub(crate) async fn serve<R: Running + 'static>(
        self,
        desk: Arc<Desk<R>>,
        mut stopped: watch::Receiver<bool>,
    ) {
        let places = Arc::new(Semaphore::new(TALKS_MAX));
        let at_work = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = asked(&mut stopped) => {
                    // What takes long is given up now, and cleans up behind itself.
                    at_work.close();
                    at_work.wait().await;
                    return;
                }
                accepted = async {
                    let place = places.clone().acquire_owned().await;
                    (place, self.listener.accept().await)
                } => accepted,
            };
            let (Ok(place), Ok((stream, _))) = accepted else {
                time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            if !self.is_allowed(&stream) {
                continue;
            }
            let (desk, at_work) = (desk.clone(), at_work.clone());
            tokio::spawn(async move {
                // Whoever asked and went away needs no answer.
                let _ = talk(stream, desk, &at_work).await;
                drop(place);
            });
        }
    }

    fn is_allowed(&self, stream: &UnixStream) -> bool {
        stream
            .peer_cred()
            .is_ok_and(|peer| peer.uid() == self.owner || peer.uid() == ROOT)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

async fn talk<R: Running + 'static>(
    mut stream: UnixStream,
    desk: Arc<Desk<R>>,
    at_work: &TaskTracker,
) -> io::Result<()> {
    let question = time::timeout(PATIENCE, read(&mut stream)).await??;
    let answered = answer(stream, &question, desk);
    at_work.track_future(answered).await
}

async fn answer<R: Running + 'static>(
    mut stream: UnixStream,
    question: &[u8],
    desk: Arc<Desk<R>>,
) -> io::Result<()> {
    let answer = match serde_json::from_slice::<Question>(question) {
        Ok(question) => {
            let job = move || desk.answer(question, crate::commit::now());
            tokio::task::spawn_blocking(job).await?
        }
        Err(error) => Answer::Failed(format!("this version does not know the question: {error}")),
    };
    let mut bytes = Zeroizing::new(serde_json::to_vec(&answer)?);
    if bytes.len() > ANSWER_BYTES_MAX {
        let failed = Answer::Failed("the answer is too long".to_owned());
        bytes = Zeroizing::new(serde_json::to_vec(&failed)?);
    }
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    time::timeout(PATIENCE, async {
        stream.write_all(&length.to_le_bytes()).await?;
        stream.write_all(&bytes).await?;
        stream.shutdown().await
    })
    .await?
}

async fn read(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut length = [0; LENGTH_BYTES];
    stream.read_exact(&mut length).await?;
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > QUESTION_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut question = vec![0; length];
    stream.read_exact(&mut question).await?;
    Ok(question)
}
