//! Owns what waits to be told to one recipient, in order, and joins what has one cause: a failure
//! that hits many pipelines at once is one message with a count and their names. It has no clock and
//! sends nothing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::memories::Memory;
use super::{Notify, text};
use crate::pipeline::{Event, EventKind, Phase};

/// How long a failure waits for others of the same cause: pipelines of one app fail within one
/// exchange of each other.
pub(super) const JOIN_WINDOW: Duration = Duration::from_secs(2);

/// Messages that wait for one recipient. More come only where each delivery takes longer than what
/// happens; then the newest are dropped, and counted.
pub(super) const LONGEST_OUTBOX: usize = 256;

/// A message names so many pipelines and counts the others.
const NAMED: usize = 20;

/// One event on its way to one backend.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) event: Arc<Event>,
    pub(super) backend: Arc<dyn Notify>,
    pub(super) memory: Memory,
}

/// A letter, and further events of the same cause.
#[derive(Debug)]
struct Parcel {
    letter: Letter,
    others: Vec<Arc<Event>>,
    /// Until then it may be joined; after that it may go.
    due: Instant,
}

/// What waits for one recipient.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    parcels: VecDeque<Parcel>,
}

impl Outbox {
    /// Takes `letter`; `false` when there is no room for it.
    pub(super) fn push(&mut self, letter: Letter, now: Instant) -> bool {
        if let Some(parcel) = self.joinable(&letter.event, now) {
            parcel.others.push(letter.event);
            return true;
        }
        if self.parcels.len() >= LONGEST_OUTBOX {
            return false;
        }
        let due = if cause(&letter.event).is_some() { now + JOIN_WINDOW } else { now };
        self.parcels.push_back(Parcel { letter, others: Vec::new(), due });
        true
    }

    /// The parcel of the same cause that is still open. Nothing of the event's own pipeline may stand
    /// in it or behind it: a pipeline's events stay in order, and each is told.
    fn joinable(&mut self, event: &Event, now: Instant) -> Option<&mut Parcel> {
        let cause = cause(event)?;
        for parcel in self.parcels.iter_mut().rev() {
            if parcel.events().any(|other| other.pipeline == event.pipeline) {
                return None;
            }
            if parcel.due > now && self::cause(&parcel.letter.event) == Some(cause) {
                return Some(parcel);
            }
        }
        None
    }

    /// The next letter if it may go: everything may at once when the worker is `closing`.
    pub(super) fn pop(&mut self, now: Instant, closing: bool) -> Option<Letter> {
        let may_go = self.parcels.front().is_some_and(|parcel| closing || parcel.due <= now);
        if may_go { self.parcels.pop_front().map(Parcel::into_letter) } else { None }
    }

    /// When the next letter may go.
    pub(super) fn due(&self) -> Option<Instant> {
        self.parcels.front().map(|parcel| parcel.due)
    }

    /// How many letters wait.
    pub(super) fn len(&self) -> usize {
        self.parcels.len()
    }
}

impl Parcel {
    fn events(&self) -> impl Iterator<Item = &Arc<Event>> {
        std::iter::once(&self.letter.event).chain(&self.others)
    }

    fn into_letter(self) -> Letter {
        if self.others.is_empty() {
            return self.letter;
        }
        let joined = joined(&self.events().map(AsRef::as_ref).collect::<Vec<_>>());
        Letter { event: Arc::new(joined), ..self.letter }
    }
}

/// What an event of one cause has in common with the others; `None` for what is never joined.
fn cause(event: &Event) -> Option<(EventKind, Phase, &str)> {
    let failure = matches!(event.kind, EventKind::ScaleFailed | EventKind::MeasurementFailed | EventKind::CountUnknown);
    let reason = event.reason.as_deref().unwrap_or(&event.message);
    (failure && !event.pipeline.is_empty()).then_some((event.kind, event.phase, reason))
}

/// One event for several of one cause. Its key is that of the first: the end of the first closes
/// the incident, and what lasts longer opens its own when it is told again.
fn joined(events: &[&Event]) -> Event {
    let first = events[0];
    let mut names: Vec<&str> = events.iter().map(|event| &*event.pipeline).collect();
    names.sort_unstable();
    let count = names.len();
    let who = format!("{count} pipelines ({})", listed(&names));
    let opening = match (first.kind, first.phase) {
        (_, Phase::End) => None,
        (EventKind::ScaleFailed, _) => Some("Just tried to scale, and it failed"),
        (EventKind::MeasurementFailed, _) => Some("The measurement fails"),
        (EventKind::CountUnknown, _) => Some("The number of dynos cannot be read"),
        _ => None,
    };
    let message = match (opening, first.reason.as_deref()) {
        (Some(opening), Some(reason)) => format!("{opening} for {who}: {reason}"),
        _ => format!("{who}: {}", first.message),
    };
    Event {
        message,
        subject: format!("{} ({count} pipelines)", text::one_line(&first.subject)),
        pipeline: Arc::from(""),
        dynos: None,
        from: None,
        to: None,
        measurement: None,
        unit: None,
        target: None,
        ..first.clone()
    }
}

/// "a, b, c", or "a, b and 7 more".
pub(super) fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
