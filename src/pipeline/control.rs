//! Owns what the controller remembers of a pipeline from tick to tick: small, versioned, serialisable,
//! and without a heap allocation, so that a decision copies it. Measurements are not in it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::guards::memory::{Unproven, later};
use super::{GuardMemory, GuardSettings};
use crate::state::Intent;

/// The version of the shape.
pub const CONTROL_VERSION: u32 = 2;

/// The first wait after a call to the platform failed; doubles with every further one.
const FIRST_BACK_OFF: TimeDelta = TimeDelta::seconds(1);

/// No longer than this: a platform that comes back is to be noticed.
const LONGEST_BACK_OFF: TimeDelta = TimeDelta::seconds(60);

/// The shortest time after a tick: what was measured in it lies before.
pub(super) const JUST_AFTER: TimeDelta = TimeDelta::nanoseconds(1);

/// What the controller remembers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ControlState {
    /// [`CONTROL_VERSION`].
    pub v: u32,
    /// Ticks so far.
    pub tick: u64,
    /// Measurements from here on are judged; set by a scale.
    pub mark: Option<DateTime<Utc>>,
    /// Nothing is decided before this time.
    pub wait_until: Option<DateTime<Utc>>,
    /// The scheduled start of the tick that scaled last.
    pub last_scale: Option<DateTime<Utc>>,
    /// Failed measurements in a row.
    pub failures: u32,
    /// Ticks in a row that did not know the number of dynos.
    pub unknown_counts: u32,
    /// Decisions of the script in a row that went wrong.
    pub wrong_decisions: u32,
    /// Failed reads of the platform in a row.
    pub read_failures: u32,
    /// Failed scales in a row.
    pub scale_failures: u32,
    /// Whether the count must be read anew, since a call failed.
    pub reread: bool,
    /// Nothing is asked of the platform beyond its cached count before this time.
    pub back_off_until: Option<DateTime<Utc>>,
    /// A scale whose outcome nobody knows yet.
    pub open: Option<Intent>,
    /// Whether the last scale of ours went to 0 dynos: then nobody switched them off.
    pub scaled_to_zero: bool,
    /// Whether an operator's count did: when it lets go, the bounds and the policy count again.
    pub zero_by_lever: bool,
    /// Dynos as they were seen or scaled last: others are a person's doing.
    pub known: Option<u32>,
    /// The count before our last scale, until the platform shows the new one: it may lag behind.
    pub lagging: Option<u32>,
    /// When a person changed the count, unless we have scaled since.
    pub by_hand: Option<DateTime<Utc>>,
    /// What the optional guards remember; from version 2 on.
    #[serde(skip_serializing_if = "GuardMemory::is_empty")]
    pub guards: GuardMemory,
    /// Whether what was before is not known, since the state cannot be used: never kept.
    #[serde(skip)]
    pub degraded: bool,
}

/// A count that a person changed on the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByHand {
    /// Dynos before, as far as we know.
    pub from: u32,
    /// Dynos now.
    pub to: u32,
}

impl Default for ControlState {
    fn default() -> Self {
        Self {
            v: CONTROL_VERSION,
            tick: 0,
            mark: None,
            wait_until: None,
            last_scale: None,
            failures: 0,
            unknown_counts: 0,
            wrong_decisions: 0,
            read_failures: 0,
            scale_failures: 0,
            reread: false,
            back_off_until: None,
            open: None,
            scaled_to_zero: false,
            zero_by_lever: false,
            known: None,
            lagging: None,
            by_hand: None,
            guards: GuardMemory::default(),
            degraded: false,
        }
    }
}

impl ControlState {
    /// Whether `now` lies in the wait after the last scale.
    #[must_use]
    pub fn waits(&self, now: DateTime<Utc>) -> bool {
        self.wait_until.is_some_and(|until| now < until)
    }

    /// Whether the platform is left alone for now.
    #[must_use]
    pub fn backs_off(&self, now: DateTime<Utc>) -> bool {
        self.back_off_until.is_some_and(|until| now < until)
    }

    /// Whether the count must be read anew: a call failed, or nobody knows what it did.
    #[must_use]
    pub fn must_read(&self, now: DateTime<Utc>) -> bool {
        (self.reread || self.open.is_some()) && !self.backs_off(now)
    }

    /// Takes note of a scale to `to` in the tick of `at` that happened or may have happened.
    pub fn scaled(&mut self, at: DateTime<Utc>, to: u32, wait: Duration, keep_history: bool) {
        let after_wait = at + TimeDelta::from_std(wait).unwrap_or(TimeDelta::zero());
        self.last_scale = Some(at);
        self.wait_until = Some(after_wait);
        self.mark = (!keep_history).then(|| after_wait.max(at + JUST_AFTER));
        self.scaled_to_zero = to == 0;
        self.lagging = self.known.filter(|known| *known != to);
        self.known = Some(to);
        self.by_hand = None;
    }

    /// Takes note of `dynos` as seen in the tick of `at`: the change that a person made, if one did.
    pub fn seen(&mut self, at: DateTime<Utc>, dynos: u32) -> Option<ByHand> {
        if self.open.is_some() {
            // Nobody knows what our own call did.
            return None;
        }
        if self.lagging == Some(dynos) {
            return None;
        }
        self.lagging = None;
        let from = self.known.replace(dynos).filter(|known| *known != dynos)?;
        self.by_hand = Some(at);
        Some(ByHand { from, to: dynos })
    }

