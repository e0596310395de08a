//! Owns `this` of the scripted notifying stages: one map per pipeline and position, kept across
//! deliveries and reloads. It interprets nothing of them.

use crate::function::This;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

/// One `this`.
pub(super) type Memory = Arc<Mutex<This>>;

/// All of them. Locked for moments only, never while a script runs.
#[derive(Debug, Default)]
pub(super) struct Memories(Mutex<HashMap<Arc<str>, BTreeMap<String, Memory>>>);

impl Memories {
    /// The memory of the stage at `index` of `pipeline`: `initial` where there is none yet.
    pub(super) fn of(&self, pipeline: &Arc<str>, index: usize, initial: &Json) -> Memory {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stages = all.entry(Arc::clone(pipeline)).or_default();
        let memory = stages.entry(format!("notify.{index}")).or_insert_with(|| Arc::new(Mutex::new(initial.into())));
        Arc::clone(memory)
    }

    /// What is worth keeping of `pipeline`, by the stage's name.
    pub(super) fn kept(&self, pipeline: &str) -> BTreeMap<String, This> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stages = all.get(pipeline).into_iter().flatten();
        let copies =
            stages.map(|(name, memory)| (name.clone(), memory.lock().unwrap_or_else(PoisonError::into_inner).clone()));
        copies.filter(|(_, memory)| memory.holds_something()).collect()
    }

    /// Takes back what [`Memories::kept`] gave.
    pub(super) fn recall(&self, pipeline: &Arc<str>, memories: &BTreeMap<String, This>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stages = all.entry(Arc::clone(pipeline)).or_default();
        for (name, memory) in memories.iter().filter(|(name, _)| name.starts_with("notify.")) {
            stages.insert(name.clone(), Arc::new(Mutex::new(memory.clone())));
        }
    }
}
