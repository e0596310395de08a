//! Owns the socket of a running worker: who may connect, how long a line may be, how many may ask at once. What is
//! answered is the desk's.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{Answer, Ask, Desk, LONGEST_LINE, SOCKET};
use crate::state::{self, FileId, runtime};

/// Connections at once: a person with a few terminals, and a script or two.
const MOST: usize = 16;

/// A connection that asks nothing for so long is closed.
const IDLE: Duration = Duration::from_secs(10);

/// A listener is tried again so long after it failed, such as for want of file handles.
const PAUSE: Duration = Duration::from_secs(1);

/// A worker looks this often whether its socket is there still.
const LOOK: Duration = Duration::from_secs(2);

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{path}` cannot be listened on ({error}), and nothing else either: {elsewhere}; so `status` does not reach this \
     worker, and `pause` and the like only by way of the state folder"
)]
pub struct SocketError {
    path: String,
    error: std::io::Error,
    elsewhere: String,
}

/// The socket of a worker, removed when dropped.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
    id: Option<FileId>,
}

impl Socket {
    /// Listens in the state folder `folder`, which must be locked for this process: a socket of an earlier one is
    /// removed. Where the folder takes none, it listens where commands look next. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// There is no place that takes one.
    pub fn bind(folder: &Path) -> Result<Self, SocketError> {
        let path = folder.join(SOCKET);
        Self::at(path.clone()).or_else(|error| {
            let place = match runtime::make(folder) {
                Ok(place) => place.join(SOCKET),
                Err(elsewhere) => return Err(SocketError { path: path.display().to_string(), error, elsewhere }),
            };
            let shown = place.display().to_string();
            Self::at(place).map_err(|elsewhere| SocketError {
                path: path.display().to_string(),
                error,
                elsewhere: format!("`{shown}`: {elsewhere}"),
            })
        })
    }

    fn at(path: PathBuf) -> std::io::Result<Self> {
        // There is none to remove but after a crash.
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path)?;
        // The folder is this user's alone already.
        std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        let id = state::file_id(&path);
        Ok(Self { listener, path, id })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Listens anew where somebody removed the socket, or another worker that has ended since.
    fn keep(&mut self, desk: &Desk) {
        if !desk.is_the_one() || state::file_id(&self.path) == self.id {
            return;
        }
        // Its folder may have to be made first: that is seen at the next look.
        if let Ok(new) = Self::at(self.path.clone()) {
            // What is dropped must not remove the new one.
            self.id = None;
            *self = new;
        }
    }

    /// Answers until `stop`.
    pub async fn serve(mut self, desk: Arc<Desk>, stop: CancellationToken) {
        let seats = Arc::new(Semaphore::new(MOST));
        let mut look = tokio::time::interval(LOOK);
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                _ = look.tick() => {
                    self.keep(&desk);
                    continue;
                }
                accepted = self.listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            // One too many is closed at once.
            let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else { continue };
            let (desk, stop) = (Arc::clone(&desk), stop.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    // Whoever has gone meanwhile needs no answer.
                    _ = talk(stream, &desk) => {}
                }
                drop(seat);
            });
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Another worker may listen there by now.
        if self.id.is_some() && state::file_id(&self.path) == self.id {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Answers line by line.
async fn talk(mut stream: UnixStream, desk: &Desk) -> std::io::Result<()> {
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    loop {
        let mut line = String::new();
        let reading = (&mut read).take(LONGEST_LINE);
        tokio::pin!(reading);
        let Ok(read) = tokio::time::timeout(IDLE, reading.read_line(&mut line)).await else { return Ok(()) };
        if read? == 0 {
            return Ok(());
        }
        let whole = line.ends_with('\n');
        let answer = match serde_json::from_str::<Ask>(&line) {
            Ok(ask) => desk.answer(ask).await,
            Err(error) => Answer::Refused(format!(
                "this worker (autoscaler {}) does not understand what was asked: {error}",
                env!("CARGO_PKG_VERSION")
            )),
        };
        let mut text = serde_json::to_string(&answer)?;
        text.push('\n');
        write.write_all(text.as_bytes()).await?;
        if !whole {
            // The rest of a line that was too long would be taken for another one.
            return Ok(());
        }
    }
}
