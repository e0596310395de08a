//! Owns the samples of trials: moments as they come in production (a long run, the first tick after a start
//! or a scale, a measurement that failed), and events of every kind.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::decide::NamedPolicy;
use crate::function::sample_time;
use crate::measure::MeasureStage;
use crate::pipeline::NamedMeasurement;
use crate::pipeline::{
    Event, EventKind, Failure, History, Measurement, Moment, Phase, PipelineSpec, condition_key, texts,
};

/// Dynos at which decisions are tried.
const DYNOS: [u32; 2] = [2, 10];

/// Measured values at which decisions are tried: a middling one, and both ends.
const VALUES: [f64; 3] = [50.0, 0.0, 5_000.0];

/// From the sample time, a Wednesday at noon, to the night of a Sunday.
const TO_SUNDAY_NIGHT: TimeDelta = TimeDelta::hours(3 * 24 + 14);

/// What was before the tick of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// As many measurements as are kept, the last scale long ago.
    Full,
    /// The same, in the night of a Sunday.
    Night,
    /// Nothing: the worker has just started.
    Start,
    /// A scale: what was measured before is not judged.
    Scale,
    /// As many measurements as are kept; this one failed.
    Failed,
}

/// One tick at which a decision is tried.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) dynos: u32,
    pub(super) value: f64,
    pub(super) past: Past,
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dynos, value, past } = self;
        match past {
            Past::Full => write!(f, "at {dynos} dynos, a measurement of {value}"),
            Past::Night => write!(f, "at {dynos} dynos, a measurement of {value}, in the night of a Sunday"),
            Past::Start => f.write_str("at the first tick after a start, when `m.history` has one measurement"),
            Past::Scale => f.write_str("at the first tick after a scale, when `m.history` has one measurement"),
            Past::Failed => f.write_str("where the measurement failed"),
        }
    }
}

/// The ticks at which the decision of `spec` is tried.
pub(super) fn moments(spec: &PipelineSpec) -> Vec<Sample> {
    let full = |value| DYNOS.map(|dynos| Sample { dynos, value, past: Past::Full });
    let mut samples: Vec<Sample> = VALUES.into_iter().flat_map(full).collect();
    for past in [Past::Start, Past::Scale, Past::Night] {
        samples.push(Sample { dynos: DYNOS[0], value: VALUES[0], past });
    }
    if spec.decide.call_on_failure {
        samples.push(Sample { dynos: DYNOS[0], value: VALUES[0], past: Past::Failed });
    }
    samples
}

/// What the decision of `spec` is called with at `sample`.
pub(super) fn moment(spec: &PipelineSpec, policy: &NamedPolicy, sample: &Sample) -> Moment {
    let judged = policy.judges.and_then(|judged| spec.measure.get(judged)).or(spec.measure.first());
    let backend = judged.map_or("custom", |stage| stage.backend.backend());
    let interval = TimeDelta::from_std(spec.interval()).unwrap_or_default();
    let now = if sample.past == Past::Night { sample_time() + TO_SUNDAY_NIGHT } else { sample_time() };
    let measurement = match sample.past {
        Past::Failed => Measurement::failed(backend, Failure::not_load("a sample of a failure"), now),
        _ => Measurement::good(backend, json!(sample.value), now),
    };
    let only = |measurement: &Measurement| {
        let mut history = History::default();
        history.push(measurement.clone(), 1);
        Arc::new(history)
    };
    let full = || {
        let mut history = History::default();
        let length = spec.decide.history_length;
        let mut at: DateTime<Utc> = now - interval * i32::try_from(length).unwrap_or(i32::MAX);
        for _ in 1..length {
            at += interval;
            history.push(Measurement::good(backend, json!(sample.value), at), length);
        }
        history.push(measurement.clone(), length);
        Arc::new(history)
    };
    let past = if sample.past == Past::Start { only(&measurement) } else { full() };
    let history = if sample.past == Past::Scale { only(&measurement) } else { Arc::clone(&past) };
    let measurement = Arc::new(measurement);
    let named = |stage: &MeasureStage| NamedMeasurement {
        name: Arc::clone(&stage.name),
        measurement: Arc::clone(&measurement),
        past: Arc::clone(&past),
    };
    let named = if spec.names_measurements() { spec.measure.iter().map(named).collect() } else { Vec::new() };
    Moment {
        pipeline: Arc::clone(&spec.name),
        measurement,
        named,
        judges_all: policy.judges.is_none(),
        mark: None,
        past,
        history,
        dynos: sample.dynos,
        booting: 0,
        min_dynos: 1,
        max_dynos: 20,
        now: now.with_timezone(&spec.decide.zone),
        seconds_since_scale: (sample.past != Past::Start).then_some(600.0),
    }
}

/// An event of `kind` with what such events have: those of a reload know of no dynos.
pub(super) fn event(spec: &PipelineSpec, kind: EventKind) -> Event {
    let phase = match kind {
        EventKind::Measured | EventKind::Scaled | EventKind::WouldScale | EventKind::Reloaded => Phase::Once,
        _ => Phase::Begin,
    };
    let of_script = matches!(kind, EventKind::Reloaded | EventKind::ReloadFailed);
    let of_scale = matches!(kind, EventKind::Scaled | EventKind::WouldScale | EventKind::ScaleFailed);
    let reason = (kind != EventKind::Reloaded).then(|| "a sample".to_owned());
    let about = texts::About { dynos: Some(2), to: of_scale.then_some(3), reason: reason.as_deref() };
    let (message, subject) = texts::text(kind, phase, about);
    Event {
        kind,
        phase,
        key: condition_key(&spec.name, kind),
        severity: texts::severity(kind, phase).into(),
        pipeline: if of_script { "".into() } else { Arc::clone(&spec.name) },
        message,
        subject,
        dynos: (!of_script && kind != EventKind::CountUnknown).then_some(2),
        from: of_scale.then_some(2),
        to: of_scale.then_some(3),
        measurement: (!of_script && kind != EventKind::MeasurementFailed).then_some(VALUES[0]),
        unit: spec.unit().map(Into::into),
        target: spec.shown_target(),
        reason,
        at: sample_time(),
    }
}
