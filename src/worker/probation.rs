//! Owns whether the functions of a new generation fail at a pipeline that was well before: ticks in a row, counted
//! for whoever may go back. It goes back itself never.

use std::sync::Arc;

use crate::pipeline::{PipelineSpec, Record};

/// A pipeline at which a function of its generation fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failing {
    /// The pipeline.
    pub(super) pipeline: Arc<str>,
    /// Its generation.
    pub(super) generation: u64,
    /// Ticks in a row in which one failed.
    pub(super) ticks: u32,
    /// The longest run of good ticks that this generation has had.
    pub(super) good: u32,
    /// How it failed.
    pub(super) error: String,
}

/// What is known of the functions of one pipeline.
#[derive(Debug, Default)]
pub(super) struct Probation {
    generation: u64,
    /// Whether they failed at the last tick, whichever generation's they were.
    failed: bool,
    /// Whether they failed before this generation, and have not been well since.
    sick: bool,
    failures: u32,
    good: u32,
    best: u32,
    wrong_decisions: u32,
}

impl Probation {
    /// Takes note of `record`, a tick of `spec` after which `wrong` decisions in a row went wrong.
    pub(super) fn observe(&mut self, record: &Record, spec: &PipelineSpec, wrong: u32) -> Option<Failing> {
        if record.generation != self.generation {
            *self = Self { generation: record.generation, sick: self.failed, ..Self::default() };
        }
        let mut measured = spec.measure.iter().zip(&record.measurements);
        let unmeasured = measured.find_map(|(stage, measurement)| {
            let error = measurement.error.as_ref().filter(|_| !measurement.success)?;
            stage.functions_failed(error).then(|| error.clone())
        });
        let wrong_now = wrong > self.wrong_decisions || (wrong > 0 && self.wrong_decisions == 0);
        self.wrong_decisions = wrong;
        let error = unmeasured.or_else(|| wrong_now.then(|| record.error.clone().unwrap_or_default()));
        let Some(error) = error else {
            // In a cooldown no decision is asked for, and a wrong one is neither over nor repeated.
            if wrong == 0 {
                (self.failed, self.sick, self.failures) = (false, false, 0);
                self.good = self.good.saturating_add(1);
                self.best = self.best.max(self.good);
            }
            return None;
        };
        (self.failed, self.good) = (true, 0);
        self.failures = self.failures.saturating_add(1);
        (!self.sick).then(|| Failing {
            pipeline: Arc::clone(&record.pipeline),
            generation: record.generation,
            ticks: self.failures,
            good: self.best,
            error,
        })
    }
}
