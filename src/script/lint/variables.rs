//! Owns the variables of a function that nothing reads, answers in them above all.

use std::collections::HashSet;

use rhai::{ASTNode, Expr, Position, Stmt};

use super::Examination;
use super::inference::Inference;
use super::types::Types;
use crate::function::Role;
use crate::rules;

/// Looks at what `statements` declare.
pub(super) fn look(examination: &mut Examination<'_>, inference: &Inference<'_>, statements: &[Stmt]) {
    let mut declared: Vec<(String, Position, Types)> = Vec::new();
    let mut read: HashSet<String> = HashSet::new();
    let mut by_name = false;
    for statement in statements {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
            match path {
                [.., ASTNode::Stmt(Stmt::Var(variable, ..))] => {
                    declared.push((variable.0.name.to_string(), variable.0.pos, inference.types(&variable.1)));
                }
                [.., parent, ASTNode::Expr(own @ Expr::Variable(variable, ..))] if !is_set(parent, own) => {
                    read.insert(variable.1.to_string());
                }
                [ASTNode::Expr(Expr::Variable(variable, ..))] => drop(read.insert(variable.1.to_string())),
                [.., ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))] => {
                    by_name |= ["is_def_var", "eval"].contains(&call.name.as_str()) || call.capture_parent_scope;
                }
                _ => {}
            }
            true
        });
    }
    if by_name {
        return;
    }
    let unread = |(name, ..): &&(String, Position, Types)| !name.starts_with('_') && !read.contains(name);
    for (name, position, types) in declared.iter().filter(unread) {
        let answer = *types == Types::named("Answer") && examination.role == Role::Decide;
        let (rule, message, help) = if answer {
            let message = format!("`{name}` holds an answer that is not returned");
            (&rules::DROPPED_ANSWER, message, format!("end the function with `{name}`, or write `return {name};`"))
        } else {
            let help = format!("leave it out, or call it `_{name}` if that is meant");
            (&rules::UNUSED_VARIABLE, format!("nothing reads `{name}`"), help)
        };
        examination.say(rule, *position, message, Some(help));
    }
}

/// Whether `parent` sets the variable `own`, and does not read it.
fn is_set(parent: &ASTNode<'_>, own: &Expr) -> bool {
    match parent {
        ASTNode::Stmt(Stmt::Assignment(assignment)) => std::ptr::eq(&raw const assignment.1.lhs, own),
        _ => false,
    }
}
