//! Owns where a function stood when it was stopped: the engine gives every limit the place of the outermost
//! call, so that the loop, the growing text or the call in a circle is looked for in the text.

use std::sync::Arc;

use rhai::{ASTNode, EvalAltResult, Expr, FnCallExpr, FnPtr, Position, Stmt};

use super::files::{Defined, Script, Surroundings};
use crate::settings::Place;

/// Functions that call each other are followed so far.
const DEEPEST: usize = 16;

/// What a function ran into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Its operations or its time: a loop, or functions that call each other.
    Endless,
    /// The size of a value.
    TooLarge,
    /// The depth of calls.
    TooDeep,
}

impl Stop {
    /// What `error` ran into; `None` where its place is the right one.
    pub(super) fn of(error: &EvalAltResult) -> Option<Self> {
        match error {
            EvalAltResult::ErrorTerminated(..) => Some(Self::Endless),
            EvalAltResult::ErrorDataTooLarge(..) => Some(Self::TooLarge),
            EvalAltResult::ErrorStackOverflow(_) => Some(Self::TooDeep),
            _ => None,
        }
    }
}

/// Where the function `name` of `script` stopped, most likely.
pub(super) fn place(surroundings: &Surroundings, script: &Arc<Script>, name: &str, stop: Stop) -> Option<Place> {
    let mut search = Search { surroundings, stop, path: Vec::new(), best: None };
    search.function(script, name, script.function(name)?);
    search.best.map(|(_, place)| place)
}

/// How likely a place is: later ones are better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likely {
    /// It ends by itself, unless it has very much to go through.
    Counted,
    /// It ends when something comes true.
    Conditional,
    /// It ends only from within, or it is just what the limit is about.
    Surely,
}

struct Search<'a> {
    surroundings: &'a Surroundings,
    stop: Stop,
    /// The functions on the way here: file and name.
    path: Vec<(Arc<str>, String)>,
    best: Option<(Likely, Place)>,
}

impl Search<'_> {
    fn function(&mut self, script: &Arc<Script>, name: &str, defined: &Defined) {
        if self.path.len() == DEEPEST {
            return;
        }
        self.path.push((Arc::clone(&script.name), name.to_owned()));
        let mut calls: Vec<(String, String, usize, Position)> = Vec::new();
        for statement in &script.statements(defined) {
            statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
                self.node(script, path, &mut calls);
                true
            });
        }
        for (module, called, given, position) in calls {
            let Some(home) = self.home(script, &module) else { continue };
            if self.path.iter().any(|(file, name)| *file == home.name && *name == called) {
                if self.stop != Stop::TooLarge {
                    let likely = if self.stop == Stop::TooDeep { Likely::Surely } else { Likely::Conditional };
                    self.found(likely, script.place(position));
                }
                continue;
            }
            let named = home.functions.get(&called).into_iter().flatten();
            let closure = called.starts_with("anon$");
            let fits = |defined: &&Defined| closure || defined.definition.params.len() == given;
            if let Some(defined) = named.into_iter().find(fits) {
                self.function(&home, &called, defined);
            }
        }
        self.path.pop();
    }

    /// The first of the most likely places stays.
    fn found(&mut self, likely: Likely, place: Place) {
        if self.best.as_ref().is_none_or(|(known, _)| *known < likely) {
            self.best = Some((likely, place));
        }
    }

    fn node(&mut self, script: &Script, path: &[ASTNode], calls: &mut Vec<(String, String, usize, Position)>) {
        let in_loop = || path.iter().any(|node| matches!(node, ASTNode::Stmt(statement) if is_loop(statement)));
        match path.last() {
            Some(ASTNode::Stmt(Stmt::FnCall(call, position)) | ASTNode::Expr(Expr::FnCall(call, position))) => {
                if call.is_operator_call() {
                    return;
                }
                let (module, start) = written(call, *position);
                calls.push((module, call.name.to_string(), call.args.len(), start));
            }
            Some(ASTNode::Expr(Expr::MethodCall(call, position))) => {
                let grows = ["push", "pad", "insert", "append", "+="].contains(&call.name.as_str());
                if self.stop == Stop::TooLarge && grows {
                    let likely = if in_loop() { Likely::Surely } else { Likely::Conditional };
                    self.found(likely, script.place(*position));
                }
                calls.push((String::new(), call.name.to_string(), call.args.len(), *position));
            }
            Some(ASTNode::Expr(Expr::DynamicConstant(value, position))) => {
                if let Some(pointer) = value.read_lock::<FnPtr>() {
                    calls.push((String::new(), pointer.fn_name().to_owned(), 0, *position));
                }
            }
            Some(ASTNode::Stmt(statement)) if self.stop == Stop::Endless && is_loop(statement) => {
                self.found(ends(statement), script.place(statement.position()));
            }
            Some(ASTNode::Stmt(statement @ Stmt::Assignment(assignment))) if self.stop == Stop::TooLarge => {
                let grows = assignment.0.is_op_assignment() || is_sum(&assignment.1.rhs);
                if grows {
                    let likely = if in_loop() { Likely::Surely } else { Likely::Counted };
                    self.found(likely, script.place(statement.position()));
                }
            }
            _ => {}
        }
    }

    /// The file that `module` names in `script`.
    fn home(&self, script: &Arc<Script>, module: &str) -> Option<Arc<Script>> {
        if module.is_empty() {
            return Some(Arc::clone(script));
        }
        let import = script.index.imports().iter().find(|import| import.alias == module)?;
        self.surroundings.files.imported(import.path.as_ref()?)
    }
}

/// The module of `call`, and where it starts.
fn written(call: &FnCallExpr, position: Position) -> (String, Position) {
    if call.is_qualified() {
        (call.namespace.root().to_owned(), call.namespace.position().or_else(position))
    } else {
        (String::new(), position)
    }
}

fn is_loop(statement: &Stmt) -> bool {
    matches!(statement, Stmt::While(..) | Stmt::Do(..) | Stmt::For(..))
}

fn is_sum(expression: &Expr) -> bool {
    matches!(expression, Expr::FnCall(call, _) if call.is_operator_call() && call.name == "+")
}

/// How likely it is that a loop does not end.
fn ends(statement: &Stmt) -> Likely {
    match statement {
        Stmt::While(flow, _) if matches!(flow.expr, Expr::Unit(_) | Expr::BoolConstant(true, _)) => Likely::Surely,
        Stmt::While(..) | Stmt::Do(..) => Likely::Conditional,
        _ => Likely::Counted,
    }
}
