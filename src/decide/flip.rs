//! Owns a flip: what would have to be different for a policy to want something else. A policy knows its
//! own exactly; nothing is tried here, and nothing is decided.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::thresholds::{number, written};
use crate::pipeline::Decided;

/// One way to another wish: one measurement different, further ones, or both, in that order.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Flip {
    /// What the policy would want then.
    pub to: Decided,
    /// Where the newest measurement would have to lie; `None` where it may stay as it is.
    pub newest: Option<Limit>,
    /// Where an earlier measurement would have to lie, and when it was taken.
    pub earlier: Option<(DateTime<Utc>, Limit)>,
    /// So many further measurements (not 0), and where each would have to lie.
    pub further: Option<(usize, Limit)>,
}

/// Where a measurement would have to lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Above it.
    Above(f64),
    /// Below it.
    Below(f64),
    /// At it or above.
    AtLeast(f64),
    /// At it or below.
    AtMost(f64),
}

impl Flip {
    /// The newest measurement lies elsewhere.
    pub(super) fn newest(to: Decided, limit: Limit) -> Self {
        Self { to, newest: Some(limit), earlier: None, further: None }
    }

    /// So many further measurements lie there.
    pub(super) fn further(to: Decided, count: usize, limit: Limit) -> Self {
        Self { to, newest: None, earlier: None, further: Some((count, limit)) }
    }
}

impl Limit {
    /// Whether `value` lies there.
    #[must_use]
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::Above(limit) => value > limit,
            Self::Below(limit) => value < limit,
            Self::AtLeast(limit) => value >= limit,
            Self::AtMost(limit) => value <= limit,
        }
    }

    /// A value that lies there, close to the limit.
    #[must_use]
    pub fn just_within(self) -> f64 {
        match self {
            Self::AtLeast(limit) | Self::AtMost(limit) => limit,
            Self::Above(limit) => next(limit, 1.0),
            Self::Below(limit) => next(limit, -1.0),
        }
    }

    /// The number itself.
    #[must_use]
    pub fn number(self) -> f64 {
        match self {
            Self::Above(limit) | Self::Below(limit) | Self::AtLeast(limit) | Self::AtMost(limit) => limit,
        }
    }

    /// "above 1000 ms".
    #[must_use]
    pub fn words(self, unit: Option<&str>) -> String {
        let limit = written(self.number(), unit);
        match self {
            Self::Above(_) => format!("above {limit}"),
            Self::Below(_) => format!("below {limit}"),
            Self::AtLeast(_) => format!("of {limit} or more"),
            // Little that is measured falls below zero.
            Self::AtMost(0.0) => format!("of {limit}"),
            Self::AtMost(_) => format!("of {limit} or less"),
        }
    }

    /// How far it is from `value`: "380 ms more".
    #[must_use]
    pub fn distance(self, value: f64, unit: Option<&str>) -> String {
        let apart = self.number() - value;
        let less = match self {
            Self::Above(_) | Self::AtLeast(_) => false,
            Self::Below(_) | Self::AtMost(_) => true,
        };
        let direction = if less { "less" } else { "more" };
        if apart == 0.0 { format!("any {direction}") } else { format!("{} {direction}", number(apart.abs(), unit)) }
    }
}

/// A float a little further in the direction of `sign`: a billionth, as exact as anything measured.
fn next(limit: f64, sign: f64) -> f64 {
    limit + sign * (limit.abs() * 1e-9).max(1e-9)
}
