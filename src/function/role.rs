//! Owns where a function of the script stands: that decides what it is given and what it may reach.

use std::sync::Arc;

use chrono::{DateTime, Utc};

/// The place of a function in a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// `measure: || …`
    Measure,
    /// `.map(|data| …)`: reworks what was measured.
    Map,
    /// `value: |response| …`: turns a reply into a value.
    Value,
    /// `decide: |m| …`
    Decide,
    /// `current: || …`
    Current,
    /// `scale_to: |n| …`
    ScaleTo,
    /// `notify: |event| …`
    Notify,
}

impl Role {
    /// Whether it may reach nothing outside.
    #[must_use]
    pub fn is_pure(self) -> bool {
        matches!(self, Self::Map | Self::Value | Self::Decide)
    }

    /// What its author calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Measure => "measure",
            Self::Map => "map",
            Self::Value => "value",
            Self::Decide => "decide",
            Self::Current => "current",
            Self::ScaleTo => "scale_to",
            Self::Notify => "notify",
        }
    }
}

/// Where a function stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Standing {
    /// Its place in the pipeline.
    pub role: Role,
    /// The names that the pipeline gives to its measurements, none where its one measurement has no name;
    /// `None` where they are not known.
    pub names: Option<Vec<Arc<str>>>,
    /// Whether a request that it answers is sent for it, as in `measure::http`.
    pub sends: bool,
    /// Whether it decides on all of several measurements.
    pub judges_all: bool,
}

/// The time of samples: a Wednesday at noon.
#[must_use]
pub fn sample_time() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_787_200, 0).unwrap_or_default()
}
