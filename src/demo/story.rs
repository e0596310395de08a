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

/// An event in words: a reason that its message repeats stands once, and a script goes by its own name.
#[must_use]
pub fn of_event(event: &Event) -> Line {
    let tone = if event.severity == "info" || event.phase == Phase::End { Tone::Info } else { Tone::Warning };
    let reason = event.reason.as_deref().unwrap_or_default();
    let text = match event.message.strip_suffix(reason) {
        Some(before) if !reason.is_empty() && !before.trim().is_empty() => before,
        _ => &event.message,
    };
    let reason = if event.kind == EventKind::ReloadFailed { without_folder(reason, text) } else { reason.to_owned() };
    Line { at: event.at, pipeline: event.pipeline.to_string(), text: clean(text), reason: clean(&reason), tone }
}

/// `reason` without the folder before the script's name, with which `text` begins.
fn without_folder(reason: &str, text: &str) -> String {
    let Some(script) = text.split(' ').next().filter(|name| !name.is_empty()) else { return reason.to_owned() };
    let place = format!("/{script}:");
    let mut shown = String::new();
    let mut rest = reason;
    while let Some(at) = rest.find(&place) {
        let folder = rest[..at].rfind([' ', '(']).map_or(0, |before| before + 1);
        shown.push_str(&rest[..folder]);
        shown.push_str(&place[1..]);
        rest = &rest[at + place.len()..];
    }
    shown + rest
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_goes_by_its_own_name() {
        let reason = "/tmp/a b/demo.rhai:3:9: no (/x/demo.rhai:1:1); /x/other.rhai:2:2: no";
        let shown = without_folder(reason, "demo.rhai was saved with an error");
        assert_eq!(shown, "/tmp/a demo.rhai:3:9: no (demo.rhai:1:1); /x/other.rhai:2:2: no");
        assert_eq!(without_folder("demo.rhai:3:9: no", "demo.rhai was"), "demo.rhai:3:9: no");
    }
}
