//! Owns asking a running worker. Whether there is one, and what to do where there is none, is the commands'.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::{Answer, Ask, LONGEST_LINE, SOCKET};
use crate::state::{Mailbox, runtime};

/// A worker that loads and tests a script of many pipelines takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A worker that lives says so within this time, whatever else it does.
const ALIVE: Duration = Duration::from_millis(2500);

/// A worker that is asked through Redis answers within this time: what takes long is not asked so.
const MAIL: Duration = Duration::from_secs(10);

/// Why nobody answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// No worker listens there.
    #[error("no worker runs")]
    NoWorker,
    /// One is there, and says nothing.
    #[error("{0}")]
    Silent(String),
    /// One may, but it cannot be talked to.
    #[error("the worker cannot be asked: {0}")]
    Failed(String),
}

/// Where a worker is found.
pub enum Place {
    /// Its state is in this folder.
    Folder(PathBuf),
    /// Its state is in a Redis.
    Redis(Box<Mailbox>),
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
    let mut places = vec![Ok(folder.to_owned())];
    places.extend(runtime::find(folder));
    let mut nobody = NoAnswer::NoWorker;
    for place in places {
        let place = match place {
            Ok(place) => place,
            Err(why) => {
                nobody = NoAnswer::Failed(why);
                continue;
            }
        };
        match UnixStream::connect(place.join(SOCKET)).await {
            Ok(stream) => return Line::new(stream).ask(ask).await,
            Err(error) => match error.kind() {
                // The last one: a path that no socket can have.
                ErrorKind::NotFound
                | ErrorKind::ConnectionRefused
                | ErrorKind::NotADirectory
                | ErrorKind::InvalidInput => {}
                // Too many wait already.
                ErrorKind::WouldBlock => nobody = NoAnswer::Silent("the worker does not answer".into()),
                _ => nobody = NoAnswer::Failed(error.to_string()),
            },
        }
    }
    Err(nobody)
}

/// A connection to a worker.
struct Line {
    stream: BufReader<UnixStream>,
    /// The worker's process, as the system knows it.
    process: Option<i32>,
}

impl Line {
    fn new(stream: UnixStream) -> Self {
        let process = stream.peer_cred().ok().and_then(|worker| worker.pid());
        Self { stream: BufReader::new(stream), process }
    }

    /// Asks, of a worker that is seen to live.
    async fn ask(mut self, ask: &Ask) -> Result<Answer, NoAnswer> {
        let failed = |error: std::io::Error| NoAnswer::Failed(error.to_string());
        let Ok(alive) = tokio::time::timeout(ALIVE, self.talk(&Ask::Health)).await else {
            return Err(NoAnswer::Silent(self.silent()));
        };
        let alive = alive.map_err(failed)?;
        if *ask == Ask::Health {
            return Ok(alive);
        }
        match tokio::time::timeout(PATIENCE, self.talk(ask)).await {
            Ok(answer) => answer.map_err(failed),
            Err(_) => Err(NoAnswer::Failed(format!("no answer within {} s", PATIENCE.as_secs()))),
        }
    }

    async fn talk(&mut self, ask: &Ask) -> std::io::Result<Answer> {
        let mut line = serde_json::to_string(ask)?;
        line.push('\n');
        self.stream.write_all(line.as_bytes()).await?;
        let mut answer = String::new();
        (&mut self.stream).take(LONGEST_LINE).read_line(&mut answer).await?;
        if answer.is_empty() {
            return Err(std::io::Error::new(ErrorKind::UnexpectedEof, "it ended the connection"));
        }
        Ok(serde_json::from_str(&answer)?)
    }

    /// What is known of a worker that says nothing.
    fn silent(&self) -> String {
        let Some(process) = self.process else { return "the worker does not answer".into() };
        let state = std::fs::read_to_string(format!("/proc/{process}/stat")).ok();
        // The name in parentheses may hold anything.
        let stopped = state.is_some_and(|stat| {
            stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with(['T', 't']))
        });
        let why =
            if stopped { format!(": it was stopped, and `kill -CONT {process}` lets it go on") } else { String::new() };
        format!("the worker (process {process}) does not answer{why}")
    }
}
