//! Owns what the optional guards remember from tick to tick: a few times and counts, and two short
//! rings of fixed size, so that a decision copies them without a heap allocation.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Wishes kept for each direction. What exceeds it is merged so that a wish lasts longer, never shorter.
const WISHES: usize = 8;

/// Changes kept. What exceeds it is merged or forgotten, the oldest first.
const CHANGES: usize = 16;

/// What the optional guards remember.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GuardMemory {
    /// The largest wishes of the window down.
    pub highest: Wishes,
    /// The smallest wishes of the window up.
    pub lowest: Wishes,
    /// The latest changes that were made.
    pub changes: Changes,
    /// When the count was raised last.
    pub last_up: Option<DateTime<Utc>>,
    /// Steps up that followed from failures alone, since the last good measurement.
    pub failure_steps: u32,
    /// Since when a fall waits for work.
    pub busy_since: Option<DateTime<Utc>>,
    /// Since when dynos are booting without a break.
    pub booting_since: Option<DateTime<Utc>>,
    /// Dynos that were asked for and have not been seen up.
    pub unproven: Option<Unproven>,
    /// When the platform refused one scale too many.
    pub refused_at: Option<DateTime<Utc>>,
}

/// A raise none of whose dynos has come up yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unproven {
    /// When it was made, or tried again.
    pub since: DateTime<Utc>,
    /// The dynos before it.
    pub from: u32,
}

/// A count that was wanted at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Wish {
    /// Milliseconds since 1970.
    at: i64,
    dynos: u32,
}

/// The extremes of what was wanted lately: each newer one is less extreme than the one before, so the
/// first is that of the whole window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wishes {
    wishes: [Wish; WISHES],
    len: usize,
}

/// Which extreme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extreme {
    /// The largest.
    Highest,
    /// The smallest.
    Lowest,
}

impl Extreme {
    fn beats(self, new: u32, old: u32) -> bool {
        match self {
            Self::Highest => new >= old,
            Self::Lowest => new <= old,
        }
    }
}

impl Wishes {
    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The extreme of the window.
    #[must_use]
    pub fn extreme(&self) -> Option<u32> {
        self.known().first().map(|wish| wish.dynos)
    }

    fn known(&self) -> &[Wish] {
        &self.wishes[..self.len.min(WISHES)]
    }

    fn remove(&mut self, index: usize) {
        self.wishes.copy_within(index + 1..self.len, index);
        self.len -= 1;
    }

    /// Forgets those that are `window` old, or lie after `now`.
    pub fn forget(&mut self, now: DateTime<Utc>, window: Duration) {
        self.len = self.len.min(WISHES);
        let (now, oldest) = (now.timestamp_millis(), millis(now).saturating_sub(span(window)));
        while self.known().first().is_some_and(|wish| wish.at <= oldest || wish.at > now) {
            self.remove(0);
        }
        while self.known().last().is_some_and(|wish| wish.at > now) {
            self.len -= 1;
        }
    }

    /// Adds a wish of `now`.
    pub fn push(&mut self, now: DateTime<Utc>, dynos: u32, extreme: Extreme) {
        while self.known().last().is_some_and(|wish| extreme.beats(dynos, wish.dynos)) {
            self.len -= 1;
        }
        if self.len == WISHES {
            // The two that differ least become one, as extreme as the older and as young as the newer.
            let differ = |index: &usize| self.wishes[*index].dynos.abs_diff(self.wishes[index + 1].dynos);
            let index = (0..WISHES - 1).min_by_key(differ).unwrap_or(0);
            self.wishes[index].at = self.wishes[index + 1].at;
            self.remove(index + 1);
        }
        self.wishes[self.len] = Wish { at: millis(now), dynos };
        self.len += 1;
    }
}

/// A change of the count that was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Change {
    /// Milliseconds since 1970.
    at: i64,
    /// Dynos more, or fewer.
    by: i64,
}

/// The latest changes, oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    changes: [Change; CHANGES],
    len: usize,
}

impl Changes {
    fn known(&self) -> &[Change] {
        &self.changes[..self.len.min(CHANGES)]
    }

    fn remove(&mut self, index: usize) {
        self.changes.copy_within(index + 1..self.len, index);
        self.len -= 1;
    }

    fn push(&mut self, now: DateTime<Utc>, by: i64, kept: Duration) {
        self.len = self.len.min(CHANGES);
        let oldest = millis(now).saturating_sub(span(kept));
        while self.known().first().is_some_and(|change| change.at <= oldest) {
            self.remove(0);
        }
        if kept.is_zero() {
            return;
        }
        if self.len == CHANGES {
            // Neighbours of one direction become one that is as young as the newer.
            let alike = |index: &usize| self.changes[*index].by.signum() == self.changes[index + 1].by.signum();
            match (0..CHANGES - 1).find(alike) {
                Some(index) => {
                    self.changes[index + 1].by += self.changes[index].by;
                    self.remove(index);
                }
                None => self.remove(0),
            }
        }
        self.changes[self.len] = Change { at: millis(now), by };
        self.len += 1;
    }

