//! Owns "too rapid": how many scales in one direction lie within a period, for every limit that the
//! notifying stages of a pipeline set. It is pure.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{EventKind, PipelineSpec, condition_key};
use crate::notify::{COMMON, Flags};
use crate::settings::Preset;

/// At most so many scales are remembered: what exceeds it is rapid by any measure.
const MOST: usize = 1000;

/// The scales of a pipeline that lie within the longest period of its limits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scales(VecDeque<(DateTime<Utc>, bool)>);

/// More than so many scales in one direction within a period are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RapidLimit {
    /// So many are allowed.
    pub scales: u32,
    /// The period.
    pub period: Duration,
}

impl RapidLimit {
    /// The limit that `flags` set; `None` where they do not want to hear of it. A bare function
    /// (no flags) hears of the default one.
    #[must_use]
    pub fn of(flags: Option<&Flags>) -> Option<Self> {
        match flags {
            Some(flags) if !flags.too_rapid => None,
            Some(flags) => Some(Self { scales: flags.too_rapid_scales, period: flags.too_rapid_period }),
            None => Some(Self::preset()),
        }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The table's own small numbers.
    fn preset() -> Self {
        let number = |name: &str| {
            let setting = COMMON.iter().find(|setting| setting.name.ends_with(name));
            match setting.map(|setting| setting.preset) {
                Some(Preset::Whole(number)) => u32::try_from(number).unwrap_or(0),
                Some(Preset::Number(number)) => number as u32,
                _ => 0,
            }
        };
        let minutes = number("is_too_rapid_time_period_minutes");
        Self { scales: number("is_too_rapid_num_scales"), period: Duration::from_secs(u64::from(minutes) * 60) }
    }

    /// The key of its condition. A pipeline with one limit has the plain one; with several each names
    /// its own.
    #[must_use]
    pub fn key(self, spec: &PipelineSpec) -> String {
        let plain = condition_key(&spec.name, EventKind::ScalingTooRapid);
        if Self::all(spec).len() <= 1 { plain } else { format!("{plain}/{}", self.suffix()) }
    }

    /// Whether an event with `key` tells of this limit: of all limits of a pipeline, or of this one.
    #[must_use]
    pub fn is_meant_by(self, key: &str) -> bool {
        key.ends_with(EventKind::ScalingTooRapid.name()) || key.ends_with(&self.suffix())
    }

    fn suffix(self) -> String {
        format!("more than {} in {} s", self.scales, self.period.as_secs_f64())
    }

    /// The distinct limits of the notifying stages of `spec`.
    #[must_use]
    pub fn all(spec: &PipelineSpec) -> Vec<Self> {
        let mut limits = Vec::new();
        for limit in spec.notify.iter().filter_map(|stage| Self::of(stage.flags.as_ref())) {
            if !limits.contains(&limit) {
                limits.push(limit);
            }
        }
        limits
    }
}

impl Scales {
    /// Adds a scale at `at`, upwards or not, and forgets those older than `longest`.
    pub fn push(&mut self, at: DateTime<Utc>, up: bool, longest: Duration) {
        self.0.push_back((at, up));
        let longest = TimeDelta::from_std(longest).unwrap_or(TimeDelta::MAX);
        self.0.retain(|(then, _)| at - *then <= longest);
        while self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// How many lie in one direction (the one with more of them) within `period` before `now`.
    #[must_use]
    pub fn within(&self, period: Duration, now: DateTime<Utc>) -> (usize, &'static str) {
        let period = TimeDelta::from_std(period).unwrap_or(TimeDelta::MAX);
        let recent = || self.0.iter().filter(|(then, _)| now - *then <= period);
        let (up, all) = (recent().filter(|(_, up)| *up).count(), recent().count());
        if up * 2 >= all { (up, "up") } else { (all - up, "down") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_counted_by_direction_within_the_period() {
        let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let mut scales = Scales::default();
        for second in 0..6 {
            scales.push(start + TimeDelta::seconds(second * 10), second != 2, Duration::from_secs(60));
        }
        let now = start + TimeDelta::seconds(50);
        assert_eq!(scales.within(Duration::from_secs(60), now), (5, "up"));
        assert_eq!(scales.within(Duration::from_secs(20), now), (3, "up"));
    }

    #[test]
    fn the_limit_of_a_bare_function_is_the_documented_default() {
        assert_eq!(RapidLimit::of(None), Some(RapidLimit { scales: 5, period: Duration::from_secs(60) }));
    }
}
