//! Owns a pipeline as `check` shows it: every backend by its documented name, every setting with its
//! default filled in, secrets masked.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::PipelineSpec;
use super::resolved_guards as guards;
use crate::decide::{DynosByTime, NamedPolicy, ONLY, PolicyKind};
use crate::measure::{MeasureStage, OnFailure};
use crate::notify::NotifyStage;

/// The name of inline code.
const CUSTOM: &str = "custom";

/// One pipeline of `check --json`.
#[derive(Debug, Serialize)]
pub struct Resolved {
    /// Its name.
    pub name: String,
    /// The measuring stage.
    pub measure: Stages,
    /// The deciding stage.
    pub decide: Stages,
    /// The policies that are only recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Stages>,
    /// The scaling stage.
    pub scale: Backend,
    /// The notifying stages.
    pub notify: Vec<Backend>,
    /// The limits that it shares with others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<String>,
    /// The app that it is simulated with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulate: Option<Json>,
    /// What it reaches: hosts, URLs, programs, the process type.
    pub reaches: Vec<String>,
}

/// A stage: one backend, or several by name.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Stages {
    /// The only one.
    One(Backend),
    /// Those that the script names.
    Several(Vec<Named>),
}

/// One of several backends.
#[derive(Debug, Serialize)]
pub struct Named {
    /// Its name in the pipeline.
    pub name: String,
    /// The backend.
    #[serde(flatten)]
    pub backend: Backend,
}

/// One backend of a stage.
#[derive(Debug, Serialize)]
pub struct Backend {
    /// The documented name, or "custom".
    pub backend: String,
    /// Its settings as resolved.
    pub settings: Json,
}

impl Resolved {
    /// The pipeline `spec` as resolved.
    #[must_use]
    pub fn of(spec: &PipelineSpec) -> Self {
        let measured = spec.measure.iter().map(|stage| Named { name: stage.name.to_string(), backend: measure(stage) });
        let (policies, shadow) = (&spec.decide.policies, &spec.decide.shadow);
        Self {
            name: spec.name.to_string(),
            measure: Stages::of(measured.collect(), spec.names_measurements()),
            decide: decide(policies, spec),
            shadow: (!shadow.is_empty()).then(|| decide(shadow, spec)),
            scale: Backend { backend: spec.scale.backend().into(), settings: spec.scale.settings() },
            notify: spec.notify.iter().map(notify).collect(),
            limits: spec.limits.iter().map(|limit| limit.describe()).collect(),
            simulate: spec.simulate.as_deref().map(|described| merged(described.shown(), Json::Null)),
            reaches: reaches(spec),
        }
    }
}

/// Every host, URL, program and process type that a pipeline reaches, as far as it can be told.
fn reaches(spec: &PipelineSpec) -> Vec<String> {
    let mut reached: Vec<String> = spec.sources().flat_map(|stage| stage.backend.reaches()).collect();
    reached.extend(spec.scale.reaches());
    let app = spec.scale.heroku();
    reached.extend(app.map(|app| format!("the process type {} of {}", app.process_type, app.name)));
    reached.extend(spec.notify.iter().flat_map(|stage| stage.backend.reaches()));
    let mut seen = std::collections::BTreeSet::new();
    reached.retain(|reach| seen.insert(reach.clone()));
    reached
}

impl Stages {
    fn of(mut stages: Vec<Named>, named: bool) -> Self {
        match stages.pop() {
            Some(only) if stages.is_empty() && !named => Self::One(only.backend),
            last => {
                stages.extend(last);
                Self::Several(stages)
            }
        }
    }

    /// Each with the name it is shown under.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&str>, &Backend)> {
        let (one, several) = match self {
            Self::One(backend) => (Some(backend), &[][..]),
            Self::Several(several) => (None, &several[..]),
        };
        let several = several.iter().map(|named| (Some(named.name.as_str()), &named.backend));
        one.map(|backend| (None, backend)).into_iter().chain(several)
    }
}

fn measure(stage: &MeasureStage) -> Backend {
    let on_failure = match stage.on_failure {
        OnFailure::TooHigh => "too_high",
        OnFailure::Hold => "hold",
        OnFailure::Ignore => "ignore",
    };
    let common = json!({
        "measurement_interval_in_seconds": number(stage.interval.as_secs_f64()),
        "on_measurement_failure": on_failure,
    });
    Backend { backend: stage.backend.backend().into(), settings: merged(stage.backend.settings(), common) }
}

fn decide(policies: &[NamedPolicy], spec: &PipelineSpec) -> Stages {
    let named = |policy: &NamedPolicy| Named { name: policy.name.to_string(), backend: policy_of(policy, spec) };
    let several = policies.len() > 1 || policies.iter().any(|policy| *policy.name != *ONLY);
    Stages::of(policies.iter().map(named).collect(), several)
}

fn policy_of(policy: &NamedPolicy, spec: &PipelineSpec) -> Backend {
    let stage = &spec.decide;
    let (backend, own) = match &policy.kind {
        PolicyKind::Native(policy) => (policy.backend(), policy.settings()),
        PolicyKind::Scripted(function) => (CUSTOM, json!({ "function": function.place().to_string() })),
    };
    let common = json!({
        "min_dynos": dynos(&stage.min_dynos),
        "max_dynos": dynos(&stage.max_dynos),
        "time_zone": stage.zone.name(),
        "increment": stage.increment,
        "post_scale_wait_time_seconds": number(stage.wait.as_secs_f64()),
        "history_length": stage.history_length,
        "keep_history": stage.keep_history,
        "mode": spec.mode.name(),
    });
    let common = merged(common, guards::settings(&spec.guards));
    Backend { backend: backend.into(), settings: merged(own, common) }
}

fn notify(stage: &NotifyStage) -> Backend {
    let flags = stage.flags.map_or_else(
        || json!({}),
        |flags| {
            json!({
                "notify_on_every_measurement": flags.every_measurement,
                "notify_on_every_scale": flags.every_scale,
                "notify_if_needs_below_min": flags.needs_below_min,
                "notify_if_needs_exceed_max": flags.needs_exceed_max,
                "notify_if_scaling_is_too_rapid": flags.too_rapid,
                "notify_if_scaling_is_too_rapid_num_scales": flags.too_rapid_scales,
                "notify_if_scaling_is_too_rapid_time_period_minutes": number(flags.too_rapid_period.as_secs_f64() / 60.0),
            })
        },
    );
    Backend { backend: stage.backend.backend().into(), settings: merged(stage.backend.settings(), flags) }
}

/// A table keeps its keys as written.
fn dynos(dynos: &DynosByTime) -> Json {
    match dynos {
        DynosByTime::Always(count) => json!(count),
        DynosByTime::Table(entries) => {
            entries.iter().map(|entry| (entry.written.to_string(), json!(entry.dynos))).collect::<Map<_, _>>().into()
        }
    }
}

/// A whole number without its `.0`.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn number(value: f64) -> Json {
    if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
}

fn merged(own: Json, common: Json) -> Json {
    let mut settings = Map::new();
    for part in [own, common] {
        if let Json::Object(part) = part {
            settings.extend(part.into_iter().map(|(key, value)| (key, value.as_f64().map_or(value, number))));
        }
    }
    Json::Object(settings)
}
