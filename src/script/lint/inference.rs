//! Owns telling of which types an expression of a function can be: from literals, the tables of what scripts
//! can call, operators, and everything that a variable is ever set to in the function. What it cannot tell
//! is any type; it never guesses.

use std::collections::{HashMap, HashSet};

use rhai::{ASTFlags, ASTNode, Expr, FnCallExpr, Stmt, StmtBlock};

use super::types::Types;
use crate::script::entry::{Entry, Form};
use crate::script::files::Script;
use crate::script::modules;

/// One thing that a variable is set to.
#[derive(Clone, Debug)]
enum Source {
    Value(Expr),
    /// `name += value`
    Changed(String, Expr),
    /// An element of what a `for` runs over.
    Element(Expr),
    Types(Types),
}

/// The types whose members are the names of measurements.
pub(super) const NAMED: &[&str] = &["Values", "Measurements"];

/// How often all variables are gone through: a chain of more that depend on each other backwards is given up.
const ROUNDS: usize = 8;

/// How many variables a value is traced through.
const DEEPEST_TRACE: usize = 8;

/// What is known of one function.
pub(super) struct Inference<'a> {
    script: &'a Script,
    variables: HashMap<String, Types>,
    sources: HashMap<String, Vec<Source>>,
    /// Variables whose value may be changed where it is: `days.push(…)`.
    changed: HashSet<String>,
    /// The types of the entries of `this`; `None` where nothing is known of them.
    memory: Option<HashMap<String, Types>>,
}

/// One member or element in a chain such as `m.history[0]`.
pub(super) struct Link<'e> {
    /// Of what it is a member.
    pub(super) base: Types,
    pub(super) node: &'e Expr,
    pub(super) gives: Types,
}

