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

/// What is different of a pipeline under `new`, for its record.
#[must_use]
pub fn told(old: &PipelineSpec, new: &PipelineSpec) -> String {
    let changes = changed(old, new);
    let more = changes.len().saturating_sub(MOST);
    let mut told: Vec<String> = changes.into_iter().take(MOST).collect();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    let told = if told.is_empty() { "nothing of this pipeline".to_owned() } else { told.join(", ") };
    scrub(&format!("generation {} in place of {}: {told}", new.generation, old.generation)).into_owned()
}

/// Every setting of a pipeline that is another one now: "`max_dynos` 3 → 5".
fn changed(old: &PipelineSpec, new: &PipelineSpec) -> Vec<String> {
    let mut changes = Vec::new();
    let (before, after) = (shown(old), shown(new));
    compare(&before, &after, "", &mut changes);
    let (before, after) = (functions(old), functions(new));
    for (name, text) in after {
        if before.iter().any(|(known, before)| *known == name && *before != text) {
            changes.push(format!("the function of `{name}` was edited"));
        }
    }
    changes
}

/// The texts of the functions that can be edited without a setting that changes, each with what it belongs to.
fn functions(spec: &PipelineSpec) -> Vec<(String, String)> {
    let text = |function: &Function| function.fingerprint().to_owned();
    let name = |stage: &str, own: &str, one: bool| if one { stage.to_owned() } else { format!("{stage}.{own}") };
    let mut functions = Vec::new();
    for stage in &spec.measure {
        let own = name("measure", &stage.name, spec.measure.len() == 1);
        functions.extend(stage.all_functions().map(|function| (own.clone(), text(function))));
    }
    let policies = &spec.decide.policies;
    for policy in policies {
        if let PolicyKind::Scripted(function) = &policy.kind {
            functions.push((name("decide", &policy.name, policies.len() == 1), text(function)));
        }
    }
    let notify = spec.notify.iter().filter_map(|stage| stage.backend.function());
    functions.extend(notify.map(|function| ("notify".to_owned(), text(function))));
    // Of several with one name the texts are compared as one.
    let mut joined: Vec<(String, String)> = Vec::new();
    for (name, text) in functions {
        match joined.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => known.extend(["\n", &text]),
            None => joined.push((name, text)),
        }
    }
    joined
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
        (Json::String(old), Json::String(new)) if are_places(old, new) => {}
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

/// Whether both are places in a file: where a function stands, and how its path is written, is no setting.
fn are_places(old: &str, new: &str) -> bool {
    let is_place = |text: &str| {
        let mut parts = text.rsplitn(3, ':');
        let mut number =
            || parts.next().is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        number() && number() && parts.next().is_some_and(|file| !file.is_empty())
    };
    is_place(old) && is_place(new)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_function_stands_is_no_setting() {
        let changes = |old: Json, new: Json| {
            let mut changes = Vec::new();
            compare(
                &json!({ "measure": { "backend": "http", "settings": { "value": old } } }),
                &json!({ "measure": {
                "backend": "http", "settings": { "value": new } } }),
                "",
                &mut changes,
            );
            changes
        };
        let at = |place: &str| json!({ "function": place });
        assert_eq!(changes(at("a.rhai:4:13"), at("w/a.rhai:4:13")), Vec::<String>::new());
        assert_eq!(changes(at("a.rhai:4:13"), at("/srv/w/a.rhai:9:1")), Vec::<String>::new());
        assert_eq!(changes(json!("size"), json!("count")), ["`value` \"size\" → \"count\""]);
        assert_eq!(changes(json!("12:30"), json!("12:45")).len(), 1);
    }
}
