//! Owns memory that only grows: `this` is kept for ever, and has room for 64 KiB.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{ASTNode, Expr, Position, Stmt};

use super::Examination;
use super::chain::Chain;
use super::inference::Inference;
use super::operators::walk;
use super::types::Types;
use crate::rules;

/// What adds to a text.
const TEXT: Types = Types::TEXT.or(Types::CHAR);

/// What lengthens a value where it is.
const LENGTHENS: &[&str] = &["push", "append", "insert"];

/// Reports entries of `this` that something is added to, and from which nothing is ever taken.
pub(super) fn look(examination: &mut Examination<'_>, inference: &Inference<'_>, body: &[Stmt]) {
    let mut grown: BTreeMap<String, (Position, bool)> = BTreeMap::new();
    let mut shortened: BTreeSet<String> = BTreeSet::new();
    walk(body, &mut |node| match node {
        ASTNode::Expr(chain @ Expr::Dot(sides, ..)) => {
            let start = sides.lhs.start_position();
            let Some(chain) = Chain::of(chain).filter(|chain| chain.root == "this") else { return };
            if let [entry, method, ..] = chain.links.as_slice()
                && method.call
            {
                if LENGTHENS.contains(&method.name) {
                    grown.entry(entry.name.to_owned()).or_insert((start, false));
                } else if !["len", "contains", "is_empty", "to_string"].contains(&method.name) {
                    shortened.insert(entry.name.to_owned());
                }
            }
        }
        ASTNode::Stmt(Stmt::Assignment(assignment)) => {
            let (operator, sides) = &**assignment;
            let chain = Chain::of(&sides.lhs).filter(|chain| chain.root == "this" && chain.links.len() == 1);
            let Some(chain) = chain else { return };
            let entry = chain.links[0].name.to_owned();
            match operator.get_op_assignment_info() {
                Some((.., "+")) => {
                    let (added, to) = (inference.types(&sides.rhs), inference.types(&sides.lhs));
                    let text = added.is_within(TEXT) || to.is_within(TEXT);
                    if text || added.is_within(Types::ARRAY) || to.is_within(Types::ARRAY) {
                        grown.entry(entry).or_insert((sides.lhs.start_position(), text));
                    }
                }
                // `this.text = this.text + …` adds to it as well.
                None if adds(&sides.rhs, &entry, inference) => {
                    let text = inference.types(&sides.rhs).is_within(TEXT);
                    grown.entry(entry).or_insert((sides.lhs.start_position(), text));
                }
                _ => drop(shortened.insert(entry)),
            }
        }
        // What it is handed to may change it.
        ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)) if !call.is_operator_call() => {
            let entries = call.args.first().and_then(Chain::of).filter(|chain| chain.root == "this");
            shortened.extend(entries.and_then(|chain| chain.links.first().map(|entry| entry.name.to_owned())));
            if matches!(call.args.first(), Some(Expr::ThisPtr(_))) {
                shortened.extend(grown.keys().cloned());
            }
        }
        _ => {}
    });
    for (entry, (position, text)) in grown.into_iter().filter(|(entry, _)| !shortened.contains(entry)) {
        let message = format!("`this.{entry}` only grows: nothing takes from it what is old");
        let help = if text {
            format!("keep its end: `this.{entry}.crop(-1000);`")
        } else {
            format!("keep the newest: `if this.{entry}.len() > 20 {{ this.{entry}.remove(0); }}`")
        };
        examination.say(&rules::GROWING_MEMORY, position, message, Some(help));
    }
}

/// Whether `value` is the entry itself with a text or an array behind it.
fn adds(value: &Expr, entry: &str, inference: &Inference<'_>) -> bool {
    let Expr::FnCall(call, _) = value else { return false };
    let ("+", [a, b]) = (call.name.as_str(), call.args.as_slice()) else { return false };
    let is_entry = Chain::of(a)
        .is_some_and(|chain| chain.root == "this" && matches!(chain.links.as_slice(), [only] if only.name == entry));
    is_entry && inference.types(b).is_within(TEXT.or(Types::ARRAY))
}
