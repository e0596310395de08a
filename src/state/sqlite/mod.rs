//! Owns the store in a file: SQLite, written by one thread and read by whoever asks, also while it is written.
//! It decides nothing about where the file is, nor who may write it ([`super::open`] does).

mod read;
mod renew;
mod schema;
mod write;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use writer::Writer;

use super::hold::Hold;
use super::queue::Queue;
use super::trouble::taken_over;
use super::{Batch, Fence, Keep, Kept, KeptGeneration, Query, StateError};
use crate::pipeline::Record;

pub use schema::newest_version;

/// A file that this process writes.
pub(super) struct Database {
    file: PathBuf,
    fence: Fence,
    queue: Arc<Queue>,
    taken_over: Arc<AtomicBool>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Database {
    /// Opens `file`, takes it over from whoever had it, and starts the thread that writes.
    ///
    /// # Errors
    /// A file that is damaged, foreign, newer or unwritable: it stays as it is.
    pub(super) fn open(file: &Path, keep: Keep, hold: &Arc<Hold>) -> Result<Self, StateError> {
        let connection = schema::open_to_write(file)?;
        let fence = schema::next_fence(&connection).map_err(|error| schema::unwritable(file, &error))?;
        let (queue, taken_over) = (Arc::new(Queue::default()), Arc::new(AtomicBool::new(false)));
        // A full disk may have kept the worker before from writing what it did last: that must be known from the start.
        let room = schema::has_room(&connection);
        queue.note(&room);
        let store = renew::Place::new(file, connection);
        let writer = Writer {
            store,
            fence,
            queue: Arc::clone(&queue),
            keep,
            taken_over: Arc::clone(&taken_over),
            hold: Arc::clone(hold),
            short: room.is_err(),
        };
        let thread = std::thread::Builder::new().name("state".into()).spawn(move || writer.run());
        let thread = thread.map_err(|error| StateError(format!("no thread can be started: {error}")))?;
        Ok(Self { file: file.to_owned(), fence, queue, taken_over, writer: Mutex::new(Some(thread)) })
    }

    pub(super) fn fence(&self) -> Fence {
        self.fence
    }

    /// Why nothing is written, while that is so.
    pub(super) fn trouble(&self) -> Option<String> {
        self.queue.trouble()
    }

    /// Whether the last write failed.
    pub(super) fn is_troubled(&self) -> bool {
        self.queue.is_troubled()
    }

    pub(super) fn is_taken_over(&self) -> bool {
        self.taken_over.load(Ordering::Acquire)
    }

    pub(super) async fn load(&self, pipeline: &str) -> Result<Option<Kept>, StateError> {
        // What cannot be written is still what is kept.
        let _ = self.written(false).await;
        if let Some(kept) = self.queue.kept(pipeline) {
            return Ok(Some(kept));
        }
        kept(&self.file, pipeline).await
    }

    pub(super) async fn commit(&self, pipeline: &Arc<str>, fence: Fence, batch: Batch) -> Result<(), StateError> {
        if fence < self.fence || self.is_taken_over() {
            return Err(taken_over());
        }
        let must_be_safe = batch.intent.is_some();
        self.queue.add(pipeline, batch);
        if must_be_safe { self.written(true).await } else { Ok(()) }
    }

    pub(super) async fn records(&self, query: &Query) -> Result<Vec<Arc<Record>>, StateError> {
        let unwritten = self.written(false).await.is_err();
        let mut found = records(&self.file, query).await?;
        if unwritten {
            found.extend(self.queue.records().into_iter().filter(|record| query.matches(record)));
            super::in_order(&mut found, query);
        }
        Ok(found)
    }

    pub(super) async fn generations(&self, unit: &str) -> Result<Vec<KeptGeneration>, StateError> {
        let unwritten = self.written(false).await.is_err();
        let mut found = if unwritten { self.queue.generations(unit) } else { Vec::new() };
        found.extend(generations(&self.file, unit).await?);
        Ok(found)
    }

    pub(super) async fn units(&self) -> Result<Vec<String>, StateError> {
        self.written(false).await?;
        units(&self.file).await
    }

    pub(super) async fn keep_generation(&self, generation: KeptGeneration) -> Result<(), StateError> {
        if self.is_taken_over() {
            return Err(taken_over());
        }
        self.queue.add_generation(generation);
        self.written(true).await
    }

    /// Waits until everything so far is written; where `safe`, until the disk itself has it.
    pub(super) async fn written(&self, safe: bool) -> Result<(), StateError> {
        let told = self.queue.written(safe);
        told.await.unwrap_or_else(|_| Err(StateError("the thread that writes has ended".into())))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.queue.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            let _ = writer.join();
        }
    }
}

/// What is kept of `pipeline` in `file`.
pub(super) async fn kept(file: &Path, pipeline: &str) -> Result<Option<Kept>, StateError> {
    let pipeline = pipeline.to_owned();
    aside(file, move |file| read::kept(file, &pipeline)).await
}

/// The records of `file` that `query` asks for, oldest first.
pub(super) async fn records(file: &Path, query: &Query) -> Result<Vec<Arc<Record>>, StateError> {
    let query = query.clone();
    aside(file, move |file| read::records(file, &query)).await
}

/// The accepted versions of `unit` in `file`, newest first.
pub(super) async fn generations(file: &Path, unit: &str) -> Result<Vec<KeptGeneration>, StateError> {
    let unit = unit.to_owned();
    aside(file, move |file| read::generations(file, &unit)).await
}

/// The units of which `file` has accepted versions.
pub(super) async fn units(file: &Path) -> Result<Vec<String>, StateError> {
    aside(file, read::units).await
}

/// Whether `file` can be read, with everything that a pipeline needs at its start.
///
/// # Errors
/// Why not, and what to do.
pub(super) fn look(file: &Path) -> Result<(), StateError> {
    schema::look(file).map_err(|error| schema::unreadable(file, &error))
}

/// Reading is done off the threads that tick. What goes wrong names the file.
async fn aside<T: Send + 'static>(
    file: &Path,
    read: impl FnOnce(&Path) -> Result<T, StateError> + Send + 'static,
) -> Result<T, StateError> {
    let file = file.to_owned();
    let read = move || read(&file).map_err(|error| schema::unreadable(&file, &error));
    let done = tokio::task::spawn_blocking(read).await;
    done.unwrap_or_else(|error| Err(StateError(format!("reading broke down: {error}"))))
}
