//! Owns where things stand in one file: its calls, map literals, variables and closures, so that a
//! value that reaches us without a position can be traced to the key that was written. It evaluates
//! nothing: where the trace is lost the nearest known place is used.

use std::collections::HashMap;

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt, StmtBlock};

/// A trace through more variables and functions than this is given up (they may go round in circles).
const DEEPEST_TRACE: usize = 16;

/// How an expression was written, as far as maps and arrays go.
#[derive(Debug)]
pub(super) enum Shape {
    /// `#{ key: … }`, every key with its position.
    Map(Vec<(String, Position, Shape)>, Position),
    /// `[ … ]`
    Array(Vec<Shape>, Position),
    /// A variable.
    Name(String, Position),
    /// `a + b`: the right side wins.
    Sum(Box<(Shape, Shape)>),
    /// `a.key`, `a["key"]`
    Entry(Box<(Shape, String)>, Position),
    /// A call of a function of this file: what its body ends with.
    Call(String, Position),
    /// The branches of an `if` or a `switch`.
    Either(Vec<Shape>, Position),
    /// Anything else.
    Leaf(Position),
}

/// One call as written.
pub(super) struct Call {
    /// The function's name, without its module.
    pub(super) name: String,
    /// The modules before it.
    pub(super) module: Vec<String>,
    /// How its arguments were written.
    pub(super) arguments: Vec<Shape>,
    /// Where its name stands, as the engine reports calls.
    pub(super) position: Position,
    /// Where it starts: its module, if it has one.
    pub(super) start: Position,
    /// Whether it is `value.name(…)`.
    pub(super) method: bool,
}

/// The index of one file.
#[derive(Default)]
pub(super) struct Index {
    calls: HashMap<(usize, usize), Vec<Call>>,
    /// `let name = …` by name, in the order written.
    variables: HashMap<String, Vec<(Position, Shape)>>,
    /// `name.key = …` by name.
    entries: HashMap<String, Vec<(String, Position, Shape)>>,
    results: HashMap<String, Shape>,
    closures: HashMap<String, Position>,
    /// How many values each closure captures.
    captured: HashMap<String, usize>,
    /// What stands in `${…}`.
    shown: Vec<Shape>,
    /// Texts with `${` in them that do not put a value there.
    plain: Vec<(String, Position)>,
    /// `env::secret("NAME")`: the name and where it stands.
    secrets: Vec<(String, Position)>,
    /// Calls of `env::`, `http::` and `redis::` that name what they reach.
    reaching: Vec<Reaching>,
    /// Every key of every map literal.
    keys: HashMap<String, Vec<Position>>,
    imports: Vec<Import>,
}

/// One call that names a variable or an address: `http::get("https://…")`.
pub(super) struct Reaching {
    /// The module and the function.
    pub(super) function: (String, String),
    /// The variable or the address.
    pub(super) text: String,
    /// Where the call starts.
    pub(super) position: Position,
}

/// One `import "path" as alias;`
pub(super) struct Import {
    /// The path where it is a literal.
    pub(super) path: Option<String>,
    /// The name given to it.
    pub(super) alias: String,
    /// Where the path stands.
    pub(super) position: Position,
}

impl Index {
    /// The index of `ast`.
    pub(super) fn of(ast: &AST) -> Self {
        let mut index = Self::default();
        let bodies: Vec<(String, Position, Position)> = ast
            .shared_lib()
            .iter_script_fn_info()
            .filter(|(.., f)| !f.name.starts_with("anon$"))
            .map(|(.., f)| (f.name.to_string(), f.body.start_position(), f.body.end_position()))
            .collect();
        ast.walk(&mut |path: &[ASTNode]| {
            match path.last() {
                Some(ASTNode::Stmt(statement)) => {
                    index.statement(statement);
                    if path.len() == 1 {
                        index.result(statement, &bodies);
                    }
                }
                Some(ASTNode::Expr(expression)) => {
                    let method = matches!(expression, Expr::MethodCall(..));
                    index.expression(expression, method);
                }
                _ => {}
            }
            true
        });
        index
    }

