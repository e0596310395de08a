//! Owns the record of a tick: everything that was seen, wanted, allowed and done, in the shape of
//! `once --json`. Records are the only thing that views, `explain` and `replay` read.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Event, Failure, FailureKind, Measurement};

/// The version of the shape.
pub const RECORD_VERSION: u32 = 1;

/// The guard of the reason that tells of a scale during which the worker ended.
pub(super) const INTERRUPTED: &str = "interrupted";

/// What one tick of one pipeline saw and did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`RECORD_VERSION`].
    pub v: u32,
    /// The pipeline.
    pub pipeline: Arc<str>,
    /// The generation of its script.
    pub generation: u64,
    /// The version of its script, where it came from files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<Arc<ScriptVersion>>,
    /// The tick's number, from 1, counted over the pipeline's life.
    pub tick: u64,
    /// When the tick was due.
    pub at: DateTime<Utc>,
    /// "live", "dry_run" or "paused".
    pub mode: Cow<'static, str>,
    /// What was measured.
    pub measurements: Vec<MeasurementRecord>,
    /// The counts.
    pub dynos: DynoCounts,
    /// What the policy wanted.
    pub proposals: Vec<ProposalRecord>,
    /// What the guards allowed.
    pub decision: Decided,
    /// Every reason, in the order of the guards.
    pub reasons: Vec<Reason>,
    /// What happened.
    pub outcome: Outcome,
    /// What people may be told.
    #[serde(default)]
    pub events: Vec<Event>,
    /// What went wrong in the tick, if anything did.
    pub error: Option<String>,
    /// What the generation of the tick changed of the one before, where it is its first: "`max_dynos` 3 → 5".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reloaded: Option<String>,
    /// What the `shadow` of the pipeline would have done, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowRecord>,
}

/// What a shadow policy would have done: nothing else heeds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowRecord {
    /// What the guards would have allowed it; `null` when the count is unknown.
    pub dynos: Option<u32>,
    /// Why: the reasons of the guards, or what went wrong.
    pub text: String,
    /// The direction.
    pub decision: Decided,
}

/// Which version of a script it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptVersion {
    /// SHA-256 over names and texts of its files, in hex.
    pub hash: String,
    /// The git revision that the files were at, where that was found.
    pub revision: Option<String>,
}

/// One measurement in a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasurementRecord {
    /// Its name in the pipeline; "measurement" for the only one.
    pub name: String,
    /// The documented name of its backend.
    pub backend: Cow<'static, str>,
    /// What was measured, as it came.
    pub data: Json,
    /// The number judged.
    pub value: Option<f64>,
    /// Whether it succeeded.
    pub success: bool,
    /// Why it failed.
    pub error: Option<String>,
    /// What its failure says about load: whoever decides anew must know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureKind>,
    /// When it was taken.
    pub at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
}

impl MeasurementRecord {
    /// The measurement that was recorded, for deciding anew.
    #[must_use]
    pub fn measurement(&self) -> Measurement {
        let failed = || Failure {
            kind: self.failure.unwrap_or(FailureKind::NotLoad),
            message: self.error.clone().unwrap_or_else(|| "it failed".into()),
        };
        Measurement {
            backend: self.backend.clone(),
            data: self.data.clone(),
            value: self.value,
            success: self.success,
            failure: (!self.success).then(failed),
            at: self.at,
            took_ms: self.took_ms,
        }
    }
}

/// The dyno counts of a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DynoCounts {
    /// As read from the platform; `null` when unknown.
    pub current: Option<u32>,
    /// Of these, still booting.
    pub booting: u32,
    /// What the policy wanted; `null` when it wanted nothing.
    pub proposed: Option<u32>,
    /// What the guards allowed; `null` when the count is unknown.
    pub desired: Option<u32>,
    /// The lower bound at that minute.
    pub min: u32,
    /// The upper bound at that minute.
    pub max: u32,
}

/// What one policy wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalRecord {
    /// The policy's name in the pipeline; "decision" for the only one.
    pub name: String,
    /// How many dynos in all; `null` for hold.
    pub dynos: Option<u32>,
    /// Why.
    pub text: String,
}

/// What the guards allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decided {
    /// More dynos.
    Up,
    /// Fewer dynos.
    Down,
    /// As many.
    Hold,
}

impl Decided {
    /// As records have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Hold => "hold",
        }
    }
}

/// One reason of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The guard or stage that speaks: "policy", "bounds", "cooldown", "count_unknown" …
    pub guard: Cow<'static, str>,
    /// The count before it; `null` when unknown.
    pub from: Option<u32>,
    /// The count after it; `null` when unknown.
    pub to: Option<u32>,
    /// In plain words, with numbers.
    pub text: String,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The platform took the new count.
    Scaled,
    /// It would have been asked to, in a dry run.
    DryRun,
    /// The platform refused.
    Failed,
    /// The call timed out, was reset or got a 5xx: the next read tells.
    Unknown,
    /// Nothing was to be done.
    None,
}

impl Outcome {
    /// As records have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scaled => "scaled",
            Self::DryRun => "dry_run",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::None => "none",
        }
    }
}

/// The longest text of a record in the log: with its quotes escaped it fits a line of 8 kB.
const LONGEST_COMPACT: usize = 5_000;

impl Record {
    /// As JSON for one line of the log, without the events, which have lines of their own, and without
    /// data that is its value or does not fit. `None` where even that is too long.
    #[must_use]
    pub fn compact(&self) -> Option<String> {
        let mut record = Self { events: Vec::new(), ..self.clone() };
        for measurement in record.measurements.iter_mut().filter(|measurement| measurement.data.is_number()) {
            measurement.data = Json::Null;
        }
        for _ in 0..2 {
            let text = serde_json::to_string(&record).ok()?;
            if text.len() <= LONGEST_COMPACT {
                return Some(text);
            }
            record.measurements.iter_mut().for_each(|measurement| measurement.data = Json::Null);
        }
        None
    }

    /// What [`Record::compact`] left out and can be told from the rest.
    #[must_use]
    pub fn completed(mut self) -> Self {
        for measurement in self.measurements.iter_mut().filter(|measurement| measurement.data.is_null()) {
            measurement.data = measurement.value.map_or(Json::Null, Json::from);
        }
        self
    }

    /// What became of its scale where the worker ended during it.
    #[must_use]
    pub fn interrupted(&self) -> Option<&str> {
        let said = self.reasons.iter().find(|reason| reason.guard == INTERRUPTED);
        said.map(|reason| reason.text.as_str())
    }

    /// The scale that the platform took, or may have taken: from and to.
    #[must_use]
    pub fn scaled(&self) -> Option<(u32, u32)> {
        let happened = matches!(self.outcome, Outcome::Scaled | Outcome::Unknown);
        self.dynos.current.zip(self.dynos.desired).filter(|_| happened)
    }
}
