//! Owns how a worker stands, as `status` tells it: gathered from records, what is kept, levers and specs. It
//! prints nothing and changes nothing.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::levers::{ActiveLevers, Levers, Pull};
use crate::pipeline::{Decided, Outcome, PipelineSpec, Record};
use crate::state::{Query, State, StateError};

/// Records of a pipeline that are looked through for its last change and its last error: three hours at 30 s.
const LOOKED_THROUGH: usize = 360;

/// Records that tell which pipelines there are, where no worker runs to ask.
const NEWEST: usize = 2_000;

/// How a worker stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The version of this shape.
    pub v: u32,
    /// When it was so.
    pub at: DateTime<Utc>,
    /// The worker; none where only its state answers.
    pub worker: Option<WorkerStatus>,
    /// Of a worker that has the state and was not reached: what is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreached: Option<String>,
    /// Its scripts: one, or one for each file of a folder.
    pub units: Vec<UnitStatus>,
    /// Where state is kept.
    pub store: StoreStatus,
    /// The levers of all pipelines, which each of them has too.
    #[serde(default)]
    pub levers: Vec<HeldLever>,
    /// Its pipelines, in the order of the script.
    pub pipelines: Vec<PipelineStatus>,
}

/// A running worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// When it started.
    pub since: DateTime<Utc>,
}

/// A script that runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UnitStatus {
    /// The script's file.
    pub file: String,
    /// The unit's name, where there are several.
    pub unit: Option<String>,
    /// The generation in force.
    pub generation: u64,
    /// When it was taken up.
    pub since: DateTime<Utc>,
    /// The file on disk is another one, which was refused.
    pub refused: Option<Refusal>,
    /// The worker went back to an earlier generation, and stays there until the file changes: why.
    pub rolled_back: Option<String>,
    /// Another script is being tried in place of the file.
    pub trial: Option<TrialStatus>,
    /// The file on disk is simulated before it goes live: since when.
    #[serde(default)]
    pub checking: Option<DateTime<Utc>>,
}

/// A script that was refused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// Its first error.
    pub error: String,
    /// How many there are.
    pub errors: usize,
    /// When.
    pub at: DateTime<Utc>,
}

/// A script that is being tried.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrialStatus {
    /// The file it was read from.
    pub file: String,
    /// Who tries it.
    pub by: String,
    /// When it ends by itself.
    pub until: DateTime<Utc>,
}

/// Where state is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// The folder, or where else it is; none for memory.
    pub folder: Option<String>,
    /// Whether what is kept will be there after a restart.
    pub healthy: bool,
    /// What is wrong, where something is.
    pub error: Option<String>,
}

/// How a pipeline stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PipelineStatus {
    /// Its name.
    pub name: String,
    /// The zone of the times in its texts, an IANA name; none where its script is not known.
    #[serde(default)]
    pub zone: Option<String>,
    /// "live", "dry_run" or "paused".
    pub mode: Cow<'static, str>,
    /// What it scales, where that has a name.
    pub target: Option<String>,
    /// Dynos at the last tick; none where they could not be counted.
    pub dynos: Option<u32>,
    /// Of these, still booting.
    pub booting: u32,
    /// The lower bound now.
    pub min: Option<u32>,
    /// The upper bound now.
    pub max: Option<u32>,
    /// What was measured last.
    pub value: Option<f64>,
    /// Its unit, where it is known.
    pub unit: Option<Cow<'static, str>>,
    /// Why the last measurement failed.
    pub failure: Option<String>,
    /// The thresholds of a documented policy: lower and upper.
    pub thresholds: Option<(f64, f64)>,
    /// Seconds until it may scale again after the last scale; none where it may.
    pub cooldown_left_seconds: Option<f64>,
    /// The last tick's decision.
    pub last: Option<LastDecision>,
    /// The last tick that changed the count, or tried to.
    pub last_change: Option<LastDecision>,
    /// The last error, and when.
    pub last_error: Option<ErrorStatus>,
    /// The levers that hold.
    pub levers: Vec<HeldLever>,
    /// Seconds from tick to tick; none where no worker runs.
    pub interval_seconds: Option<f64>,
    /// Whether its last tick is longer ago than three intervals.
    pub late: bool,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastDecision {
    /// When its tick was due.
    pub at: DateTime<Utc>,
    /// What the guards allowed.
    pub decision: Decided,
    /// Dynos before.
    pub from: Option<u32>,
    /// Dynos it came to.
    pub to: Option<u32>,
    /// What happened.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
}

/// An error, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorStatus {
    /// When its tick was due.
    pub at: DateTime<Utc>,
    /// What went wrong.
    pub text: String,
    /// The first tick after it in which nothing did; none while it lasts.
    #[serde(default)]
    pub over: Option<DateTime<Utc>>,
}

/// A lever that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLever {
    /// "paused", "set", "scale_in_off", "scale_out_off".
    pub lever: Cow<'static, str>,
    /// The count that was set.
    pub dynos: Option<u32>,
    /// Whether it may lie beyond the bounds.
    pub beyond_bounds: bool,
    /// Who, when, until when and why.
    #[serde(flatten)]
    pub pull: Pull,
}

