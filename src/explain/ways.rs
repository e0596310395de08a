//! Owns the ways in which a tick would have been decided otherwise, each tried in the tick itself: those that
//! a native policy knows of exactly, those that were found by search, and what a guard would have needed.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::scene::{Change, Scene, wishes};
use super::{search, time};
use crate::counted::counted;
use crate::decide::{Flip, Limit, NamedPolicy, PolicyKind, number};
use crate::pipeline::{Decided, Mode, PipelineSpec, Reason, Record};

/// One way to another decision.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Way {
    /// What would have been decided.
    pub decision: Option<Decided>,
    /// How many dynos that is.
    pub dynos: Option<u32>,
    /// When, at the earliest.
    pub at: Option<DateTime<Utc>>,
    /// Where the tick's measurement would have to lie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<Limit>,
    /// The name of the measurement that `newest` is of, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measurement: Option<String>,
    /// When an earlier measurement was taken, and where it would have to lie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earlier: Option<(DateTime<Utc>, Limit)>,
    /// How many further measurements it takes, and where each would have to lie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub further: Option<(usize, Limit)>,
    /// How many dynos there would have to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with_dynos: Option<u32>,
    /// The guard that would have to let it through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<String>,
    /// Whether the policy itself says so; else it was found by trying.
    pub exact: bool,
    /// In words: "1 more measurement above 1000 ms".
    pub text: String,
}

