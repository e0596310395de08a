//! Owns the flood limit of one recipient outside the machine: at most 20 messages in 10 minutes, and
//! one summary of what was held back as soon as there is room. It has no clock and sends nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::outbox::{Letter, listed};
use crate::pipeline::{Event, EventKind, Phase};

/// Messages that one recipient gets in [`PERIOD`].
pub(super) const MOST: usize = 20;

/// The period in which they are counted.
pub(super) const PERIOD: Duration = Duration::from_secs(10 * 60);

/// How many pipelines a summary remembers by name.
const REMEMBERED: usize = 200;

/// The messages of the last period, and those held back.
#[derive(Debug, Default)]
pub(super) struct Flood {
    sent: VecDeque<Instant>,
    held: Option<Held>,
}

/// What was held back.
#[derive(Debug)]
struct Held {
    count: usize,
    kinds: BTreeMap<EventKind, usize>,
    pipelines: BTreeSet<Arc<str>>,
    /// The worst of them, the first where several are as bad: gives the summary kind and severity.
    worst: Arc<Event>,
    newest: Letter,
}

impl Flood {
    /// Whether a message may go now.
    pub(super) fn has_room(&mut self, now: Instant) -> bool {
        while self.sent.front().is_some_and(|sent| now.duration_since(*sent) >= PERIOD) {
            self.sent.pop_front();
        }
        self.sent.len() < MOST
    }

    /// Counts a message that goes now.
    pub(super) fn count(&mut self, now: Instant) {
        self.sent.push_back(now);
    }

    /// Holds `letter` back for the summary.
    pub(super) fn hold(&mut self, letter: Letter) {
        let held = self.held.get_or_insert_with(|| Held {
            count: 0,
            kinds: BTreeMap::new(),
            pipelines: BTreeSet::new(),
            worst: Arc::clone(&letter.event),
            newest: letter.clone(),
        });
        held.count += 1;
        *held.kinds.entry(letter.event.kind).or_default() += 1;
        if !letter.event.pipeline.is_empty() && held.pipelines.len() < REMEMBERED {
            held.pipelines.insert(Arc::clone(&letter.event.pipeline));
        }
        if rank(&letter.event) > rank(&held.worst) {
            held.worst = Arc::clone(&letter.event);
        }
        held.newest = letter;
    }

    /// The summary of what was held back, or the one letter if it was only one; nothing is held then.
    pub(super) fn release(&mut self) -> Option<Letter> {
        self.held.take().map(|held| if held.count == 1 { held.newest } else { held.summary() })
    }

    /// When the summary may go, if something is held.
    pub(super) fn due(&self) -> Option<Instant> {
        let first = self.sent.front().filter(|_| self.held.is_some())?;
        Some(*first + PERIOD)
    }

    /// Whether nothing was sent in the last period and nothing is held.
    pub(super) fn is_quiet(&mut self, now: Instant) -> bool {
        self.has_room(now) && self.sent.is_empty() && self.held.is_none()
    }

    /// How many letters are held back.
    pub(super) fn held(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.count)
    }
}

impl Held {
    fn summary(self) -> Letter {
        let kinds: Vec<String> = self.kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let names: Vec<&str> = self.pipelines.iter().map(AsRef::as_ref).collect();
        let mut message = format!(
            "{} notifications were held back, since only {MOST} go out in {} minutes: {}",
            self.count,
            PERIOD.as_secs() / 60,
            kinds.join(", ")
        );
        if !names.is_empty() {
            let _ = write!(message, ", of {}", listed(&names));
        }
        let _ = write!(message, ". The newest: {}", super::told(&self.newest.event));
        let event = Event {
            kind: self.worst.kind,
            phase: Phase::Once,
            key: "held_back".into(),
            severity: self.worst.severity.clone(),
            pipeline: Arc::from(""),
            message,
            subject: format!("{} notifications were held back", self.count),
            dynos: None,
            from: None,
            to: None,
            measurement: None,
            unit: None,
            target: None,
            reason: None,
            at: self.newest.event.at,
        };
        Letter { event: Arc::new(event), ..self.newest }
    }
}

fn rank(event: &Event) -> u8 {
    match &*event.severity {
        "error" => 2,
        "warning" => 1,
        _ => 0,
    }
}
