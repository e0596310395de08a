//! Owns finding the functions that declarations hand to stages, the role of each, and the memory it begins
//! with.

use std::collections::HashSet;
use std::sync::Arc;

use crate::function::{Function, Memory, Role, Standing};
use crate::script::Declaration;
use crate::settings::{Node, Place, Stage, StageKind, Value};

/// Every function once per standing, however many pipelines it is handed to.
pub(in crate::script) fn functions<'a>(
    declarations: &'a [Declaration],
    unused: &'a [Arc<Stage>],
) -> Vec<(Standing, Memory<'a>, &'a Function)> {
    let mut found = Found { functions: Vec::new(), seen: HashSet::new(), names: None, judges_all: false, sends: false };
    for declaration in declarations {
        let named = declaration.settings.entry("measure").and_then(Node::entries);
        let names: Vec<Arc<str>> = named.unwrap_or_default().iter().map(|(name, _)| Arc::clone(name)).collect();
        let several = names.len() > 1;
        found.names = Some(names);
        for (name, kind) in [
            ("measure", StageKind::Measure),
            ("decide", StageKind::Decide),
            ("shadow", StageKind::Decide),
            ("scale", StageKind::Scale),
            ("notify", StageKind::Notify),
        ] {
            found.judges_all = several && kind == StageKind::Decide;
            match declaration.settings.entry(name) {
                // Measurements and policies by name.
                Some(Node { value: Value::Map(entries), .. }) if kind != StageKind::Scale => {
                    found.judges_all = false;
                    for (_, node) in entries {
                        found.node(kind, Some(&[]), node);
                    }
                }
                Some(node) => found.node(kind, Some(&[]), node),
                None => {}
            }
        }
        if let Some(node) = declaration.settings.entry(BUSY) {
            found.node(StageKind::Measure, Some(&[]), node);
        }
    }
    (found.names, found.judges_all) = (None, false);
    for stage in unused {
        found.stage(stage);
    }
    found.functions
}

/// A guard's measurement, in the pipeline's map or in its `decide::`.
const BUSY: &str = "busy";

struct Found<'a> {
    functions: Vec<(Standing, Memory<'a>, &'a Function)>,
    seen: HashSet<(Standing, &'a Place)>,
    /// Of the pipeline that is looked at.
    names: Option<Vec<Arc<str>>>,
    judges_all: bool,
    /// Whether the stage that is looked at sends what is answered.
    sends: bool,
}

impl<'a> Found<'a> {
    fn add(&mut self, role: Role, memory: Memory<'a>, function: &'a Function) {
        let decides = role == Role::Decide;
        let names = if decides { self.names.clone() } else { None };
        let standing = Standing { role, names, sends: self.sends, judges_all: decides && self.judges_all };
        if self.seen.insert((standing.clone(), function.place())) {
            self.functions.push((standing, memory, function));
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
        let around = std::mem::replace(&mut self.sends, &*stage.name != "custom");
        self.functions_of(stage);
        self.sends = around;
    }

    fn functions_of(&mut self, stage: &'a Stage) {
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
