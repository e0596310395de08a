//! Owns the guards of the controller: one rule a file, each adding its reason. [`FIRST`] are asked in
//! the order of their precedence until one settles the matter; [`LAST`] limit whatever came of it.
//! A guard is pure and sees only its [`Case`].

mod back_off;
mod booting;
mod bounds;
mod breaker;
mod busy;
mod by_hand;
mod cooldown;
mod count_unknown;
mod degraded_state;
mod failed_measurement;
mod failure_steps;
mod fallback;
mod limit;
pub(super) mod memory;
mod not_finite;
mod paused;
mod policy;
mod release;
mod reversals;
mod said;
pub(super) mod settings;
mod shared_limit;
mod stabilization;
mod step;
mod switched_off;
mod tolerance;
mod why;

use chrono::{DateTime, TimeDelta, Utc};

pub use memory::GuardMemory;
pub(super) use policy::safest;
pub use said::Said;
pub use settings::{Behavior, Boot, BusyWork, CircuitBreaker, Fallback, GuardSettings, Step};
pub(super) use shared_limit::GUARD as LIMIT;
pub use why::{Cause, Reasons, Why};

use super::controller::{Busy, Observation, Release, Seen, Signals};
use super::{Bounds, ControlState, Measurement, PipelineSpec};

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
        self.observation.measurements.iter().any(|measurement| !measurement.success || !is_finite(measurement))
    }

    /// Whether nothing good was measured.
    fn only_failures(&self) -> bool {
        only_failures(self.observation.measurements)
    }
}

fn is_finite(measurement: &Measurement) -> bool {
    measurement.value.is_none_or(f64::is_finite)
}

/// Whether `measurements` failed, all of them.
pub(super) fn only_failures(measurements: &[Measurement]) -> bool {
    !measurements.is_empty() && measurements.iter().all(|measurement| !measurement.success)
}

/// What the guards have come to so far.
pub(super) struct Ruling {
    pub desired: u32,
    pub reasons: Reasons,
    pub signals: Signals,
    /// What the guards remember of this tick.
    pub memory: GuardMemory,
    /// Whether what was measured in this tick says nothing of the dynos that there are.
    pub unjudged: bool,
}

impl Ruling {
    /// Moves to `desired`, as an optional guard says.
    fn say(&mut self, guard: &'static str, desired: u32, said: Said) {
        self.rule(guard, desired, Why::Guard(said));
    }

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
    not_finite::check,
    release::check,
    booting::check,
    policy::follow,
    failure_steps::check,
    fallback::check,
    tolerance::check,
    stabilization::check,
    cooldown::of_direction,
    step::check,
    reversals::check,
    failed_measurement::check,
    bounds::within,
];

/// Asked in this order, whatever was settled.
pub(super) static LAST: &[fn(&Case<'_>, &mut Ruling)] = &[
    by_hand::switches,
    limit::check,
    shared_limit::check,
    busy::check,
    breaker::check,
    degraded_state::check,
    back_off::check,
];

#[allow(clippy::cast_precision_loss)]
fn seconds(span: TimeDelta) -> f64 {
    span.num_milliseconds() as f64 / 1000.0
}

/// What is remembered of the tick beyond the ruling itself.
pub(super) fn remember(case: &Case<'_>, memory: &mut GuardMemory) {
    let guards = &case.spec.guards;
    if !only_failures(case.observation.measurements) && !case.observation.measurements.is_empty() {
        memory.failure_steps = 0;
    }
    let Ok(supply) = &case.observation.dynos else { return };
    if guards.boot == Boot::Learned && supply.booting > 0 {
        memory.booting_since.get_or_insert(case.now);
    } else {
        memory.booting_since = None;
    }
    if memory.unproven.is_some_and(|unproven| breaker::proven(case, unproven.from)) {
        memory.unproven = None;
    }
}
