//! Owns finding what a function can answer: the expressions whose value is that of the whole.

use rhai::{ASTFlags, Expr, FnCallExpr, Position, Stmt, StmtBlock};

use super::inference::Inference;
use super::types::Types;

/// One thing that a function may answer.
#[derive(Clone, Copy)]
pub(super) enum Tail<'a> {
    Expr(&'a Expr),
    Call(&'a FnCallExpr, Position),
    /// `()`, as of an `if` without `else`.
    Nothing,
    /// It cannot be told.
    Unknown,
}

impl Tail<'_> {
    pub(super) fn types(self, inference: &Inference<'_>) -> Types {
        match self {
            Self::Expr(expression) => inference.types(expression),
            Self::Call(call, _) => inference.call(call),
            Self::Nothing => Types::UNIT,
            Self::Unknown => Types::ANY,
        }
    }

    pub(super) fn position(self) -> Option<Position> {
        match self {
            Self::Expr(expression) => Some(expression.start_position()),
            Self::Call(_, position) => Some(position),
            Self::Nothing | Self::Unknown => None,
        }
    }
}

/// Every answer of a function that is `statements`.
pub(super) fn tails(statements: &[Stmt]) -> Vec<Tail<'_>> {
    let mut found = Vec::new();
    last(statements, &mut found);
    returned(statements, &mut found);
    found
}

/// The values that a block may have.
pub(super) fn of_block(block: &StmtBlock) -> Vec<Tail<'_>> {
    let mut found = Vec::new();
    last(block.statements(), &mut found);
    found
}

fn last<'a>(statements: &'a [Stmt], found: &mut Vec<Tail<'a>>) {
    match statements.last() {
        None | Some(Stmt::Var(..) | Stmt::Assignment(_) | Stmt::Noop(_)) => found.push(Tail::Nothing),
        Some(Stmt::Expr(expression)) => value(expression, found),
        Some(Stmt::FnCall(call, position)) => found.push(Tail::Call(call, *position)),
        Some(Stmt::Block(block)) => last(block.statements(), found),
        Some(Stmt::If(flow, _)) => {
            last(flow.body.statements(), found);
            last(flow.branch.statements(), found);
        }
        Some(Stmt::Switch(switch, _)) => {
            let cases = &switch.1;
            cases.expressions.iter().for_each(|case| value(&case.rhs, found));
            if cases.def_case.is_none() {
                found.push(Tail::Nothing);
            }
        }
        // What is returned is found by itself.
        Some(Stmt::Return(..)) => {}
        Some(_) => found.push(Tail::Unknown),
    }
}

fn value<'a>(expression: &'a Expr, found: &mut Vec<Tail<'a>>) {
    match expression {
        Expr::Stmt(block) => last(block.statements(), found),
        other => found.push(Tail::Expr(other)),
    }
}

/// What stands behind a `return`.
fn returned<'a>(statements: &'a [Stmt], found: &mut Vec<Tail<'a>>) {
    for statement in statements {
        match statement {
            Stmt::Return(value_of, flags, _) if !flags.contains(ASTFlags::BREAK) => match value_of {
                Some(expression) => value(expression, found),
                None => found.push(Tail::Nothing),
            },
            Stmt::If(flow, _) | Stmt::TryCatch(flow, _) => {
                returned(flow.body.statements(), found);
                returned(flow.branch.statements(), found);
            }
            Stmt::While(flow, _) | Stmt::Do(flow, ..) => returned(flow.body.statements(), found),
            Stmt::For(turns, _) => returned(turns.2.body.statements(), found),
            Stmt::Block(block) => returned(block.statements(), found),
            Stmt::Expr(expression) => {
                if let Expr::Stmt(block) = &**expression {
                    returned(block.statements(), found);
                }
            }
            Stmt::Switch(switch, _) => {
                for case in &switch.1.expressions {
                    if let Expr::Stmt(block) = &case.rhs {
                        returned(block.statements(), found);
                    }
                }
            }
            _ => {}
        }
    }
}
