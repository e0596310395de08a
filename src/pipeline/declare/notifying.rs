//! Owns the reading of the notifying stage: one backend, a function, an array of these, or
//! `notify::all` around several.

use std::sync::Arc;

use serde_json::Value as Json;

use super::memory;
use super::stages::{argument, constructor, function_of, settings, stage_of, title};
use crate::notify::{self, COMMON, Flags, Notify, NotifyStage};
use crate::rules;
use crate::settings::{Fields, Node, Report, Stage, StageKind, Value};

const EXPECTED: &str = "a backend of `notify::`, a function `|event| …`, or an array of these";

/// `notify::all(settings, [ … ])` in itself: deeper is a slip.
const DEEPEST: usize = 4;

/// Reads what stands at `notify`. `None` only after an error.
pub(super) fn notify(node: &Node, report: &mut Report) -> Option<Vec<NotifyStage>> {
    let mut stages = Vec::new();
    read(node, None, DEEPEST, &mut stages, report).then_some(stages)
}

/// Reads `node` into `stages`, with the settings of the `notify::all` around it; whether all was well.
fn read(node: &Node, around: Option<&Node>, deeper: usize, stages: &mut Vec<NotifyStage>, report: &mut Report) -> bool {
    let found = match &node.value {
        Value::Unit | Value::Unset { .. } => return true,
        Value::Array(items) => {
            let mut good = true;
            for item in items {
                // Every item, for all errors at once.
                good &= read(item, around, deeper, stages, report);
            }
            return good;
        }
        Value::Function(function) => function_of("notify", function, 1, report).map(|function| {
            let flags = around.and_then(|around| {
                // Wrong ones are reported where `notify::all` itself is read.
                Flags::read(&mut Fields::open("`notify::all`", around, vec![COMMON], &mut Report::default()))
            });
            NotifyStage { flags, ..notify::Custom::bare(function) }
        }),
        _ => {
            let Some(stage) = stage_of(StageKind::Notify, node, EXPECTED, report) else { return false };
            if &*stage.name == "all" {
                return all(stage, around, deeper, stages, report);
            }
            one(stage, around, report)
        }
    };
    let good = found.is_some();
    stages.extend(found);
    good
}

fn all(
    stage: &Stage,
    around: Option<&Node>,
    deeper: usize,
    stages: &mut Vec<NotifyStage>,
    report: &mut Report,
) -> bool {
    let own = settings(stage);
    let good = Flags::read(&mut Fields::open(title(stage), &own, vec![COMMON], report)).is_some();
    let merged = with(&own, around);
    match stage.arguments.first() {
        Some(node) if deeper > 0 => read(node, Some(&merged), deeper - 1, stages, report) && good,
        Some(_) => {
            report.say(
                &rules::WRONG_TYPE,
                stage.place.as_ref(),
                "`notify::all` stands too deep in others of its kind",
                None,
            );
            false
        }
        None => {
            report.say(
                &rules::WRONG_TYPE,
                stage.place.as_ref(),
                "`notify::all` takes settings and an array of backends",
                None,
            );
            false
        }
    }
}

fn one(stage_: &Stage, around: Option<&Node>, report: &mut Report) -> Option<NotifyStage> {
    let own = settings(stage_);
    let common = with(&own, around);
    let title = title(stage_);
    if &*stage_.name == "custom" {
        let mut fields = Fields::open(title, &common, vec![notify::CUSTOM_SETTINGS, COMMON], report);
        let (flags, memory) = (Flags::read(&mut fields), memory::read(&mut fields));
        let function = argument(stage_, 0, "notify", 1, report)?;
        return Some(stage(Box::new(notify::Custom::new(function)), flags?, memory));
    }
    let constructor = constructor(stage_, notify::CONSTRUCTORS)?;
    let mut fields = Fields::open(title, &common, vec![constructor.settings, COMMON], report);
    let (backend, flags) = ((constructor.read)(&mut fields), Flags::read(&mut fields));
    Some(stage(backend?, flags?, no_memory()))
}

fn stage(backend: Box<dyn Notify>, flags: Flags, memory: Json) -> NotifyStage {
    NotifyStage { backend: Arc::from(backend), flags: Some(flags), memory }
}

fn no_memory() -> Json {
    Json::Object(serde_json::Map::new())
}

/// The entries of `own`, and those of `around` that it does not have.
fn with(own: &Node, around: Option<&Node>) -> Node {
    let (Value::Map(entries), Some(Value::Map(outer))) = (&own.value, around.map(|node| &node.value)) else {
        return own.clone();
    };
    let mut entries = entries.clone();
    for (key, node) in outer {
        // Only what is common: a misspelt one is reported where it stands.
        let known = COMMON.iter().any(|setting| setting.name == &**key);
        if known && !entries.iter().any(|(other, _)| other == key) {
            entries.push((Arc::clone(key), node.clone()));
        }
    }
    Node { value: Value::Map(entries), place: own.place.clone() }
}
