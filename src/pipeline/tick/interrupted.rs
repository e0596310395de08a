//! Owns scales that the end of a process interrupts: before the call the tick is kept as far as it got, and whoever
//! takes the pipeline up finishes its record with what the platform says. It scales nothing.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::super::record::INTERRUPTED;
use super::super::{DynoCounts, Outcome, Reason, Record};
use super::{Course, Pipeline};
use crate::counted::dynos;
use crate::secret::scrub;
use crate::state::Batch;
use crate::world::{ScaleError, Supply};

impl Pipeline {
    /// Takes down the tick that is about to scale, to be kept with its intent.
    pub(super) fn begin_scale(&mut self, due: DateTime<Utc>, course: &Course) {
        let mut record = self.record(due, course, Vec::new());
        record.measurements = self.measurement_records(course.measurements.clone());
        record.outcome = Outcome::Unknown;
        self.kept.unfinished = Some(Arc::new(record));
    }

    /// Finishes the record of a scale that was interrupted, with the count that was read, and keeps it among the
    /// others; what the tick that found it has to say of it.
    pub(super) async fn finish_interrupted(&mut self, supply: &Result<Supply, ScaleError>) -> Option<String> {
        let unfinished = self.kept.unfinished.take()?;
        let found = supply.as_ref().map(|supply| supply.dynos);
        let record = finished(&unfinished, found.as_ref().copied().map_err(ToString::to_string));
        if record.outcome == Outcome::Scaled
            && let Some((from, to)) = record.dynos.current.zip(record.dynos.desired)
        {
            self.note_scale(record.at, from, to);
        }
        let failed = record.outcome != Outcome::Scaled;
        let said = failed.then(|| self.told_of(&record)).flatten();
        let batch = Batch { kept: self.kept.clone(), intent: None, record: Some(Arc::new(record)) };
        match self.world.state.commit(&self.spec.name, self.fence, batch).await {
            Ok(()) => said,
            Err(error) => Some(format!("the record of a scale that was interrupted was not kept: {error}")),
        }
    }

    /// The interruption in `record`, as a later tick tells of it.
    fn told_of(&self, record: &Record) -> Option<String> {
        let (from, to) = record.dynos.current.zip(record.dynos.desired)?;
        let at = record.at.with_timezone(&self.spec.decide.zone).format("%H:%M:%S %Z");
        Some(format!("at the tick of {at}, scaling from {from} to {}: {}", dynos(to), record.interrupted()?))
    }
}

/// `unfinished`, with what became of its scale where the platform has `found` dynos.
fn finished(unfinished: &Record, found: Result<u32, String>) -> Record {
    let mut record = unfinished.clone();
    let DynoCounts { current, desired, .. } = record.dynos;
    let (outcome, became) = match found {
        Ok(found) if Some(found) == desired => {
            (Outcome::Scaled, format!("the platform has {} now, so it was carried out", dynos(found)))
        }
        Ok(found) if Some(found) == current => {
            (Outcome::Failed, format!("the platform has {} still, so it was not carried out", dynos(found)))
        }
        Ok(found) => (
            Outcome::Unknown,
            format!("the platform has {} now, which does not tell whether it was carried out", dynos(found)),
        ),
        Err(error) => (
            Outcome::Unknown,
            format!("whether it was carried out is unknown, as the platform cannot be read: {error}"),
        ),
    };
    let text = scrub(&format!("the worker ended during this scale; {became}")).into_owned();
    record.outcome = outcome;
    if outcome != Outcome::Scaled {
        let before = record.error.take().map_or_else(String::new, |error| format!("{error}; "));
        record.error = Some(format!("{before}{text}"));
    }
    // Why there was a scale keeps the last word.
    record.reasons.insert(0, Reason { guard: INTERRUPTED.into(), from: current, to: desired, text });
    record
}
