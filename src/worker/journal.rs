//! Owns what the log says of ticks: every scale with its reason, what goes wrong when it begins and when it
//! is over, and each tick for whoever asks for it (`--log debug`). People are told by notifications.

use crate::pipeline::{Decided, Outcome, Record};

/// What the log was told last of one pipeline: a fault that lasts is told once.
#[derive(Debug, Default)]
pub(super) struct Journal {
    measuring: Option<String>,
    acting: Option<String>,
}

impl Journal {
    /// Writes what is worth a line of `record`.
    pub(super) fn enter(&mut self, record: &Record) {
        let pipeline = &*record.pipeline;
        let reasons = reasons(record);
        self.measured(record);
        self.acted(record);
        let (from, to) = (record.dynos.current, record.dynos.desired);
        match (record.outcome, from, to) {
            (Outcome::Scaled, Some(from), Some(to)) => {
                tracing::info!(pipeline, "scaled from {from} to {to} dynos: {reasons}");
            }
            (Outcome::DryRun, Some(from), Some(to)) => {
                tracing::debug!(pipeline, "would scale from {from} to {to} dynos: {reasons}");
            }
            _ => {}
        }
        let tick = record.tick;
        let decision = match record.decision {
            Decided::Up => "up",
            Decided::Down => "down",
            Decided::Hold => "hold",
        };
        let value = record.measurements.first().and_then(|measurement| measurement.value);
        tracing::debug!(pipeline, tick, value, dynos = from, "{decision}: {reasons}");
    }

    fn measured(&mut self, record: &Record) {
        let pipeline = &*record.pipeline;
        let error = record.measurements.iter().find_map(|measurement| measurement.error.clone());
        match (&self.measuring, &error) {
            (before, Some(error)) if before.as_ref() != Some(error) => {
                tracing::warn!(pipeline, "the measurement failed: {error}");
            }
            (Some(_), None) => tracing::info!(pipeline, "measuring works again"),
            _ => {}
        }
        self.measuring = error;
    }

    /// Errors of the tick, and a count that cannot be read.
    fn acted(&mut self, record: &Record) {
        let pipeline = &*record.pipeline;
        let unknown = record.reasons.iter().find(|reason| reason.guard == "count_unknown");
        let error = record.error.clone().or_else(|| unknown.map(|reason| reason.text.clone()));
        match (&self.acting, &error) {
            (before, Some(error)) if before.as_ref() != Some(error) => tracing::warn!(pipeline, "{error}"),
            (Some(_), None) => tracing::info!(pipeline, "ticks go without an error again"),
            _ => {}
        }
        self.acting = error;
    }
}

fn reasons(record: &Record) -> String {
    let texts: Vec<&str> = record.reasons.iter().map(|reason| &*reason.text).collect();
    texts.join("; ")
}