impl<'a> Inference<'a> {
    /// What can be told of `body`, whose parameters are of the types `parameters`. `memory` is what is known
    /// of `this` at the start.
    pub(super) fn of(
        script: &'a Script,
        body: &[Stmt],
        parameters: &[(&str, Types)],
        memory: Option<Vec<(String, Types)>>,
    ) -> Self {
        let mut sources: HashMap<String, Vec<Source>> = HashMap::new();
        let mut add = |name: &str, source| sources.entry(name.to_owned()).or_default().push(source);
        for (name, types) in parameters {
            add(name, Source::Types(*types));
        }
        let mut kept: Vec<(String, Source)> = Vec::new();
        let mut changed = HashSet::new();
        for statement in body {
            statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
                if let Some(ASTNode::Stmt(statement)) = path.last() {
                    set(statement, &mut add, &mut kept);
                }
                changed.extend(path.last().and_then(changes).map(str::to_owned));
                true
            });
        }
        let mut inference = Self { script, variables: HashMap::new(), sources, changed, memory: None };
        if let Some(first) = memory {
            inference.memory = Some(first.iter().cloned().collect());
            for (key, source) in kept {
                // What is not there at first is missing until it is set.
                let missing = if first.iter().any(|(known, _)| *known == key) { Types::NONE } else { Types::UNIT };
                inference.add_entry(&key, missing);
                inference.sources.entry(format!("this.{key}")).or_default().push(source);
            }
        }
        inference.settle();
        inference
    }

    fn add_entry(&mut self, key: &str, types: Types) {
        if let Some(memory) = &mut self.memory {
            let known = memory.entry(key.to_owned()).or_default();
            *known = known.or(types);
        }
    }

    /// Goes through all variables until nothing new is learned of them.
    fn settle(&mut self) {
        for name in self.sources.keys().filter(|name| !name.starts_with("this.")) {
            self.variables.insert(name.clone(), Types::NONE);
        }
        for _ in 0..ROUNDS {
            let mut learned = Vec::new();
            for (name, sources) in &self.sources {
                let before = self.known(name);
                let after = sources.iter().map(|source| self.source(source, before)).fold(before, Types::or);
                if after != before {
                    learned.push((name.clone(), after));
                }
            }
            if learned.is_empty() {
                return;
            }
            for (name, types) in learned {
                match name.strip_prefix("this.") {
                    Some(key) => self.add_entry(key, types),
                    None => drop(self.variables.insert(name, types)),
                }
            }
        }
        // It did not settle: nothing is known for certain.
        self.variables.values_mut().for_each(|types| *types = Types::ANY);
        self.memory = None;
    }

    fn known(&self, name: &str) -> Types {
        match name.strip_prefix("this.") {
            Some(key) => self.entry(key),
            None => self.variables.get(name).copied().unwrap_or(Types::ANY),
        }
    }

    fn source(&self, source: &Source, before: Types) -> Types {
        match source {
            Source::Value(value) => self.types(value),
            Source::Changed(operator, value) => binary(operator, before, self.types(value)),
            Source::Element(of) => self.element(of),
            Source::Types(types) => *types,
        }
    }

    /// The types of the entry `key` of `this`.
    fn entry(&self, key: &str) -> Types {
        self.memory.as_ref().map_or(Types::ANY, |memory| memory.get(key).copied().unwrap_or(Types::ANY))
    }

    /// What a `for` gives from `of`.
    fn element(&self, of: &Expr) -> Types {
        match of {
            Expr::FnCall(call, _) if call.is_operator_call() && call.name.starts_with("..") => Types::INT,
            Expr::Array(elements, _) => elements.iter().map(|element| self.types(element)).fold(Types::NONE, Types::or),
            _ if self.types(of) == Types::named("History") => Types::FLOAT.or(Types::UNIT),
            _ if self.types(of) == Types::NONE => Types::NONE,
            _ => Types::ANY,
        }
    }

    /// What `expression` is set to, if it is a variable that is set once and never changed; else itself.
    pub(super) fn traced<'e>(&'e self, expression: &'e Expr) -> &'e Expr {
        let mut traced = expression;
        for _ in 0..DEEPEST_TRACE {
            let Expr::Variable(variable, ..) = traced else { break };
            let name = variable.1.as_str();
            match self.sources.get(name).map(Vec::as_slice) {
                Some([Source::Value(value)]) if variable.2.is_empty() && !self.changed.contains(name) => traced = value,
                _ => break,
            }
        }
        traced
    }

    /// Whether the parameter `name` is never set.
    pub(super) fn is_fixed(&self, name: &str) -> bool {
        matches!(self.sources.get(name).map(Vec::as_slice), Some([Source::Types(_)])) && !self.changed.contains(name)
    }

    /// The types that `expression` can be of.
    pub(super) fn types(&self, expression: &Expr) -> Types {
        match expression {
            Expr::IntegerConstant(..) => Types::INT,
            Expr::FloatConstant(..) => Types::FLOAT,
            Expr::BoolConstant(..) | Expr::And(..) | Expr::Or(..) => Types::BOOL,
            Expr::CharConstant(..) => Types::CHAR,
            Expr::StringConstant(..) | Expr::InterpolatedString(..) => Types::TEXT,
            Expr::Unit(_) => Types::UNIT,
            Expr::Array(..) => Types::ARRAY,
            Expr::Map(..) => Types::MAP,
            Expr::DynamicConstant(value, _) => Types::of_value(value),
            Expr::ThisPtr(_) if self.memory.is_some() => Types::MAP,
            Expr::Variable(variable, ..) if variable.2.is_empty() => self.known(&variable.1),
            Expr::Stmt(block) => self.block(block),
            Expr::FnCall(call, _) => self.call(call),
            Expr::Dot(..) | Expr::Index(..) => self.links(expression).last().map_or(Types::ANY, |link| link.gives),
            Expr::Coalesce(sides, _) => {
                let (last, before) = match sides.as_slice() {
                    [before @ .., last] => (self.types(last), before),
                    [] => return Types::ANY,
                };
                before.iter().map(|side| self.types(side).without(Types::UNIT)).fold(last, Types::or)
            }
            _ => Types::ANY,
        }
    }

    fn block(&self, block: &StmtBlock) -> Types {
        match block.statements().last() {
            None | Some(Stmt::Var(..) | Stmt::Assignment(_) | Stmt::Noop(_)) => Types::UNIT,
            Some(Stmt::Expr(expression)) => self.types(expression),
            Some(Stmt::FnCall(call, _)) => self.call(call),
            Some(Stmt::Block(block)) => self.block(block),
            Some(Stmt::If(flow, _)) => self.block(&flow.body).or(self.block(&flow.branch)),
            Some(Stmt::Return(..)) => Types::NONE,
            Some(_) => Types::ANY,
        }
    }

    pub(super) fn call(&self, call: &FnCallExpr) -> Types {
        if call.is_operator_call() {
            return match call.args.as_slice() {
                [only] if call.name == "-" || call.name == "+" => self.types(only),
                [_] if call.name == "!" => Types::BOOL,
                [a, b] => binary(&call.name, self.types(a), self.types(b)),
                _ => Types::ANY,
            };
        }
        // `a in b`
        if call.name == "contains" && !self.script.functions.contains_key("contains") {
            return Types::BOOL;
        }
        gives(self.entries(call))
    }

    /// The entries of the function that is called; none where the script has one of that name.
    pub(super) fn entries(&self, call: &FnCallExpr) -> Vec<&'static Entry> {
        if call.is_qualified() {
            let module = call.namespace.root();
            let imported = self.script.index.imports().iter().any(|import| import.alias == module);
            let named = |entry: &&Entry| matches!(entry.form, Form::Member(of) if of == module);
            return if imported { Vec::new() } else { with_name(&call.name, named) };
        }
        if self.script.functions.contains_key(call.name.as_str()) {
            return Vec::new();
        }
        with_name(&call.name, |entry| entry.form == Form::Function)
    }

    /// The entries of the method that `link` calls on a type of ours; none where the script has a function
    /// of that name.
    pub(super) fn methods(&self, link: &Link<'_>) -> Vec<&'static Entry> {
        let (Expr::MethodCall(call, _), Some(own)) = (link.node, link.base.own()) else { return Vec::new() };
        if self.script.functions.contains_key(call.name.as_str()) {
            return Vec::new();
        }
        with_name(&call.name, |entry| entry.form == Form::Method(own.name))
    }

    /// The members and elements of the chain `expression`, in order; none where it is no chain.
    pub(super) fn links<'e>(&self, expression: &'e Expr) -> Vec<Link<'e>> {
        let mut links = Vec::new();
        let (sides, mut flags, mut dotted) = match expression {
            Expr::Dot(sides, flags, _) => (sides, *flags, true),
            Expr::Index(sides, flags, _) => (sides, *flags, false),
            _ => return links,
        };
        let of_this = matches!(sides.lhs, Expr::ThisPtr(_));
        let mut base = self.types(&sides.lhs);
        let mut rest = &sides.rhs;
        loop {
            let broken = !dotted && flags.contains(ASTFlags::BREAK);
            let (node, next) = match rest {
                Expr::Dot(sides, further, _) if !broken => (&sides.lhs, Some((&sides.rhs, *further, true))),
                Expr::Index(sides, further, _) if !broken => (&sides.lhs, Some((&sides.rhs, *further, false))),
                last => (last, None),
            };
            // `a?.b` is missing where `a` is.
            let missing = flags.contains(ASTFlags::NEGATED) && base.meets(Types::UNIT);
            let link = Link { base: if missing { base.without(Types::UNIT) } else { base }, node, gives: Types::ANY };
            let mut gives = match (node, of_this && links.is_empty()) {
                // Nothing is known of it yet.
                _ if base == Types::NONE => Types::NONE,
                (Expr::Property(property, _), true) => self.entry(&property.2),
                _ if dotted => self.member(&link),
                _ if base == Types::named("History") => Types::FLOAT.or(Types::UNIT),
                _ => Types::ANY,
            };
            if missing {
                gives = gives.or(Types::UNIT);
            }
            links.push(Link { gives, ..link });
            base = gives;
            let Some((further, next_flags, next_dotted)) = next else { return links };
            (rest, flags, dotted) = (further, next_flags, next_dotted);
        }
    }

    fn member(&self, link: &Link<'_>) -> Types {
        match link.node {
            Expr::Property(property, _) => {
                let Some(own) = link.base.own() else { return Types::ANY };
                if NAMED.contains(&own.name) {
                    return gives(with_name("", |entry| entry.form == Form::Index(own.name)));
                }
                gives(with_name(&property.2, |entry| entry.form == Form::Property(own.name)))
            }
            Expr::MethodCall(call, _) => match call.name.as_str() {
                name if self.script.functions.contains_key(name) => Types::ANY,
                "to_string" => Types::TEXT,
                "to_int" if link.base.is_within(Types::NUMBER) => Types::INT,
                "to_float" if link.base.is_within(Types::NUMBER) => Types::FLOAT,
                "abs" | "floor" | "ceiling" | "round" if link.base.is_within(Types::FLOAT) => Types::FLOAT,
                _ => gives(self.methods(link)),
            },
            _ => Types::ANY,
        }
    }
}

