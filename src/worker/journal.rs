//! Owns what the log says of ticks: every scale with its reason, what goes wrong when it begins and when it
//! is over, what lasts, and each tick for whoever asks for it (`--log debug`). It tells people nothing.

mod trouble;

use crate::counted::dynos;
use crate::notify::{further_reason, one_line};
use crate::pipeline::{Event, EventKind, Outcome, Phase, PipelineSpec, Reason, Record};
use trouble::{State, Trouble};

/// What the log was told last of one pipeline: a fault that lasts is told once.
#[derive(Debug)]
pub(super) struct Journal {
    measuring: Trouble,
    counting: Trouble,
    deciding: Trouble,
    scaling: Trouble,
    rest: Trouble,
    /// Whether nobody knows yet how the last scale ended.
    open: bool,
    /// The change that a dry run wished last.
    wished: Option<(u32, u32)>,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            measuring: Trouble::new("measuring works again"),
            counting: Trouble::new("the number of dynos can be read again"),
            deciding: Trouble::new("the decision works again"),
            scaling: Trouble::new("scaling works again"),
            rest: Trouble::new("ticks go without an error again"),
            open: false,
            wished: None,
        }
    }
}

impl Journal {
    /// Writes what is worth a line of `record`, a tick of `spec`.
    pub(super) fn enter(&mut self, record: &Record, spec: &PipelineSpec) {
        let pipeline = &*record.pipeline;
        self.faults(record);
        // A backend that writes to the log has its own line about it.
        let untold = |event: &&Event| {
            lasts(event) && !spec.notify.iter().any(|stage| stage.backend.is_log() && stage.hears(event))
        };
        // What a person did came before what was made of it.
        let (by_hand, others): (Vec<_>, Vec<_>) =
            record.events.iter().filter(untold).partition(|event| event.kind == EventKind::ChangedByHand);
        by_hand.into_iter().for_each(condition);
        self.acted(record);
        others.into_iter().for_each(condition);
        let tick = record.tick;
        if tracing::enabled!(tracing::Level::DEBUG) {
            let (decision, whole) = (record.decision.name(), record.compact());
            let value = record.measurements.first().and_then(|measurement| measurement.value);
            let (dynos, reasons) = (record.dynos.current, reasons(record));
            // The whole record, so that `explain` can read it from a log.
            tracing::debug!(pipeline, tick, value, dynos, record = whole, "{decision}: {reasons}");
        }
    }

    fn acted(&mut self, record: &Record) {
        let pipeline = &*record.pipeline;
        let change = record.dynos.current.zip(record.dynos.desired);
        let wished = change.filter(|_| record.outcome == Outcome::DryRun);
        if let (Outcome::Scaled, Some((from, to))) = (record.outcome, change) {
            tracing::info!(pipeline, "scaled from {from} to {}: {}", dynos(to), reasons(record));
        }
        // Nothing changes in a dry run, so it wishes the same every tick.
        if let Some((from, to)) = wished.filter(|_| wished != self.wished) {
            tracing::info!(pipeline, "would scale from {from} to {}: {}", dynos(to), reasons(record));
        }
        self.wished = wished;
    }

    fn faults(&mut self, record: &Record) {
        let error = || record.error.clone().unwrap_or_default();
        let guard = |name: &str| record.reasons.iter().find(|reason| reason.guard == name);
        let failed = record.measurements.iter().find_map(|one| Some((&one.name, one.error.as_ref()?)));
        let measuring = failed.map_or(State::Fine, |(name, error)| {
            let name = if record.measurements.len() > 1 { format!(" `{name}`") } else { String::new() };
            State::Failed(format!("the measurement{name} failed: {error}"))
        });
        let counting = guard("count_unknown").map_or(State::Fine, |reason: &Reason| State::Failed(reason.text.clone()));
        let mut held = record.proposals.iter().filter(|proposal| proposal.dynos.is_none() && !proposal.text.is_empty());
        let wrong = held.find(|proposal| error().contains(&*proposal.text));
        let deciding = match wrong {
            Some(proposal) => State::Failed(proposal.text.clone()),
            _ if record.proposals.is_empty() => State::Untold,
            _ => State::Fine,
        };
        // Only a call that succeeds ends it: while the platform is left alone nothing is known.
        let waits = ["count_unknown", "back_off", "cooldown"].iter().any(|name| guard(name).is_some());
        let scaling = match record.outcome {
            Outcome::Failed | Outcome::Unknown => State::Failed(error()),
            Outcome::Scaled => State::Fine,
            Outcome::None | Outcome::DryRun if guard("last_scale").is_some() => State::Fine,
            Outcome::None | Outcome::DryRun if waits || self.open => State::Untold,
            Outcome::None | Outcome::DryRun => State::Dropped,
        };
        self.open = match scaling {
            State::Failed(_) => record.outcome == Outcome::Unknown,
            State::Fine => false,
            State::Untold | State::Dropped => self.open,
        };
        let told_already = [&counting, &deciding, &scaling].iter().any(|state| matches!(state, State::Failed(_)));
        let rest = match &record.error {
            Some(_) if told_already => State::Untold,
            Some(error) => State::Failed(error.clone()),
            None => State::Fine,
        };
        let (pipeline, at) = (&*record.pipeline, record.at);
        self.measuring.observe(pipeline, at, measuring);
        self.counting.observe(pipeline, at, counting);
        self.deciding.observe(pipeline, at, deciding);
        self.scaling.observe(pipeline, at, scaling);
        self.rest.observe(pipeline, at, rest);
    }
}

/// Whether `event` begins or ends what lasts, or tells of what others did. Failures are logged at their first,
/// not at their third.
fn lasts(event: &Event) -> bool {
    if event.kind == EventKind::ChangedByHand {
        return true;
    }
    let failure = matches!(
        event.kind,
        EventKind::ScaleFailed | EventKind::MeasurementFailed | EventKind::CountUnknown | EventKind::DecisionFailed
    );
    matches!(event.phase, Phase::Begin | Phase::End) && !failure
}

fn condition(event: &Event) {
    let (pipeline, message) = (&*event.pipeline, one_line(&event.message));
    let reason = further_reason(event).map(one_line);
    if event.phase == Phase::End || event.severity == "info" {
        tracing::info!(pipeline, reason, "{message}");
    } else {
        tracing::warn!(pipeline, reason, "{message}");
    }
}

fn reasons(record: &Record) -> String {
    let texts: Vec<&str> = record.reasons.iter().map(|reason| &*reason.text).collect();
    texts.join("; ")
}
