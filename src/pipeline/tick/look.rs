//! Owns what a tick learns: measurements and the count. Whatever breaks down in a backend or a script ends
//! here, as a failure with its text.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use futures_util::future::join_all;

use super::super::{ByHand, Failure, History, Measurement};
use super::{Pipeline, cap};
use crate::decide::PolicyKind;
use crate::measure::MeasureContext;
use crate::state::Intent;
use crate::world::{Freshness, ScaleError, ScaleErrorKind, Supply};

/// A last resort: every platform has a shorter limit of its own.
pub(super) const PLATFORM_TIMEOUT: Duration = Duration::from_secs(60);

/// Data of a measurement larger than this is not kept in the history (in bytes, about).
const LARGEST_KEPT: usize = 16 * 1024;

pub(super) const BUG: &str = "broke down; this is a bug of autoscaler";

impl Pipeline {
    pub(super) async fn measure(&self, due: DateTime<Utc>) -> Vec<Measurement> {
        let stages = self.spec.measure.iter().zip(&self.measure_memory).enumerate();
        let taken = stages.map(|(index, (stage, memory))| async move {
            if let Some(last) = self.still_valid(index, due) {
                return last.clone();
            }
            let context = MeasureContext { pipeline: &self.spec.name, at: due, memory };
            let measuring = self.world.sources.measure(stage, &context, &self.world);
            let measurement = AssertUnwindSafe(measuring).catch_unwind().await.unwrap_or_else(|_| {
                Measurement::failed(stage.backend.backend(), Failure::not_load(format!("the measurement {BUG}")), due)
            });
            Measurement { at: due, ..measurement }
        });
        join_all(taken).await
    }

    /// The last measurement of stage `index`, where its interval is not over at `due`. The fastest stage sets
    /// the pace of the pipeline: it is measured at every tick.
    fn still_valid(&self, index: usize, due: DateTime<Utc>) -> Option<&Measurement> {
        let (interval, tick) = (self.spec.measure.get(index)?.interval, self.spec.interval());
        let last = self.readings.get(index)?.as_ref().filter(|last| interval > tick && last.at < due)?;
        // Half a tick early is nearer than half a tick late.
        let next = last.at + TimeDelta::from_std(interval.saturating_sub(tick / 2)).ok()?;
        (due < next).then_some(last)
    }

    /// Puts the `measurements` of the tick of `due` into the histories. Where only native policies judge one,
    /// one without a number is a failed one.
    pub(super) fn take_in(&mut self, measurements: Vec<Measurement>, due: DateTime<Utc>) -> Vec<Measurement> {
        let spec = Arc::clone(&self.spec);
        let native = |index: usize| {
            let all = spec.decide.policies.iter().all(|policy| policy.judges.is_some());
            all && spec.decide.judging(index).all(|policy| matches!(policy.kind, PolicyKind::Native(_)))
        };
        let numbered = |(index, measurement)| if native(index) { number_due(measurement) } else { measurement };
        let measurements: Vec<Measurement> = measurements.into_iter().enumerate().map(numbered).collect();
        for (stage, measurement) in spec.measure.iter().zip(&measurements).filter(|(_, new)| new.at == due) {
            let mut kept = measurement.clone();
            if cap::weight(&kept.data) > LARGEST_KEPT {
                kept.data = serde_json::Value::Null;
            }
            let history = self.kept.history_mut(spec.names_measurements().then_some(&stage.name));
            Arc::make_mut(history).push(kept, spec.decide.history_length);
        }
        if spec.measure.len() > 1 {
            self.readings = measurements.iter().cloned().map(Some).collect();
        }
        measurements
    }

    /// What was measured lately under `name`.
    pub(super) fn history(&self, name: &str) -> &Arc<History> {
        self.kept.history(self.spec.names_measurements().then_some(name))
    }

    pub(super) async fn observe(&self, freshness: Freshness) -> Result<Supply, ScaleError> {
        let reading = AssertUnwindSafe(self.platform.observe(freshness)).catch_unwind();
        match tokio::time::timeout(PLATFORM_TIMEOUT, reading).await {
            Ok(Ok(supply)) => {
                if let Ok(supply) = &supply {
                    self.world.ledger.counted(&self.spec, supply.dynos);
                }
                supply
            }
            Ok(Err(_)) => Err(ScaleError { kind: ScaleErrorKind::Refused, message: format!("the read {BUG}") }),
            Err(_) => Err(ScaleError {
                kind: ScaleErrorKind::Unknown,
                message: format!("no answer within {} s", PLATFORM_TIMEOUT.as_secs()),
            }),
        }
    }

    /// Takes note of a read; the open scale that it shows to have happened.
    pub(super) fn note_read(
        &mut self,
        supply: &Result<Supply, ScaleError>,
        fresh: bool,
        due: DateTime<Utc>,
    ) -> Option<Intent> {
        let control = &mut self.kept.control;
        match supply {
            Ok(supply) if fresh => {
                control.read();
                let open = control.open.take()?;
                // Whether it happened is known now; what there is is nobody else's doing.
                (control.known, control.lagging) = (Some(supply.dynos), None);
                (supply.dynos == open.to).then(|| {
                    control.scale_settled();
                    open
                })
            }
            // A cached count says nothing of a call that is open.
            Ok(_) => None,
            Err(_) => {
                // Within the back-off the same failure is only remembered, not met anew.
                if !control.backs_off(due) {
                    control.read_failed(due);
                }
                None
            }
        }
    }

    /// Takes note of the count; the change that a person made to it, if one did.
    pub(super) fn note_count(&mut self, supply: &Result<Supply, ScaleError>, due: DateTime<Utc>) -> Option<ByHand> {
        let dynos = supply.as_ref().ok()?.dynos;
        self.kept.control.seen(due, dynos)
    }
}

/// `measurement`, failed where it has no number.
fn number_due(measurement: Measurement) -> Measurement {
    if !measurement.success || measurement.value.is_some() {
        return measurement;
    }
    let failure = Failure::not_load(format!("a number is due, not {}", cap::shown(&measurement.data)));
    let failed = Measurement::failed(measurement.backend, failure, measurement.at);
    Measurement { took_ms: measurement.took_ms, ..failed }
}