/// The entries called `name` that are `wanted`.
fn with_name(name: &str, wanted: impl Fn(&&'static Entry) -> bool) -> Vec<&'static Entry> {
    modules::entries().filter(|entry| entry.name == name).filter(wanted).collect()
}

fn gives(entries: Vec<&'static Entry>) -> Types {
    if entries.is_empty() {
        return Types::ANY;
    }
    entries.into_iter().map(|entry| Types::written(entry.gives)).fold(Types::NONE, Types::or)
}

/// What an operator gives; what it refuses is any type, and is told elsewhere.
fn binary(operator: &str, a: Types, b: Types) -> Types {
    match operator {
        "==" | "!=" | "<" | "<=" | ">" | ">=" | "contains" => Types::BOOL,
        _ if a == Types::NONE || b == Types::NONE => Types::NONE,
        "+" | "+=" if a.is_within(Types::TEXT) || b.is_within(Types::TEXT) => {
            let secret = Types::named("Secret");
            if a.meets(secret) || b.meets(secret) { Types::ANY } else { Types::TEXT }
        }
        "+" | "-" | "*" | "/" | "%" | "**" => {
            // A missing value is refused: what goes on has none.
            let (a, b) = (a.without(Types::UNIT), b.without(Types::UNIT));
            match (a.is_within(Types::NUMBER), b.is_within(Types::NUMBER)) {
                (true, true) if a == Types::INT && b == Types::INT => Types::INT,
                (true, true) if a == Types::FLOAT || b == Types::FLOAT => Types::FLOAT,
                (true, true) => Types::NUMBER,
                _ => Types::ANY,
            }
        }
        _ => Types::ANY,
    }
}

/// The variable whose value `node` may change where it is: by a method, by a function that is given it first,
/// or by setting an entry of it.
fn changes<'a>(node: &ASTNode<'a>) -> Option<&'a str> {
    let (first, called) = match node {
        ASTNode::Expr(Expr::Dot(sides, ..)) => (&sides.lhs, matches!(sides.rhs, Expr::MethodCall(..))),
        ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)) => {
            let ours = |entry: &Entry| entry.form == Form::Function && entry.name == call.name;
            let keeps = call.is_operator_call() || call.name == "contains" || modules::entries().any(ours);
            (call.args.first()?, !keeps)
        }
        ASTNode::Stmt(Stmt::Assignment(assignment)) => match &assignment.1.lhs {
            Expr::Dot(sides, ..) | Expr::Index(sides, ..) => (&sides.lhs, true),
            _ => return None,
        },
        _ => return None,
    };
    match first {
        Expr::Variable(variable, ..) if called => Some(&variable.1),
        _ => None,
    }
}

