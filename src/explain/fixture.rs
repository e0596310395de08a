//! Owns the making of a test from records: an incident as a function `test_…` of the script, with what was
//! measured then, and what is expected. It writes no file.

use std::fmt::Write;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::Value as Json;

use super::time;
use crate::counted::dynos;
use crate::pipeline::{Decided, FailureKind, MeasurementRecord, Outcome, PipelineSpec, Record};

/// More ticks than this do not become part of a script.
pub const MOST_TICKS: usize = 120;

/// At least so long before the incident begins what is replayed: another policy may act earlier.
pub const LEAD: TimeDelta = TimeDelta::minutes(10);

/// What is expected of the tick that is pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// So many dynos after it, compared by an operator of the script language.
    Dynos(&'static str, u32),
    /// A decision.
    Decision(Decided),
}

/// The operators of `--expect`, longer ones first.
const OPERATORS: [&str; 6] = [">=", "<=", "==", "!=", ">", "<"];

impl Expectation {
    /// Reads ">= 6", "== 3", "< 4", "up", "down", "hold"; a bare number is "==".
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let decisions = [Decided::Up, Decided::Down, Decided::Hold];
        if let Some(decision) = decisions.into_iter().find(|decision| decision.name() == text.to_lowercase()) {
            return Ok(Self::Decision(decision));
        }
        let wrong = || format!("`{text}` is no expectation: write \">= 6\", \"== 3\", \"< 4\", up, down or hold");
        let operator = OPERATORS.into_iter().find(|operator| text.starts_with(operator));
        let operand = operator.map_or(text, |operator| &text[operator.len()..]);
        // People also write one equals sign.
        let operand = if operator.is_none() { operand.trim_start_matches('=') } else { operand };
        operand.trim().parse().map(|count| Self::Dynos(operator.unwrap_or("=="), count)).map_err(|_| wrong())
    }

    /// As it was written.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Dynos(operator, count) => format!("{operator} {}", dynos(count)),
            Self::Decision(decision) => decision.name().to_owned(),
        }
    }

    fn assertion(self) -> String {
        match self {
            Self::Dynos(operator, count) => format!(
                "assert(p.dynos() {operator} {count}, `${{p.dynos()}} dynos, and {operator} {count} are expected`);"
            ),
            Self::Decision(decision) => format!("assert_eq(p.last().decision, \"{}\");", decision.name()),
        }
    }
}

/// A test to be added to a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedTest {
    /// The name of its function.
    pub name: String,
    /// The function, comment and all, ending with a line break.
    pub text: String,
    /// How many ticks it replays.
    pub ticks: usize,
}

/// The test that `records` (oldest first, the last one being the tick that is pinned) make for `spec`.
/// `name` is its pipeline as the script names it, `taken` are the names of functions that there are.
#[must_use]
pub fn test(
    spec: &Arc<PipelineSpec>,
    name: &str,
    records: &[Arc<Record>],
    expectation: Expectation,
    taken: &[String],
) -> Option<PinnedTest> {
    let pinned = records.last()?;
    let zone = spec.decide.zone;
    let from = first(records, spec.decide.history_length);
    let (earlier, ticks) = records.split_at(from);
    let scaled = earlier.iter().rev().find(|record| record.scaled().is_some());
    let mut lines = String::new();
    let mut expected = None;
    let mut booting = 0;
    for (index, record) in ticks.iter().enumerate() {
        let scaled = scaled.filter(|_| index == 0);
        let _ = writeln!(lines, "        {},", entry(record, (expected, booting), scaled, zone));
        (expected, booting) = (after(record).or(expected), record.dynos.booting);
    }
    let test_name = free_name(name, pinned.at, zone, taken);
    let (since, at) = (time::beside(ticks.first()?.at, pinned.at, zone), time::dated(pinned.at, zone));
    let decided = match pinned.decision {
        Decided::Hold => {
            format!("it held at {}", pinned.dynos.current.map_or_else(|| "an unknown number of dynos".into(), dynos))
        }
        _ => format!("it was {}", super::story::change(pinned)),
    };
    let text = format!(
        "// What `{name}` met from {since} to {at} ({zone}): {decided}; expected: {}.\n\
         fn {test_name}() {{\n    let p = under_test({});\n    p.replay([\n{lines}    ]);\n    {}\n}}\n",
        expectation.words(),
        literal(name),
        expectation.assertion(),
    );
    Some(PinnedTest { name: test_name, text, ticks: ticks.len() })
}

/// The first tick of those that [`test()`] would replay that a shared limit held back, which no replay comes to.
#[must_use]
pub fn limited<'a>(spec: &PipelineSpec, records: &'a [Arc<Record>]) -> Option<&'a Arc<Record>> {
    records[first(records, spec.decide.history_length)..].iter().find(|record| super::is_limited(record))
}

/// The first of `records` to be replayed: what fills a history, and time for another policy to act.
fn first(records: &[Arc<Record>], history: usize) -> usize {
    let Some(pinned) = records.last() else { return 0 };
    let lead = records.partition_point(|record| record.at < pinned.at - LEAD);
    let filled = records.len().saturating_sub(history + 1);
    lead.min(filled).max(records.len().saturating_sub(MOST_TICKS.max(history + 1)))
}

