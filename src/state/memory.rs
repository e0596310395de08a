//! Owns the state that lives in memory and ends with the process: what every pipeline keeps, a bounded
//! ring of its records, and a stream of new ones for live views.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::broadcast;

use super::{Batch, Fence, Kept, KeptGeneration, MOST_GENERATIONS, Query, State, StateError};
use crate::levers::Levers;
use crate::pipeline::Record;

/// Records kept of each pipeline: three hours of one tick every 30 s.
const MOST_RECORDS: usize = 360;

/// Records kept of all pipelines together: each takes 1 to 2 kB, and a worker of a thousand pipelines
/// must not take a gigabyte.
const MOST_RECORDS_IN_ALL: usize = 10_000;

/// Records kept of each pipeline, however many there are.
const FEWEST_RECORDS: usize = 10;

/// Records that a live view may lag behind before it misses some.
const STREAM: usize = 256;

/// Keeps everything in memory.
#[derive(Debug)]
pub struct MemoryState {
    pipelines: Mutex<HashMap<Arc<str>, OnePipeline>>,
    stream: broadcast::Sender<Arc<Record>>,
    levers: Mutex<Levers>,
    /// Newest last.
    generations: Mutex<HashMap<String, VecDeque<KeptGeneration>>>,
    /// Whether it stands in for a state that cannot be used.
    degraded: bool,
}

#[derive(Debug, Default)]
struct OnePipeline {
    kept: Kept,
    fence: Fence,
    records: VecDeque<Arc<Record>>,
}

impl Default for MemoryState {
    fn default() -> Self {
        Self {
            pipelines: Mutex::default(),
            stream: broadcast::channel(STREAM).0,
            levers: Mutex::default(),
            generations: Mutex::default(),
            degraded: false,
        }
    }
}

impl MemoryState {
    /// In place of a state that cannot be used.
    #[must_use]
    pub fn degraded() -> Self {
        Self { degraded: true, ..Self::default() }
    }

    /// The records to come, of all pipelines.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Record>> {
        self.stream.subscribe()
    }

    fn pipelines(&self) -> MutexGuard<'_, HashMap<Arc<str>, OnePipeline>> {
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl State for MemoryState {
    async fn load(&self, pipeline: &str) -> Result<Option<Kept>, StateError> {
        Ok(self.pipelines().get(pipeline).map(|one| one.kept.clone()))
    }

    async fn commit(&self, pipeline: &Arc<str>, fence: Fence, batch: Batch) -> Result<(), StateError> {
        {
            let mut pipelines = self.pipelines();
            let most = (MOST_RECORDS_IN_ALL / pipelines.len().max(1)).clamp(FEWEST_RECORDS, MOST_RECORDS);
            let one = pipelines.entry(Arc::clone(pipeline)).or_default();
            if fence < one.fence {
                return Err(StateError(format!("another worker has taken `{pipeline}` over")));
            }
            one.fence = fence;
            one.kept = batch.kept;
            if let Some(record) = &batch.record {
                while one.records.len() >= most {
                    one.records.pop_front();
                }
                one.records.push_back(Arc::clone(record));
            }
        }
        if let Some(record) = batch.record {
            // Nobody may be watching.
            let _ = self.stream.send(record);
        }
        Ok(())
    }

    async fn records(&self, query: &Query) -> Result<Vec<Arc<Record>>, StateError> {
        let mut found: Vec<Arc<Record>> = {
            let pipelines = self.pipelines();
            let one = |name: &Arc<str>| query.pipeline.as_ref().is_none_or(|asked| asked == name);
            let asked = pipelines.iter().filter(|(name, _)| one(name));
            asked.flat_map(|(_, one)| &one.records).filter(|record| query.matches(record)).cloned().collect()
        };
        super::in_order(&mut found, query);
        Ok(found)
    }

    async fn levers(&self) -> Result<Levers, StateError> {
        Ok(self.levers.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn keep_levers(&self, levers: &Levers) -> Result<(), StateError> {
        self.levers.lock().unwrap_or_else(PoisonError::into_inner).clone_from(levers);
        Ok(())
    }

    async fn generations(&self, unit: &str) -> Result<Vec<KeptGeneration>, StateError> {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(generations.get(unit).into_iter().flatten().rev().cloned().collect())
    }

    async fn units(&self) -> Result<Vec<String>, StateError> {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(generations.keys().cloned().collect())
    }

    async fn keep_generation(&self, generation: KeptGeneration) -> Result<(), StateError> {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let of_unit = generations.entry(generation.unit.clone()).or_default();
        match of_unit.iter_mut().find(|known| known.id == generation.id) {
            Some(known) => *known = generation,
            None => of_unit.push_back(generation),
        }
        while of_unit.len() > MOST_GENERATIONS {
            of_unit.pop_front();
        }
        Ok(())
    }

    fn is_degraded(&self) -> bool {
        self.degraded
    }
}
