//! Owns the explanation of one tick: what was measured, wanted and allowed, what happened, what would have had
//! to be different, and what was around it. Words for it are in `show`; this is the same as data.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use super::around::{Around, around};
use super::logs::ScaleLine;
use super::ways::{self, Way};
use super::{Scene, time};
use crate::counted::dynos;
use crate::decide::{NamedPolicy, PolicyKind};
use crate::pipeline::{Decided, Outcome, PipelineSpec, Reason, Record};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// The pipeline as its script is now, where there is one.
    pub spec: Option<&'a Arc<PipelineSpec>>,
    /// The zone of its times.
    pub zone: Tz,
    /// Its records, oldest first, the tick that is asked about among them.
    pub records: &'a [Arc<Record>],
    /// The tick at or before this time is asked about; the newest where it is not given.
    pub at: Option<DateTime<Utc>>,
    /// Why it did not go this way.
    pub why_not: Option<Decided>,
    /// The last scale before the tick, where it lies before all records.
    pub last_scale: Option<Arc<Record>>,
}

/// Ticks in a row that held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// How many.
    pub ticks: usize,
    /// The first of them.
    pub since: DateTime<Utc>,
}

/// The explanation of one tick.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The pipeline.
    pub pipeline: Arc<str>,
    /// The zone of the times in texts.
    pub zone: String,
    /// In one sentence.
    pub summary: String,
    /// The unit of the values, where it is known.
    pub unit: Option<String>,
    /// The tick.
    pub record: Arc<Record>,
    /// The reasons of guards, which changed what the policy wanted or came before it.
    pub guards: Vec<Reason>,
    /// The direction that was asked about, where one was.
    pub why_not: Option<Decided>,
    /// What would have had to be different.
    pub would_have: Vec<Way>,
    /// The ticks that held up to this one, where it did.
    pub held: Option<Stretch>,
    /// The last scale before the tick; the tick itself where it scaled.
    pub last_scale: Option<Arc<Record>>,
    /// The first scale after it, of those around.
    pub next_scale: Option<Arc<Record>>,
    /// What was around it.
    pub around: Option<Around>,
    /// What is missing, and what is to be kept in mind.
    pub notes: Vec<String>,
}

/// Explains; `None` where no tick is at or before the time that is asked about.
pub async fn explain(question: &Question<'_>) -> Option<Explanation> {
    let records = question.records;
    let end = question.at.map_or(records.len(), |at| records.partition_point(|record| record.at <= at));
    let (until, after) = records.split_at(end);
    let record = Arc::clone(until.last()?);
    let mut notes = Vec::new();
    let mut would_have = Vec::new();
    match question.spec {
        Some(spec) => {
            // A scale from before all of them is remembered too.
            let known: Vec<Arc<Record>> = question.last_scale.iter().chain(until).cloned().collect();
            if let Some(scene) = Scene::set(spec, &known).await {
                would_have = ways::ways(&scene, question.why_not).await;
                notes.extend(caveats(&scene, &record, &would_have).await);
            }
        }
        None => notes.push("name the script with --script FILE for what would have had to be different".into()),
    }
    let scaled = |record: &&Arc<Record>| record.scaled().is_some();
    let last_scale = until.iter().rev().find(scaled).cloned().or_else(|| question.last_scale.clone());
    let guards = record.reasons.iter().filter(|reason| reason.guard != "policy").cloned().collect();
    Some(Explanation {
        pipeline: Arc::clone(&record.pipeline),
        zone: question.zone.name().to_owned(),
        summary: summary(&record, question.zone),
        unit: question.spec.and_then(|spec| spec.unit()).map(str::to_owned),
        guards,
        why_not: question.why_not,
        would_have,
        held: held(until),
        last_scale,
        next_scale: after.iter().find(scaled).cloned(),
        around: around(records),
        notes,
        record,
    })
}

/// What the reader of the ways must know.
async fn caveats(scene: &Scene, record: &Record, ways: &[Way]) -> Vec<String> {
    let mut notes = Vec::new();
    if super::is_limited(record) {
        notes.push(
            "a limit that it shares with other pipelines held it back: what these had then is not in its records, so              what would have had to be different is told as if there were no such limit"
                .into(),
        );
    } else if !scene.reproduces().await {
        let count = record.dynos.desired.map_or_else(String::new, |count| format!(" ({})", dynos(count)));
        notes.push(format!(
            "the script as it is now, with what is recorded, does not decide this tick as it was decided{count}: it was \
             edited since (generation {} decided), a lever was pulled, or it depends on what no record holds; what \
             would have had to be different is told of the script as it is now",
            record.generation
        ));
    }
    if let Some(until) = scene.waits_until() {
        let (until, seconds) = (time::beside(until, record.at, scene.spec.decide.zone), scene.spec.decide.wait);
        notes.push(format!(
            "nothing was decided before {until}, {} s after the last scale, and what was measured till then is not judged",
            seconds.as_secs_f64()
        ));
    }
    if let [NamedPolicy { kind: PolicyKind::Scripted(_), .. }] = &scene.spec.decide.policies[..] {
        let found = if ways.is_empty() { "nothing was found" } else { "it was found" };
        notes.push(format!("the decision is a function of the script: {found} by running it on other inputs"));
    }
    notes
}

fn held(until: &[Arc<Record>]) -> Option<Stretch> {
    let run = until.iter().rev().take_while(|record| record.decision == Decided::Hold);
    let (mut ticks, mut since) = (0, None);
    for record in run {
        (ticks, since) = (ticks + 1, Some(record.at));
    }
    Some(Stretch { ticks, since: since? })
}

fn summary(record: &Record, zone: Tz) -> String {
    let known = |count: Option<u32>| count.map_or_else(|| "an unknown number of dynos".into(), dynos);
    let did = match (record.decision, record.outcome) {
        (Decided::Hold, _) => format!("held at {}", known(record.dynos.current)),
        (_, Outcome::Failed) if record.interrupted().is_some() => {
            format!("was to scale {}, and was interrupted", change(record))
        }
        (_, Outcome::Scaled) => format!("scaled {}", change(record)),
        (_, Outcome::DryRun) => format!("would have scaled {} (dry run)", change(record)),
        (_, Outcome::Failed) => format!("was to scale {}, which failed", change(record)),
        (_, Outcome::Unknown) => format!("was to scale {}; how that ended was unknown", change(record)),
        (_, Outcome::None) => format!("was to scale {}, and did not", change(record)),
    };
    format!("{} at {} ({zone}): {did}", record.pipeline, time::dated(record.at, zone))
}

/// "up from 1 to 2 dynos".
pub(super) fn change(record: &Record) -> String {
    let known = |count: Option<u32>| count.map_or_else(|| "?".into(), |count| count.to_string());
    let desired = record.dynos.desired.map_or_else(|| "? dynos".into(), dynos);
    format!("{} from {} to {desired}", record.decision.name(), known(record.dynos.current))
}

/// What can be told where a log has scales and no records.
#[must_use]
pub fn of_scale_lines(lines: &[ScaleLine], zone: Tz) -> Vec<String> {
    let line = |line: &ScaleLine| {
        let at = line.at.map_or_else(|| "at an unknown time".into(), |at| time::dated(at, zone));
        format!("{at}  {}: {}", line.pipeline, line.text)
    };
    lines.iter().map(line).collect()
}
