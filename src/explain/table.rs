//! Owns the history of a pipeline as people and spreadsheets read it: a table in which holds of a kind are one
//! line, and a CSV whose columns stay.

use std::io::{self, Write};
use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use chrono::SecondsFormat;
use chrono_tz::Tz;

use super::around::{decisive, span, widened};
use super::story::change;
use super::time;
use crate::counted::{counted, dynos};
use crate::decide::number;
use crate::pipeline::{Decided, Outcome, Record};

/// The columns of the CSV. New ones come at the end.
pub const COLUMNS: [&str; 19] = [
    "at",
    "pipeline",
    "tick",
    "generation",
    "mode",
    "value",
    "success",
    "took_ms",
    "measurement_error",
    "dynos",
    "booting",
    "proposed",
    "desired",
    "min",
    "max",
    "decision",
    "outcome",
    "reasons",
    "reloaded",
];

/// Writes `records`, oldest first, as CSV (RFC 4180) with a line of names; times are UTC.
///
/// # Errors
/// When `out` takes no more.
pub fn csv(out: &mut impl Write, records: &[Arc<Record>]) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))?;
    for record in records {
        let count = |count: Option<u32>| count.map_or_else(String::new, |count| count.to_string());
        let measured = record.measurements.first();
        let dynos = &record.dynos;
        let reasons: Vec<String> =
            record.reasons.iter().map(|reason| format!("{}: {}", reason.guard, reason.text)).collect();
        let fields = [
            record.at.to_rfc3339_opts(SecondsFormat::Millis, true),
            record.pipeline.to_string(),
            record.tick.to_string(),
            record.generation.to_string(),
            record.mode.to_string(),
            measured.and_then(|measured| measured.value).map_or_else(String::new, |value| value.to_string()),
            measured.map_or_else(String::new, |measured| measured.success.to_string()),
            measured.map_or_else(String::new, |measured| format!("{:.3}", measured.took_ms)),
            measured.and_then(|measured| measured.error.clone()).unwrap_or_default(),
            count(dynos.current),
            dynos.booting.to_string(),
            count(dynos.proposed),
            count(dynos.desired),
            dynos.min.to_string(),
            dynos.max.to_string(),
            record.decision.name().to_owned(),
            record.outcome.name().to_owned(),
            reasons.join("; "),
            record.reloaded.clone().unwrap_or_default(),
        ];
        writeln!(out, "{}", fields.map(|field| quoted(&field)).join(","))?;
    }
    Ok(())
}

/// Quoted where it has to be; a text that a spreadsheet would take for a formula is none.
fn quoted(field: &str) -> String {
    let number = field.parse::<f64>().is_ok();
    let formula = !number && field.starts_with(['=', '+', '-', '@']);
    let field = if formula { format!("'{field}") } else { field.to_owned() };
    if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

/// Ticks one after the other that did the same: held at the same count by the same guard, or would have scaled
/// alike in a dry run.
struct Run<'a> {
    first: &'a Record,
    last: &'a Record,
    ticks: usize,
    values: Option<(f64, f64)>,
    failed: usize,
}

impl<'a> Run<'a> {
    fn of(record: &'a Record) -> Self {
        let mut run = Self { first: record, last: record, ticks: 0, values: None, failed: 0 };
        run.add(record);
        run
    }

    fn takes(&self, record: &Record) -> bool {
        let guard = |record: &Record| decisive(record).map(|reason| reason.guard.clone());
        let same = record.reloaded.is_none()
            && record.decision == self.last.decision
            && record.dynos.current == self.last.dynos.current;
        let held = record.decision == Decided::Hold && guard(record) == guard(self.last);
        // A dry run changes nothing, so it wishes the same tick after tick.
        let wished = record.outcome == Outcome::DryRun
            && self.last.outcome == Outcome::DryRun
            && record.dynos.desired == self.last.dynos.desired;
        same && (held || wished)
    }

    fn add(&mut self, record: &'a Record) {
        let measured = record.measurements.first();
        self.last = record;
        self.ticks += 1;
        self.failed += usize::from(measured.is_some_and(|measured| !measured.success));
        self.values = widened(self.values, measured.and_then(|measured| measured.value));
    }
}

