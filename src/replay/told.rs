//! Owns what a replay tells: the totals of both scripts, and every stretch of ticks in which they decide
//! differently.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::pipeline::{Decided, Outcome, Record};

/// What every reader of a replay must know.
pub const CAVEAT: &str = "what is recorded was measured with the dynos of the running script: a replay tells what would \
                          have been decided on it, and not how the app would have been with other dynos; for that there \
                          is `autoscaler simulate`";

/// More stretches than this are only counted.
const MOST_DIFFERENCES: usize = 10_000;

/// What came of a replay.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Replay {
    /// The pipeline.
    pub pipeline: Arc<str>,
    /// The first tick.
    pub since: DateTime<Utc>,
    /// The last tick.
    pub until: DateTime<Utc>,
    /// Ticks that were replayed.
    pub ticks: u64,
    /// Ticks at which the two decide differently.
    pub different_ticks: u64,
    /// What the running script did.
    pub recorded: Totals,
    /// What the new one would have done.
    pub new: Totals,
    /// Where they decide differently, the first one first.
    pub differences: Vec<Difference>,
    /// Further stretches that are not listed.
    pub more_differences: u64,
    /// What the reader must know.
    pub notes: Vec<String>,
}

/// What one script came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Scales, both ways.
    pub scalings: u64,
    /// Scales to more dynos.
    pub up: u64,
    /// Scales to fewer dynos.
    pub down: u64,
    /// Scales against the direction of the one before.
    pub reversals: u64,
    /// Hours of dynos asked for, as long as ticks came.
    pub dyno_hours: f64,
    /// The most dynos at once.
    pub most_dynos: u32,
    /// Ticks in which something went wrong.
    pub errors: u64,
    #[serde(skip)]
    last: Option<Decided>,
    /// The change of a dry run that is wanted again and again.
    #[serde(skip)]
    wanted: Option<(u32, u32)>,
}

/// A stretch of ticks in a row that the two decide differently in the same way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Its first tick.
    pub at: DateTime<Utc>,
    /// The number of that tick.
    pub tick: u64,
    /// How many ticks it lasts.
    pub ticks: u64,
    /// When the last of them was.
    pub last: DateTime<Utc>,
    /// What was measured in the first of them, by name; `null` where the measurement failed.
    pub measured: Vec<(String, Option<f64>)>,
    /// The running script, in the first of them.
    pub recorded: Side,
    /// The new one.
    pub new: Side,
}

/// What one script decides in a tick.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Dynos before it.
    pub from: Option<u32>,
    /// Dynos after it.
    pub to: Option<u32>,
    /// The decision.
    pub decision: Decided,
    /// Why: the policy, then the guards.
    pub reason: String,
}

impl Side {
    fn of(record: &Record) -> Self {
        let reasons = record.reasons.iter().map(|reason| reason.text.as_str());
        let mut texts: Vec<&str> = reasons.collect();
        if let Some(error) = record.error.as_deref().filter(|error| !texts.iter().any(|text| text.contains(error))) {
            texts.push(error);
        }
        let reason = texts.join("; ");
        Self { from: record.dynos.current, to: record.dynos.desired, decision: record.decision, reason }
    }
}

impl Totals {
    pub(super) fn add(&mut self, record: &Record) {
        self.errors += u64::from(record.error.is_some());
        self.most_dynos = self.most_dynos.max(record.dynos.current.unwrap_or(0));
        let change = record.dynos.current.zip(record.dynos.desired).filter(|_| record.decision != Decided::Hold);
        let happened = match record.outcome {
            Outcome::Scaled | Outcome::Unknown => change,
            Outcome::DryRun => {
                let before = std::mem::replace(&mut self.wanted, change);
                change.filter(|_| before != change)
            }
            Outcome::Failed | Outcome::None => {
                self.wanted = None;
                None
            }
        };
        let Some((_, to)) = happened else { return };
        self.scalings += 1;
        if record.decision == Decided::Up {
            self.up += 1;
        } else {
            self.down += 1;
        }
        self.most_dynos = self.most_dynos.max(to);
        self.reversals += u64::from(self.last.replace(record.decision).is_some_and(|last| last != record.decision));
    }

    pub(super) fn lasts(&mut self, dynos: Option<u32>, time: TimeDelta) {
        self.dyno_hours += f64::from(dynos.unwrap_or(0)) * time.as_seconds_f64() / 3600.0;
    }
}

impl Replay {
    pub(super) fn new(first: &Record) -> Self {
        Self {
            pipeline: Arc::clone(&first.pipeline),
            since: first.at,
            until: first.at,
            ticks: 0,
            different_ticks: 0,
            recorded: Totals::default(),
            new: Totals::default(),
            differences: Vec::new(),
            more_differences: 0,
            notes: vec![CAVEAT.into()],
        }
    }

    /// Takes note of a tick; `again`: the tick before it differed too.
    pub(super) fn tick(&mut self, recorded: &Record, new: &Record, again: bool) -> bool {
        self.ticks += 1;
        self.until = recorded.at;
        self.recorded.add(recorded);
        self.new.add(new);
        let alike = recorded.decision == new.decision
            && (recorded.decision == Decided::Hold || recorded.dynos.desired == new.dynos.desired);
        if alike {
            return false;
        }
        self.different_ticks += 1;
        if let Some(last) = self.differences.last_mut().filter(|_| again && self.more_differences == 0)
            && (last.recorded.decision, last.new.decision) == (recorded.decision, new.decision)
        {
            (last.ticks, last.last) = (last.ticks + 1, recorded.at);
            return true;
        }
        if self.differences.len() >= MOST_DIFFERENCES {
            self.more_differences += 1;
            return true;
        }
        let measured = recorded.measurements.iter();
        self.differences.push(Difference {
            at: recorded.at,
            tick: recorded.tick,
            ticks: 1,
            last: recorded.at,
            measured: measured.map(|one| (one.name.clone(), one.value.filter(|_| one.success))).collect(),
            recorded: Side::of(recorded),
            new: Side::of(new),
        });
        true
    }
}
