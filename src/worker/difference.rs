//! Owns what a reload changes, in words: pipelines added and removed, and of those that stay every setting as it was
//! and as it is. Pure; secrets are masked, since settings are shown as `check` shows them.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::generation::Generation;
use crate::decide::PolicyKind;
use crate::function::Function;
use crate::pipeline::{PipelineSpec, Resolved};
use crate::secret::scrub;

/// Changes told of one reload; the rest is counted.
const MOST: usize = 20;

/// A longer value is cut.
const LONGEST: usize = 80;

/// Pipelines added, removed and kept, with what changed of them.
#[must_use]
pub fn difference(before: &Generation, after: &Generation) -> String {
    let find =
        |generation: &Generation, name: &str| generation.specs.iter().find(|spec| *spec.name == *name).map(Arc::clone);
    let mut left = MOST;
    let list = |word: &str, names: Vec<String>| (!names.is_empty()).then(|| format!("{word} {}", names.join(", ")));
    let quoted = |spec: &Arc<PipelineSpec>| format!("`{}`", spec.name);
    let added = after.specs.iter().filter(|spec| find(before, &spec.name).is_none());
    let removed = before.specs.iter().filter(|spec| find(after, &spec.name).is_none());
    let kept = after.specs.iter().filter_map(|spec| find(before, &spec.name).map(|old| (old, spec)));
    let kept = kept.map(|(old, new)| {
        let changes = changed(&old, new);
        let more = changes.len().saturating_sub(left);
        let mut told: Vec<String> = changes.into_iter().take(left).collect();
        left -= told.len();
        if more > 0 {
            told.push(format!("and {more} more"));
        }
        let told = if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) };
        format!("`{}`{told}", new.name)
    });
    let parts = [
        list("added", added.map(quoted).collect()),
        list("removed", removed.map(quoted).collect()),
        list("in force for", kept.collect()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "no pipelines".into() } else { scrub(&parts.join("; ")).into_owned() }
}

/// Every setting of a pipeline that is another one now: "`max_dynos` 3 → 5".
fn changed(old: &PipelineSpec, new: &PipelineSpec) -> Vec<String> {
    let mut changes = Vec::new();
    let (before, after) = (shown(old), shown(new));
    compare(&before, &after, "", &mut changes);
    for ((name, before), (_, after)) in functions(old).into_iter().zip(functions(new)) {
        if let (Some(before), Some(after)) = (before, after)
            && before.fingerprint() != after.fingerprint()
        {
            changes.push(format!("the function of `{name}` was edited"));
        }
    }
    changes
}

/// The functions that can be edited without a setting that changes.
fn functions(spec: &PipelineSpec) -> Vec<(&'static str, Option<Function>)> {
    let decide = spec.decide.policies.iter().find_map(|policy| match &policy.kind {
        PolicyKind::Scripted(function) => Some(Arc::clone(function)),
        PolicyKind::Native(_) => None,
    });
    let measure = spec.measure.first().and_then(|stage| stage.backend.function()).map(Arc::clone);
    let notify = spec.notify.iter().find_map(|stage| stage.backend.function()).map(Arc::clone);
    vec![("measure", measure), ("decide", decide), ("notify", notify)]
}

/// Everything that is set, as `check` shows it.
fn shown(spec: &PipelineSpec) -> Json {
    let mut shown = serde_json::to_value(Resolved::of(spec)).unwrap_or_default();
    if let Json::Object(map) = &mut shown {
        map.remove("name");
        map.remove("reaches");
        map.insert(
            "pipeline".into(),
            json!({ "settings": {
                "start_from_zero": spec.start_from_zero,
                "notify_repeat_minutes": spec.notify_repeat.as_secs_f64() / 60.0,
                "respect_manual_seconds": spec.respect_manual.as_secs_f64(),
            } }),
        );
    }
    shown
}

/// Adds what differs; `path` names where it stands.
fn compare(old: &Json, new: &Json, path: &str, changes: &mut Vec<String>) {
    match (old, new) {
        _ if old == new => {}
        (Json::Object(old), Json::Object(new)) if of(old, "backend") != of(new, "backend") => {
            // The settings of another backend are other settings.
            changes.push(format!("`{path}` {} → {}", value(of(old, "backend")), value(of(new, "backend"))));
        }
        (Json::Object(old), Json::Object(new)) => {
            let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
            for key in keys {
                compare(of(old, key), of(new, key), &join(path, key), changes);
            }
        }
        (Json::Array(old), Json::Array(new)) if old.iter().chain(new).all(Json::is_object) => {
            for index in 0..old.len().max(new.len()) {
                let (old, new) = (old.get(index).unwrap_or(&Json::Null), new.get(index).unwrap_or(&Json::Null));
                let path = if index == 0 { path.to_owned() } else { format!("{path} {}", index + 1) };
                compare(&backend(old), &backend(new), &path, changes);
            }
        }
        // Where a function stands is no setting.
        (Json::String(old), Json::String(new)) if same_but_for_place(old, new) => {}
        _ => changes.push(format!("`{path}` {} → {}", value(old), value(new))),
    }
}

/// A backend that is new or gone is told by its name alone.
fn backend(stage: &Json) -> Json {
    if stage.is_null() { json!({ "backend": null }) } else { stage.clone() }
}

fn of<'a>(map: &'a Map<String, Json>, key: &str) -> &'a Json {
    map.get(key).unwrap_or(&Json::Null)
}

/// The name of a setting as its author wrote it: the words in between are ours.
fn join(path: &str, key: &str) -> String {
    match (path, key) {
        ("", key) => key.to_owned(),
        (path, "settings" | "backend") => path.to_owned(),
        ("measure" | "decide" | "scale" | "notify" | "pipeline", key) => key.to_owned(),
        (path, key) => format!("{path}.{key}"),
    }
}

/// Whether both are places in the same file, or the same text with places in it.
fn same_but_for_place(old: &str, new: &str) -> bool {
    let without = |text: &str| -> Vec<String> {
        let parts = text.split(':').map(|part| {
            let number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if number { "#".to_owned() } else { part.to_owned() }
        });
        parts.collect()
    };
    let (old, new) = (without(old), without(new));
    // A file, a line and a column.
    old.len() == 3 && old == new && old[1..] == ["#", "#"]
}

fn value(value: &Json) -> String {
    let text = match value {
        Json::Null => "none".into(),
        Json::String(text) => format!("\"{text}\""),
        value => value.to_string(),
    };
    if text.chars().count() > LONGEST {
        return text.chars().take(LONGEST).chain(['…']).collect();
    }
    text
}
