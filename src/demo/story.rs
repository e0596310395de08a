//! Owns how the demo tells in words what happened: one [`Line`] for each thing worth telling. A tick
//! that changed nothing is not.

use chrono::{DateTime, Utc};

use crate::pipeline::{Event, EventKind, Outcome, Phase, Record};

/// What a line tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// More dynos.
    Up,
    /// Fewer dynos.
    Down,
    /// Good to know.
    Info,
    /// Something that a person may want to mend.
    Warning,
}

/// One thing that happened. Its texts hold no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: DateTime<Utc>,
    /// The pipeline; empty for what concerns the whole worker.
    pub pipeline: String,
    /// What happened.
    pub text: String,
    /// Why; empty when nobody said.
    pub reason: String,
    /// What it tells of.
    pub tone: Tone,
}

/// What is worth telling of a tick.
#[must_use]
pub fn of_record(record: &Record) -> Vec<Line> {
    let scaled = (record.outcome == Outcome::Scaled).then(|| of_scale(record)).flatten();
    let others = record.events.iter().filter(|event| !matches!(event.kind, EventKind::Measured | EventKind::Scaled));
    scaled.into_iter().chain(others.map(of_event)).collect()
}

fn of_scale(record: &Record) -> Option<Line> {
    let to = record.dynos.desired?;
    let told = record.events.iter().find(|event| event.kind == EventKind::Scaled);
    let reason = told.and_then(|event| event.reason.clone()).unwrap_or_else(|| {
        let texts: Vec<&str> = record.reasons.iter().map(|reason| reason.text.as_str()).collect();
        texts.join("; ")
    });
    Some(Line {
        at: record.at,
        pipeline: record.pipeline.to_string(),
        text: format!("Scaled to ({to}) dynos."),
        reason: clean(&reason),
        tone: if record.dynos.current.is_some_and(|from| from > to) { Tone::Down } else { Tone::Up },
    })
}

/// An event in words.
#[must_use]
pub fn of_event(event: &Event) -> Line {
    let tone = if event.severity == "info" || event.phase == Phase::End { Tone::Info } else { Tone::Warning };
    Line {
        at: event.at,
        pipeline: event.pipeline.to_string(),
        text: clean(&event.message),
        reason: clean(event.reason.as_deref().unwrap_or_default()),
        tone,
    }
}

/// On one line and without control characters: texts of the world end up on a terminal.
fn clean(text: &str) -> String {
    text.trim().chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// The time since `started` as minutes and seconds ("1:05").
#[must_use]
pub fn clock(started: DateTime<Utc>, at: DateTime<Utc>) -> String {
    let seconds = (at - started).num_seconds().max(0);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
