//! Owns what waits to be written: of each pipeline the newest state, and the records of all. It is bounded: while
//! the store takes nothing the oldest records go, and no tick ever waits for room.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Batch, Kept, KeptGeneration, StateError};
use crate::pipeline::Record;

/// What waits is written this long after the first of it came …
const LONGEST: Duration = Duration::from_millis(200);

/// … or when there are so many records.
const MOST: usize = 500;

/// Records that are held while they cannot be written: 10 to 20 MB.
const MOST_HELD: usize = 10_000;

/// What is written in one go.
#[derive(Default)]
pub(super) struct Work {
    /// The newest state of each pipeline.
    pub(super) kept: HashMap<Arc<str>, Kept>,
    /// Oldest first.
    pub(super) records: VecDeque<Arc<Record>>,
    /// Oldest first.
    pub(super) generations: Vec<KeptGeneration>,
    /// Records that found no room.
    pub(super) lost: u64,
    /// Who waits for it.
    waiters: Vec<oneshot::Sender<Result<(), StateError>>>,
    /// Whether it must outlive a power failure when the waiters are told.
    pub(super) safe: bool,
}

impl Work {
    /// Whether there is nothing to write and nobody to tell.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.records.is_empty() && self.generations.is_empty() && self.waiters.is_empty()
    }

    /// Whoever waits for it: to be told once it is written, or back in the queue for whoever looks there then.
    pub(super) fn waiters(&mut self) -> Waiters {
        Waiters(std::mem::take(&mut self.waiters))
    }
}

/// Those who wait for some work.
pub(super) struct Waiters(Vec<oneshot::Sender<Result<(), StateError>>>);

impl Waiters {
    /// Tells everybody.
    pub(super) fn tell(self, result: &Result<(), StateError>) {
        for waiter in self.0 {
            // Who waited may have given up.
            let _ = waiter.send(result.clone());
        }
    }
}

#[derive(Default)]
struct Waiting {
    work: Work,
    /// When the first of it came.
    since: Option<Instant>,
    /// Writing failed: it is tried again at this time, or when somebody waits for it.
    again: Option<Instant>,
    closed: bool,
}

impl Waiting {
    fn is_urgent(&self) -> bool {
        self.closed || !self.work.waiters.is_empty() || (self.again.is_none() && self.work.records.len() >= MOST)
    }

    fn due(&self) -> Option<Instant> {
        self.again.or_else(|| self.since.map(|since| since + LONGEST))
    }
}

/// Between the ticks and the one thread that writes.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    bell: Condvar,
    /// Why nothing is written, while that is so.
    trouble: Mutex<Option<String>>,
}

impl Queue {
    /// Takes note of whether the last write failed.
    pub(super) fn note(&self, written: &Result<(), StateError>) {
        let error = written.as_ref().err().map(ToString::to_string);
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    /// Whether the last write failed.
    pub(super) fn is_troubled(&self) -> bool {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Why nothing is written, and how much waits, while that is so.
    pub(super) fn trouble(&self) -> Option<String> {
        let error = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(format!("{error}; {} records wait in memory", self.lock().work.records.len()))
    }

    /// Adds what a tick hands over.
    pub(super) fn add(&self, pipeline: &Arc<str>, batch: Batch) {
        let mut waiting = self.lock();
        waiting.work.kept.insert(Arc::clone(pipeline), batch.kept);
        if let Some(record) = batch.record {
            if waiting.work.records.len() >= MOST_HELD {
                waiting.work.records.pop_front();
                waiting.work.lost += 1;
            }
            waiting.work.records.push_back(record);
        }
        self.ring(waiting);
    }

    /// Adds a version of a script.
    pub(super) fn add_generation(&self, generation: KeptGeneration) {
        let mut waiting = self.lock();
        waiting.work.generations.push(generation);
        self.ring(waiting);
    }

    /// Tells when everything added so far is written; where `safe`, when it outlives a power failure.
    pub(super) fn written(&self, safe: bool) -> oneshot::Receiver<Result<(), StateError>> {
        let (told, tells) = oneshot::channel();
        let mut waiting = self.lock();
        waiting.work.waiters.push(told);
        waiting.work.safe |= safe;
        self.ring(waiting);
        tells
    }

    fn ring(&self, mut waiting: MutexGuard<'_, Waiting>) {
        let first = waiting.since.is_none();
        waiting.since.get_or_insert_with(Instant::now);
        let urgent = waiting.is_urgent();
        drop(waiting);
        if first || urgent {
            self.bell.notify_one();
        }
    }

    /// The state of `pipeline` that waits to be written.
    pub(super) fn kept(&self, pipeline: &str) -> Option<Kept> {
        self.lock().work.kept.get(pipeline).cloned()
    }

    /// The versions of `unit` that wait to be written, newest first.
    pub(super) fn generations(&self, unit: &str) -> Vec<KeptGeneration> {
        let waiting = self.lock();
        waiting.work.generations.iter().rev().filter(|generation| generation.unit == unit).cloned().collect()
    }

    /// The records that wait to be written, oldest first.
    pub(super) fn records(&self) -> Vec<Arc<Record>> {
        self.lock().work.records.iter().cloned().collect()
    }

    /// Waits for work that is due, at most `patience`; empty where there was none. `None`: nothing comes any more.
    pub(super) fn take(&self, patience: Duration) -> Option<Work> {
        let end = Instant::now() + patience;
        let mut waiting = self.lock();
        loop {
            let due = waiting.due().map_or(end, |due| end.min(due));
            let left = due.saturating_duration_since(Instant::now());
            if waiting.is_urgent() || left.is_zero() {
                let over = waiting.closed && waiting.work.is_empty();
                let is_due = waiting.is_urgent() || waiting.due().is_some_and(|due| due <= Instant::now());
                if !is_due {
                    return Some(Work::default());
                }
                (waiting.since, waiting.again) = (None, None);
                return (!over).then(|| std::mem::take(&mut waiting.work));
            }
            waiting = self.bell.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes back what could not be written, for another try after `pause`; what came meanwhile is newer.
    pub(super) fn take_back(&self, work: Work, pause: Duration) {
        let mut waiting = self.lock();
        waiting.again = Some(Instant::now() + pause);
        let newer = std::mem::replace(&mut waiting.work, work);
        let all = &mut waiting.work;
        all.kept.extend(newer.kept);
        all.records.extend(newer.records);
        all.generations.extend(newer.generations);
        all.waiters.extend(newer.waiters);
        all.safe |= newer.safe;
        all.lost += newer.lost;
        while all.records.len() > MOST_HELD {
            all.records.pop_front();
            all.lost += 1;
        }
    }

    /// Nothing more comes: the writer ends when all is written.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.bell.notify_one();
    }

    /// Whether nothing more comes.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