    /// Notes what a function's body ends with: bodies are walked in order, the last statement stays.
    fn result(&mut self, statement: &Stmt, bodies: &[(String, Position, Position)]) {
        let at = statement.position();
        let within = |(_, start, end): &&(String, Position, Position)| !before(at, *start) && before(at, *end);
        if let Some((name, ..)) = bodies.iter().find(within) {
            self.results.insert(name.clone(), last(Some(statement), at));
        }
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::FnCall(call, position) => self.call(call, *position, false),
            Stmt::Var(variable, ..) => {
                let (name, value, _) = &**variable;
                self.variables.entry(name.name.to_string()).or_default().push((name.pos, shape(value)));
            }
            Stmt::Assignment(assignment) => {
                let (_, sides) = &**assignment;
                match &sides.lhs {
                    Expr::Variable(variable, _, position) => {
                        self.variables.entry(variable.1.to_string()).or_default().push((*position, shape(&sides.rhs)));
                    }
                    Expr::Dot(of, ..) => {
                        if let (Expr::Variable(variable, ..), Expr::Property(property, position)) = (&of.lhs, &of.rhs) {
                            let entry = (property.2.to_string(), *position, shape(&sides.rhs));
                            self.entries.entry(variable.1.to_string()).or_default().push(entry);
                        }
                    }
                    _ => {}
                }
            }
            Stmt::Import(import, _) => {
                let (path, alias) = &**import;
                let text = match path {
                    Expr::StringConstant(text, _) => Some(text.to_string()),
                    _ => None,
                };
                let position = path.start_position();
                self.imports.push(Import { path: text, alias: alias.name.to_string(), position });
            }
            _ => {}
        }
    }

    fn expression(&mut self, expression: &Expr, method: bool) {
        match expression {
            Expr::FnCall(call, position) | Expr::MethodCall(call, position) => self.call(call, *position, method),
            Expr::Map(map, _) => {
                for (key, _) in &map.0 {
                    self.keys.entry(key.name.to_string()).or_default().push(key.pos);
                }
            }
            Expr::StringConstant(text, position) if text.contains("${") => {
                self.plain.push((text.to_string(), *position));
            }
            Expr::InterpolatedString(parts, _) => self.shown.extend(parts.iter().map(shape)),
            Expr::DynamicConstant(value, position) => {
                if let Some(pointer) = value.read_lock::<rhai::FnPtr>() {
                    self.closures.insert(pointer.fn_name().to_string(), *position);
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, call: &FnCallExpr, position: Position, method: bool) {
        if call.is_operator_call() {
            return;
        }
        if let ("curry", [Expr::DynamicConstant(value, _), captured @ ..]) = (call.name.as_str(), call.args.as_slice())
            && let Some(pointer) = value.read_lock::<rhai::FnPtr>()
        {
            self.captured.insert(pointer.fn_name().to_string(), captured.len());
        }
        let module = call.namespace.path.iter().map(|part| part.name.to_string()).collect();
        let start = if call.is_qualified() { call.namespace.position().or_else(position) } else { position };
        let root = if call.is_qualified() { call.namespace.root() } else { "" };
        if let ("env", "secret", [Expr::StringConstant(name, _), ..]) = (root, call.name.as_str(), call.args.as_slice())
        {
            self.secrets.push((name.to_string(), start));
        }
        let named =
            if (root, call.name.as_str()) == ("http", "request") { call.args.get(1) } else { call.args.first() };
        // What a test makes up is reached by nobody.
        let made_up = root == "http" && ["stub", "sent"].contains(&call.name.as_str());
        if let ("env" | "http" | "redis", Some(Expr::StringConstant(text, _)), false) = (root, named, made_up) {
            let function = (root.to_owned(), call.name.to_string());
            self.reaching.push(Reaching { function, text: text.to_string(), position: start });
        }
        let arguments = call.args.iter().map(shape).collect();
        let call = Call { name: call.name.to_string(), module, arguments, position, start, method };
        self.calls.entry(key(position)).or_default().push(call);
    }

    /// The call of `name` at `position`.
    pub(super) fn call_at(&self, position: Position, name: &str) -> Option<&Call> {
        self.calls.get(&key(position))?.iter().find(|call| call.name == name)
    }

    /// Where the call at `position` starts; `position` itself where there is none with a module.
    pub(super) fn start(&self, position: Position) -> Position {
        let mut calls = self.calls.get(&key(position)).into_iter().flatten();
        calls.find(|call| !call.module.is_empty()).map_or(position, |call| call.start)
    }

    /// Every call.
    pub(super) fn calls(&self) -> impl Iterator<Item = &Call> {
        self.calls.values().flatten()
    }

    /// Every `env::secret("NAME")`, in closures and functions too.
    pub(super) fn secrets(&self) -> &[(String, Position)] {
        &self.secrets
    }

    /// Every call that names what it reaches, in closures and functions too.
    pub(super) fn reaching(&self) -> &[Reaching] {
        &self.reaching
    }

    /// Where secrets stand in `${…}`, as far as that can be told; `is_parameter` tells which names hide
    /// variables.
    pub(super) fn shown_secrets(&self, is_parameter: impl Fn(&str) -> bool) -> Vec<Position> {
        let visible = |shape: &&Shape| !matches!(shape, Shape::Name(name, _) if is_parameter(name));
        let shown = self.shown.iter().filter(visible).filter(|shape| self.is_secret(shape, DEEPEST_TRACE));
        shown.map(Shape::position).collect()
    }

    fn is_secret(&self, shape: &Shape, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match shape {
            Shape::Leaf(position) => {
                let start = self.start(*position);
                self.secrets.iter().any(|(_, at)| *at == start)
            }
            Shape::Name(name, position) => {
                self.variable(name, *position).is_some_and(|shape| self.is_secret(shape, depth))
            }
            Shape::Sum(sides) => self.is_secret(&sides.0, depth) || self.is_secret(&sides.1, depth),
            Shape::Entry(of, _) => self.entry(&of.0, &of.1).is_some_and(|(_, shape)| self.is_secret(shape, depth)),
            Shape::Map(..) | Shape::Array(..) | Shape::Call(..) | Shape::Either(..) => false,
        }
    }

    /// The environment variable that `shape` is the value of.
    pub(super) fn variable_read(&self, shape: &Shape) -> Option<&str> {
        self.read_within(shape, DEEPEST_TRACE)
    }

    fn read_within(&self, shape: &Shape, depth: usize) -> Option<&str> {
        let depth = depth.checked_sub(1)?;
        match shape {
            Shape::Leaf(position) => {
                let start = self.start(*position);
                self.environment().find(|read| read.position == start).map(|read| read.text.as_str())
            }
            Shape::Name(name, position) => self.read_within(self.variable(name, *position)?, depth),
            Shape::Entry(of, _) => self.read_within(self.entry(&of.0, &of.1)?.1, depth),
            _ => None,
        }
    }

    /// The environment variable that the variable `name` holds at `position`.
    pub(super) fn variable_holds(&self, name: &str, position: Position) -> Option<&str> {
        self.variable_read(self.variable(name, position)?)
    }

    /// The environment variables that are read in `line`.
    pub(super) fn variables_read_at(&self, line: usize) -> impl Iterator<Item = &str> {
        self.environment().filter(move |read| read.position.line() == Some(line)).map(|read| read.text.as_str())
    }

    /// Every `env::get("NAME")`.
    fn environment(&self) -> impl Iterator<Item = &Reaching> {
        self.reaching.iter().filter(|reaching| reaching.function.0 == "env" && reaching.function.1 == "get")
    }

    /// Texts with `${` in them that do not put a value there, in quotes or around a value in backticks.
    pub(super) fn plain_texts(&self) -> &[(String, Position)] {
        &self.plain
    }

    /// How many values the closure `name` captures.
    pub(super) fn captured(&self, name: &str) -> usize {
        self.captured.get(name).copied().unwrap_or(0)
    }

    /// Every import.
    pub(super) fn imports(&self) -> &[Import] {
        &self.imports
    }

    /// Where the closure `name` stands.
    pub(super) fn closure(&self, name: &str) -> Option<Position> {
        self.closures.get(name).copied()
    }

    /// Whether some variable of the file is called `name`.
    pub(super) fn has_variable(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    /// Where `key` is written, if it is written in a single map literal of the file.
    pub(super) fn only(&self, key: &str) -> Option<Position> {
        match self.keys.get(key).map(Vec::as_slice) {
            Some([position]) => Some(*position),
            _ => None,
        }
    }

    /// Where the entry `key` of the map that `of` gives was written, and how its value was.
    pub(super) fn entry<'a>(&'a self, of: &'a Shape, key: &str) -> Option<(Position, &'a Shape)> {
        self.entry_within(of, key, DEEPEST_TRACE)
    }

    fn entry_within<'a>(&'a self, of: &'a Shape, key: &str, depth: usize) -> Option<(Position, &'a Shape)> {
        let depth = depth.checked_sub(1)?;
        match of {
            Shape::Map(entries, _) => {
                let (_, position, value) = entries.iter().find(|(name, ..)| name == key)?;
                Some((*position, value))
            }
            Shape::Name(name, position) => {
                let entries = self.entries.get(name).into_iter().flatten().rev();
                let set = entries.into_iter().find(|(entry, at, _)| entry == key && before(*at, *position));
                if let Some((_, position, value)) = set {
                    return Some((*position, value));
                }
                self.entry_within(self.variable(name, *position)?, key, depth)
            }
            Shape::Sum(sides) => {
                self.entry_within(&sides.1, key, depth).or_else(|| self.entry_within(&sides.0, key, depth))
            }
            Shape::Entry(of, _) => self.entry_within(self.entry_within(&of.0, &of.1, depth)?.1, key, depth),
            Shape::Call(name, _) => self.entry_within(self.results.get(name)?, key, depth),
            Shape::Either(branches, _) => branches.iter().find_map(|branch| self.entry_within(branch, key, depth)),
            Shape::Array(..) | Shape::Leaf(_) => None,
        }
    }

    /// How the element `at` of the array that `of` gives was written.
    pub(super) fn element<'a>(&'a self, of: &'a Shape, at: usize) -> Option<&'a Shape> {
        let mut of = of;
        for _ in 0..DEEPEST_TRACE {
            of = match of {
                Shape::Array(elements, _) => return elements.get(at),
                Shape::Name(name, position) => self.variable(name, *position)?,
                Shape::Call(name, _) => self.results.get(name)?,
                Shape::Entry(of, _) => self.entry(&of.0, &of.1)?.1,
                _ => return None,
            };
        }
        None
    }

    /// What variable `name` was last set to before `position`, as the text goes.
    fn variable(&self, name: &str, position: Position) -> Option<&Shape> {
        let set = self.variables.get(name)?;
        set.iter().rev().find(|(at, _)| before(*at, position)).map(|(_, shape)| shape)
    }
}

impl Shape {
    /// Where the expression starts.
    pub(super) fn position(&self) -> Position {
        match self {
            Self::Map(_, position)
            | Self::Array(_, position)
            | Self::Name(_, position)
            | Self::Entry(_, position)
            | Self::Call(_, position)
            | Self::Either(_, position)
            | Self::Leaf(position) => *position,
            Self::Sum(sides) => sides.0.position(),
        }
    }
}

fn key(position: Position) -> (usize, usize) {
    (position.line().unwrap_or(0), position.position().unwrap_or(0))
}

fn before(a: Position, b: Position) -> bool {
    key(a) < key(b)
}

fn shape(expression: &Expr) -> Shape {
    let start = expression.start_position();
    match expression {
        Expr::Map(map, position) => {
            let entries = map.0.iter().map(|(key, value)| (key.name.to_string(), key.pos, shape(value)));
            Shape::Map(entries.collect(), *position)
        }
        Expr::Array(elements, position) => Shape::Array(elements.iter().map(shape).collect(), *position),
        Expr::Variable(variable, _, position) if variable.2.is_empty() => {
            Shape::Name(variable.1.to_string(), *position)
        }
        Expr::FnCall(call, _) if call.is_operator_call() && call.name == "+" && call.args.len() == 2 => {
            Shape::Sum(Box::new((shape(&call.args[0]), shape(&call.args[1]))))
        }
        Expr::FnCall(call, position) if !call.is_qualified() => Shape::Call(call.name.to_string(), *position),
        Expr::Dot(sides, ..) => match &sides.rhs {
            Expr::Property(property, _) => Shape::Entry(Box::new((shape(&sides.lhs), property.2.to_string())), start),
            _ => Shape::Leaf(start),
        },
        Expr::Index(sides, ..) => match &sides.rhs {
            Expr::StringConstant(key, _) => Shape::Entry(Box::new((shape(&sides.lhs), key.to_string())), start),
            _ => Shape::Leaf(start),
        },
        Expr::Stmt(statements) => block(statements),
        _ => Shape::Leaf(start),
    }
}

/// What a block gives: its last expression, or what it returns.
fn block(block: &StmtBlock) -> Shape {
    last(block.statements().last(), block.position())
}

fn last(statement: Option<&Stmt>, position: Position) -> Shape {
    match statement {
        Some(Stmt::FnCall(call, position)) if !call.is_qualified() => Shape::Call(call.name.to_string(), *position),
        Some(Stmt::Expr(expression) | Stmt::Return(Some(expression), ..)) => shape(expression),
        Some(Stmt::If(flow, position)) => Shape::Either(vec![block(&flow.body), block(&flow.branch)], *position),
        Some(statement) => Shape::Leaf(statement.position()),
        None => Shape::Leaf(position),
    }
}