/// The count after the tick, where it is known: a later one that differs was set by somebody else.
fn after(record: &Record) -> Option<u32> {
    match record.outcome {
        Outcome::Scaled | Outcome::Unknown => record.dynos.desired,
        _ => record.dynos.current,
    }
}

/// One tick, given the count and the booting dynos that were there before it.
fn entry(record: &Record, (expected, booting): (Option<u32>, u32), scaled: Option<&Arc<Record>>, zone: Tz) -> String {
    let mut parts = vec![format!("at: \"{}\"", clock(record.at, zone))];
    if let Some(scaled) = scaled {
        parts.push(format!("scaled: \"{}\"", clock(scaled.at, zone)));
    }
    match record.dynos.current {
        Some(current) if expected != Some(current) => parts.push(format!("dynos: {current}")),
        Some(_) => {}
        None => {
            let why = record.error.as_deref().unwrap_or("it was unknown");
            parts.push(format!("unknown: {}", literal(why)));
        }
    }
    if record.dynos.booting != booting {
        parts.push(format!("booting: {}", record.dynos.booting));
    }
    if record.outcome == Outcome::Failed {
        parts.push(format!("refused: {}", literal(record.error.as_deref().unwrap_or("the platform refused"))));
    }
    match &record.measurements[..] {
        [] => {}
        [one] => parts.push(measured(one)),
        several => {
            let several: Vec<String> = several.iter().map(|one| format!("#{{ {} }}", measured(one))).collect();
            parts.push(format!("measured: [{}]", several.join(", ")));
        }
    }
    format!("#{{ {} }}", parts.join(", "))
}

fn measured(measurement: &MeasurementRecord) -> String {
    if !measurement.success {
        let why = literal(measurement.error.as_deref().unwrap_or("it failed"));
        let load = if measurement.failure == Some(FailureKind::Overload) { "" } else { ", load: false" };
        return format!("failed: {why}{load}");
    }
    let value = measurement.value.map(|value| format!("value: {value}"));
    let data = &measurement.data;
    match value {
        Some(value) if data.is_number() || data.is_null() => value,
        Some(value) => format!("{value}, data: {}", rhai(data)),
        None => format!("data: {}", rhai(data)),
    }
}

/// A time as `replay` takes it: of one that comes twice, when clocks are put back, there is another form.
fn clock(at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    let form = if at.timestamp_subsec_millis() == 0 { "%Y-%m-%d %H:%M:%S" } else { "%Y-%m-%d %H:%M:%S%.3f" };
    let twice = local.naive_local().and_local_timezone(zone).earliest() != Some(local);
    if twice { local.to_rfc3339() } else { local.format(form).to_string() }
}

/// A JSON value in the script language.
fn rhai(json: &Json) -> String {
    match json {
        Json::Null => "()".into(),
        Json::Bool(_) | Json::Number(_) => json.to_string(),
        Json::String(text) => literal(text),
        Json::Array(items) => format!("[{}]", items.iter().map(rhai).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{}: {}", literal(key), rhai(value))).collect();
            format!("#{{{}}}", entries.join(", "))
        }
    }
}

/// A text in the script language.
fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(literal, "\\u{:04x}", u32::from(c));
            }
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

fn free_name(pipeline: &str, at: DateTime<Utc>, zone: Tz, taken: &[String]) -> String {
    let word: String =
        pipeline.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let name = format!("test_{word}_{}", at.with_timezone(&zone).format("%Y_%m_%d_%H%M"));
    let is_free = |name: &String| !taken.contains(name);
    let further = (2..).map(|number| format!("{name}_{number}"));
    std::iter::once(name.clone()).chain(further).find(is_free).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_read_as_people_write_them() {
        for (text, expected) in [
            (">= 6", Expectation::Dynos(">=", 6)),
            (">=6", Expectation::Dynos(">=", 6)),
            (" < 4", Expectation::Dynos("<", 4)),
            ("== 3", Expectation::Dynos("==", 3)),
            ("= 3", Expectation::Dynos("==", 3)),
            ("3", Expectation::Dynos("==", 3)),
            ("!= 0", Expectation::Dynos("!=", 0)),
            ("Up", Expectation::Decision(Decided::Up)),
            ("hold", Expectation::Decision(Decided::Hold)),
        ] {
            assert_eq!(Expectation::parse(text), Ok(expected), "{text}");
        }
        for wrong in ["", "more", ">= -1", ">= 2.5", "=> 3", ">= 6 dynos", "> >3"] {
            assert!(Expectation::parse(wrong).is_err_and(|error| error.contains("\">= 6\"")), "{wrong}");
        }
    }

    #[test]
    fn texts_and_data_are_written_in_the_script_language() {
        assert_eq!(literal("say \"no\"\\\n\u{1}"), "\"say \\\"no\\\"\\\\\\n\\u0001\"");
        assert_eq!(
            rhai(&serde_json::json!({ "a b": [1, null, 2.5], "c": true })),
            r#"#{"a b": [1, (), 2.5], "c": true}"#
        );
    }
}