/// Writes `records`, oldest first, as a table; runs of holds are one line, scales are marked.
///
/// # Errors
/// When `out` takes no more.
pub fn table(out: &mut impl Write, records: &[Arc<Record>], zone: Tz, unit: Option<&str>) -> io::Result<()> {
    let mut day = None;
    let mut run: Option<Run<'_>> = None;
    for record in records {
        if let Some(running) = run.as_mut().filter(|run| run.takes(record)) {
            running.add(record);
            continue;
        }
        if let Some(ended) = run.take() {
            told(out, &ended, zone, unit)?;
        }
        let date = record.at.with_timezone(&zone).date_naive();
        if day != Some(date) {
            let bold = Style::new().bold();
            writeln!(out, "{bold}{} ({zone}){bold:#}", date.format("%a %Y-%m-%d"))?;
            day = Some(date);
        }
        if let Some(changed) = &record.reloaded {
            let style = Style::new().bold();
            writeln!(out, "{}  {style}↻{style:#} {changed}", time::of_day(record.at, zone))?;
        }
        if record.decision == Decided::Hold || record.outcome == Outcome::DryRun {
            run = Some(Run::of(record));
        } else {
            moved(out, record, zone, unit)?;
        }
    }
    run.map_or(Ok(()), |ended| told(out, &ended, zone, unit))
}

fn told(out: &mut impl Write, run: &Run<'_>, zone: Tz, unit: Option<&str>) -> io::Result<()> {
    if run.last.decision == Decided::Hold {
        return held(out, run, zone, unit);
    }
    moved(out, run.first, zone, unit)?;
    let (dim, more) = (Style::new().dimmed(), run.ticks - 1);
    if more == 0 {
        return Ok(());
    }
    let values = run.values.map_or_else(String::new, |values| format!(", value {}", span(values, unit, "–")));
    let until = time::of_day(run.last.at, zone);
    writeln!(out, "          {dim}… and the same at {} till {until}{values}{dim:#}", counted(more, "more tick"))
}

fn moved(out: &mut impl Write, record: &Record, zone: Tz, unit: Option<&str>) -> io::Result<()> {
    let (mark, colour) = match (record.outcome, record.decision) {
        (Outcome::Failed, _) => ("!", AnsiColor::Red),
        (Outcome::Unknown, _) => ("?", AnsiColor::Red),
        (_, Decided::Up) => ("▲", AnsiColor::Yellow),
        (_, _) => ("▼", AnsiColor::Cyan),
    };
    let how = match record.outcome {
        _ if record.interrupted().is_some() => format!(", {}", record.interrupted().unwrap_or_default()),
        Outcome::Scaled => String::new(),
        Outcome::DryRun => " (dry run)".into(),
        Outcome::Failed => format!(" failed: {}", record.error.as_deref().unwrap_or("the platform refused")),
        Outcome::Unknown => ", outcome unknown".into(),
        Outcome::None => ", not asked for".into(),
    };
    let value = record.measurements.first().and_then(|measured| measured.value);
    let value = value.map_or_else(|| "measurement failed".into(), |value| number(value, unit));
    let why = decisive(record).map_or("", |reason| &reason.text);
    let style = Style::new().bold().fg_color(Some(colour.into()));
    let (at, change) = (time::of_day(record.at, zone), change(record));
    writeln!(out, "{at}  {style}{mark} {change}{style:#}{how}  {value}: {why}")
}

fn held(out: &mut impl Write, run: &Run<'_>, zone: Tz, unit: Option<&str>) -> io::Result<()> {
    let dim = Style::new().dimmed();
    let at = time::of_day(run.first.at, zone);
    let guard = decisive(run.last).map_or("", |reason| &reason.guard);
    let by = if matches!(guard, "" | "policy") { String::new() } else { format!(" by {guard}") };
    let count = run.last.dynos.current.map_or_else(|| "? dynos".into(), dynos);
    let values = run.values.map_or_else(String::new, |values| format!(", value {}", span(values, unit, "–")));
    let failed = if run.failed > 0 { format!(", {} failed", run.failed) } else { String::new() };
    let ticks = counted(run.ticks, "tick");
    writeln!(out, "{at}  {dim}… {ticks} held{by} at {count}{values}{failed}{dim:#}")
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_field_is_quoted_where_it_must_be_and_is_no_formula() {
        for (field, expected) in [
            ("plain", "plain"),
            ("a, b", "\"a, b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("-2.5", "-2.5"),
            ("=cmd()", "'=cmd()"),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(quoted(field), expected);
        }
    }
}
