//! Owns how `status` looks on a terminal: a line of its worker, its script and its store, a table of its
//! pipelines, and below each what an operator would ask next.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::control::{HeldLever, LastDecision, PipelineStatus, Status, UnitStatus};
use crate::counted;
use crate::decide::number;
use crate::notify::one_line;
use crate::pipeline::{Decided, Outcome};

const BAD: Style = AnsiColor::Red.on_default();
const CARE: Style = AnsiColor::Yellow.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const HEAD: Style = Style::new().bold();

/// An error that has been over for longer is told no more: it is in the history.
const TOLD: TimeDelta = TimeDelta::hours(1);

/// `status`, with times on the clock that all pipelines go by, or where they differ on one of `local`; a pipeline that
/// goes by another one says so. Colours are dropped where it is printed to no terminal.
pub(super) fn status(status: &Status, local: Tz) -> String {
    let mut text = String::new();
    let mut zones = status.pipelines.iter().map(|pipeline| zone_of(pipeline).unwrap_or(local));
    let zone = zones.next().filter(|first| zones.all(|zone| zone == *first)).unwrap_or(local);
    if let Some(worker) = &status.worker {
        let up = span(status.at - worker.since);
        let running = format!("running for {up} (process {}, autoscaler {})", worker.pid, worker.version);
        line(&mut text, "worker", GOOD, &running);
    } else {
        let why = status.unreached.as_deref().unwrap_or("no worker runs");
        line(&mut text, "worker", BAD, &format!("{why}; this is what its state knows"));
    }
    for unit in &status.units {
        unit_lines(&mut text, unit, status.at, zone);
    }
    match (&status.store.folder, &status.store.error) {
        (_, Some(error)) => line(&mut text, "state", BAD, error),
        (Some(folder), None) if status.store.healthy => line(&mut text, "state", Style::new(), folder),
        (Some(folder), None) => {
            line(&mut text, "state", BAD, &format!("{folder} cannot be used: what is new ends with the worker"));
        }
        (None, None) => line(&mut text, "state", CARE, "in memory: it ends with the worker"),
    }
    line(&mut text, "times", Style::new(), &format!("{} ({zone})", clock(status.at, DateTime::UNIX_EPOCH, zone)));
    if status.pipelines.iter().all(|pipeline| pipeline.last.is_none()) {
        // They stand nowhere else then.
        for held in &status.levers {
            line(&mut text, "lever", CARE, &format!("all pipelines: {}", lever(held, zone)));
        }
    }
    if status.pipelines.is_empty() {
        text.push_str("no pipelines\n");
        return text;
    }
    text.push('\n');
    table(&mut text, &status.pipelines);
    for pipeline in &status.pipelines {
        details(&mut text, pipeline, status.at, zone);
    }
    text
}

/// The zone of the times of `pipeline`.
fn zone_of(pipeline: &PipelineStatus) -> Option<Tz> {
    pipeline.zone.as_ref()?.parse().ok()
}

fn line(text: &mut String, head: &str, style: Style, what: &str) {
    let _ = writeln!(text, "{HEAD}{head:<8}{HEAD:#}{style}{what}{style:#}");
}

fn unit_lines(text: &mut String, unit: &UnitStatus, now: DateTime<Utc>, zone: Tz) {
    let age = span(now - unit.since);
    line(text, "script", Style::new(), &format!("{}, generation {}, in force for {age}", unit.file, unit.generation));
    if let Some(trial) = &unit.trial {
        let until = clock(trial.until, now, zone);
        line(
            text,
            "",
            CARE,
            &format!("{} is being tried by {} until {until}; then the one before comes back", trial.file, trial.by),
        );
    }
    if let Some(why) = &unit.rolled_back {
        line(text, "", CARE, &format!("not what is on disk: rolled back {why}"));
    }
    if let Some(since) = unit.checking {
        let since = clock(since, now, zone);
        let what = "checking what is on disk against its gate";
        line(text, "", CARE, &format!("{what} since {since}; it goes live if it passes"));
    }
    if let Some(refused) = &unit.refused {
        let more = refused.errors.saturating_sub(1);
        let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        line(
            text,
            "",
            BAD,
            &format!(
                "not what is on disk, which was refused at {}: {}{more}",
                clock(refused.at, now, zone),
                refused.error
            ),
        );
    }
}

const TITLES: [&str; 7] = ["PIPELINE", "MODE", "DYNOS", "BOUNDS", "VALUE", "THRESHOLDS", "COOLDOWN"];