    /// By how much the count was changed within `period` before `now`, in all.
    #[must_use]
    pub fn within(&self, now: DateTime<Utc>, period: Duration) -> i64 {
        let (now, oldest) = (millis(now), millis(now).saturating_sub(span(period)));
        self.known().iter().filter(|change| change.at > oldest && change.at <= now).map(|change| change.by).sum()
    }

    /// How often the direction changed within `period` before `now`.
    #[must_use]
    pub fn reversals(&self, now: DateTime<Utc>, period: Duration) -> u32 {
        let oldest = millis(now).saturating_sub(span(period));
        let reversed = |pair: &&[Change]| pair[0].by.signum() != pair[1].by.signum() && pair[1].at > oldest;
        u32::try_from(self.known().windows(2).filter(reversed).count()).unwrap_or(u32::MAX)
    }

    /// Whether the last change went up; `None` where there was none.
    #[must_use]
    pub fn last_went_up(&self) -> Option<bool> {
        self.known().last().map(|change| change.by > 0)
    }
}

impl GuardMemory {
    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes note of a scale at `now` that happened or may have happened. `failed`: there was nothing but
    /// failed measurements. `kept`: how long changes are remembered.
    pub fn scaled(&mut self, now: DateTime<Utc>, (from, to): (u32, u32), failed: bool, kept: Duration) {
        self.changes.push(now, i64::from(to) - i64::from(from), kept);
        if to > from {
            self.last_up = Some(now);
            self.failure_steps = self.failure_steps.saturating_add(u32::from(failed));
        }
        self.busy_since = None;
    }

    /// Forgets what lies after `now`: the clock was set back.
    pub fn mend_clock(&mut self, now: DateTime<Utc>) {
        for time in [&mut self.last_up, &mut self.busy_since, &mut self.booting_since, &mut self.refused_at] {
            *time = time.filter(|time| *time <= now);
        }
        self.unproven = self.unproven.filter(|unproven| unproven.since <= now);
        let ahead = |changes: &Changes| changes.known().last().is_some_and(|change| change.at > millis(now));
        while ahead(&self.changes) {
            self.changes.len -= 1;
        }
    }
}

fn millis(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

fn span(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// `at` and a duration later; the end of time where that is beyond it.
pub(in crate::pipeline) fn later(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| at.checked_add_signed(by)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_extreme_of_the_window_is_exact_while_it_fits() {
        let (mut high, mut low) = (Wishes::default(), Wishes::default());
        let wishes = [5_u32, 3, 4, 4, 2, 6, 1, 3];
        for (tick, dynos) in (0_i64..).zip(wishes) {
            let now = at(tick * 20);
            for (ring, extreme) in [(&mut high, Extreme::Highest), (&mut low, Extreme::Lowest)] {
                ring.forget(now, MINUTE);
                ring.push(now, dynos, extreme);
            }
            // Three ticks of 20 s lie within a minute, this one's included.
            let tick = usize::try_from(tick).unwrap();
            let window = &wishes[tick.saturating_sub(2)..=tick];
            assert_eq!(high.extreme(), window.iter().copied().max(), "{tick}");
            assert_eq!(low.extreme(), window.iter().copied().min(), "{tick}");
        }
    }

    #[test]
    fn what_does_not_fit_lasts_longer_and_never_shorter() {
        let mut high = Wishes::default();
        for (second, dynos) in (0_i64..20).zip((1_u32..=20).rev()) {
            high.push(at(second), dynos, Extreme::Highest);
        }
        // Exact would be 20 until second 60, 19 until 61 …
        for second in 20..90 {
            high.forget(at(second), MINUTE);
            let exact =
                (0_i64..20).zip((1_u32..=20).rev()).filter(|(then, _)| second - then < 60).map(|(_, n)| n).max();
            assert!(high.extreme() >= exact, "{second}: {:?} {exact:?}", high.extreme());
        }
        assert!(high.is_empty());
    }

    #[test]
    fn changes_are_summed_and_reversals_counted_within_their_time() {
        let mut changes = Changes::default();
        for (second, by) in [(0, 2), (10, 1), (20, -1), (30, -1), (40, 3)] {
            changes.push(at(second), by, MINUTE);
        }
        assert_eq!(changes.within(at(40), Duration::from_secs(25)), 1);
        assert_eq!(changes.within(at(40), MINUTE), 4);
        assert_eq!((changes.reversals(at(40), MINUTE), changes.last_went_up()), (2, Some(true)));
        assert_eq!(changes.reversals(at(70), Duration::from_secs(40)), 1);
    }

    #[test]
    fn a_full_ring_of_changes_keeps_the_sum_where_it_can() {
        let mut changes = Changes::default();
        for second in 0..40 {
            changes.push(at(second), 1, MINUTE);
        }
        assert_eq!(changes.within(at(40), MINUTE), 40);
    }
}
