//! Owns docs/faults.md as the matrix writes it.

use autoscaler::pipeline::{Decided, Outcome, Record};

use super::course::Came;
use super::rows::{Cell, Stage};

/// The page before the tables.
pub const HEAD: &str = "\
# What happens when something fails

Written by the tests, which do each of these to a pipeline that runs: `tests/run faults` fails where this page is not
what came of it (`AUTOSCALER_BLESS=1` writes it anew).

In every table a server that has worked fails in one way for three ticks, 30 s apart, and works again. *Decision* is what the three ticks
decided; where they differ, each. *The record says* what the third one says. *Told* are the events that people get.
*Back* is the number of ticks after the fault until the pipeline scaled again. Everything else is default.

Three things hold in every cell, and the tests insist on them: no tick with a failed measurement scales in, nothing is
scaled on a count that could not be read, and one decision is carried out once.
";

/// One line of a table.
pub struct Line {
    pub fault: String,
    pub decision: String,
    pub says: String,
    pub told: String,
    pub back: String,
}

impl Line {
    /// What `cell` came to.
    pub fn of(fault: String, stage: Stage, cell: &Cell, came: &Came) -> Self {
        let mut decisions: Vec<String> = came.under.iter().map(|record| decision(record)).collect();
        if decisions.windows(2).all(|pair| pair[0] == pair[1]) {
            decisions.truncate(1);
        }
        let last = came.under.last().expect("three ticks");
        let says = match (stage, &came.undelivered) {
            (Stage::Notify, Some(undelivered)) => {
                let again = if undelivered.transient { " (tried again)" } else { "" };
                format!("{}{again}", undelivered.message)
            }
            (Stage::Notify, None) => "delivered as usual".into(),
            _ => says(last),
        };
        let mut told: Vec<String> = came
            .under
            .iter()
            .flat_map(|record| &record.events)
            .map(|event| event.kind.to_string())
            .filter(|kind| kind != "measured")
            .collect();
        told.dedup();
        let told = if told.is_empty() { "nobody".into() } else { format!("`{}`", told.join("`, `")) };
        let back = came.after.len().to_string();
        Self { fault, decision: decisions.join(", "), says: cell.steady(&says), told, back }
    }

    fn row(&self) -> String {
        let says = self.says.replace('|', "\\|").replace('\n', " ");
        format!("| {} | {} | {says} | {} | {} |\n", self.fault, self.decision, self.told, self.back)
    }
}

/// One table.
pub fn table(title: &str, lines: &[Line]) -> String {
    let rows: String = lines.iter().map(Line::row).collect();
    format!("\n## {title}\n\n| fault | decision | the record says | told | back |\n|---|---|---|---|---|\n{rows}")
}

fn decision(record: &Record) -> String {
    let decided = match record.decision {
        Decided::Up => "out",
        Decided::Down => "in",
        Decided::Hold => "hold",
    };
    match record.outcome {
        Outcome::Failed => format!("{decided} (failed)"),
        Outcome::Unknown => format!("{decided} (unknown)"),
        Outcome::Scaled | Outcome::DryRun | Outcome::None => decided.into(),
    }
}

fn says(record: &Record) -> String {
    let failed = record.measurements.iter().find_map(|measurement| measurement.error.clone());
    let reasons = || record.reasons.iter().map(|reason| reason.text.clone()).collect::<Vec<_>>().join("; ");
    failed.or_else(|| record.error.clone()).unwrap_or_else(reasons)
}
