//! Owns what happened in a stretch of time: how many ticks scaled, failed and held, and the holds grouped by
//! what held them. It looks at records only.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::decide::number;
use crate::pipeline::{Decided, Outcome, Reason, Record};

/// A stretch of time in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Around {
    /// Its first tick.
    pub since: DateTime<Utc>,
    /// Its last tick.
    pub until: DateTime<Utc>,
    /// Ticks in it.
    pub ticks: usize,
    /// Ticks that scaled up, or would have in a dry run.
    pub up: usize,
    /// Ticks that scaled down, or would have.
    pub down: usize,
    /// Ticks whose scale failed.
    pub failed: usize,
    /// Ticks that held.
    pub held: usize,
    /// Why they held, the most frequent first.
    pub holds: Vec<Held>,
}

/// Holds for one and the same reason but for its numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// The guard that had the last word, or "policy".
    pub guard: String,
    /// How many.
    pub ticks: usize,
    /// The first of them.
    pub first: DateTime<Utc>,
    /// The last of them.
    pub last: DateTime<Utc>,
    /// What the last of them said.
    pub text: String,
    /// The lowest and the highest value that was measured in them.
    pub values: Option<(f64, f64)>,
}

/// The stretch of `records`, oldest first; `None` where there are none.
#[must_use]
pub fn around(records: &[Arc<Record>]) -> Option<Around> {
    let (first, last) = (records.first()?, records.last()?);
    let count = |so: &dyn Fn(&Record) -> bool| records.iter().filter(|record| so(record)).count();
    let went = |record: &Record| !matches!(record.outcome, Outcome::Failed | Outcome::None);
    let mut holds: Vec<(String, Held)> = Vec::new();
    for record in records.iter().filter(|record| record.decision == Decided::Hold) {
        let (guard, text) = decisive(record).map_or(("", ""), |reason| (&reason.guard, &reason.text));
        let key = format!("{guard} {}", without_numbers(text));
        let value = record.measurements.first().and_then(|measurement| measurement.value);
        let at = holds.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            let (first, last, guard) = (record.at, record.at, guard.to_owned());
            holds.push((key, Held { guard, ticks: 0, first, last, text: String::new(), values: None }));
            holds.len() - 1
        });
        let held = &mut holds[at].1;
        held.ticks += 1;
        held.last = record.at;
        text.clone_into(&mut held.text);
        held.values = widened(held.values, value);
    }
    let mut holds: Vec<Held> = holds.into_iter().map(|(_, held)| held).collect();
    holds.sort_by_key(|held| std::cmp::Reverse(held.ticks));
    Some(Around {
        since: first.at,
        until: last.at,
        ticks: records.len(),
        up: count(&|record| record.decision == Decided::Up && went(record)),
        down: count(&|record| record.decision == Decided::Down && went(record)),
        failed: count(&|record| record.outcome == Outcome::Failed),
        held: count(&|record| record.decision == Decided::Hold),
        holds,
    })
}

/// The reason that had the last word.
#[must_use]
pub fn decisive(record: &Record) -> Option<&Reason> {
    record.reasons.last()
}

/// `range` with `value` in it.
#[must_use]
pub fn widened(range: Option<(f64, f64)>, value: Option<f64>) -> Option<(f64, f64)> {
    match (range, value) {
        (Some((low, high)), Some(value)) => Some((low.min(value), high.max(value))),
        (None, Some(value)) => Some((value, value)),
        (range, None) => range,
    }
}

/// "430 to 612 ms", or the one value that there is.
#[must_use]
pub fn span((low, high): (f64, f64), unit: Option<&str>, between: &str) -> String {
    let high_words = number(high, unit);
    #[allow(clippy::float_cmp)] // The very same value.
    if low == high { high_words } else { format!("{}{between}{high_words}", number(low, None)) }
}

/// `text` with every number, and every list of them, as one mark.
fn without_numbers(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let plain = word.trim_end_matches([',', ';', ':']);
        let number = plain == "failed" || plain.parse::<f64>().is_ok();
        if number { "#" } else { word }
    });
    let mut words: Vec<&str> = words.collect();
    words.dedup_by(|a, b| *a == "#" && *b == "#");
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_alike_but_for_their_numbers() {
        for (a, b) in [
            ("430 is within 400 and 1200 ms", "612.5 is within 400 and 1200 ms"),
            ("the last 1 of 3 above 1000 ms: 1210", "the last 2 of 3 above 1000 ms: 1210, failed"),
            ("scaled 5 s ago; the next decision is in 10 s", "scaled 10.5 s ago; the next decision is in 4.5 s"),
        ] {
            assert_eq!(without_numbers(a), without_numbers(b));
        }
        assert_ne!(without_numbers("5 is within 1 and 9"), without_numbers("5 is below 1 and 9"));
    }
}