    /// Begins at `now` without knowing what was before: there may have been a scale just now.
    pub fn degrade(&mut self, now: DateTime<Utc>, wait: Duration) {
        self.degraded = true;
        self.wait_until = Some(now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::zero()));
    }

    /// Takes note of a failed read at `at`.
    pub fn read_failed(&mut self, at: DateTime<Utc>) {
        self.reread = true;
        self.read_failures = self.read_failures.saturating_add(1);
        self.back_off(at, self.read_failures);
    }

    /// Takes note of a read that was made now and succeeded.
    pub fn read(&mut self) {
        self.reread = false;
        self.read_failures = 0;
    }

    /// Takes note of a failed scale at `at`, or of one whose outcome is unknown.
    pub fn scale_failed(&mut self, at: DateTime<Utc>) {
        self.reread = true;
        self.scale_failures = self.scale_failures.saturating_add(1);
        self.back_off(at, self.scale_failures);
    }

    /// Takes note of what the optional guards want to know of a scale at `at` that happened or may have
    /// happened. `failed`: there was nothing but failed measurements.
    pub fn note_change(&mut self, guards: &GuardSettings, at: DateTime<Utc>, change: (u32, u32), failed: bool) {
        self.guards.scaled(at, change, failed, guards.changes_kept());
        let Some(breaker) = guards.circuit_breaker.filter(|_| change.1 > change.0) else { return };
        let unproven = self.guards.unproven.get_or_insert(Unproven { since: at, from: change.0 });
        if at >= later(unproven.since, breaker.cycle()) {
            unproven.since = at;
        }
    }

    /// Takes note of a scale that failed, for the circuit breaker.
    pub fn note_refusal(&mut self, guards: &GuardSettings, at: DateTime<Utc>) {
        let open = guards.circuit_breaker.is_some_and(|breaker| self.scale_failures >= breaker.failures);
        if open {
            self.guards.refused_at = Some(at);
        }
    }

    /// Whether the circuit breaker waits after refusals.
    #[must_use]
    pub fn refused(&self, guards: &GuardSettings, now: DateTime<Utc>) -> bool {
        let until = self.guards.refused_at.zip(guards.circuit_breaker);
        until.is_some_and(|(refused, breaker)| now < later(refused, breaker.retry))
    }

    /// Takes note of a scale that the platform took, or that is no longer wanted.
    pub fn scale_settled(&mut self) {
        self.scale_failures = 0;
        self.guards.refused_at = None;
        if self.read_failures == 0 {
            self.back_off_until = None;
        }
    }

    fn back_off(&mut self, at: DateTime<Utc>, failures: u32) {
        // 2^6 s is beyond the longest wait already.
        let doublings = failures.saturating_sub(1).min(6);
        self.back_off_until = Some(at + (FIRST_BACK_OFF * 2_i32.pow(doublings)).min(LONGEST_BACK_OFF));
    }

    /// Forgets times that lie after `now`: the clock was set back, and a wait of seconds must not
    /// become one of hours.
    pub fn mend_clock(&mut self, now: DateTime<Utc>) {
        if self.last_scale.is_some_and(|last| last > now) {
            (self.last_scale, self.wait_until, self.mark) = (None, None, None);
        }
        self.guards.mend_clock(now);
        if self.back_off_until.is_some_and(|until| until - now > LONGEST_BACK_OFF) {
            self.back_off_until = None;
        }
        self.by_hand = self.by_hand.filter(|since| *since <= now);
    }

    /// Another target: no cooldown, and nothing known of its platform.
    pub fn new_target(&mut self) {
        // What was measured under the old target's last scale stays out; the wait does not.
        self.mark = self.mark.and_then(|mark| self.last_scale.map(|last| mark.min(last + JUST_AFTER)));
        self.wait_until = None;
        self.open = None;
        (self.scaled_to_zero, self.zero_by_lever) = (false, false);
        (self.known, self.lagging, self.by_hand) = (None, None, None);
        self.unknown_counts = 0;
        self.guards = GuardMemory::default();
        self.read();
        self.scale_settled();
    }

    /// Another source of measurements: what failed so far says nothing.
    pub fn new_source(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn the_mark_lies_after_the_tick_that_scaled_and_not_before_the_wait_is_over() {
        let mut state = ControlState::default();
        state.scaled(at(0), 2, Duration::from_secs(5), false);
        assert_eq!(state.mark, Some(at(5)));
        assert!(state.waits(at(4)) && !state.waits(at(5)));
        state.scaled(at(0), 2, Duration::ZERO, false);
        assert!(state.mark > Some(at(0)) && state.mark < Some(at(1)));
        state.scaled(at(0), 2, Duration::ZERO, true);
        assert_eq!(state.mark, None);
    }

    #[test]
    fn the_back_off_doubles_from_one_second_to_a_minute() {
        let mut state = ControlState::default();
        let mut waits = Vec::new();
        for _ in 0..8 {
            state.scale_failed(at(0));
            waits.push((state.back_off_until.unwrap() - at(0)).num_seconds());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(state.must_read(at(60)) && !state.must_read(at(59)));
    }

    #[test]
    fn a_clock_set_back_does_not_prolong_the_wait() {
        let mut state = ControlState::default();
        state.scaled(at(3600), 2, Duration::from_secs(60), false);
        state.mend_clock(at(0));
        assert!(!state.waits(at(0)));
        assert_eq!(state.mark, None);
    }
}
