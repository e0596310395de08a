//! Owns the decision: from what was observed and proposed, and what is remembered, to the one count
//! that is allowed. It is pure: no I/O, no script, no clock; the rules are in `pipeline::guards`.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::control::JUST_AFTER;
use super::guards::{self, Case, Course, FIRST, LAST, Reasons, Ruling};
use super::{Bounds, ControlState, Decided, Measurement, PipelineSpec, Room};
use crate::decide::Proposal;
use crate::levers::ActiveLevers;
use crate::world::{ScaleError, Supply};

/// What a tick found.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// What was measured, in the order of the measuring stages; of an earlier tick where the stage was not
    /// due in this one.
    pub measurements: &'a [Measurement],
    /// The dynos, or why their number is unknown.
    pub dynos: Result<Supply, &'a ScaleError>,
    /// What the policies want; empty where none was asked.
    pub proposals: &'a [Proposed],
    /// The levers that hold.
    pub levers: ActiveLevers<'a>,
    /// What the limits that it shares with other pipelines leave; `None` where it shares none.
    pub room: Option<Room>,
    /// What guards had asked about.
    pub circumstances: Circumstances,
}

/// What guards had asked about: nothing where none of them is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// Whether the platform releases a new version.
    pub release: Release,
    /// Of the dynos that were asked for, those that are not up; `None` where that is unknown.
    pub not_up: Option<u32>,
    /// The work that a fall would interrupt.
    pub busy: Busy,
}

/// Whether the platform releases a new version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Release {
    /// Nobody wants to know.
    #[default]
    NotAsked,
    /// It does not.
    Absent,
    /// It does.
    UnderWay,
    /// It cannot be told.
    Unknown,
}

/// The work that a fall would interrupt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Busy {
    /// Nobody wants to know: it is asked only before a fall.
    #[default]
    NotAsked,
    /// So many jobs run.
    Jobs(u32),
    /// It cannot be told.
    Unknown,
}

/// What one policy wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposed {
    /// The policy's name in the pipeline; "decision" for the only one.
    pub name: Arc<str>,
    /// What it wants.
    pub proposal: Proposal,
}

impl Proposed {
    /// The count that it wants, if it wants one: a wish below zero is one for none.
    #[must_use]
    pub fn dynos(&self) -> Option<u32> {
        self.proposal.dynos.map(|dynos| u32::try_from(dynos.max(0)).unwrap_or(u32::MAX))
    }
}

/// Whether a lasting condition was seen in a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seen {
    /// The tick could not tell.
    #[default]
    Unknown,
    /// It was not.
    Absent,
    /// It was.
    Present,
}

/// Conditions that a decision shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// More dynos are wanted than the upper bound allows, at that bound.
    pub above_max: Seen,
    /// Fewer are wanted than the lower bound allows, at that bound and above one dyno.
    pub below_min: Seen,
    /// 0 dynos, by a person.
    pub switched_off: Seen,
    /// No more dynos are asked for, since the platform refuses or new ones do not come up.
    pub circuit_open: Seen,
}

/// What is allowed, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// The direction.
    pub decided: Decided,
    /// Dynos now; `None` when unknown.
    pub current: Option<u32>,
    /// Dynos allowed; `None` when the count is unknown.
    pub desired: Option<u32>,
    /// What the policy wanted, where it wanted anything.
    pub proposed: Option<u32>,
    /// The bounds at that moment.
    pub bounds: Bounds,
    /// Every reason.
    pub reasons: Reasons,
    /// Conditions it shows.
    pub signals: Signals,
}

impl Decision {
    /// The change to make: from and to.
    #[must_use]
    pub fn change(&self) -> Option<(u32, u32)> {
        let (from, to) = (self.current?, self.desired?);
        (from != to).then_some((from, to))
    }
}

/// Decides one tick of `spec` that is due at `now`.
#[must_use]
pub fn decide(
    spec: &PipelineSpec,
    state: &ControlState,
    observation: &Observation<'_>,
    now: DateTime<Utc>,
) -> (Decision, ControlState) {
    let current = observation.dynos.as_ref().ok().map(|supply| supply.dynos);
    let bounds = spec.decide.bounds(now);
    let case = Case { spec, state, observation, bounds, now, current: current.unwrap_or(0) };
    let mut ruling = Ruling {
        desired: case.current,
        reasons: Reasons::default(),
        signals: Signals::default(),
        memory: state.guards,
        unjudged: false,
    };
    for guard in FIRST {
        if guard(&case, &mut ruling) == Course::Settled {
            break;
        }
    }
    for guard in LAST {
        guard(&case, &mut ruling);
    }
    let desired = current.map(|_| ruling.desired);
    let decided = match ruling.desired.cmp(&case.current) {
        std::cmp::Ordering::Greater => Decided::Up,
        std::cmp::Ordering::Less => Decided::Down,
        std::cmp::Ordering::Equal => Decided::Hold,
    };
    let safest = guards::safest(observation.proposals, case.current);
    let proposed = safest.and_then(|index| observation.proposals[index].dynos());
    let (reasons, signals) = (ruling.reasons, ruling.signals);
    let decision = Decision { decided, current, desired, proposed, bounds, reasons, signals };
    let mut after = after(state, observation, now);
    guards::remember(&case, &mut ruling.memory);
    after.guards = ruling.memory;
    if ruling.unjudged && !spec.decide.keep_history {
        after.mark = after.mark.max(Some(now + JUST_AFTER));
    }
    (decision, after)
}

/// Failed measurements in a row, those of the tick of `now` included.
pub(super) fn failures(state: &ControlState, observation: &Observation<'_>, now: DateTime<Utc>) -> u32 {
    let mut failed = observation.measurements.iter().filter(|measurement| !measurement.success).peekable();
    if failed.peek().is_none() {
        if observation.measurements.is_empty() { state.failures } else { 0 }
    } else if failed.any(|measurement| measurement.at == now) {
        state.failures.saturating_add(1)
    } else {
        // One that failed in an earlier tick and was not due since is no further failure.
        state.failures
    }
}

/// What is remembered of a tick, apart from the outcome of its scale.
fn after(state: &ControlState, observation: &Observation<'_>, now: DateTime<Utc>) -> ControlState {
    let mut state = *state;
    state.failures = failures(&state, observation, now);
    state.unknown_counts = if observation.dynos.is_ok() { 0 } else { state.unknown_counts.saturating_add(1) };
    if observation.dynos.as_ref().is_ok_and(|supply| supply.dynos > 0) {
        (state.scaled_to_zero, state.zero_by_lever) = (false, false);
    }
    state
}
