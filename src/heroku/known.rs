//! Owns what is known of one app: the last good read and the caps, and whether that will do without
//! asking. The target's task changes it; its handles read what the task has published.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::answer::{Formation, unknown_type};
use super::budget::{Budget, LONGEST_AGE};
use super::caps::{Caps, find};
use crate::world::{ScaleError, Supply};

/// What is known of one app.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub app: Arc<str>,
    /// The last good read, with what scales changed since.
    pub seen: Option<Seen>,
    /// When a count changed last, by us or by others.
    pub changed: Instant,
    pub caps: Caps,
}

/// A good read.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub formation: Arc<Vec<Formation>>,
    pub tag: Option<String>,
    /// When the read began, and the same by the clock.
    pub at: Instant,
    pub read_at: DateTime<Utc>,
    /// Whether the outcome of a call has made it doubtful.
    pub doubtful: bool,
}

impl Known {
    pub fn nothing(app: Arc<str>) -> Self {
        Self { app, seen: None, changed: Instant::now(), caps: Caps::default() }
    }

    /// The dynos of `process_type`, where the last read is young enough for `budget`.
    pub fn cached(&self, process_type: &str, budget: &Budget, now: Instant) -> Option<Result<Supply, ScaleError>> {
        let seen = self.seen.as_ref().filter(|seen| !seen.doubtful)?;
        let oldest = match budget.blocked(now) {
            Some(_) => LONGEST_AGE,
            None => budget.oldest(now.saturating_duration_since(self.changed), now),
        };
        (now.saturating_duration_since(seen.at) < oldest).then(|| self.supply(seen, process_type))
    }

    /// The dynos of `process_type` in `seen`.
    pub fn supply(&self, seen: &Seen, process_type: &str) -> Result<Supply, ScaleError> {
        let found = find(&seen.formation, process_type)
            .ok_or_else(|| unknown_type(&self.app, process_type, &seen.formation))?;
        let limit = self.caps.allowed(process_type, &seen.formation, Instant::now());
        Ok(Supply { dynos: found.quantity, booting: 0, limit, read_at: seen.read_at })
    }
}
