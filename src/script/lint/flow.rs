//! Owns what is never come to: statements after a `return`, a `throw` or the end of a loop's turn.

use rhai::{ASTNode, Expr, Position, Stmt};

use super::Examination;
use crate::rules;

/// Looks at every block of a function.
pub(super) fn look(examination: &mut Examination<'_>, statements: &[Stmt]) {
    let mut found = Vec::new();
    found.extend(after_end(statements));
    for statement in statements {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
            let mut block = |statements: &[Stmt]| found.extend(after_end(statements));
            match path.last() {
                Some(ASTNode::Stmt(Stmt::If(flow, _) | Stmt::TryCatch(flow, _))) => {
                    block(flow.body.statements());
                    block(flow.branch.statements());
                }
                Some(ASTNode::Stmt(Stmt::While(flow, _) | Stmt::Do(flow, ..))) => block(flow.body.statements()),
                Some(ASTNode::Stmt(Stmt::For(turns, _))) => block(turns.2.body.statements()),
                Some(ASTNode::Stmt(Stmt::Block(within)) | ASTNode::Expr(Expr::Stmt(within))) => {
                    block(within.statements());
                }
                _ => {}
            }
            true
        });
    }
    for (position, word) in found {
        let help = format!("leave it out, or put it before the `{word}`");
        let message = format!("nothing comes here after the `{word}`");
        let severity = rules::UNREACHABLE.severity;
        examination.say_as(&rules::UNREACHABLE, severity, position, message, Some(help));
    }
}

/// The first statement after one that ends the block, and the word that ends it.
fn after_end(statements: &[Stmt]) -> Option<(Position, &'static str)> {
    let (at, word) = statements.iter().enumerate().find_map(|(at, statement)| Some((at, ends(statement)?)))?;
    let rest = statements[at + 1..].iter().find(|rest| !matches!(rest, Stmt::Noop(_) | Stmt::Share(_)))?;
    Some((start(rest), word)).filter(|(position, _)| !position.is_none())
}

fn start(statement: &Stmt) -> Position {
    match statement {
        Stmt::Expr(expression) => expression.start_position(),
        Stmt::Assignment(assignment) => assignment.1.lhs.start_position(),
        other => other.position(),
    }
}

/// Whether what stands behind `statements` is come to only where they are not.
pub(super) fn leaves(statements: &[Stmt]) -> bool {
    statements.last().and_then(ends).is_some()
}

/// The word with which `statement` surely ends its block.
fn ends(statement: &Stmt) -> Option<&'static str> {
    use rhai::ASTFlags;
    match statement {
        Stmt::Return(_, flags, _) => Some(if flags.contains(ASTFlags::BREAK) { "throw" } else { "return" }),
        Stmt::BreakLoop(_, flags, _) => Some(if flags.contains(ASTFlags::BREAK) { "break" } else { "continue" }),
        Stmt::Block(within) => within.statements().last().and_then(ends),
        Stmt::If(flow, _) => {
            let (body, branch) = (flow.body.statements().last()?, flow.branch.statements().last()?);
            ends(body).and(ends(branch))
        }
        Stmt::Expr(expression) => match &**expression {
            Expr::Stmt(within) => within.statements().last().and_then(ends),
            _ => None,
        },
        _ => None,
    }
}
