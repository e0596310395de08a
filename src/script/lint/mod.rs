//! Owns what can be told of a function by looking at it, once its role is known: it goes through its body,
//! the closures within, and the functions of the same file that it calls. It runs nothing.

mod answers;
mod arguments;
mod arms;
mod chain;
mod compared;
mod conditions;
mod flow;
mod growing;
mod inference;
mod members;
mod memory;
mod operators;
mod outline;
mod roles;
mod tails;
mod texts;
mod types;
mod unused;
mod useless;
mod values;
mod variables;

use std::collections::HashSet;

use rhai::{ASTFlags, ASTNode, Dynamic, Engine, Expr, FnCallExpr, FnPtr, Position, Stmt};

use super::files::{Defined, Script};
use crate::function::{Memory, Role, Standing};
use crate::rules::{self, Rule};
use crate::settings::{Diagnostic, Report, Severity};
use inference::Inference;
use types::Types;

pub(super) use answers::plain;
pub(super) use outline::outline;
pub(super) use roles::functions;
pub(super) use texts::plain_texts;
pub(super) use unused::unused;

/// One function of a stage and all that it leads to.
struct Examination<'a> {
    engine: &'a Engine,
    script: &'a Script,
    role: Role,
    standing: &'a Standing,
    /// What the function of the stage captured.
    captures: &'a [Dynamic],
    memory: Memory<'a>,
    report: &'a mut Report,
    /// Functions that were looked at, and which of their parameters is the subject.
    seen: HashSet<(String, Option<usize>)>,
}

/// How a function was come to.
#[derive(Clone, Copy)]
struct Way {
    /// The parameter that is `m` or `event`.
    subject: Option<usize>,
    /// How many parameters at the front were captured.
    captured: usize,
    depth: Depth,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// It was handed to the stage.
    Stage,
    /// It is a closure within such a function.
    Closure,
    /// It is called: what is found there may never happen.
    Called,
}

/// One thing that was found.
struct Finding {
    rule: &'static Rule,
    position: Position,
    message: String,
    help: Option<String>,
}

/// What a stage is handed: where it stands and what it begins with.
pub(super) struct Handed<'a> {
    pub(super) standing: &'a Standing,
    pub(super) captures: &'a [Dynamic],
    pub(super) memory: Memory<'a>,
}

/// Looks at the function `name` of `script` in the stage that it was handed to.
pub(super) fn examine(engine: &Engine, script: &Script, name: &str, handed: &Handed<'_>, report: &mut Report) {
    let Some(defined) = script.function(name) else { return };
    let Handed { standing, captures, memory } = *handed;
    let role = standing.role;
    let captured = captures.len();
    let subject = defined.definition.params.len().checked_sub(1).filter(|&last| last >= captured);
    let mut found = Report::default();
    let seen = HashSet::new();
    let mut examination = Examination { engine, script, role, standing, captures, memory, report: &mut found, seen };
    examination.function(name, defined, Way { subject, captured, depth: Depth::Stage });
    let mut found = found.diagnostics().to_vec();
    found.sort_by_key(|said| said.place.as_ref().map(|place| (place.line, place.column)));
    for said in found {
        report.push(said);
    }
}

/// What the parameter of a function in `role` is.
fn subject(role: Role) -> Types {
    match role {
        Role::Decide => Types::named("Moment"),
        Role::Notify => Types::named("Event"),
        Role::Value => Types::named("Reply"),
        Role::ScaleTo => Types::INT,
        Role::Measure | Role::Map | Role::Current => Types::ANY,
    }
}

