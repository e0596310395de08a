//! Tests of the demo's parts: its app over real HTTP, its day on virtual time, what a watcher sees.

mod app;
mod day;
mod watching;

use std::cmp::Ordering;

use autoscaler::pipeline::{
    Decided, DynoCounts, Event, EventKind, MeasurementRecord, Outcome, Phase, RECORD_VERSION, Reason, Record,
};
use chrono::{DateTime, TimeDelta, Utc};

/// When the demos of these tests start.
fn started() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a valid time")
}

/// The tick at `second`: `value` was measured (`None`: it failed) and the dynos went `from`, `to`.
fn record(second: i64, value: Option<f64>, from: u32, to: u32) -> Record {
    let at = started() + TimeDelta::seconds(second);
    Record {
        v: RECORD_VERSION,
        pipeline: "web".into(),
        generation: 1,
        script: None,
        tick: 1,
        at,
        mode: "live".into(),
        measurements: vec![MeasurementRecord {
            name: "measurement".into(),
            backend: "ResponseTimeBackend".into(),
            data: value.into(),
            value,
            success: value.is_some(),
            error: value.is_none().then(|| "503".to_owned()),
            failure: None,
            at,
            took_ms: value.unwrap_or(3000.0),
        }],
        dynos: DynoCounts { current: Some(from), booting: 0, proposed: None, desired: Some(to), min: 1, max: 6 },
        proposals: Vec::new(),
        decision: match to.cmp(&from) {
            Ordering::Greater => Decided::Up,
            Ordering::Less => Decided::Down,
            Ordering::Equal => Decided::Hold,
        },
        reasons: vec![Reason {
            guard: "policy".into(),
            from: Some(from),
            to: Some(to),
            text: "3 in a row above 800".into(),
        }],
        outcome: if from == to { Outcome::None } else { Outcome::Scaled },
        events: Vec::new(),
        error: None,
        reloaded: None,
        shadow: None,
    }
}

/// An event at `second`.
fn event(second: i64, kind: EventKind, severity: &str, message: &str, reason: Option<&str>) -> Event {
    Event {
        kind,
        phase: Phase::Once,
        key: kind.name().into(),
        severity: severity.into(),
        pipeline: "".into(),
        message: message.into(),
        subject: message.into(),
        dynos: None,
        from: None,
        to: None,
        measurement: None,
        unit: None,
        target: None,
        reason: reason.map(str::to_owned),
        at: started() + TimeDelta::seconds(second),
    }
}
