//! Owns asking a running worker. Whether there is one, and what to do where there is none, is the commands'.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::{Answer, Ask, LONGEST_LINE, SOCKET};
use crate::state::Mailbox;

/// A worker that loads and tests a script of many pipelines takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A worker that is asked through Redis answers within this time: what takes long is not asked so.
const MAIL: Duration = Duration::from_secs(10);

/// Why nobody answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// No worker listens there.
    #[error("no worker runs")]
    NoWorker,
    /// One may, but it cannot be talked to.
    #[error("the worker cannot be asked: {0}")]
    Failed(String),
}

/// Where a worker is found.
pub enum Place {
    /// Its state is in this folder.
    Folder(PathBuf),
    /// Its state is in a Redis.
    Redis(Mailbox),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "`{}`", folder.display()),
            Self::Redis(mailbox) => write!(f, "{mailbox}"),
        }
    }
}

impl Place {
    /// Asks the worker.
    ///
    /// # Errors
    /// Nobody answered.
    pub async fn ask(&self, question: &Ask) -> Result<Answer, NoAnswer> {
        match self {
            Self::Folder(folder) => ask(folder, question).await,
            Self::Redis(mailbox) => mail(mailbox, question).await,
        }
    }
}

async fn mail(mailbox: &Mailbox, question: &Ask) -> Result<Answer, NoAnswer> {
    if !mailbox.has_worker().await.map_err(NoAnswer::Failed)? {
        return Err(NoAnswer::NoWorker);
    }
    let failed = |error: serde_json::Error| NoAnswer::Failed(error.to_string());
    let question = serde_json::to_string(question).map_err(failed)?;
    match mailbox.ask(&question, MAIL).await.map_err(NoAnswer::Failed)? {
        Some(answer) => serde_json::from_str(&answer).map_err(failed),
        None => Err(NoAnswer::Failed(format!("no answer from {mailbox} within {} s", MAIL.as_secs()))),
    }
}

/// Asks the worker whose state is in `folder`.
///
/// # Errors
/// Nobody answered.
pub async fn ask(folder: &Path, ask: &Ask) -> Result<Answer, NoAnswer> {
    let stream = UnixStream::connect(folder.join(SOCKET)).await.map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => NoAnswer::NoWorker,
        _ => NoAnswer::Failed(error.to_string()),
    })?;
    match tokio::time::timeout(PATIENCE, talk(stream, ask)).await {
        Ok(answer) => answer.map_err(|error| NoAnswer::Failed(error.to_string())),
        Err(_) => Err(NoAnswer::Failed(format!("no answer within {} s", PATIENCE.as_secs()))),
    }
}

async fn talk(mut stream: UnixStream, ask: &Ask) -> std::io::Result<Answer> {
    let mut line = serde_json::to_string(ask)?;
    line.push('\n');
    stream.write_all(line.as_bytes()).await?;
    let mut answer = String::new();
    BufReader::new(stream.take(LONGEST_LINE)).read_line(&mut answer).await?;
    if answer.is_empty() {
        return Err(std::io::Error::new(ErrorKind::UnexpectedEof, "it ended the connection"));
    }
    Ok(serde_json::from_str(&answer)?)
}
