//! Owns what people are told: an [`Event`] with its kind, its phase and its key. Who hears of it is
//! decided in `notify::`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A measurement was taken.
    Measured,
    /// The number of dynos was changed.
    Scaled,
    /// It would have been changed, in a dry run.
    WouldScale,
    /// A scale was tried and failed, or its outcome is unknown.
    ScaleFailed,
    /// More dynos are wanted than the upper bound allows.
    NeedsAboveMax,
    /// Fewer dynos are wanted than the lower bound allows.
    NeedsBelowMin,
    /// Too many scales in one direction in too short a time.
    ScalingTooRapid,
    /// Three measurements failed in a row.
    MeasurementFailed,
    /// The number of dynos could not be read three times in a row.
    CountUnknown,
    /// The decision of a script went wrong three times in a row.
    DecisionFailed,
    /// No more dynos are asked for: the platform refuses, or new ones never come up.
    CircuitOpen,
    /// The process type was switched off by a person (0 dynos).
    SwitchedOff,
    /// The number of dynos was changed on the platform, by somebody else.
    ChangedByHand,
    /// An operator pulled a lever.
    LeverPulled,
    /// A saved script is in force.
    Reloaded,
    /// A saved script was refused; the old one runs on.
    ReloadFailed,
    /// The state cannot be kept, or somebody took it away.
    StateTrouble,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Measured,
        Self::Scaled,
        Self::WouldScale,
        Self::ScaleFailed,
        Self::NeedsAboveMax,
        Self::NeedsBelowMin,
        Self::ScalingTooRapid,
        Self::MeasurementFailed,
        Self::CountUnknown,
        Self::DecisionFailed,
        Self::CircuitOpen,
        Self::SwitchedOff,
        Self::ChangedByHand,
        Self::LeverPulled,
        Self::Reloaded,
        Self::ReloadFailed,
        Self::StateTrouble,
    ];

    /// The kind's name in scripts and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Scaled => "scaled",
            Self::WouldScale => "would_scale",
            Self::ScaleFailed => "scale_failed",
            Self::NeedsAboveMax => "needs_above_max",
            Self::NeedsBelowMin => "needs_below_min",
            Self::ScalingTooRapid => "scaling_too_rapid",
            Self::MeasurementFailed => "measurement_failed",
            Self::CountUnknown => "count_unknown",
            Self::DecisionFailed => "decision_failed",
            Self::CircuitOpen => "circuit_open",
            Self::SwitchedOff => "switched_off",
            Self::ChangedByHand => "changed_by_hand",
            Self::LeverPulled => "lever_pulled",
            Self::Reloaded => "reloaded",
            Self::ReloadFailed => "reload_failed",
            Self::StateTrouble => "state_trouble",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where in the life of a lasting condition an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// No lasting condition.
    Once,
    /// The condition begins.
    Begin,
    /// It still lasts (every `notify_repeat_minutes`).
    Repeat,
    /// It is over.
    End,
}

/// One thing that people may want to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// Where in the life of its condition.
    pub phase: Phase,
    /// Stable per pipeline and condition ("web/needs_above_max"), so that an incident can be closed.
    pub key: String,
    /// "info", "warning" or "error".
    pub severity: String,
    /// The pipeline; empty for what concerns the whole worker.
    pub pipeline: Arc<str>,
    /// The text, as documented.
    pub message: String,
    /// The subject of a mail about it.
    pub subject: String,
    /// Dynos after it, where known.
    pub dynos: Option<u32>,
    /// Dynos before a scale.
    pub from: Option<u32>,
    /// Dynos after a scale.
    pub to: Option<u32>,
    /// The value that was measured in its tick.
    pub measurement: Option<f64>,
    /// Its unit, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Cow<'static, str>>,
    /// What is scaled, as a person knows it: "my-app (web)".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

impl Event {
    /// The event as JSON, in the shape that records keep.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("an event has text keys and finite or null numbers only")
    }
}
