//! Owns the difference of two sets of pipelines: a pure function from old and new to changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::pipeline::PipelineSpec;

/// What a reload does to one pipeline.
#[derive(Clone, Debug)]
pub enum Change {
    /// It is new.
    Start(Arc<PipelineSpec>),
    /// It goes on with a new spec: timer, history, cooldown and memory stay.
    Adopt(Arc<PipelineSpec>),
    /// It is gone: it finishes its tick.
    Stop(Arc<str>),
}

/// What turns the running pipelines `old` into `new`, removals first: a target that moves to a pipeline
/// of another name is let go before it is taken up.
#[must_use]
pub fn changes(old: &BTreeMap<Arc<str>, Arc<PipelineSpec>>, new: &[Arc<PipelineSpec>]) -> Vec<Change> {
    let gone = old.keys().filter(|name| !new.iter().any(|spec| spec.name == **name));
    let mut changes: Vec<Change> = gone.map(|name| Change::Stop(Arc::clone(name))).collect();
    changes.extend(new.iter().map(|spec| {
        let spec = Arc::clone(spec);
        if old.contains_key(&spec.name) { Change::Adopt(spec) } else { Change::Start(spec) }
    }));
    changes
}
