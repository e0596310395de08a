//! Owns the guards of the controller: one rule a file, each adding its reason. [`FIRST`] are asked in
//! the order of their precedence until one settles the matter; [`LAST`] limit whatever came of it.
//! A guard is pure and sees only its [`Case`].

mod back_off;
mod bounds;
mod by_hand;
mod cooldown;
mod count_unknown;
mod degraded_state;
mod failed_measurement;
mod limit;
mod paused;
mod policy;
mod switched_off;
mod why;

use chrono::{DateTime, Utc};

pub use why::{Cause, Reasons, Why};

use super::controller::{Observation, Seen, Signals};
use super::{Bounds, ControlState, PipelineSpec};

/// What the guards look at.
pub(super) struct Case<'a> {
    pub spec: &'a PipelineSpec,
    pub state: &'a ControlState,
    pub observation: &'a Observation<'a>,
    pub bounds: Bounds,
    pub now: DateTime<Utc>,
    /// Dynos now; 0 where the count is unknown, which the first guard settles.
    pub current: u32,
}

impl Case<'_> {
    fn measurement_failed(&self) -> bool {
        self.observation.measurements.iter().any(|measurement| !measurement.success)
    }
}

/// What the guards have come to so far.
pub(super) struct Ruling {
    pub desired: u32,
    pub reasons: Reasons,
    pub signals: Signals,
}

impl Ruling {
    /// Moves to `desired` and says why.
    fn rule(&mut self, guard: &'static str, desired: u32, why: Why) {
        self.reasons.push(Cause { guard, from: Some(self.desired), to: Some(desired), why });
        self.desired = desired;
    }
}

/// Whether further guards are asked.
#[derive(PartialEq, Eq)]
pub(super) enum Course {
    Settled,
    Open,
}

/// Asked in this order, until one settles the matter.
pub(super) static FIRST: &[fn(&Case<'_>, &mut Ruling) -> Course] = &[
    count_unknown::check,
    paused::check,
    switched_off::check,
    by_hand::set,
    bounds::outside,
    by_hand::respected,
    cooldown::check,
    policy::follow,
    failed_measurement::check,
    bounds::within,
];

/// Asked in this order, whatever was settled.
pub(super) static LAST: &[fn(&Case<'_>, &mut Ruling)] =
    &[by_hand::switches, limit::check, degraded_state::check, back_off::check];