/// Notes what `statement` sets: variables with `add`, entries of `this` in `kept`.
fn set(statement: &Stmt, add: &mut impl FnMut(&str, Source), kept: &mut Vec<(String, Source)>) {
    match statement {
        Stmt::Var(variable, ..) => add(&variable.0.name, Source::Value(variable.1.clone())),
        Stmt::For(turns, _) => {
            add(&turns.0.name, Source::Element(turns.2.expr.clone()));
            if let Some(count) = &turns.1 {
                add(&count.name, Source::Types(Types::INT));
            }
        }
        Stmt::TryCatch(flow, _) => {
            if let Expr::Variable(error, ..) = &flow.expr {
                add(&error.1, Source::Types(Types::ANY));
            }
        }
        // Closures share what they capture, and may set it.
        Stmt::Share(shared) => shared.iter().for_each(|(name, _)| add(&name.name, Source::Types(Types::ANY))),
        Stmt::Assignment(assignment) => {
            let (operator, sides) = &**assignment;
            let source = || match operator.get_op_assignment_info() {
                Some((.., name)) => Source::Changed(name.to_owned(), sides.rhs.clone()),
                None => Source::Value(sides.rhs.clone()),
            };
            match &sides.lhs {
                Expr::Variable(variable, ..) if variable.2.is_empty() => add(&variable.1, source()),
                Expr::Dot(of, ..) => {
                    if let (Expr::ThisPtr(_), Expr::Property(property, _)) = (&of.lhs, &of.rhs) {
                        kept.push((property.2.to_string(), source()));
                    }
                }
                _ => {}
            }
        }
        _ => {}
    }
}