/// Every way from the decision of `scene` to another one; `asked` for one direction only.
pub(super) async fn ways(scene: &Scene, asked: Option<Decided>) -> Vec<Way> {
    let record = &scene.record;
    let mut ways = guards(scene).await;
    // What one of several measurements would have to be depends on the others: that is tried.
    let single = !scene.spec.names_measurements();
    let native = match &scene.spec.decide.policies[..] {
        [NamedPolicy { kind: PolicyKind::Native(policy), .. }] if single => {
            scene.input(|input| policy.flips(input)).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    // To one that held, another way to hold is no news.
    for flip in native.iter().filter(|flip| flip.to != record.decision) {
        ways.push(of_flip(scene, flip).await);
    }
    if native.is_empty() && record.dynos.current.is_some() {
        ways.extend(search::ways(scene).await);
    }
    ways.retain(|way| asked.is_none_or(|asked| way.decision == Some(asked) || way.decision == Some(Decided::Hold)));
    ways
}

/// A flip of the policy, tried: a guard may still have its say.
async fn of_flip(scene: &Scene, flip: &Flip) -> Way {
    let change = Change {
        value: flip.newest.map(|limit| (0, limit.just_within())),
        earlier: flip.earlier.map(|(at, limit)| (at, limit.just_within())),
        ..Change::default()
    };
    let (count, value) = flip.further.map_or((0, None), |(count, limit)| (count, Some(limit.just_within())));
    // A guard may turn the wish into a hold: the last of them is looked at then.
    let played = scene.play_on(&change, value, count, wishes(flip.to)).await;
    let unit = scene.spec.unit();
    let mut parts = Vec::new();
    if let Some(limit) = flip.newest {
        let own = scene.record.measurements.first().and_then(|measurement| measurement.value);
        parts.push(format!("a measurement {}", instead(limit, own, unit)));
    }
    if let Some((at, limit)) = flip.earlier {
        let time = time::beside(at, scene.record.at, scene.spec.decide.zone);
        parts.push(format!("the measurement of {time} {}", instead(limit, scene.value_at(at), unit)));
    }
    if let Some((count, limit)) = flip.further {
        let row = if count == 1 { "" } else { " in a row" };
        parts.push(format!("{} {}{row}", counted(count, "more measurement"), limit.words(unit)));
    }
    let (newest, earlier, further) = (flip.newest, flip.earlier, flip.further);
    let way = Way { newest, earlier, further, exact: true, ..of_played(&played) };
    finish(scene, way, &played, Some(flip.to), &parts.join(", and then "))
}

/// "above 1000 ms instead of 620 ms (380 ms more)".
pub(super) fn instead(limit: Limit, own: Option<f64>, unit: Option<&str>) -> String {
    let by = own.map_or_else(
        || " instead of a failed one".to_owned(),
        |own| format!(" instead of {} ({})", number(own, unit), limit.distance(own, unit)),
    );
    format!("{}{by}", limit.words(unit))
}

/// The decision of `played`.
pub(super) fn of_played(played: &Record) -> Way {
    Way { decision: Some(played.decision), dynos: played.dynos.desired, at: Some(played.at), ..Way::default() }
}

/// With its words: when, and the guard that would still change it.
pub(super) fn finish(scene: &Scene, way: Way, played: &Record, wished: Option<Decided>, text: &str) -> Way {
    let zone = scene.spec.decide.zone;
    let when = if played.at > scene.record.at {
        format!(" ({} at the earliest)", time::beside(played.at, scene.record.at, zone))
    } else {
        String::new()
    };
    Way { text: format!("{text}{when}{}", still(played, wished)), ..way }
}

/// The guard that holds in `played` what was `wished`, in words.
pub(super) fn still(played: &Record, wished: Option<Decided>) -> String {
    let guard = changing(played).filter(|_| wished.is_some_and(|wished| wished != played.decision));
    guard.map_or_else(String::new, |reason| format!("; `{}` holds then: {}", reason.guard, reason.text))
}

/// The last reason that changed what the policy wanted.
pub(super) fn changing(record: &Record) -> Option<&Reason> {
    let told = ["policy", "last_scale", "interrupted"];
    record.reasons.iter().rev().find(|reason| !told.contains(&&*reason.guard))
}

/// What the guard that had the last word would have needed.
async fn guards(scene: &Scene) -> Vec<Way> {
    let record = &scene.record;
    let Some(reason) = changing(record) else { return Vec::new() };
    let guard = Some(reason.guard.to_string());
    let way = |dynos: Option<u32>, text: String| {
        let current = record.dynos.current;
        let decision = dynos.zip(current).map(|(to, from)| match to.cmp(&from) {
            std::cmp::Ordering::Greater => Decided::Up,
            std::cmp::Ordering::Less => Decided::Down,
            std::cmp::Ordering::Equal => Decided::Hold,
        });
        Way { decision, dynos, at: Some(record.at), guard: guard.clone(), exact: true, text, ..Way::default() }
    };
    let wanted = record.dynos.proposed;
    let bounds = &record.dynos;
    match &*reason.guard {
        "cooldown" => vec![waiting(scene, way).await],
        "bounds" if wanted.is_some_and(|wanted| wanted > bounds.max) => {
            vec![way(wanted, format!("`max_dynos` of {} or more", wanted.unwrap_or_default()))]
        }
        "bounds" if wanted.is_some_and(|wanted| wanted < bounds.min) => {
            vec![way(wanted, format!("`min_dynos` of {} or less", wanted.unwrap_or_default()))]
        }
        "failed_measurement" => vec![way(wanted, "the same wish on a measurement that succeeded".into())],
        "paused" => {
            let live = PipelineSpec { mode: Mode::Live, ..(*scene.spec).clone() };
            let live = scene.under(live).play(&Change::default()).await;
            vec![Way { decision: Some(live.decision), ..way(live.dynos.desired, "the pipeline not paused".into()) }]
        }
        "switched_off" => vec![way(None, "1 dyno or more, or `start_from_zero: true`".into())],
        "back_off" => vec![way(wanted, "a platform that had answered the calls before".into())],
        "platform_limit" => vec![way(wanted, "a platform that allowed that many".into())],
        "count_unknown" => vec![way(None, "a platform that told the number of dynos".into())],
        _ => Vec::new(),
    }
}

async fn waiting(scene: &Scene, way: impl Fn(Option<u32>, String) -> Way) -> Way {
    let free = scene.play(&Change { without_wait: true, ..Change::default() }).await;
    let seconds = scene.spec.decide.wait.as_secs_f64();
    let why = free.reasons.last().map_or_else(String::new, |reason| format!(": {}", reason.text));
    let text = format!("no wait of {seconds} s after the last scale{why}");
    Way { decision: Some(free.decision), ..way(free.dynos.desired, text) }
}
