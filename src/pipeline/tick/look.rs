//! Owns what a tick learns: measurements, the count, and what the policy wants of them. Whatever
//! breaks down in a backend or a script ends here, as a failure with its text.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::join_all;

use super::super::{ByHand, Failure, Measurement, Mode, Moment, PipelineSpec, Proposed};
use super::{Pipeline, cap};
use crate::decide::{PolicyInput, PolicyKind, Proposal, custom};
use crate::function::{Argument, Function};
use crate::levers::ActiveLevers;
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
        let stages = self.spec.measure.iter().zip(&self.measure_memory);
        let taken = stages.map(|(stage, memory)| async move {
            let context = MeasureContext { pipeline: &self.spec.name, at: due, memory };
            let measuring = self.world.sources.measure(stage, &context, &self.world);
            let measurement = AssertUnwindSafe(measuring).catch_unwind().await.unwrap_or_else(|_| {
                Measurement::failed(stage.backend.backend(), Failure::not_load(format!("the measurement {BUG}")), due)
            });
            Measurement { at: due, ..measurement }
        });
        join_all(taken).await
    }

    /// Puts `measurements` into the history. To a native policy one without a number is a failed one.
    pub(super) fn take_in(&mut self, measurements: Vec<Measurement>) -> Vec<Measurement> {
        let native = matches!(self.spec.decide.policy, PolicyKind::Native(_));
        let due = |measurement| if native { number_due(measurement) } else { measurement };
        let measurements: Vec<Measurement> = measurements.into_iter().map(due).collect();
        if let Some(first) = measurements.first() {
            let mut kept = first.clone();
            if cap::weight(&kept.data) > LARGEST_KEPT {
                kept.data = serde_json::Value::Null;
            }
            Arc::make_mut(&mut self.kept.history).push(kept, self.spec.decide.history_length);
        }
        measurements
    }

    pub(super) async fn observe(&self, freshness: Freshness) -> Result<Supply, ScaleError> {
        let reading = AssertUnwindSafe(self.platform.observe(freshness)).catch_unwind();
        match tokio::time::timeout(PLATFORM_TIMEOUT, reading).await {
            Ok(Ok(supply)) => supply,
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

    /// What the policy wants, empty where it is not asked; and what went wrong with a script's.
    pub(super) async fn propose(
        &self,
        due: DateTime<Utc>,
        measurements: &[Measurement],
        supply: &Result<Supply, ScaleError>,
        levers: &ActiveLevers<'_>,
    ) -> (Vec<Proposed>, Option<String>) {
        let (spec, control) = (&self.spec, &self.kept.control);
        let (Ok(supply), Some(measurement)) = (supply, measurements.first()) else { return (Vec::new(), None) };
        if spec.mode == Mode::Paused || levers.pause.is_some() || control.waits(due) {
            return (Vec::new(), None);
        }
        let hold = |text: String| Proposal { dynos: None, text };
        let (proposal, wrong) = match &spec.decide.policy {
            PolicyKind::Native(policy) => {
                let input = PolicyInput {
                    history: self.kept.history.judged(control.mark),
                    on_failure: spec.measure[0].on_failure,
                    dynos: supply.dynos,
                    increment: spec.decide.increment,
                    unit: spec.unit(),
                };
                let proposed = std::panic::catch_unwind(AssertUnwindSafe(|| policy.propose(&input)));
                match proposed {
                    Ok(proposal) => (proposal, None),
                    Err(_) => (hold(format!("the policy {BUG}")), Some(format!("the policy {BUG}"))),
                }
            }
            PolicyKind::Scripted(_) if !measurement.success && !spec.decide.call_on_failure => {
                return (Vec::new(), None);
            }
            PolicyKind::Scripted(function) => match self.ask(due, function, measurement, *supply).await {
                Ok(proposal) => (proposal, None),
                Err(wrong) => (hold(wrong.clone()), Some(wrong)),
            },
        };
        (vec![Proposed { name: "decision".into(), proposal }], wrong)
    }

    async fn ask(
        &self,
        due: DateTime<Utc>,
        function: &Function,
        measurement: &Measurement,
        supply: Supply,
    ) -> Result<Proposal, String> {
        let moment = Argument::Moment(Arc::new(moment(&self.spec, &self.kept, measurement, supply, due)));
        let call = self.world.calls.pure(function, moment, &self.decide_memory, &self.spec.name);
        let Ok(answer) = AssertUnwindSafe(call).catch_unwind().await else {
            return Err(format!("the decision {BUG}"));
        };
        // What a script threw names its place itself.
        let place = |wrong| if answer.is_ok() { format!("{wrong} ({})", function.place()) } else { wrong };
        custom::proposal(&answer, supply.dynos).map_err(place)
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

/// What a scripted decision sees.
fn moment(
    spec: &PipelineSpec,
    kept: &crate::state::Kept,
    measurement: &Measurement,
    supply: Supply,
    due: DateTime<Utc>,
) -> Moment {
    let bounds = spec.decide.bounds(due);
    let history = match kept.control.mark {
        Some(mark) => Arc::new(kept.history.since(Some(mark))),
        None => Arc::clone(&kept.history),
    };
    #[allow(clippy::cast_precision_loss)]
    let since = |last: DateTime<Utc>| (due - last).num_milliseconds() as f64 / 1000.0;
    Moment {
        pipeline: Arc::clone(&spec.name),
        measurement: Arc::new(measurement.clone()),
        history,
        past: Arc::clone(&kept.history),
        dynos: supply.dynos,
        min_dynos: bounds.min,
        max_dynos: bounds.max,
        now: due.with_timezone(&spec.decide.zone),
        seconds_since_scale: kept.control.last_scale.map(since),
    }
}
