//! Owns what a pipeline is: the typed result of reading its declaration. Past this point nothing of
//! the script's maps is left.

use std::sync::Arc;
use std::time::Duration;

use super::{Failure, GuardSettings, Limit, ScriptVersion};
use crate::decide::DecideStage;
use crate::measure::{self, MeasureStage};
use crate::notify::NotifyStage;
use crate::scale::Scale;
use crate::settings::Place;

/// Whether a pipeline acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It scales.
    Live,
    /// Everything but the scale.
    DryRun,
    /// It measures and holds.
    Paused,
}

impl Mode {
    /// The mode's name in scripts and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::DryRun => "dry_run",
            Self::Paused => "paused",
        }
    }
}

/// A pipeline as resolved.
#[derive(Clone, Debug)]
pub struct PipelineSpec {
    /// Its name; `unit/name` for a script folder.
    pub name: Arc<str>,
    /// The generation it belongs to.
    pub generation: u64,
    /// The version of its script, where it came from files.
    pub script: Option<Arc<ScriptVersion>>,
    /// Where it is declared.
    pub place: Option<Place>,
    /// Whether it acts.
    pub mode: Mode,
    /// The measuring stages, at least one.
    pub measure: Vec<MeasureStage>,
    /// The deciding stage.
    pub decide: DecideStage,
    /// The scaling stage.
    pub scale: Arc<dyn Scale>,
    /// The initial `this` of a scripted scaling stage.
    pub scale_memory: serde_json::Value,
    /// The notifying stages.
    pub notify: Vec<NotifyStage>,
    /// Whether 0 dynos are the engine's to leave (else they mean: switched off by a person).
    pub start_from_zero: bool,
    /// Every so often a lasting condition is told again.
    pub notify_repeat: Duration,
    /// The app, for simulations; boxed, since workers have no use for it.
    pub simulate: Option<Box<crate::simulate::Described>>,
    /// A count that was changed by hand is left alone for so long inside the bounds.
    pub respect_manual: Duration,
    /// Its optional guards.
    pub guards: GuardSettings,
    /// The limits that it shares with others.
    pub limits: Vec<Arc<Limit>>,
}

impl PipelineSpec {
    /// The unit of what is measured first, where it is known.
    #[must_use]
    pub fn unit(&self) -> Option<&'static str> {
        self.measure.first()?.unit()
    }

    /// Whether its measurements have names: it has several, or one that the script named.
    #[must_use]
    pub fn names_measurements(&self) -> bool {
        self.measure.len() != 1 || self.measure.iter().any(|stage| *stage.name != *measure::ONLY)
    }

    /// From the start of one tick to the start of the next: the shortest interval of what is measured.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.measure.iter().map(|stage| stage.interval).min().unwrap_or(Duration::from_secs(30))
    }

    /// Every stage that measures: those that are judged, and the work that a guard asks about.
    pub fn sources(&self) -> impl Iterator<Item = &MeasureStage> {
        self.measure.iter().chain(self.guards.busy.as_ref().map(|work| &work.stage))
    }

    /// The words for a failed measurement of `stage`.
    pub(super) fn failed(&self, stage: &MeasureStage, failure: &Failure) -> String {
        if self.names_measurements() {
            format!("the measurement `{}` failed: {}", stage.name, failure.message)
        } else {
            format!("the measurement failed: {}", failure.message)
        }
    }

    /// What it scales, as a person knows it: "my-app (web)".
    #[must_use]
    pub fn shown_target(&self) -> Option<String> {
        self.scale.heroku().map(|app| format!("{} ({})", app.name, app.process_type))
    }

    /// What it scales, unless it only pretends to: two live pipelines may not scale one target.
    #[must_use]
    pub fn live_target(&self) -> Option<String> {
        if self.mode == Mode::DryRun { None } else { self.scale.target() }
    }
}
