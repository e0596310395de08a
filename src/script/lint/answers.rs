//! Owns the answers of decisions as written: those that are made and not returned, and bare numbers.

use rhai::{Expr, Position, Stmt, StmtBlock};

use super::Examination;
use super::tails::{self, Tail};
use crate::rules;
use crate::script::files::Script;

/// The functions that make an answer.
const MAKERS: &[&str] = &["up", "down", "to", "hold"];

/// Reports answers that stand where nothing takes them.
pub(super) fn dropped(examination: &mut Examination<'_>, statements: &[Stmt]) {
    let mut found = Vec::new();
    block(statements, true, &mut |expression, last| {
        if let (false, Some((name, position))) = (last, answer(expression)) {
            found.push((name.to_owned(), position));
        }
        let called = match expression {
            Written::Call(name, position) => Some((name, position)),
            Written::Expr(Expr::FnCall(call, position)) if !call.is_qualified() => {
                Some((call.name.as_str(), *position))
            }
            Written::Expr(_) => None,
        };
        if let (false, Some((name, position))) = (last, called)
            && gives_answers(examination.script, name)
        {
            found.push((name.to_owned(), position));
        }
    });
    for (name, position) in found {
        let message = format!("`{name}(…)` makes an answer that is not returned");
        let help = format!("write `else` between the cases, or `return {name}(…)`");
        examination.say(&rules::DROPPED_ANSWER, position, message, Some(help));
    }
}

/// Whether a function `name` of the script may answer for the decision.
fn gives_answers(script: &Script, name: &str) -> bool {
    let named = script.functions.get(name).into_iter().flatten();
    named.into_iter().any(|defined| {
        let statements = script.statements(defined);
        tails::tails(&statements).iter().any(|tail| match tail {
            Tail::Expr(expression) => answer(Written::Expr(expression)).is_some(),
            Tail::Call(call, _) => MAKERS.contains(&call.name.as_str()),
            Tail::Nothing | Tail::Unknown => false,
        })
    })
}

/// Where `number` stands as a whole answer in `statements`.
pub(in crate::script) fn plain(statements: &[Stmt], number: i64) -> Option<Position> {
    let mut found = None;
    block(statements, true, &mut |expression, last| {
        if let (true, Written::Expr(Expr::IntegerConstant(written, position))) = (last, expression)
            && *written == number
        {
            found.get_or_insert(*position);
        }
    });
    found
}

/// What stands as a statement of its own.
#[derive(Clone, Copy)]
enum Written<'a> {
    Expr(&'a Expr),
    Call(&'a str, Position),
}

/// The answer that `written` makes.
fn answer(written: Written<'_>) -> Option<(&str, Position)> {
    let (name, position) = match written {
        Written::Call(name, position) => (name, position),
        Written::Expr(Expr::FnCall(call, position)) if !call.is_qualified() => (call.name.as_str(), *position),
        // `up(1).because("…")`
        Written::Expr(Expr::Dot(sides, ..)) => match (&sides.lhs, &sides.rhs) {
            (Expr::FnCall(call, position), Expr::MethodCall(method, _))
                if !call.is_qualified() && method.name == "because" =>
            {
                (call.name.as_str(), *position)
            }
            _ => return None,
        },
        Written::Expr(_) => return None,
    };
    MAKERS.contains(&name).then_some((name, position))
}

/// Goes through everything that stands as a statement; `last` says whether its value is the function's.
fn block<'a>(statements: &'a [Stmt], last: bool, found: &mut impl FnMut(Written<'a>, bool)) {
    for (at, statement) in statements.iter().enumerate() {
        let last = last && at + 1 == statements.len();
        match statement {
            Stmt::FnCall(call, position) if !call.is_qualified() => found(Written::Call(&call.name, *position), last),
            Stmt::Expr(expression) => inner(expression, last, found),
            Stmt::Return(Some(expression), ..) => inner(expression, true, found),
            Stmt::If(flow, _) => {
                block(flow.body.statements(), last, found);
                block(flow.branch.statements(), last, found);
            }
            Stmt::Switch(switch, _) => {
                for case in &switch.1.expressions {
                    inner(&case.rhs, last, found);
                }
            }
            // The value of a loop can only come from `break`.
            Stmt::While(flow, _) | Stmt::Do(flow, ..) => block(flow.body.statements(), false, found),
            Stmt::For(turns, _) => block(turns.2.body.statements(), false, found),
            Stmt::Block(within) => block(within.statements(), last, found),
            Stmt::TryCatch(flow, _) => {
                // What it gives differs between versions of the language: no alarm.
                all_last(&flow.body, found);
                all_last(&flow.branch, found);
            }
            _ => {}
        }
    }
}

fn all_last<'a>(within: &'a StmtBlock, found: &mut impl FnMut(Written<'a>, bool)) {
    block(within.statements(), true, found);
}

fn inner<'a>(expression: &'a Expr, last: bool, found: &mut impl FnMut(Written<'a>, bool)) {
    match expression {
        Expr::Stmt(within) => block(within.statements(), last, found),
        other => found(Written::Expr(other), last),
    }
}
