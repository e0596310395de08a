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

/// Connections at once: a person with a few terminals, and a script or two.
const MOST: usize = 16;

/// A connection that asks nothing for so long is closed.
const IDLE: Duration = Duration::from_secs(10);

/// A listener is tried again so long after it failed, such as for want of file handles.
const PAUSE: Duration = Duration::from_secs(1);

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` cannot be listened on, so `status`, `pause` and the like do not reach this worker: {error}")]
pub struct SocketError {
    path: String,
    error: std::io::Error,
}

/// The socket of a worker, removed when dropped.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Listens in `folder`, which must be locked for this process: a socket of an earlier one is removed. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    /// The folder takes no socket.
    pub fn bind(folder: &Path) -> Result<Self, SocketError> {
        let path = folder.join(SOCKET);
        let bound = || {
            // There is none to remove but after a crash.
            let _ = std::fs::remove_file(&path);
            let listener = UnixListener::bind(&path)?;
            // The folder is this user's alone already.
            std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
            Ok(listener)
        };
        match bound() {
            Ok(listener) => Ok(Self { listener, path }),
            Err(error) => Err(SocketError { path: path.display().to_string(), error }),
        }
    }

    /// Answers until `stop`.
    pub async fn serve(self, desk: Arc<Desk>, stop: CancellationToken) {
        let seats = Arc::new(Semaphore::new(MOST));
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
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
        let _ = std::fs::remove_file(&self.path);
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