/// How every pipeline stands, by its records: those of `specs`, or where nobody runs them those there are records
/// of.
///
/// # Errors
/// When the store cannot be read.
pub async fn pipelines(
    state: &Arc<dyn State>,
    specs: Option<&[Arc<PipelineSpec>]>,
    levers: &Levers,
    now: DateTime<Utc>,
) -> Result<Vec<PipelineStatus>, StateError> {
    let names: Vec<Arc<str>> = match specs {
        Some(specs) => specs.iter().map(|spec| Arc::clone(&spec.name)).collect(),
        None => names(state).await?,
    };
    let mut statuses = Vec::with_capacity(names.len());
    for name in names {
        let spec = specs.and_then(|specs| specs.iter().find(|spec| spec.name == name));
        let records = state.records(&Query::newest(&name, LOOKED_THROUGH)).await?;
        let wait = state.load(&name).await?.and_then(|kept| kept.control.wait_until);
        statuses.push(one(&name, spec.map(|spec| &**spec), &records, wait, levers, now));
    }
    Ok(statuses)
}

/// What is known of pipelines whose records cannot be read: the levers that are pulled at them.
#[must_use]
pub fn by_levers(levers: &Levers, now: DateTime<Utc>) -> Vec<PipelineStatus> {
    let names = levers.pipelines.keys();
    names.map(|name| one(name, None, &[], None, levers, now)).collect()
}

/// The levers of all pipelines that hold at `now`.
#[must_use]
pub fn levers_of_all(levers: &Levers, now: DateTime<Utc>) -> Vec<HeldLever> {
    held(&Levers { all: levers.all.clone(), ..Levers::default() }.active("", now))
}

async fn names(state: &Arc<dyn State>) -> Result<Vec<Arc<str>>, StateError> {
    let records = state.records(&Query { newest: Some(NEWEST), ..Query::default() }).await?;
    let mut names: Vec<Arc<str>> = records.iter().map(|record| Arc::clone(&record.pipeline)).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// `records` of one pipeline, oldest first.
fn one(
    name: &str,
    spec: Option<&PipelineSpec>,
    records: &[Arc<Record>],
    wait: Option<DateTime<Utc>>,
    levers: &Levers,
    now: DateTime<Utc>,
) -> PipelineStatus {
    let last = records.last();
    let measured = last.and_then(|record| record.measurements.first());
    let bounds = spec.map(|spec| spec.decide.bounds(now));
    let active = levers.active(name, now);
    let mode = match (spec, last) {
        _ if active.pause.is_some() => "paused".into(),
        (Some(spec), _) => spec.mode.name().into(),
        (None, Some(record)) => record.mode.clone(),
        (None, None) => "".into(),
    };
    let changed = |record: &&Arc<Record>| !matches!(record.outcome, Outcome::None);
    let interval = spec.map(|spec| spec.interval().as_secs_f64());
    PipelineStatus {
        name: name.into(),
        zone: spec.map(|spec| spec.decide.zone.name().to_owned()),
        mode,
        target: spec.and_then(PipelineSpec::shown_target),
        dynos: last.and_then(|record| {
            record.dynos.desired.filter(|_| record.outcome == Outcome::Scaled).or(record.dynos.current)
        }),
        booting: last.map_or(0, |record| record.dynos.booting),
        min: bounds.map(|bounds| bounds.min).or(last.map(|record| record.dynos.min)),
        max: bounds.map(|bounds| bounds.max).or(last.map(|record| record.dynos.max)),
        value: measured.and_then(|measured| measured.value),
        unit: spec.and_then(PipelineSpec::unit).map(Cow::Borrowed),
        failure: measured.and_then(|measured| measured.error.clone()),
        thresholds: spec.and_then(thresholds),
        cooldown_left_seconds: wait.map(|until| seconds(until - now)).filter(|left| *left > 0.0),
        last: last.map(|record| decision(record)),
        last_change: records.iter().rev().find(changed).map(|record| decision(record)),
        last_error: last_error(records),
        levers: held(&active),
        interval_seconds: interval,
        late: interval.is_some_and(|interval| last.is_some_and(|last| seconds(now - last.at) > 3.0 * interval)),
    }
}

/// The last error of `records`, and the tick that had none after it.
fn last_error(records: &[Arc<Record>]) -> Option<ErrorStatus> {
    let mut over = None;
    for record in records.iter().rev() {
        let measuring = || record.measurements.iter().find_map(|measurement| measurement.error.clone());
        if let Some(text) = record.error.clone().or_else(measuring) {
            return Some(ErrorStatus { at: record.at, text, over });
        }
        over = Some(record.at);
    }
    None
}

fn thresholds(spec: &PipelineSpec) -> Option<(f64, f64)> {
    spec.decide.judging(0).find_map(|policy| policy.kind.thresholds())
}

fn decision(record: &Record) -> LastDecision {
    let reasons: Vec<&str> = record.reasons.iter().map(|reason| &*reason.text).collect();
    LastDecision {
        at: record.at,
        decision: record.decision,
        from: record.dynos.current,
        to: record.dynos.desired,
        outcome: record.outcome,
        reason: reasons.join("; "),
    }
}

fn held(active: &ActiveLevers<'_>) -> Vec<HeldLever> {
    let lever = |lever: &'static str, pull: Option<&Pull>| {
        let pull = pull?.clone();
        Some(HeldLever { lever: lever.into(), dynos: None, beyond_bounds: false, pull })
    };
    let set = active.dynos.map(|set| HeldLever {
        lever: "set".into(),
        dynos: Some(set.dynos),
        beyond_bounds: set.beyond_bounds,
        pull: set.pull.clone(),
    });
    let switches = [lever("scale_in_off", active.no_scale_in), lever("scale_out_off", active.no_scale_out)];
    [lever("paused", active.pause), set].into_iter().chain(switches).flatten().collect()
}

#[allow(clippy::cast_precision_loss)]
fn seconds(span: TimeDelta) -> f64 {
    span.num_milliseconds() as f64 / 1000.0
}
