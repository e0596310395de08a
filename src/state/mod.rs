//! Owns what is kept between ticks and between processes: one async trait, [`State`]. It interprets
//! nothing of what it keeps.

mod files;
mod folder;
mod hold;
mod levers_file;
mod lock;
mod memory;
mod open;
mod packed;
mod push;
mod queue;
mod redis;
pub mod runtime;
mod sqlite;
mod trouble;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::function::This;
use crate::levers::Levers;
use crate::pipeline::{Conditions, ControlState, History, Record, Scales};

pub(crate) use files::{FileId, id as file_id};
pub use folder::FolderState;
pub use lock::{Lock, NotLocked};
pub use memory::MemoryState;
pub use open::{Found, Opened, StateArg, find, look, mailbox, open};
pub use push::{Pushed, ScriptKey, push};
pub use redis::{Mailbox, RedisPlace};
pub use sqlite::newest_version;

/// In place of a script: the one that was pushed to the state.
pub const PUSHED: &str = "state:";

/// So many records of one pipeline are packed together.
const TOGETHER: usize = 64;

/// Versions kept of each unit: the one in force, and what it may be rolled back to.
const MOST_GENERATIONS: usize = 10;

/// For how long records are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Older ones are deleted.
    pub age: Duration,
    /// The oldest are deleted while all together take more, in bytes.
    pub bytes: u64,
}

impl Default for Keep {
    /// 30 days, and half a gigabyte.
    fn default() -> Self {
        Self { age: Duration::from_secs(30 * 86_400), bytes: 500_000_000 }
    }
}

/// What is kept of one pipeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// What the controller remembers.
    pub control: ControlState,
    /// What was measured lately. Shared: the tick, the store and `m.past` look at one and the same, and only a
    /// new measurement makes another.
    pub history: Arc<History>,
    /// The conditions that last.
    pub conditions: Conditions,
    /// The latest scales, for "too rapid".
    pub scales: Scales,
    /// Source and unit of what is in the history.
    pub source: Option<String>,
    /// What was measured lately under each name, where the pipeline names its measurements; then `history` and
    /// `source` are empty.
    pub named: BTreeMap<String, Measured>,
    /// What was scaled.
    pub target: Option<String>,
    /// `this` of every stage, by the stage's name ("measure", "decide", "scale", "notify.0" …).
    pub memory: BTreeMap<String, This>,
    /// The tick that is about to scale, as far as it got: kept from before the call to the tick's end, so that
    /// whoever finds it knows of a scale that was interrupted, and why there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<Arc<Record>>,
}

impl Kept {
    /// What was measured lately: under `name`, or by the only measurement, which has none.
    #[must_use]
    pub fn history(&self, name: Option<&str>) -> &Arc<History> {
        static NOTHING: LazyLock<Arc<History>> = LazyLock::new(Arc::default);
        match name {
            None => &self.history,
            Some(name) => self.named.get(name).map_or(&NOTHING, |measured| &measured.history),
        }
    }

    /// The same, to add to it.
    pub fn history_mut(&mut self, name: Option<&Arc<str>>) -> &mut Arc<History> {
        match name {
            None => &mut self.history,
            Some(name) => &mut self.named.entry(name.to_string()).or_default().history,
        }
    }
}

/// What is kept of one of several measurements.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Measured {
    /// What was measured lately.
    pub history: Arc<History>,
    /// Source and unit of it.
    pub source: Option<String>,
}

/// What one tick hands over to be kept.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The pipeline's new state.
    pub kept: Kept,
    /// A scale that is about to be tried: must be safe before the call.
    pub intent: Option<Intent>,
    /// The tick's record, at its end.
    pub record: Option<Arc<Record>>,
}

/// A scale that is about to be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The count it was decided on.
    pub from: u32,
    /// The count asked for.
    pub to: u32,
}

/// Grows with every worker that takes the state over: a commit with an old one is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fence(pub u64);

/// Why something could not be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StateError(pub String);

/// Which records are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Only those of this pipeline; of all where it is not given.
    pub pipeline: Option<Arc<str>>,
    /// Only those of ticks that were due at or after this time.
    pub since: Option<DateTime<Utc>>,
    /// Only those of ticks that were due before this time.
    pub until: Option<DateTime<Utc>>,
    /// Only the newest so many.
    pub newest: Option<usize>,
}

