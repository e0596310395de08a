//! Owns a state folder in use: the store in it, or memory where the store cannot be had, and the levers beside it,
//! which no damage of the store can take away.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use super::files;
use super::hold::Hold;
use super::levers_file::LeversFile;
use super::lock::Lock;
use super::push::PushedFile;
use super::sqlite::{self, Database};
use super::{Batch, Fence, Keep, Kept, KeptGeneration, MemoryState, Pushed, Query, State, StateError};
use crate::levers::Levers;
use crate::pipeline::Record;

/// The store of records and memory.
const STORE: &str = "state.db";

/// The state of a folder.
pub struct FolderState {
    levers: LeversFile,
    pushed: PushedFile,
    store: Store,
    /// Held as long as this process writes.
    hold: Option<Arc<Hold>>,
    /// Why the store cannot be used.
    unusable: Option<String>,
}

enum Store {
    /// This process writes it.
    Ours(Database),
    /// Another one may.
    Read(PathBuf),
    /// It cannot be used: what there is ends with the process.
    Memory(Box<MemoryState>),
}

impl FolderState {
    /// Opens `folder`, which `lock` says is ours, for writing.
    ///
    /// # Errors
    /// A store that is damaged, newer or unwritable, which stays as it is: see [`FolderState::degraded`].
    pub fn open(folder: &Path, lock: Lock, keep: Keep) -> Result<Self, (StateError, Lock)> {
        files::clear_halves(folder);
        for name in [STORE, super::levers_file::NAME, super::push::NAME] {
            files::keep_private(&folder.join(name));
        }
        let hold = Arc::new(Hold::new(folder, lock));
        match Database::open(&folder.join(STORE), keep, &hold) {
            Ok(database) => Ok(Self::with(folder, Store::Ours(database), Some(hold))),
            Err(error) => {
                let hold = Arc::into_inner(hold).expect("a store that is not open has it no more");
                Err((error, hold.into_lock()))
            }
        }
    }

    /// `folder` without its store, which cannot be used because of `why`: levers are kept, the rest ends with the
    /// process. `lock` is that of the folder `locked`.
    #[must_use]
    pub fn degraded(folder: &Path, lock: Option<(PathBuf, Lock)>, why: &str) -> Self {
        let hold = lock.map(|(locked, lock)| Arc::new(Hold::new(&locked, lock)));
        let degraded = Self::with(folder, Store::Memory(Box::default()), hold);
        Self { unusable: Some(why.to_owned()), ..degraded }
    }

    /// The levers of `folder`, and nothing else of it.
    #[must_use]
    pub fn only_levers(folder: &Path) -> Self {
        Self::with(folder, Store::Memory(Box::default()), None)
    }

    /// Opens `folder` for reading; levers can be kept all the same.
    ///
    /// # Errors
    /// No store there, or one that cannot be read.
    pub fn read(folder: &Path) -> Result<Self, StateError> {
        let file = folder.join(STORE);
        sqlite::look(&file)?;
        Ok(Self::with(folder, Store::Read(file), None))
    }

    fn with(folder: &Path, store: Store, hold: Option<Arc<Hold>>) -> Self {
        Self { levers: LeversFile::new(folder), pushed: PushedFile::new(folder), store, hold, unusable: None }
    }

    /// Sees whether this is the worker of the folder still, off the threads that tick.
    async fn still_ours(&self) -> Result<(), StateError> {
        let Some(hold) = self.hold.clone() else { return Ok(()) };
        let checked = tokio::task::spawn_blocking(move || hold.check()).await;
        checked.unwrap_or_else(|error| Err(StateError(format!("looking at the lock broke down: {error}"))))
    }
}

fn only_read() -> StateError {
    StateError("the state of another process is only read".into())
}

#[async_trait]
impl State for FolderState {
    async fn load(&self, pipeline: &str) -> Result<Option<Kept>, StateError> {
        match &self.store {
            Store::Ours(database) => database.load(pipeline).await,
            Store::Read(file) => sqlite::kept(file, pipeline).await,
            Store::Memory(memory) => memory.load(pipeline).await,
        }
    }

    async fn commit(&self, pipeline: &Arc<str>, fence: Fence, batch: Batch) -> Result<(), StateError> {
        match &self.store {
            Store::Ours(database) => database.commit(pipeline, fence, batch).await,
            Store::Read(_) => Err(only_read()),
            Store::Memory(memory) => {
                if batch.intent.is_some() {
                    self.still_ours().await?;
                }
                memory.commit(pipeline, fence, batch).await
            }
        }
    }

    async fn records(&self, query: &Query) -> Result<Vec<Arc<Record>>, StateError> {
        match &self.store {
            Store::Ours(database) => database.records(query).await,
            Store::Read(file) => sqlite::records(file, query).await,
            Store::Memory(memory) => memory.records(query).await,
        }
    }

    async fn levers(&self) -> Result<Levers, StateError> {
        self.levers.read()
    }

    async fn keep_levers(&self, levers: &Levers) -> Result<(), StateError> {
        self.levers.write(levers)
    }

    async fn changed_levers(&self) -> Result<Option<Levers>, StateError> {
        self.levers.changed()
    }

    async fn generations(&self, unit: &str) -> Result<Vec<KeptGeneration>, StateError> {
        match &self.store {
            Store::Ours(database) => database.generations(unit).await,
            Store::Read(file) => sqlite::generations(file, unit).await,
            Store::Memory(memory) => memory.generations(unit).await,
        }
    }

    async fn units(&self) -> Result<Vec<String>, StateError> {
        match &self.store {
            Store::Ours(database) => database.units().await,
            Store::Read(file) => sqlite::units(file).await,
            Store::Memory(memory) => memory.units().await,
        }
    }

    async fn keep_generation(&self, generation: KeptGeneration) -> Result<(), StateError> {
        match &self.store {
            Store::Ours(database) => database.keep_generation(generation).await,
            Store::Read(_) => Err(only_read()),
            Store::Memory(memory) => memory.keep_generation(generation).await,
        }
    }

    async fn pushed(&self) -> Result<Vec<Pushed>, StateError> {
        self.pushed.read()
    }

    async fn push_mark(&self) -> Result<String, StateError> {
        Ok(self.pushed.mark())
    }

    async fn flush(&self) -> Result<(), StateError> {
        match &self.store {
            Store::Ours(database) => database.written(true).await,
            Store::Read(_) | Store::Memory(_) => Ok(()),
        }
    }

    fn fence(&self) -> Fence {
        match &self.store {
            Store::Ours(database) => database.fence(),
            Store::Read(_) | Store::Memory(_) => Fence::default(),
        }
    }

    fn is_taken_over(&self) -> bool {
        self.must_stand_by() || matches!(&self.store, Store::Ours(database) if database.is_taken_over())
    }

    async fn look_after(&self) {
        // What came of it is asked for by itself.
        let _ = self.still_ours().await;
    }

    fn must_stand_by(&self) -> bool {
        self.hold.as_ref().is_some_and(|hold| hold.is_lost())
    }

    fn notices(&self) -> Vec<String> {
        self.hold.as_ref().map_or_else(Vec::new, |hold| hold.notices())
    }

    fn trouble(&self) -> Option<String> {
        match &self.store {
            Store::Ours(database) => database.trouble(),
            _ => self.unusable.clone(),
        }
    }

    fn is_degraded(&self) -> bool {
        match &self.store {
            // What a crash would forget now must be no scale-in.
            Store::Ours(database) => database.is_troubled(),
            Store::Memory(_) => true,
            Store::Read(_) => false,
        }
    }
}
