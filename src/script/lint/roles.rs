//! Owns finding the functions that declarations hand to stages, the role of each, and the memory it begins
//! with.

use std::collections::HashSet;
use std::sync::Arc;

use crate::function::{Function, Memory, Role};
use crate::script::Declaration;
use crate::settings::{Node, Place, Stage, StageKind, Value};

/// Every function once per role, however many pipelines it is handed to.
pub(in crate::script) fn functions<'a>(
    declarations: &'a [Declaration],
    unused: &'a [Arc<Stage>],
) -> Vec<(Role, Memory<'a>, &'a Function)> {
    let mut found = Found { functions: Vec::new(), seen: HashSet::new() };
    for declaration in declarations {
        for (name, kind) in [
            ("measure", StageKind::Measure),
            ("decide", StageKind::Decide),
            ("scale", StageKind::Scale),
            ("notify", StageKind::Notify),
        ] {
            if let Some(node) = declaration.settings.entry(name) {
                found.node(kind, Some(&[]), node);
            }
        }
        if let Some(node) = declaration.settings.entry(BUSY) {
            found.node(StageKind::Measure, Some(&[]), node);
        }
    }
    for stage in unused {
        found.stage(stage);
    }
    found.functions
}

/// A guard's measurement, in the pipeline's map or in its `decide::`.
const BUSY: &str = "busy";

struct Found<'a> {
    functions: Vec<(Role, Memory<'a>, &'a Function)>,
    seen: HashSet<(Role, &'a Place)>,
}

impl<'a> Found<'a> {
    fn add(&mut self, role: Role, memory: Memory<'a>, function: &'a Function) {
        if self.seen.insert((role, function.place())) {
            self.functions.push((role, memory, function));
        }
    }

    fn node(&mut self, kind: StageKind, memory: Memory<'a>, node: &'a Node) {
        match &node.value {
            Value::Function(function) => match kind {
                StageKind::Measure => self.add(Role::Measure, memory, function),
                StageKind::Decide => self.add(Role::Decide, memory, function),
                StageKind::Notify => self.add(Role::Notify, memory, function),
                StageKind::Scale => {}
            },
            Value::Array(items) => items.iter().for_each(|item| self.node(kind, None, item)),
            Value::Stage(stage) => self.stage(stage),
            Value::Map(entries) => {
                for (key, entry) in entries {
                    self.entry(key, entry);
                }
            }
            _ => {}
        }
    }

    fn entry(&mut self, key: &str, node: &'a Node) {
        match (&node.value, key) {
            (Value::Function(function), "current") => self.add(Role::Current, None, function),
            (Value::Function(function), "scale_to") => self.add(Role::ScaleTo, None, function),
            (Value::Function(function), "value") => self.add(Role::Value, None, function),
            (Value::Map(entries), "current") => entries.iter().for_each(|(key, entry)| self.entry(key, entry)),
            _ => {}
        }
    }

    fn stage(&mut self, stage: &'a Stage) {
        for function in &stage.map {
            self.add(Role::Map, None, function);
        }
        if stage.kind != StageKind::Decide {
            self.node(stage.kind, None, &stage.settings);
        } else if let Some(node) = stage.settings.entry(BUSY) {
            self.node(StageKind::Measure, Some(&[]), node);
        }
        let memory = memory(stage);
        for (at, argument) in stage.arguments.iter().enumerate() {
            match &argument.value {
                Value::Function(function) if stage.kind == StageKind::Scale => {
                    self.add(if at == 0 { Role::Current } else { Role::ScaleTo }, None, function);
                }
                _ => self.node(stage.kind, memory, argument),
            }
        }
    }
}

/// What the function of `stage` finds in `this`, where it shares it with no other.
fn memory(stage: &Stage) -> Memory<'_> {
    if !stage.map.is_empty() {
        return None;
    }
    match stage.settings.entry("memory").map(|node| &node.value) {
        None => Some(&[]),
        Some(Value::Map(entries)) => Some(entries),
        Some(_) => None,
    }
}