impl Examination<'_> {
    fn function(&mut self, name: &str, defined: &Defined, way: Way) {
        if !self.seen.insert((name.to_owned(), way.subject)) {
            return;
        }
        let parameters = &defined.definition.params;
        let statements = self.script.statements(defined);
        let body = statements.as_slice();
        let mut body_nodes = Body::default();
        for statement in body {
            statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
                if let Some(ASTNode::Stmt(Stmt::Var(variable, ..))) = path.last() {
                    body_nodes.declared.insert(variable.0.name.to_string());
                }
                true
            });
        }
        // A variable of the same name hides the parameter.
        let subject =
            way.subject.and_then(|at| parameters.get(at)).filter(|name| !body_nodes.declared.contains(name.as_str()));
        let captured: Vec<&str> = parameters[..way.captured.min(parameters.len())]
            .iter()
            .map(rhai::ImmutableString::as_str)
            .filter(|name| !body_nodes.declared.contains(*name))
            .collect();
        let scene = Scene { subject: subject.map(rhai::ImmutableString::as_str), captured: &captured, way };
        let memory = if way.depth == Depth::Stage { memory::entries(body, self.memory) } else { None };
        let inference = Inference::of(self.script, body, &self.parameters(defined, way), memory.clone());
        operators::look(self, &inference, body, scene);
        compared::look(self, &inference, body, scene);
        variables::look(self, &inference, body);
        flow::look(self, body);
        conditions::look(self, &inference, body, scene);
        useless::unsent(self, &inference, body, scene);
        useless::zeros(self, body, scene);
        if way.depth == Depth::Stage {
            useless::answers(self, &inference, body);
            growing::look(self, &inference, body);
        }
        if let Some(known) = &memory {
            memory::look(self, body, known);
        }
        if self.role == Role::Decide && way.depth != Depth::Closure {
            answers::dropped(self, body);
        }
        let own_parameters = parameters.len().saturating_sub(way.captured);
        for statement in body {
            statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
                match path.last() {
                    Some(ASTNode::Expr(Expr::ThisPtr(position)))
                        if way.depth == Depth::Closure && own_parameters > 0 =>
                    {
                        self.this(*position);
                    }
                    Some(ASTNode::Expr(expression)) => {
                        if !is_tail(path) {
                            members::look(self, &inference, expression, scene);
                            arguments::methods(self, &inference, expression, scene);
                        }
                        if let Expr::FnCall(call, position) = expression {
                            let look =
                                if call.is_operator_call() { arguments::calculated } else { arguments::function };
                            look(self, &inference, call, *position, scene);
                        }
                        self.expression(expression, scene);
                    }
                    Some(ASTNode::Stmt(statement)) => {
                        arguments::statement(self, &inference, statement, scene);
                        members::assigned(self, &inference, statement, scene);
                        self.statement(statement, scene);
                    }
                    _ => {}
                }
                true
            });
        }
    }

    /// The parameters of a function and what they can be.
    fn parameters<'d>(&self, defined: &'d Defined, way: Way) -> Vec<(&'d str, Types)> {
        let types = |at: usize| match way.depth {
            _ if way.subject == Some(at) => subject(self.role),
            Depth::Stage => self.captures.get(at).map_or(Types::ANY, Types::of_value),
            Depth::Closure | Depth::Called => Types::ANY,
        };
        let parameters = defined.definition.params.iter().enumerate();
        parameters.map(|(at, name)| (name.as_str(), types(at))).collect()
    }

    /// Reports `finding`: what is an error is a warning where it may never come to it.
    fn found(&mut self, finding: Finding, scene: Scene<'_>) {
        let Finding { rule, position, message, help } = finding;
        self.say_surely(rule, scene.surely(), position, message, help);
    }

    fn say_as(
        &mut self,
        rule: &'static Rule,
        severity: Severity,
        position: Position,
        message: String,
        help: Option<String>,
    ) {
        let place = Some(self.script.call_place(position));
        self.report.push(Diagnostic { rule: Some(rule), severity, place, message, help });
    }

    fn say(&mut self, rule: &'static Rule, position: Position, message: String, help: Option<String>) {
        let place = self.script.place(position);
        self.report.say(rule, Some(&place), message, help);
    }

    /// An error where the function surely does it, a warning where it may never come to it.
    fn say_surely(
        &mut self,
        rule: &'static Rule,
        sure: bool,
        position: Position,
        message: String,
        help: Option<String>,
    ) {
        let severity = if sure { rule.severity } else { Severity::Warning };
        self.say_as(rule, severity, position, message, help);
    }

    fn this(&mut self, position: Position) {
        let message = "`this` is not the memory of the stage in a closure within its function".to_owned();
        let help = "copy it before: `let memory = this;` or `let n = this.n;`".to_owned();
        self.say(&rules::THIS_IN_CLOSURE, position, message, Some(help));
    }

    fn expression(&mut self, expression: &Expr, scene: Scene<'_>) {
        match expression {
            Expr::FnCall(call, position) => self.call(call, *position, scene),
            Expr::MethodCall(call, position) if call.name == "send" && call.args.is_empty() => {
                self.impure("`.send()`", "measure what it needs", *position, scene);
            }
            Expr::DynamicConstant(value, ..) => {
                if let Some(pointer) = value.read_lock::<FnPtr>() {
                    self.closure(&pointer, &[], scene);
                }
            }
            _ => {}
        }
    }

    fn statement(&mut self, statement: &Stmt, scene: Scene<'_>) {
        match statement {
            Stmt::FnCall(call, position) => self.call(call, *position, scene),
            Stmt::Assignment(assignment) if scene.way.depth == Depth::Stage => {
                let mut left = &assignment.1.lhs;
                while let Expr::Dot(sides, ..) | Expr::Index(sides, ..) = left {
                    left = &sides.lhs;
                }
                let Expr::Variable(variable, _, position) = left else { return };
                if scene.captured.contains(&variable.1.as_str()) {
                    let name = &variable.1;
                    let message = format!(
                        "`{name}` was copied when the pipeline was declared: the change is lost after this call"
                    );
                    let help = format!("keep it in the memory of the stage: `this.{name} = …`");
                    self.say(&rules::CAPTURED_ASSIGNMENT, *position, message, Some(help));
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, call: &FnCallExpr, position: Position, scene: Scene<'_>) {
        if call.is_operator_call() {
            return;
        }
        if call.is_qualified() {
            let name = format!("`{}::{}`", call.namespace.root(), call.name);
            match (call.namespace.root(), call.name.as_str()) {
                ("time", "now") => self.impure(&name, "use `m.now`, the time of the tick", position, scene),
                // They belong to tests, and say so.
                ("http", "stub" | "sent") => {}
                ("http" | "redis", _) => self.impure(&name, "measure what it needs", position, scene),
                _ => {}
            }
            return;
        }
        if call.name == "curry"
            && let [Expr::DynamicConstant(value, ..), captured @ ..] = call.args.as_slice()
            && let Some(pointer) = value.read_lock::<FnPtr>()
        {
            self.closure(&pointer, captured, scene);
            return;
        }
        let named = self.script.functions.get(call.name.as_str());
        let called = named.and_then(|all| all.iter().find(|f| f.definition.params.len() == call.args.len()));
        if let Some(called) = called {
            let subject = scene.subject.and_then(|name| call.args.iter().position(|given| is_variable(given, name)));
            self.function(&call.name, called, Way { subject, captured: 0, depth: Depth::Called });
        }
    }

    /// A closure within the function that captured `captured`.
    fn closure(&mut self, pointer: &FnPtr, captured: &[Expr], scene: Scene<'_>) {
        let Some(defined) = self.script.function(pointer.fn_name()).filter(|defined| defined.anonymous) else { return };
        let subject = scene.subject.and_then(|name| captured.iter().position(|given| is_variable(given, name)));
        let depth = if scene.way.depth == Depth::Called { Depth::Called } else { Depth::Closure };
        self.function(pointer.fn_name(), defined, Way { subject, captured: captured.len(), depth });
    }

    fn impure(&mut self, what: &str, help: &str, position: Position, scene: Scene<'_>) {
        if !self.role.is_pure() {
            return;
        }
        let role = self.role.name();
        let sure = scene.surely();
        let message = if sure {
            format!("`{role}` reaches nothing outside, and {what} does")
        } else {
            format!("`{role}` reaches nothing outside, and calls this function: does it come to {what}?")
        };
        self.say_surely(&rules::IMPURE_DECISION, sure, position, message, Some(help.to_owned()));
    }
}

/// Names declared in a function.
#[derive(Default)]
struct Body {
    declared: HashSet<String>,
}

/// What a function sees.
#[derive(Clone, Copy)]
struct Scene<'a> {
    /// The name under which it knows `m` or `event`.
    subject: Option<&'a str>,
    /// The names it captured.
    captured: &'a [&'a str],
    way: Way,
}

impl Scene<'_> {
    /// Whether what is found is surely done for the stage.
    fn surely(self) -> bool {
        self.way.depth != Depth::Called
    }
}

/// Whether the node is the rest of a chain that was looked at from its start.
fn is_tail(path: &[ASTNode<'_>]) -> bool {
    match path {
        [.., ASTNode::Expr(Expr::Dot(sides, ..)), ASTNode::Expr(node)] => std::ptr::eq(&raw const sides.rhs, *node),
        [.., ASTNode::Expr(Expr::Index(sides, flags, _)), ASTNode::Expr(node)] => {
            !flags.contains(ASTFlags::BREAK) && std::ptr::eq(&raw const sides.rhs, *node)
        }
        _ => false,
    }
}

fn is_variable(expression: &Expr, name: &str) -> bool {
    matches!(expression, Expr::Variable(variable, ..) if variable.2.is_empty() && variable.1 == name)
}
