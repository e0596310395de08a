//! Owns an explanation in words, for people: what one line has said no other says again.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use chrono_tz::Tz;

use super::around::span;
use super::story::change;
use super::{Explanation, Way, time};
use crate::counted::{counted, dynos};
use crate::decide::number;
use crate::pipeline::{Decided, MeasurementRecord, Outcome, Record};

/// Groups of holds that are shown.
const MOST_HOLDS: usize = 6;

/// Writes `told` to `out`, times in `zone`.
///
/// # Errors
/// When `out` takes no more.
pub fn show(out: &mut impl Write, told: &Explanation, zone: Tz) -> io::Result<()> {
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    let (record, unit) = (&*told.record, told.unit.as_deref());
    writeln!(out, "{bold}{}{bold:#}", told.summary)?;
    let mut row = |name: &str, text: &str| writeln!(out, "  {dim}{name:<9}{dim:#} {text}");
    for measurement in &record.measurements {
        row("measured", &measured(measurement, unit))?;
    }
    for proposal in &record.proposals {
        let wanted = proposal.dynos.map_or_else(|| "to hold".into(), dynos);
        row("wanted", &format!("{wanted}: {}", proposal.text))?;
    }
    if record.proposals.is_empty() {
        row("wanted", "nothing: the policy was not asked")?;
    }
    for reason in told.guards.iter().filter(|reason| record.interrupted() != Some(&*reason.text)) {
        let (from, to) = (reason.from, reason.to);
        let changed = match (from, to) {
            (Some(from), Some(to)) if from != to => format!(" ({from} became {to})"),
            _ => String::new(),
        };
        row("guard", &format!("{}: {}{changed}", reason.guard, reason.text))?;
    }
    if let Some(changed) = &record.reloaded {
        row("reloaded", changed)?;
    }
    let desired = record.dynos.desired.map_or_else(|| "an unknown number of dynos".into(), dynos);
    let between = format!("between {} and {}", record.dynos.min, record.dynos.max);
    row(
        "decided",
        &format!("{} at {desired}, {between}", decided(record)).replace("down at", "down to").replace("up at", "up to"),
    )?;
    row("happened", record.interrupted().unwrap_or_else(|| happened(record.outcome)))?;
    if let Some(error) = record.error.as_ref().filter(|error| !said(told, error)) {
        row("error", error)?;
    }
    ways(out, told)?;
    writeln!(out)?;
    around(out, told, zone)?;
    for note in &told.notes {
        writeln!(out, "{dim}note: {note}{dim:#}")?;
    }
    Ok(())
}

fn measured(measurement: &MeasurementRecord, unit: Option<&str>) -> String {
    let value = match (&measurement.error, measurement.value) {
        (Some(error), _) => format!("nothing, it failed: {error}"),
        (None, Some(value)) => number(value, unit),
        (None, None) => measurement.data.to_string(),
    };
    let name = if measurement.name == "measurement" { String::new() } else { format!("{}: ", measurement.name) };
    format!("{name}{value} ({}, took {:.0} ms)", measurement.backend, measurement.took_ms)
}

fn decided(record: &Record) -> &'static str {
    match record.decision {
        Decided::Hold => "hold",
        other => other.name(),
    }
}

fn happened(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Scaled => "the platform took it",
        Outcome::DryRun => "nothing: a dry run",
        Outcome::Failed => "the platform refused",
        Outcome::Unknown => "it was asked for, and nobody knows whether it took effect",
        Outcome::None => "nothing was to be done",
    }
}

/// Whether `error` stands in a line already.
fn said(told: &Explanation, error: &str) -> bool {
    let reasons = told.record.reasons.iter().map(|reason| &reason.text);
    let proposals = told.record.proposals.iter().map(|proposal| &proposal.text);
    reasons.chain(proposals).any(|text| text.contains(error) || error.contains(text.as_str()))
}

fn ways(out: &mut impl Write, told: &Explanation) -> io::Result<()> {
    let style = |to: Decided| match to {
        Decided::Up => Style::new().fg_color(Some(AnsiColor::Yellow.into())),
        Decided::Down => Style::new().fg_color(Some(AnsiColor::Cyan.into())),
        Decided::Hold => Style::new(),
    };
    let asked = told.why_not;
    if let Some(asked) = asked.filter(|asked| *asked == told.record.decision) {
        return writeln!(out, "\nit did go {}", asked.name());
    }
    for to in [Decided::Up, Decided::Down, Decided::Hold] {
        let mut titles: Vec<Option<u32>> = Vec::new();
        let chosen: Vec<&Way> = told.would_have.iter().filter(|way| way.decision == Some(to)).collect();
        for way in &chosen {
            if !titles.contains(&way.dynos) {
                titles.push(way.dynos);
            }
        }
        for title in titles {
            let count = title.map_or_else(|| "another number of dynos".into(), dynos);
            let style = style(to);
            // A hold in the place of another wish is no other outcome of a tick that held.
            let again = to == Decided::Hold && told.record.decision == Decided::Hold;
            let heading =
                if again { "It would still have held with".into() } else { format!("It would have been {count} with") };
            writeln!(out, "\n{style}{heading}{style:#}")?;
            for way in chosen.iter().filter(|way| way.dynos == title) {
                writeln!(out, "  - {}", way.text)?;
            }
        }
    }
    for way in told.would_have.iter().filter(|way| way.decision.is_none()) {
        writeln!(out, "\nIt would have been decided with\n  - {}", way.text)?;
    }
    if let Some(asked) = asked
        && !told.would_have.iter().any(|way| way.decision == Some(asked))
        && !told.notes.iter().any(|note| note.contains("--script"))
    {
        writeln!(out, "\nNothing was found that would have made it go {}", asked.name())?;
    }
    Ok(())
}

fn around(out: &mut impl Write, told: &Explanation, zone: Tz) -> io::Result<()> {
    let (record, dim) = (&told.record, Style::new().dimmed());
    let scale = |scale: &Record| {
        let why: Vec<&str> = scale.reasons.iter().map(|reason| reason.text.as_str()).collect();
        format!("{}, {}: {}", time::beside(scale.at, record.at, zone), change(scale), why.join("; "))
    };
    if let Some(held) = told.held.filter(|held| held.ticks > 1) {
        writeln!(out, "held {} times in a row, since {}", held.ticks, time::beside(held.since, record.at, zone))?;
    }
    match &told.last_scale {
        Some(last) if last.at == record.at => {}
        Some(last) => writeln!(out, "last scale: {}", scale(last))?,
        None => writeln!(out, "last scale: none that is recorded")?,
    }
    if let Some(next) = &told.next_scale {
        writeln!(out, "next scale: {}", scale(next))?;
    }
    let Some(around) = &told.around else { return Ok(()) };
    let (since, until) = (time::beside(around.since, record.at, zone), time::beside(around.until, record.at, zone));
    let failed = if around.failed > 0 { format!(", {} failed", around.failed) } else { String::new() };
    writeln!(
        out,
        "around it, {since} to {until}: {}, {} up, {} down, {} held{failed}",
        counted(around.ticks, "tick"),
        around.up,
        around.down,
        around.held
    )?;
    for held in around.holds.iter().take(MOST_HOLDS) {
        let values = match held.values {
            Some(values) => format!(" {dim}({}){dim:#}", span(values, told.unit.as_deref(), " to ")),
            None => String::new(),
        };
        let last = time::beside(held.last, record.at, zone);
        writeln!(out, "  {:>4} x {}, last at {last}: {}{values}", held.ticks, held.guard, held.text)?;
    }
    Ok(())
}
