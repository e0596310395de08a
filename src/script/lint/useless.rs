//! Owns answers that are of no use where the function stands: requests that nobody sends, a count of dynos
//! that is no number, a failed measurement that reads as no load.

use rhai::{ASTNode, Expr, Stmt};

use super::inference::Inference;
use super::operators::{shown, walk};
use super::tails::{self, Tail};
use super::types::Types;
use super::{Examination, Finding, Scene};
use crate::function::Role;
use crate::rules;

/// Reports requests that stand where nothing takes them.
pub(super) fn unsent(examination: &mut Examination<'_>, inference: &Inference<'_>, body: &[Stmt], scene: Scene<'_>) {
    let mut found = Vec::new();
    let all = tails::tails(body);
    let is_tail = |call: &Expr| all.iter().any(|tail| tail.position() == Some(call.start_position()));
    walk(body, &mut |node| {
        let position = match node {
            ASTNode::Stmt(Stmt::Expr(expression))
                if inference.types(expression) == Types::named("Request") && !is_tail(expression) =>
            {
                expression.start_position()
            }
            ASTNode::Stmt(Stmt::FnCall(call, position)) if inference.call(call) == Types::named("Request") => {
                if all.iter().any(|tail| tail.position() == Some(*position)) {
                    return;
                }
                *position
            }
            _ => return,
        };
        found.push(position);
    });
    for position in found {
        let message = "this makes a request that nobody sends".to_owned();
        let help = Some("write `.send()` behind it".to_owned());
        examination.found(Finding { rule: &rules::UNSENT_REQUEST, position, message, help }, scene);
    }
}

/// Reports what the function of a stage answers, where its place can do nothing with it.
pub(super) fn answers(examination: &mut Examination<'_>, inference: &Inference<'_>, body: &[Stmt]) {
    let role = examination.role;
    if !matches!(role, Role::Measure | Role::Current | Role::ScaleTo | Role::Notify) {
        return;
    }
    let all = tails::tails(body);
    let mut found = Vec::new();
    for tail in &all {
        let (types, Some(position)) = (tail.types(inference), tail.position()) else { continue };
        if types == Types::named("Request") && !examination.standing.sends {
            let name = role.name();
            let message = format!("`{name}` answers a request that nobody sends");
            let stage = match role {
                Role::Measure => "measure::http(#{ request: … })",
                Role::Notify => "notify::http(…)",
                _ => "scale::http(#{ … })",
            };
            found.push((&rules::UNSENT_REQUEST, position, message, format!("write `.send()`, or use `{stage}`")));
        } else if role == Role::Current && never_a_number(types) {
            let message = format!("`current` answers {}, and must answer a whole number of at least 0", types.words());
            let written = match tail {
                Tail::Expr(Expr::StringConstant(text, _)) => super::values::unquoted(Types::INT, text),
                _ => None,
            };
            let help = written.unwrap_or_else(|| "answer the number of dynos; `to_int()` makes one of a text".into());
            found.push((&rules::WRONG_ANSWER, position, message, help));
        }
    }
    for (rule, position, message, help) in found {
        examination.say(rule, position, message, Some(help));
    }
}

/// Whether a value of `types` is surely something else than a number.
fn never_a_number(types: Types) -> bool {
    let plain = [Types::TEXT, Types::BOOL, Types::CHAR, Types::MAP, Types::ARRAY];
    types.is_within(plain.into_iter().fold(Types::NONE, Types::or))
}

/// Reports a failure that is answered as 0: in a `catch`, or where a reply is not ok.
pub(super) fn zeros(examination: &mut Examination<'_>, body: &[Stmt], scene: Scene<'_>) {
    if !matches!(examination.role, Role::Measure | Role::Value | Role::Map) {
        return;
    }
    let mut found = Vec::new();
    walk(body, &mut |node| match node {
        ASTNode::Stmt(Stmt::TryCatch(flow, _)) => found.extend(tails::of_block(&flow.branch).iter().find_map(zero)),
        ASTNode::Stmt(Stmt::If(flow, _)) => match outcome(&flow.expr) {
            Some(true) => found.extend(tails::of_block(&flow.branch).iter().find_map(zero)),
            Some(false) => {
                let returned = tails::tails(flow.body.statements());
                found.extend(returned.iter().find_map(zero));
            }
            None => {}
        },
        _ => {}
    });
    found.sort();
    found.dedup();
    for position in found {
        let message = "a failure is answered as 0, which reads as no load at all".to_owned();
        let help = Some("answer `measure::failed(\"why\")`: the pipeline holds".to_owned());
        examination.found(Finding { rule: &rules::FAILURE_AS_ZERO, position, message, help }, scene);
    }
}

fn zero(tail: &Tail<'_>) -> Option<rhai::Position> {
    match tail {
        Tail::Expr(Expr::IntegerConstant(0, position)) => Some(*position),
        Tail::Expr(Expr::FloatConstant(value, position)) if **value == 0.0 => Some(*position),
        _ => None,
    }
}

/// Whether a condition holds where a reply is good (`reply.ok`, `reply.status == 200`), or where it is not.
fn outcome(condition: &Expr) -> Option<bool> {
    let named = |side: &Expr, name: &str| {
        shown(side).and_then(|text| text.rsplit_once('.').map(|(_, last)| last == name)).unwrap_or_default()
    };
    match condition {
        ok if named(ok, "ok") => Some(true),
        Expr::FnCall(call, _) if call.is_operator_call() => match (call.name.as_str(), call.args.as_slice()) {
            ("!", [inner]) => outcome(inner).map(|good| !good),
            (operator, [a, Expr::IntegerConstant(number, _)]) if named(a, "status") => match operator {
                "==" => Some((200..300).contains(number)),
                "!=" => Some(!(200..300).contains(number)),
                "<" | "<=" if *number >= 299 => Some(true),
                ">" | ">=" if *number >= 299 => Some(false),
                _ => None,
            },
            ("==", [a, Expr::BoolConstant(value, _)]) if named(a, "ok") => Some(*value),
            _ => None,
        },
        _ => None,
    }
}
