//! Owns the samples of trials: moments as they come in production (a long run, the first tick after a start
//! or a scale, a measurement that failed), and events of every kind.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc, Weekday};
use serde_json::json;

use crate::decide::NamedPolicy;
use crate::function::{Outline, sample_time};
use crate::measure::MeasureStage;
use crate::pipeline::NamedMeasurement;
use crate::pipeline::{
    Bounds, Event, EventKind, Failure, History, Measurement, Moment, Phase, PipelineSpec, condition_key, texts,
};

/// Dynos at which decisions are tried.
const DYNOS: [u32; 2] = [2, 10];

/// Measured values at which decisions are tried: a middling one, and both ends.
const VALUES: [f64; 3] = [50.0, 0.0, 5_000.0];

/// Trials of one function: those for what its text names come last, and end here.
const MOST: usize = 64;

/// The first samples, which are the same for every decision.
pub(super) const COMMON: usize = VALUES.len() * DYNOS.len() + 3;

/// Trials at times that a function names.
const MOST_TIMES: usize = 12;

/// From the sample time, a Wednesday at noon, to the night of a Sunday.
const TO_SUNDAY_NIGHT: TimeDelta = TimeDelta::hours(3 * 24 + 14);

/// What was before the tick of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// As many measurements as are kept, the last scale long ago.
    Full,
    /// The same, in the night of a Sunday.
    Night,
    /// The same, so many hours after the sample time.
    Later(Later),
    /// The same, at numbers of dynos that are no common ones.
    Dynos,
    /// Nothing: the worker has just started.
    Start,
    /// A scale: what was measured before is not judged.
    Scale,
    /// As many measurements as are kept; this one failed.
    Failed,
}

/// So many hours after the sample time, and which hour of which day that is where the pipeline runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Later {
    hours: i32,
    weekday: Weekday,
    hour: u32,
}

/// The name of a day.
fn day(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    }
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
            Past::Full | Past::Dynos => write!(f, "at {}, a measurement of {value}", counted(*dynos)),
            Past::Night => write!(f, "at {}, a measurement of {value}, in the night of a Sunday", counted(*dynos)),
            Past::Later(Later { weekday, hour, .. }) => {
                let (dynos, day) = (counted(*dynos), day(*weekday));
                write!(f, "at {dynos}, a measurement of {value}, on a {day} at {hour}:00")
            }
            Past::Start => f.write_str("at the first tick after a start, when `m.history` has one measurement"),
            Past::Scale => f.write_str("at the first tick after a scale, when `m.history` has one measurement"),
            Past::Failed => f.write_str("where the measurement failed"),
        }
    }
}

/// "1 dyno", "2 dynos".
fn counted(dynos: u32) -> String {
    crate::counted::dynos(dynos)
}

/// The time so many hours after the sample time.
fn later(hours: i32) -> DateTime<Utc> {
    sample_time() + TimeDelta::hours(i64::from(hours))
}

/// The ticks at which a decision of `spec` is tried whose text says `outline`.
pub(super) fn moments(spec: &PipelineSpec, outline: &Outline) -> Vec<Sample> {
    let full = |value| DYNOS.map(|dynos| Sample { dynos, value, past: Past::Full });
    let mut samples: Vec<Sample> = VALUES.into_iter().flat_map(full).collect();
    for past in [Past::Start, Past::Scale, Past::Night] {
        samples.push(Sample { dynos: DYNOS[0], value: VALUES[0], past });
    }
    if spec.decide.call_on_failure {
        samples.push(Sample { dynos: DYNOS[0], value: VALUES[0], past: Past::Failed });
    }
    // Both ends of what the pipeline may have, and what the function asks for. At 0 nothing is decided.
    let bounds = bounds(spec);
    let mut dynos = BTreeSet::from([bounds.min, bounds.max]);
    dynos.extend(outline.dynos.iter().flat_map(|dynos| [*dynos, dynos + 1]).filter(|dynos| *dynos <= bounds.max));
    for dynos in dynos.into_iter().filter(|dynos| *dynos > 0 || spec.start_from_zero) {
        samples.extend([VALUES[0], VALUES[2]].map(|value| Sample { dynos, value, past: Past::Dynos }));
    }
    for later in times(spec, outline) {
        let at = |value| Sample { dynos: DYNOS[0], value, past: Past::Later(later) };
        samples.extend([VALUES[0], VALUES[2]].map(at));
    }
    for value in around(&outline.values) {
        samples.extend(full(value));
    }
    samples.truncate(MOST);
    samples
}

/// The bounds of dynos at the sample time.
fn bounds(spec: &PipelineSpec) -> Bounds {
    spec.decide.bounds(sample_time())
}

/// Each of `values` and a number on both sides of it; none below zero where `values` has none.
fn around(values: &[f64]) -> Vec<f64> {
    let negative = values.iter().any(|value| *value < 0.0);
    let mut around: Vec<f64> = values.iter().flat_map(|value| [value + 1.0, value - 1.0, *value]).collect();
    around.retain(|value| negative || *value >= 0.0);
    around
}

/// The hours after the sample time at which it is one of the hours or days that `outline` names.
fn times(spec: &PipelineSpec, outline: &Outline) -> Vec<Later> {
    let local = |hours: i32| later(hours).with_timezone(&spec.decide.zone);
    let first = |wanted: &dyn Fn(u32, u32) -> bool| {
        (0..7 * 24).find(|hours| wanted(local(*hours).hour(), local(*hours).weekday().number_from_monday()))
    };
    let hours = outline.hours.iter().filter_map(|hour| first(&|at, _| at == *hour));
    let days = outline.weekdays.iter().filter_map(|day| first(&|at, on| at == 12 && on == *day));
    let both = outline
        .hours
        .iter()
        .flat_map(|hour| outline.weekdays.iter().filter_map(move |day| first(&|at, on| at == *hour && on == *day)));
    let mut times: Vec<i32> = Vec::new();
    for hours in hours.chain(days).chain(both) {
        if !times.contains(&hours) {
            times.push(hours);
        }
    }
    times.truncate(MOST_TIMES);
    let told = times.into_iter().map(|hours| {
        let local = local(hours);
        Later { hours, weekday: local.weekday(), hour: local.hour() }
    });
    told.collect()
}

/// What the decision of `spec` is called with at `sample`.
pub(super) fn moment(spec: &PipelineSpec, policy: &NamedPolicy, sample: &Sample) -> Moment {
    let judged = policy.judges.and_then(|judged| spec.measure.get(judged)).or(spec.measure.first());
    let backend = judged.map_or("custom", |stage| stage.backend.backend());
    let interval = TimeDelta::from_std(spec.interval()).unwrap_or_default();
    let now = match sample.past {
        Past::Night => sample_time() + TO_SUNDAY_NIGHT,
        Past::Later(at) => later(at.hours),
        _ => sample_time(),
    };
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
    let bounds = bounds(spec);
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
        min_dynos: bounds.min,
        max_dynos: bounds.max,
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
    let of_script = matches!(kind, EventKind::Reloaded | EventKind::ReloadFailed | EventKind::StateTrouble);
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
