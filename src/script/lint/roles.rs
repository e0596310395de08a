//! Owns finding the functions that declarations hand to stages, and the role of each.

use std::collections::HashSet;
use std::sync::Arc;

use crate::function::{Function, Role};
use crate::script::Declaration;
use crate::settings::{Node, Place, Stage, StageKind, Value};

/// Every function once per role, however many pipelines it is handed to.
pub(in crate::script) fn functions<'a>(
    declarations: &'a [Declaration],
    unused: &'a [Arc<Stage>],
) -> Vec<(Role, &'a Function)> {
    let mut found = Found { functions: Vec::new(), seen: HashSet::new() };
    for declaration in declarations {
        for (name, kind) in [
            ("measure", StageKind::Measure),
            ("decide", StageKind::Decide),
            ("shadow", StageKind::Decide),
            ("scale", StageKind::Scale),
            ("notify", StageKind::Notify),
        ] {
            match declaration.settings.entry(name) {
                // Measurements and policies by name.
                Some(Node { value: Value::Map(entries), .. }) if kind != StageKind::Scale => {
                    entries.iter().for_each(|(_, node)| found.node(kind, node));
                }
                Some(node) => found.node(kind, node),
                None => {}
            }
        }
    }
    for stage in unused {
        found.stage(stage);
    }
    found.functions
}

struct Found<'a> {
    functions: Vec<(Role, &'a Function)>,
    seen: HashSet<(Role, &'a Place)>,
}

impl<'a> Found<'a> {
    fn add(&mut self, role: Role, function: &'a Function) {
        if self.seen.insert((role, function.place())) {
            self.functions.push((role, function));
        }
    }

    fn node(&mut self, kind: StageKind, node: &'a Node) {
        match &node.value {
            Value::Function(function) => match kind {
                StageKind::Measure => self.add(Role::Measure, function),
                StageKind::Decide => self.add(Role::Decide, function),
                StageKind::Notify => self.add(Role::Notify, function),
                StageKind::Scale => {}
            },
            Value::Array(items) => items.iter().for_each(|item| self.node(kind, item)),
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
            (Value::Function(function), "current") => self.add(Role::Current, function),
            (Value::Function(function), "scale_to") => self.add(Role::ScaleTo, function),
            (Value::Function(function), "value") => self.add(Role::Value, function),
            (Value::Map(entries), "current") => entries.iter().for_each(|(key, entry)| self.entry(key, entry)),
            _ => {}
        }
    }

    fn stage(&mut self, stage: &'a Stage) {
        for function in &stage.map {
            self.add(Role::Map, function);
        }
        if stage.kind != StageKind::Decide {
            self.node(stage.kind, &stage.settings);
        }
        for (at, argument) in stage.arguments.iter().enumerate() {
            match &argument.value {
                Value::Function(function) if stage.kind == StageKind::Scale => {
                    self.add(if at == 0 { Role::Current } else { Role::ScaleTo }, function);
                }
                _ => self.node(stage.kind, argument),
            }
        }
    }
}
