//! Owns the one thread that writes: it batches, packs and forgets, and while the disk takes nothing it holds what
//! came and tries again. It ends no worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};

use super::super::hold::Hold;
use super::super::queue::{Queue, Work};
use super::super::trouble::{TAKEN_OVER, Trouble, taken_over};
use super::super::{Fence, Keep, StateError};
use super::renew::Place;
use super::schema;
use super::write::{self, Known, Refusal};

/// A disk that takes nothing is tried again this often.
const RETRY: Duration = Duration::from_secs(1);

/// Old records are deleted this often.
const FORGET: Duration = Duration::from_secs(600);

pub(super) struct Writer {
    pub(super) store: Place,
    pub(super) fence: Fence,
    pub(super) queue: Arc<Queue>,
    pub(super) keep: Keep,
    /// Set when another worker has taken the store over.
    pub(super) taken_over: Arc<AtomicBool>,
    pub(super) hold: Arc<Hold>,
    /// Whether there was no room when it was opened, and none since.
    pub(super) short: bool,
}

impl Writer {
    /// Writes until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let mut known = Known::default();
        let mut trouble = Trouble::default();
        let mut forget_at = Instant::now();
        while let Some(mut work) = self.queue.take(forget_at.saturating_duration_since(Instant::now())) {
            if !work.is_empty() {
                let written = self.write(&work, &mut known);
                let standing = written.clone().and_then(|()| self.room());
                self.queue.note(&standing);
                let waiters = work.waiters();
                match &written {
                    Ok(()) => {
                        trouble.is_over(work.lost);
                        waiters.tell(&written);
                    }
                    Err(_) if self.taken_over.load(Ordering::Acquire) => waiters.tell(&written),
                    Err(error) => {
                        trouble.begins(error);
                        if self.queue.is_closed() {
                            tracing::error!("{} records are lost: they could not be written", work.records.len());
                        } else {
                            self.queue.take_back(work, RETRY);
                        }
                        waiters.tell(&written);
                        continue;
                    }
                }
                if let Err(error) = write::pack(self.store.connection(), &mut known) {
                    // They are there, only larger: tried again with the next ones.
                    tracing::debug!("records could not be packed: {error}");
                    known.forget();
                }
            }
            if Instant::now() >= forget_at && !self.taken_over.load(Ordering::Acquire) {
                self.forget();
                forget_at = Instant::now() + FORGET;
            }
        }
    }

    fn write(&mut self, work: &Work, known: &mut Known) -> Result<(), StateError> {
        if self.taken_over.load(Ordering::Acquire) {
            return Err(taken_over());
        }
        if let Err(error) = self.hold.check() {
            if self.hold.is_lost() {
                // It is another one's, or no more: nothing there is to be touched.
                self.store.leave();
                self.taken_over.store(true, Ordering::Release);
            }
            return Err(error);
        }
        if let Some(told) = self.store.renew()? {
            known.forget();
            self.hold.note(told);
        }
        let written = self
            .synchronous(work.safe)
            .map_err(Refusal::from)
            .and_then(|()| write::work(self.store.connection(), self.fence, work, known));
        written.map_err(|refusal| {
            known.forget();
            match refusal {
                Refusal::Store(error) => schema::said(&error),
                Refusal::TakenOver => {
                    self.taken_over.store(true, Ordering::Release);
                    tracing::error!("{TAKEN_OVER}: this one scales nothing any more");
                    taken_over()
                }
            }
        })
    }

    /// Whether there is room again, where there was none: little may still be written where a tick's worth may not.
    fn room(&mut self) -> Result<(), StateError> {
        if self.short {
            schema::has_room(self.store.connection())?;
            self.short = false;
        }
        Ok(())
    }

    /// Whether a commit waits for the disk itself, which is what makes it outlive a power failure; a killed
    /// process loses nothing either way.
    fn synchronous(&mut self, full: bool) -> rusqlite::Result<()> {
        self.store.connection().pragma_update(None, "synchronous", if full { "FULL" } else { "NORMAL" })
    }

    fn forget(&mut self) {
        let age = TimeDelta::from_std(self.keep.age).unwrap_or(TimeDelta::MAX);
        let oldest = Utc::now().checked_sub_signed(age).unwrap_or_default();
        if let Err(error) = write::forget(self.store.connection(), oldest, self.keep.bytes) {
            tracing::debug!("old records could not be deleted: {error}");
        }
    }
}