impl Query {
    /// The newest `count` records of `pipeline`.
    #[must_use]
    pub fn newest(pipeline: &str, count: usize) -> Self {
        Self { pipeline: Some(pipeline.into()), newest: Some(count), ..Self::default() }
    }

    /// Whether `record` is asked for, but for the number of them.
    #[must_use]
    pub fn matches(&self, record: &Record) -> bool {
        self.pipeline.as_ref().is_none_or(|name| *name == record.pipeline)
            && self.since.is_none_or(|since| record.at >= since)
            && self.until.is_none_or(|until| record.at < until)
    }
}

/// Puts records in the order of their time, and leaves out what `query` does not ask for by its number.
fn in_order(records: &mut Vec<Arc<Record>>, query: &Query) {
    records.sort_by(|a, b| (a.at, &a.pipeline, a.tick).cmp(&(b.at, &b.pipeline, b.tick)));
    let skipped = query.newest.map_or(0, |newest| records.len().saturating_sub(newest));
    records.drain(..skipped);
}

/// A version of a script that was accepted: enough to run it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptGeneration {
    /// The unit it is a version of: the script's own file name without its ending.
    pub unit: String,
    /// Its number.
    pub id: u64,
    /// When it was accepted.
    pub at: DateTime<Utc>,
    /// SHA-256 over names and texts of its files, in hex.
    pub hash: String,
    /// The git revision that the file was at, where that was found.
    pub revision: Option<String>,
    /// Its files, the script itself first: path relative to the script's folder, and text.
    pub files: Vec<(String, String)>,
    /// Set while it runs in place of what is on disk, since the worker went back to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<InsteadOf>,
}

/// A version that the worker went back from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InsteadOf {
    /// Its number: one that is newer was saved since, and ends this.
    pub id: u64,
    /// Its hash: so long as this is on disk, nobody has saved another one.
    pub hash: String,
    /// Why the worker went back.
    pub why: String,
}

/// Keeps state and records.
#[async_trait]
pub trait State: Send + Sync {
    /// What is kept of `pipeline`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn load(&self, pipeline: &str) -> Result<Option<Kept>, StateError>;

    /// Keeps `batch`; a batch with an intent is safe when this returns.
    ///
    /// # Errors
    /// When the store cannot be written; the worker goes on.
    async fn commit(&self, pipeline: &Arc<str>, fence: Fence, batch: Batch) -> Result<(), StateError>;

    /// The records that `query` asks for, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn records(&self, query: &Query) -> Result<Vec<Arc<Record>>, StateError>;

    /// The levers that are pulled.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn levers(&self) -> Result<Levers, StateError>;

    /// Keeps `levers` in place of those before; safe when this returns.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn keep_levers(&self, levers: &Levers) -> Result<(), StateError>;

    /// The levers, where somebody else changed them since they were read or kept here.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn changed_levers(&self) -> Result<Option<Levers>, StateError> {
        Ok(None)
    }

    /// The accepted versions of `unit`, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn generations(&self, unit: &str) -> Result<Vec<KeptGeneration>, StateError>;

    /// The units of which there are accepted versions.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn units(&self) -> Result<Vec<String>, StateError> {
        Ok(Vec::new())
    }

    /// Keeps an accepted version.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn keep_generation(&self, generation: KeptGeneration) -> Result<(), StateError>;

    /// The scripts that were pushed to this state, newest first.
    ///
    /// # Errors
    /// When they cannot be read.
    async fn pushed(&self) -> Result<Vec<Pushed>, StateError> {
        Ok(Vec::new())
    }

    /// What changes whenever a script is pushed.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn push_mark(&self) -> Result<String, StateError> {
        Ok(String::new())
    }

    /// Waits until everything so far is on the disk.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn flush(&self) -> Result<(), StateError> {
        Ok(())
    }

    /// The fence of this process, with which it commits.
    fn fence(&self) -> Fence {
        Fence::default()
    }

    /// Whether another worker has taken the state over since: then this one scales nothing any more.
    fn is_taken_over(&self) -> bool {
        false
    }

    /// Sees whether this worker is the one of the state still, which nobody may have noticed while nothing was written.
    async fn look_after(&self) {}

    /// What people must know of what happened to the state since the last call.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether this one should wait for the state anew, as another worker has it that will let go of it some day.
    fn must_stand_by(&self) -> bool {
        false
    }

    /// Why nothing can be written at present, and what waits to be.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Whether there is a state that cannot be used: what was is not known, and there may have been a scale.
    fn is_degraded(&self) -> bool {
        false
    }
}
