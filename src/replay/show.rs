//! Owns a replay in words, for people: the totals, then where the two differ.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use chrono_tz::Tz;

use super::told::{Difference, Replay, Side};
use crate::decide::number;
use crate::explain::time;
use crate::pipeline::Decided;

/// Stretches that are shown.
const MOST: usize = 20;

/// Writes `replay` to `out`, times in `zone`, values in `unit`.
///
/// # Errors
/// When `out` takes no more.
pub fn show(out: &mut impl Write, replay: &Replay, zone: Tz, unit: Option<&str>) -> io::Result<()> {
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    let (since, until) = (time::dated(replay.since, zone), time::dated(replay.until, zone));
    let ticks = count(replay.ticks, "tick");
    writeln!(out, "{bold}{}{bold:#}, {since} to {until} ({zone}), {ticks}", replay.pipeline)?;
    let (old, new) = (&replay.recorded, &replay.new);
    let instead = |new: u64, old: u64| if new == old { "as well".to_owned() } else { format!("instead of {old}") };
    writeln!(out, "  {} {}", count(new.scalings, "scaling"), instead(new.scalings, old.scalings))?;
    writeln!(out, "  {dim}up{dim:#} {} ({}), {dim}down{dim:#} {} ({})", new.up, old.up, new.down, old.down)?;
    writeln!(out, "  {} against the one before {}", new.reversals, instead(new.reversals, old.reversals))?;
    writeln!(out, "  {:.1} dyno hours instead of {:.1}", new.dyno_hours, old.dyno_hours)?;
    writeln!(
        out,
        "  at most {} {}",
        count(u64::from(new.most_dynos), "dyno"),
        instead(new.most_dynos.into(), old.most_dynos.into())
    )?;
    if new.errors > 0 || old.errors > 0 {
        writeln!(out, "  {} {}", count(new.errors, "tick with an error"), instead(new.errors, old.errors))?;
    }
    if replay.differences.is_empty() {
        writeln!(out, "\nThey decide alike at every tick.")?;
    } else {
        writeln!(out, "\n{bold}They decide differently at {}:{bold:#}", count(replay.different_ticks, "tick"))?;
    }
    for difference in replay.differences.iter().take(MOST) {
        one(out, difference, zone, unit)?;
    }
    let more = replay.differences.len().saturating_sub(MOST) as u64 + replay.more_differences;
    if more > 0 {
        writeln!(out, "\n  and {more} more; `--json` has them")?;
    }
    writeln!(out)?;
    for note in &replay.notes {
        writeln!(out, "{dim}note: {note}{dim:#}")?;
    }
    Ok(())
}

fn one(out: &mut impl Write, difference: &Difference, zone: Tz, unit: Option<&str>) -> io::Result<()> {
    let dim = Style::new().dimmed();
    let several = difference.measured.len() > 1;
    let value = |(name, value): &(String, Option<f64>)| {
        let value = value.map_or_else(|| "nothing".into(), |value| number(value, unit.filter(|_| !several)));
        if several { format!("{name} {value}") } else { value }
    };
    let measured: Vec<String> = difference.measured.iter().map(value).collect();
    let lasting = match difference.ticks {
        1 => String::new(),
        ticks => format!(", and so at {ticks} ticks till {}", time::beside(difference.last, difference.at, zone)),
    };
    let at = time::dated(difference.at, zone);
    writeln!(out, "\n  {at}, measured {}{lasting}", measured.join(", "))?;
    for (name, side) in [("running", &difference.recorded), ("new", &difference.new)] {
        writeln!(out, "    {dim}{name:<8}{dim:#} {}: {}", decided(side), side.reason)?;
    }
    Ok(())
}

fn decided(side: &Side) -> String {
    let known = |dynos: Option<u32>| dynos.map_or_else(|| "?".into(), |dynos| dynos.to_string());
    let style = match side.decision {
        Decided::Up => AnsiColor::Yellow.on_default(),
        Decided::Down => AnsiColor::Cyan.on_default(),
        Decided::Hold => Style::new(),
    };
    match side.decision {
        Decided::Hold => format!("hold at {}", known(side.from)),
        way => format!("{style}{} from {} to {}{style:#}", way.name(), known(side.from), known(side.to)),
    }
}

/// "1 tick", "2 ticks"; of several words the first takes the plural.
fn count(count: u64, what: &str) -> String {
    if count == 1 {
        return format!("1 {what}");
    }
    match what.split_once(' ') {
        Some((first, rest)) => format!("{count} {first}s {rest}"),
        None => format!("{count} {what}s"),
    }
}
