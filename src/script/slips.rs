//! Owns keys that are read from what was measured and are not there: the language gives `()` for them without
//! a word. It is asked only where a missing value was in the way.

use std::collections::BTreeSet;

use rhai::{ASTNode, Expr};
use serde_json::Value as Json;

use super::files::{Defined, Script};
use super::{context, modules};
use crate::settings::did_you_mean;

/// Keys of a reply that are looked at, and that are listed where none is near.
const MOST_KEYS: usize = 1_000;
const MOST_LISTED: usize = 8;

/// What the function `defined` reads that the data of this run does not have; `None` where it had no data.
pub(super) fn missing_key(script: &Script, defined: &Defined) -> Option<String> {
    let data = context::data();
    let (mut all, mut first) = (BTreeSet::new(), BTreeSet::new());
    for json in &data {
        keys(json, &mut all);
        if let Json::Object(entries) = json {
            first.extend(entries.keys().map(String::as_str));
        }
    }
    if all.is_empty() {
        return None;
    }
    let ours = |name: &str| modules::PROPERTIES.iter().any(|(_, properties)| properties.contains(&name));
    let read = names(script, defined);
    let name = read.iter().find(|name| !all.contains(name.as_str()) && !ours(name))?;
    let help = did_you_mean(name, all.iter().copied()).unwrap_or_else(|| {
        let listed: Vec<String> = first.iter().take(MOST_LISTED).map(|key| format!("`{key}`")).collect();
        let more = if first.len() > MOST_LISTED { " and others" } else { "" };
        if listed.is_empty() { "its keys are others".into() } else { format!("it has {}{more}", listed.join(", ")) }
    });
    Some(format!("there is no `{name}` in what was measured: {help}"))
}

/// Every key in `json`, however deep.
fn keys<'a>(json: &'a Json, into: &mut BTreeSet<&'a str>) {
    match json {
        Json::Object(entries) => {
            for (key, value) in entries {
                if into.len() < MOST_KEYS {
                    into.insert(key);
                    keys(value, into);
                }
            }
        }
        Json::Array(items) => items.iter().take(MOST_KEYS).for_each(|item| keys(item, into)),
        _ => {}
    }
}

/// The names behind `.` and the texts in `[…]` of a function as they are written, but for those of `this`.
fn names(script: &Script, defined: &Defined) -> Vec<String> {
    let mut names = Vec::new();
    for statement in &script.statements(defined) {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
            let of_memory = path.iter().any(|node| {
                matches!(node, ASTNode::Expr(Expr::Dot(sides, ..) | Expr::Index(sides, ..))
                    if matches!(sides.lhs, Expr::ThisPtr(_)))
            });
            match path.last() {
                Some(ASTNode::Expr(Expr::Property(property, position))) if !of_memory => {
                    names.push((*position, property.2.to_string()));
                }
                Some(ASTNode::Expr(Expr::Index(sides, ..))) if !of_memory => {
                    // What follows a bracket stands within it: `a["b"].c` is read as `a[("b").c]`.
                    let inner = match &sides.rhs {
                        Expr::Dot(inner, ..) | Expr::Index(inner, ..) => &inner.lhs,
                        other => other,
                    };
                    if let Expr::StringConstant(key, position) = inner {
                        names.push((*position, key.to_string()));
                    }
                }
                _ => {}
            }
            true
        });
    }
    names.sort();
    names.into_iter().map(|(_, name)| name).collect()
}
