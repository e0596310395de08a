//! Owns the deciding stage: the trait [`Policy`], one file per policy, and the settings all of them
//! share. A policy proposes; it never scales, and it has no clock.

mod average_threshold;
mod consecutive_threshold;
pub mod custom;
mod flip;
mod thresholds;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use serde_json::Value as Json;

use crate::function::Function;
use crate::pipeline::{Judged, When};
use crate::settings::{Constructor, Kind, Preset, Setting};

pub use flip::{Flip, Limit};
pub(crate) use thresholds::number;

/// Settings that every `decide::` takes, next to its own; they may stand in the pipeline's map too.
pub static COMMON: &[Setting] = &[
    Setting {
        name: "min_dynos",
        kind: Kind::DynosByTime,
        preset: Preset::Whole(1),
        doc: "The lower bound: a number, or a table by time of day, days of the week, dates and cron windows.",
    },
    Setting {
        name: "max_dynos",
        kind: Kind::DynosByTime,
        preset: Preset::Whole(3),
        doc: "The upper bound, written like the lower one.",
    },
    Setting {
        name: "time_zone",
        kind: Kind::Text,
        preset: Preset::None("the machine's own"),
        doc: "The zone of tables by time of day, an IANA name such as \"America/Vancouver\".",
    },
    Setting {
        name: "increment",
        kind: Kind::Whole,
        preset: Preset::Whole(1),
        doc: "Dynos added or removed by one decision.",
    },
    Setting {
        name: "post_scale_wait_time_seconds",
        kind: Kind::Seconds,
        preset: Preset::Number(5.0),
        doc: "Seconds after a scale in which nothing is decided, and whose measurements are not judged.",
    },
    Setting {
        name: "history_length",
        kind: Kind::Whole,
        preset: Preset::None("10, or what the policy needs where that is more"),
        doc: "How many measurements are kept.",
    },
    Setting {
        name: "keep_history",
        kind: Kind::Flag,
        preset: Preset::Flag(false),
        doc: "Go on judging the measurements from before a scale.",
    },
];

/// How many dynos, by time of day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DynosByTime {
    /// The same all day.
    Always(u32),
    /// By days and time of day, ascending by the minute; at least one of them holds at any time.
    Table(Vec<TableEntry>),
}

/// One entry of a table by time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableEntry {
    /// The key as written ("9:00").
    pub written: Arc<str>,
    /// When it begins.
    pub when: When,
    /// Dynos from then on.
    pub dynos: u32,
}

/// The deciding stage as resolved.
#[derive(Clone, Debug)]
pub struct DecideStage {
    /// The policies: one, or one for each of several measurements.
    pub policies: Vec<NamedPolicy>,
    /// Policies that judge the same and are only recorded; none where the script writes no `shadow`.
    pub shadow: Vec<NamedPolicy>,
    /// The lower bound.
    pub min_dynos: DynosByTime,
    /// The upper bound.
    pub max_dynos: DynosByTime,
    /// Whether the script wrote the upper bound itself: one that it did not never changes the platform.
    pub max_written: bool,
    /// Whether the script wrote the lower bound itself.
    pub min_written: bool,
    /// The zone of the tables and of `m.now`.
    pub zone: Tz,
    /// Dynos per decision.
    pub increment: u32,
    /// The wait after a scale.
    pub wait: Duration,
    /// Measurements kept.
    pub history_length: usize,
    /// Whether measurements from before a scale are still judged.
    pub keep_history: bool,
    /// Whether a scripted policy is called for failed measurements too.
    pub call_on_failure: bool,
}

/// A policy and its place in the pipeline.
#[derive(Clone, Debug)]
pub struct NamedPolicy {
    /// Its name; [`ONLY`] for the only one.
    pub name: Arc<str>,
    /// The policy.
    pub kind: PolicyKind,
    /// The initial `this` of a scripted one.
    pub memory: Json,
    /// The measuring stage whose measurements it judges, by its position. `None`: a function that is shown
    /// all of several.
    pub judges: Option<usize>,
}

/// The name of the only policy of a pipeline.
pub const ONLY: &str = "decision";

impl NamedPolicy {
    /// The only policy of a pipeline with one measurement.
    #[must_use]
    pub fn only(kind: PolicyKind, memory: Json) -> Self {
        Self { name: ONLY.into(), kind, memory, judges: Some(0) }
    }
}

impl PolicyKind {
    /// Its thresholds (minimum, maximum), where it has them.
    #[must_use]
    pub fn thresholds(&self) -> Option<(f64, f64)> {
        match self {
            Self::Native(policy) => policy.thresholds(),
            Self::Scripted(_) => None,
        }
    }
}

impl DecideStage {
    /// The policies that judge the measuring stage at `position`.
    pub fn judging(&self, position: usize) -> impl Iterator<Item = &NamedPolicy> {
        self.policies.iter().filter(move |policy| policy.judges == Some(position))
    }
}

/// Native or scripted.
#[derive(Clone, Debug)]
pub enum PolicyKind {
    /// One of ours.
    Native(Arc<dyn Policy>),
    /// A function of the script.
    Scripted(Function),
}

/// What a policy looks at.
#[derive(Clone, Copy, Debug)]
pub struct PolicyInput<'a> {
    /// The measurements that may be judged, oldest first, this tick's included (it may have failed).
    pub history: Judged<'a>,
    /// What failed measurements among them count as.
    pub on_failure: crate::measure::OnFailure,
    /// Dynos now.
    pub dynos: u32,
    /// Dynos per decision.
    pub increment: u32,
    /// The unit of the measurements, for the text.
    pub unit: Option<&'a str>,
}

/// What a policy wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// So many dynos in all, before any bound (may be negative below zero wishes); `None` for hold.
    pub dynos: Option<i64>,
    /// Why, with numbers.
    pub text: String,
}

/// A native policy with its settings: pure.
pub trait Policy: Send + Sync + fmt::Debug {
    /// The documented name ("ConsecutiveThresholdBackend").
    fn backend(&self) -> &'static str;

    /// Its own settings as resolved, for `check --json`.
    fn settings(&self) -> Json;

    /// How many measurements it needs.
    fn history_needed(&self) -> usize;

    /// Its thresholds (minimum, maximum), where it has them: for warnings and views.
    fn thresholds(&self) -> Option<(f64, f64)>;

    /// Takes over thresholds given on the measuring side where its own are not written; says whether
    /// its own won over different ones.
    fn take_thresholds(&mut self, _given: (Option<f64>, Option<f64>)) -> bool {
        false
    }

    /// What it wants.
    fn propose(&self, input: &PolicyInput<'_>) -> Proposal;

    /// What would have to be different for it to want something else: the nearest ways to each other
    /// wish, exactly. Empty where it cannot tell.
    fn flips(&self, _input: &PolicyInput<'_>) -> Vec<Flip> {
        Vec::new()
    }
}

/// Every native constructor of `decide::`.
pub static CONSTRUCTORS: &[Constructor<Box<dyn Policy>>] =
    &[consecutive_threshold::CONSTRUCTOR, average_threshold::CONSTRUCTOR];
