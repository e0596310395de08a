//! Owns `this`, the memory of a stage: entries that are read and never set, and slips in setting one.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{ASTNode, Expr, Position, Stmt};

use super::types::Types;
use super::{Examination, Memory};
use crate::rules;
use crate::settings::did_you_mean;

/// The types of the entries that `memory` begins with; `None` where `statements` use it as a whole, so that
/// nothing can be told of it.
pub(super) fn entries(statements: &[Stmt], memory: Memory<'_>) -> Option<Vec<(String, Types)>> {
    let memory = memory?;
    let mut whole = false;
    for statement in statements {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
            if let [before @ .., ASTNode::Expr(Expr::ThisPtr(_))] = path {
                whole |= !matches!(before.last(), Some(ASTNode::Expr(chain)) if key(chain).is_some());
            }
            !whole
        });
    }
    let known = memory.iter().map(|(key, node)| (key.to_string(), Types::of_setting(&node.value)));
    (!whole).then(|| known.collect())
}

/// The entry of `this` that a chain begins with.
fn key(chain: &Expr) -> Option<(&str, Position)> {
    let Expr::Dot(sides, ..) = chain else { return None };
    let first = match (&sides.lhs, &sides.rhs) {
        (Expr::ThisPtr(_), Expr::Dot(rest, ..) | Expr::Index(rest, ..)) => &rest.lhs,
        (Expr::ThisPtr(_), only) => only,
        _ => return None,
    };
    match first {
        Expr::Property(property, position) => Some((&property.2, *position)),
        _ => None,
    }
}

/// Reports what is read and never set; `known` is what the memory begins with.
pub(super) fn look(examination: &mut Examination<'_>, statements: &[Stmt], known: &[(String, Types)]) {
    let mut set: BTreeSet<String> = known.iter().map(|(key, _)| key.clone()).collect();
    let mut read: BTreeMap<String, (Position, bool)> = BTreeMap::new();
    let mut written: BTreeMap<String, Position> = BTreeMap::new();
    for statement in statements {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
            if let [before @ .., ASTNode::Expr(chain)] = path
                && let Some((key, position)) = key(chain)
            {
                if is_set(before.last(), chain) {
                    set.insert(key.to_owned());
                    written.entry(key.to_owned()).or_insert(position);
                } else {
                    let asked = is_asked(before.last());
                    read.entry(key.to_owned()).and_modify(|known| known.1 &= asked).or_insert((position, asked));
                }
            }
            true
        });
    }
    // An entry that the memory begins with is meant, read or not.
    written.retain(|key, _| !read.contains_key(key) && !known.iter().any(|(known, _)| known == key));
    for (key, position) in written {
        let others = set.iter().chain(read.keys()).filter(|other| **other != key).map(String::as_str);
        if let Some(help) = did_you_mean(&key, others) {
            let message = format!("`this.{key}` is set and never read");
            examination.say(&rules::UNREAD_MEMORY, position, message, Some(help));
        }
    }
    let mut found: Vec<_> = read.into_iter().filter(|(key, _)| !set.contains(key)).collect();
    found.sort_by_key(|(_, (position, _))| *position);
    for (key, (position, asked)) in found {
        let near = did_you_mean(&key, set.iter().map(String::as_str));
        // `this.n ?? 0` says that it may be missing: only a slip is told there.
        if asked && near.is_none() {
            continue;
        }
        let message = format!("`this.{key}` is read and never set");
        let help =
            near.unwrap_or_else(|| format!("begin with it: `memory: #{{ {key}: 0 }}`, or set it: `this.{key} = …`"));
        examination.say(&rules::UNSET_MEMORY, position, message, Some(help));
    }
}

/// Whether the chain is what an assignment sets. `this.n += 1` sets it too, and fails if it is not there.
fn is_set(parent: Option<&ASTNode<'_>>, chain: &Expr) -> bool {
    match parent {
        Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => std::ptr::eq(&raw const assignment.1.lhs, chain),
        _ => false,
    }
}

/// Whether the value may be missing where it stands: before `??`, beside `()`, or in a chain that changes it.
fn is_asked(parent: Option<&ASTNode<'_>>) -> bool {
    match parent {
        Some(ASTNode::Expr(Expr::Coalesce(..))) => true,
        Some(ASTNode::Expr(Expr::FnCall(call, _))) => {
            ["==", "!="].contains(&call.name.as_str()) && call.args.iter().any(|side| matches!(side, Expr::Unit(_)))
        }
        _ => false,
    }
}