fn table(text: &mut String, pipelines: &[PipelineStatus]) {
    let rows: Vec<[String; 7]> = pipelines.iter().map(row).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([TITLES[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..TITLES.len()).map(width).collect();
    let mut put = |cells: &[&str], styles: &[Style]| {
        let mut row = String::new();
        for (column, cell) in cells.iter().enumerate() {
            let style = styles.get(column).copied().unwrap_or_default();
            let pad = widths[column].saturating_sub(cell.chars().count());
            let _ = write!(row, "{style}{cell}{style:#}{}  ", " ".repeat(pad));
        }
        let _ = writeln!(text, "{}", row.trim_end());
    };
    put(&TITLES, &[HEAD; 7]);
    for (pipeline, row) in pipelines.iter().zip(&rows) {
        let mode = if pipeline.mode == "live" { GOOD } else { CARE };
        let value = if pipeline.value.is_none() { BAD } else { Style::new() };
        let dynos = if pipeline.dynos.is_none() { BAD } else { HEAD };
        let plain = Style::new();
        put(&row.each_ref().map(String::as_str), &[plain, mode, dynos, plain, value, plain, plain]);
    }
}

fn row(pipeline: &PipelineStatus) -> [String; 7] {
    let unit = pipeline.unit.as_deref();
    let dynos = match (pipeline.dynos, pipeline.booting) {
        (None, _) => "unknown".into(),
        (Some(dynos), 0) => dynos.to_string(),
        (Some(dynos), booting) => format!("{dynos} ({booting} booting)"),
    };
    let bounds = pipeline.min.zip(pipeline.max).map_or_else(|| "-".into(), |(min, max)| format!("{min}..{max}"));
    let value = match (pipeline.value, &pipeline.failure, &pipeline.last) {
        (Some(value), ..) => number(value, unit),
        (None, Some(_), _) => "failed".into(),
        (None, None, Some(_)) => "no number".into(),
        (None, None, None) => "-".into(),
    };
    let thresholds = pipeline
        .thresholds
        .map_or_else(|| "-".into(), |(min, max)| format!("{}..{}", number(min, None), number(max, unit)));
    let cooldown = pipeline.cooldown_left_seconds.map_or_else(|| "-".into(), |left| format!("{left:.0} s"));
    [pipeline.name.clone(), pipeline.mode.to_string(), dynos, bounds, value, thresholds, cooldown]
}

fn details(text: &mut String, pipeline: &PipelineStatus, now: DateTime<Utc>, zone: Tz) {
    let own = zone_of(pipeline).filter(|own| *own != zone);
    let zone = own.unwrap_or(zone);
    let _ = writeln!(
        text,
        "\n{HEAD}{}{HEAD:#}{}{}",
        pipeline.name,
        pipeline.target.as_ref().map_or_else(String::new, |target| format!(" scales {target}")),
        own.map_or_else(String::new, |own| format!(", its times in {own}"))
    );
    for held in &pipeline.levers {
        item(text, "lever", CARE, &lever(held, zone));
    }
    match &pipeline.last {
        Some(last) => {
            let style = if pipeline.late { BAD } else { Style::new() };
            let late = if pipeline.late { ", and no tick since" } else { "" };
            item(text, "last", style, &format!("{}{late}", decision(last, now, zone)));
        }
        None => item(text, "last", Style::new(), "no tick yet"),
    }
    if let Some(change) = pipeline.last_change.as_ref().filter(|change| Some(*change) != pipeline.last.as_ref()) {
        item(text, "change", Style::new(), &decision(change, now, zone));
    }
    if let Some(error) = &pipeline.last_error {
        let (at, what) = (clock(error.at, now, zone), one_line(&error.text));
        match error.over {
            None => item(text, "error", BAD, &format!("{at} {what}")),
            Some(over) if now - over < TOLD => {
                let over = clock(over, now, zone);
                item(text, "was", Style::new(), &format!("{at} an error, over since {over}: {what}"));
            }
            Some(_) => {}
        }
    }
}

fn item(text: &mut String, head: &str, style: Style, what: &str) {
    let _ = writeln!(text, "  {head:<8}{style}{what}{style:#}");
}

fn lever(held: &HeldLever, zone: Tz) -> String {
    let what = match (&*held.lever, held.dynos) {
        ("set", Some(dynos)) if held.beyond_bounds => format!("set to {}, beyond the bounds,", counted::dynos(dynos)),
        ("set", Some(dynos)) => format!("set to {}", counted::dynos(dynos)),
        ("scale_in_off", _) => "scale-in switched off".into(),
        ("scale_out_off", _) => "scale-out switched off".into(),
        (other, _) => other.to_owned(),
    };
    format!("{what} {}", held.pull.told(zone))
}

fn decision(decision: &LastDecision, now: DateTime<Utc>, zone: Tz) -> String {
    let what = match decision.decision {
        Decided::Up => "up",
        Decided::Down => "down",
        Decided::Hold => "hold",
    };
    let change = decision.from.zip(decision.to).filter(|(from, to)| from != to);
    let change = change.map_or_else(String::new, |(from, to)| format!(" from {from} to {to}"));
    let outcome = match decision.outcome {
        Outcome::Failed => ", which failed",
        Outcome::Unknown => ", and nobody knows how it ended",
        Outcome::DryRun => ", as a dry run",
        Outcome::Scaled | Outcome::None => "",
    };
    format!("{} {what}{change}{outcome}: {}", clock(decision.at, now, zone), one_line(&decision.reason))
}

/// "14:05:09", with the date where it is another day's.
fn clock(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let (at, now) = (at.with_timezone(&zone), now.with_timezone(&zone));
    let form = if at.date_naive() == now.date_naive() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    at.format(form).to_string()
}

/// "3 d 2 h", "2 h 5 min", "5 min 10 s", "10 s".
fn span(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_two_units() {
        let told = |seconds| span(TimeDelta::seconds(seconds));
        assert_eq!([told(-5), told(59), told(310), told(7_500)], ["0 s", "59 s", "5 min 10 s", "2 h 5 min"]);
        assert_eq!(told(266_400), "3 d 2 h");
    }
}
