//! Owns trying scripted decisions and notifications on samples, for `check`: what would fail at the first
//! incident is better told now. It reaches nothing, and every finding is a warning.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{Event, EventKind, History, Measurement, Moment, Phase, PipelineSpec, condition_key, texts};
use crate::decide::{PolicyKind, custom};
use crate::function::{Argument, CallError, Function, Returned, sample_time};
use crate::rules::{self, Rule};
use crate::settings::{Diagnostic, Place, Report};

/// All trials of one script together: functions that use up their budget must not add up.
const PATIENCE: Duration = Duration::from_secs(3);

/// Dynos at which decisions are tried.
const DYNOS: [u32; 2] = [2, 10];

/// Measured values at which decisions are tried: a middling one, and both ends.
const VALUES: [f64; 3] = [50.0, 0.0, 5_000.0];

/// A bare number up to this is more likely meant as a step than as a count.
const SMALL: i64 = 3;

/// Tries every scripted `decide` and `notify` of `specs`.
pub fn rehearse(specs: &[Arc<PipelineSpec>], report: &mut Report) {
    let until = Instant::now() + PATIENCE;
    let mut tried = HashSet::new();
    for spec in specs {
        if Instant::now() > until {
            return;
        }
        if let PolicyKind::Scripted(function) = &spec.decide.policy
            && tried.insert(identity(function))
        {
            decision(spec, function, report);
        }
        for stage in &spec.notify {
            let Some(function) = stage.backend.function().filter(|function| tried.insert(identity(function))) else {
                continue;
            };
            for event in
                EventKind::ALL.map(|kind| sample_event(spec, kind)).into_iter().filter(|event| stage.hears(event))
            {
                let sample = format!("the event `{}`", event.kind);
                let answer = function.rehearse(Argument::Event(Arc::new(event)), &stage.memory);
                if let Err(error) = answer {
                    failed("notify", &sample, &error, report);
                    break;
                }
            }
        }
    }
}

/// What tells one function from another.
fn identity(function: &Function) -> (Place, String) {
    (function.place().clone(), function.fingerprint().to_owned())
}

fn decision(spec: &PipelineSpec, function: &Function, report: &mut Report) {
    for value in VALUES {
        let mut bare = Vec::new();
        for dynos in DYNOS {
            let moment = sample_moment(spec, dynos, value);
            let answer = function.rehearse(Argument::Moment(Arc::new(moment)), &spec.decide.memory);
            let sample = format!("{dynos} dynos, a measurement of {value}");
            match answer {
                Err(error) => return failed("decide", &sample, &error, report),
                Ok(Some(answer @ (Returned::Data(_) | Returned::Failed(_)))) => {
                    let wrong = custom::proposal(&Ok(answer), dynos).err().unwrap_or_default();
                    let message = format!("at {sample}: {wrong}");
                    return report.say(&rules::TRIAL_FAILED, Some(function.place()), message, None);
                }
                Ok(Some(Returned::Int(n))) => bare.push(n),
                Ok(_) => {}
            }
        }
        let [n, same] = bare[..] else { continue };
        let small = n == same && (1..=SMALL).contains(&n);
        if let Some(place) = function.plain_answer(n).filter(|_| small) {
            let plural = if n == 1 { "" } else { "s" };
            let message = format!("`{n}` sets {n} dyno{plural} in all, at {} dynos as at {}", DYNOS[0], DYNOS[1]);
            let help = format!("did you mean `up({n})`? write `to({n})` if not");
            report.say(&rules::BARE_NUMBER, Some(&place), message, help);
        }
    }
}

fn failed(role: &str, sample: &str, error: &CallError, report: &mut Report) {
    let (CallError::Script { message, place } | CallError::Budget { message, place }) = error;
    let rule: &'static Rule = &rules::TRIAL_FAILED;
    let message = format!("`{role}` fails at {sample}: {message}");
    let known = |said: &Diagnostic| said.rule.is_some() && said.place.is_some() && said.place == *place;
    // What was found by looking at it needs no second telling.
    if !report.diagnostics().iter().any(known) {
        report.say(rule, place.as_ref(), message, None);
    }
}

fn sample_moment(spec: &PipelineSpec, dynos: u32, value: f64) -> Moment {
    let backend = spec.measure.first().map_or("custom", |stage| stage.backend.backend());
    let interval = TimeDelta::from_std(spec.interval()).unwrap_or_default();
    let now = sample_time();
    let mut history = History::default();
    let length = spec.decide.history_length;
    let mut at: DateTime<Utc> = now - interval * i32::try_from(length).unwrap_or(i32::MAX);
    for _ in 0..length {
        at += interval;
        history.push(Measurement::good(backend, json!(value), at), length);
    }
    let history = Arc::new(history);
    Moment {
        pipeline: Arc::clone(&spec.name),
        measurement: Arc::new(Measurement::good(backend, json!(value), now)),
        past: Arc::clone(&history),
        history,
        dynos,
        min_dynos: 1,
        max_dynos: 20,
        now: now.with_timezone(&spec.decide.zone),
        seconds_since_scale: Some(600.0),
    }
}

/// An event of `kind` with what such events have: those of a reload know of no dynos.
fn sample_event(spec: &PipelineSpec, kind: EventKind) -> Event {
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
