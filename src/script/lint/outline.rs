//! Owns reading a function for what others go by ([`Outline`]): through its closures and the functions of the
//! same file that it calls, with the numbers that are handed on. It reports nothing.

use std::collections::{HashMap, HashSet};

use rhai::{ASTNode, Dynamic, Expr, FnPtr, Stmt};

use super::inference::{Inference, Link};
use super::operators::{operator, shown, walk};
use super::tails::{self, Tail};
use super::types::Types;
use super::values;
use super::{arms, compared};
use crate::function::{Answers, Outline, Window};
use crate::script::files::{Defined, Script};

/// How many functions deep numbers are handed on.
const DEEPEST: usize = 6;

/// Values read off a function: more are no use to trials.
const MOST_VALUES: usize = 16;

/// What can be told of the function `name` of `script`, which captured `captures`.
pub(in crate::script) fn outline(script: &Script, name: &str, captures: &[Dynamic]) -> Outline {
    let mut tour = Tour { script, outline: Outline::default(), seen: HashSet::new() };
    let Some(defined) = script.function(name) else { return tour.outline };
    let given = captures.iter().map(Given::of_value).collect::<Vec<_>>();
    let rest = defined.definition.params.len().saturating_sub(given.len());
    // A decision is given `m`; a measurement nothing.
    let subject = (0..rest).map(|_| Given { types: Types::named("Moment"), number: None });
    let given: Vec<Given> = given.into_iter().chain(subject).collect();
    let statements = script.statements(defined);
    tour.answers(&statements, defined, &given);
    tour.function(defined, &given, 0);
    tour.outline
}

/// What a parameter is given.
#[derive(Clone, Copy)]
struct Given {
    types: Types,
    number: Option<f64>,
}

impl Given {
    #[allow(clippy::cast_precision_loss)] // Numbers of measurements are small.
    fn of_value(value: &Dynamic) -> Self {
        let number = value.as_int().map(|value| value as f64).or_else(|_| value.as_float()).ok();
        Self { types: Types::of_value(value), number }
    }
}

/// A function with what it was given: the types and, where it is known, the number.
type Visit = (String, Vec<(Types, Option<u64>)>);

struct Tour<'a> {
    script: &'a Script,
    outline: Outline,
    seen: HashSet<Visit>,
}

impl Tour<'_> {
    fn inference<'s>(script: &'s Script, statements: &[Stmt], defined: &Defined, given: &[Given]) -> Inference<'s> {
        let parameters = defined.definition.params.iter().enumerate();
        let types = |at: usize| given.get(at).map_or(Types::ANY, |given| given.types);
        let parameters: Vec<(&str, Types)> = parameters.map(|(at, name)| (name.as_str(), types(at))).collect();
        Inference::of(script, statements, &parameters, None)
    }

    /// Notes what is answered, where none of it can be a number.
    fn answers(&mut self, statements: &[Stmt], defined: &Defined, given: &[Given]) {
        let inference = Self::inference(self.script, statements, defined, given);
        let tails = tails::tails(statements);
        let types = tails.iter().map(|tail| tail.types(&inference)).fold(Types::NONE, Types::or);
        let plain = [Types::TEXT, Types::BOOL, Types::CHAR, Types::MAP, Types::ARRAY, Types::UNIT];
        if !types.is_within(plain.into_iter().fold(Types::NONE, Types::or)) {
            return;
        }
        let Some(position) = tails.iter().find_map(|tail| tail.position()) else { return };
        let maps: Option<Vec<Vec<String>>> = tails
            .iter()
            .filter(|tail| !matches!(tail, Tail::Nothing))
            .map(|tail| match tail {
                Tail::Expr(expression) => match inference.traced(expression) {
                    Expr::Map(entries, _) => Some(entries.0.iter().map(|(key, _)| key.name.to_string()).collect()),
                    _ => None,
                },
                _ => None,
            })
            .collect();
        let keys = maps.map(|maps| maps.into_iter().flatten().collect());
        let place = self.script.place(position);
        self.outline.answers = Some(Answers {
            words: if types == Types::UNIT { types } else { types.without(Types::UNIT) }.words(),
            keys,
            place,
        });
    }

    fn function(&mut self, defined: &Defined, given: &[Given], depth: usize) {
        let signature = given.iter().map(|given| (given.types, given.number.map(f64::to_bits))).collect();
        if depth > DEEPEST || !self.seen.insert((defined.definition.name.to_string(), signature)) {
            return;
        }
        let statements = self.script.statements(defined);
        let inference = Self::inference(self.script, &statements, defined, given);
        let numbers: HashMap<&str, f64> = defined
            .definition
            .params
            .iter()
            .zip(given)
            .filter_map(|(name, given)| Some((name.as_str(), given.number?)))
            .filter(|(name, _)| inference.is_fixed(name))
            .collect();
        let look = Look { inference: &inference, numbers: &numbers };
        let mut switches = Vec::new();
        let mut next: Vec<(String, Vec<Given>)> = Vec::new();
        walk(&statements, &mut |node| {
            if let Some((name, [a, b], _)) = operator(node) {
                self.compared(look, name, a, b);
                self.compared(look, compared::turned(name), b, a);
            }
            match node {
                ASTNode::Expr(chain @ (Expr::Dot(..) | Expr::Index(..))) => self.chain(look, chain),
                ASTNode::Stmt(Stmt::Switch(switch, position)) => switches.push((switch.0.clone(), *position)),
                ASTNode::Expr(Expr::DynamicConstant(value, _)) => {
                    if let Some(pointer) = value.read_lock::<FnPtr>() {
                        next.push((pointer.fn_name().to_owned(), Vec::new()));
                    }
                }
                ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)) => {
                    if call.is_operator_call() || call.is_qualified() {
                        return;
                    }
                    match (call.name.as_str(), call.args.as_slice()) {
                        ("contains", [Expr::Array(items, _), item]) => {
                            items.iter().for_each(|other| self.compared(look, "==", item, other));
                        }
                        ("curry", [Expr::DynamicConstant(value, _), captured @ ..]) => {
                            if let Some(pointer) = value.read_lock::<FnPtr>() {
                                let given = captured.iter().map(|side| look.given(side)).collect();
                                next.push((pointer.fn_name().to_owned(), given));
                            }
                        }
                        (name, arguments) if self.script.functions.contains_key(name) => {
                            next.push((name.to_owned(), arguments.iter().map(|side| look.given(side)).collect()));
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        });
        for (on, position) in &switches {
            for arm in arms::arms(self.script, *position) {
                self.compared(look, "==", on, &arm);
            }
        }
        let script = self.script;
        for (name, given) in next {
            let all = script.functions.get(&name).into_iter().flatten();
            // A closure has more parameters than it captured.
            let fits = |called: &&Defined| called.anonymous || called.definition.params.len() == given.len();
            if let Some(called) = all.into_iter().find(fits) {
                self.function(called, &given, depth + 1);
            }
        }
    }

    /// `a OPERATOR b`, where `b` is a number that is written out.
    fn compared(&mut self, look: Look<'_>, name: &str, a: &Expr, b: &Expr) {
        if !["==", "!=", "<", "<=", ">", ">="].contains(&name) {
            return;
        }
        if let (Expr::StringConstant(text, _), Some(("Time", member))) = (b, values::member(look.inference, a))
            && member == "weekday_name"
        {
            self.outline.weekdays.extend(values::weekday(text).and_then(|(day, _)| u32::try_from(day).ok()));
            return;
        }
        let Some(number) = look.number(b) else { return };
        // The whole number next to it at which the comparison comes out the other way.
        let whole = match name {
            ">" => number.floor() + 1.0,
            "<" => number.ceil() - 1.0,
            _ => number.round(),
        };
        let links = look.inference.links(look.inference.traced(a));
        let Some(link) = links.last() else { return };
        let of = link.base.own().map(|own| own.name);
        match (of, member(link)) {
            (Some("Time"), Some("hour")) => self.outline.hours.extend(small(whole).filter(|hour| *hour < 24)),
            (Some("Time"), Some("weekday")) => {
                self.outline.weekdays.extend(small(whole).filter(|day| (1..=7).contains(day)));
            }
            (Some("Moment"), Some("dynos")) => self.outline.dynos.extend(small(whole)),
            (Some("History"), Some("len" | "consecutive_above" | "consecutive_below")) => {
                // To be told apart, that many and one fewer must be able to be there.
                let needed = if matches!(name, ">" | "<=") { number.floor() + 1.0 } else { number.ceil() };
                let text = shown(a).map_or_else(String::new, |text| format!("{text} {name} {number}"));
                self.window(needed, text, b.start_position());
            }
            (Some("Moment" | "Measurement"), Some("value")) | (Some("History"), _) => self.value(number),
            _ => {}
        }
    }

    fn value(&mut self, number: f64) {
        let known = self.outline.values.iter().any(|known| known.to_bits() == number.to_bits());
        if !known && number.is_finite() && self.outline.values.len() < MOST_VALUES {
            self.outline.values.push(number);
        }
    }

    fn window(&mut self, needed: f64, text: String, position: rhai::Position) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Saturates.
        let needed = needed as usize;
        let place = self.script.place(position);
        if needed > 0 && !text.is_empty() {
            self.outline.windows.push(Window { needed, text, place });
        }
    }

    /// What a chain of members reads.
    fn chain(&mut self, look: Look<'_>, chain: &Expr) {
        let links = look.inference.links(chain);
        for (at, link) in links.iter().enumerate() {
            let of = link.base.own().map(|own| own.name);
            match (of, link.node) {
                (Some("History"), Expr::MethodCall(call, _)) => {
                    let text = |number: f64| {
                        let of = shown(chain).unwrap_or_else(|| format!("{}(…)", call.name));
                        of.rsplit_once("(…)").map_or(of.clone(), |(before, _)| match call.name.as_str() {
                            "percentile" => format!("{before}(…, {number})"),
                            _ => format!("{before}({number})"),
                        })
                    };
                    let window = match (call.name.as_str(), call.args.as_slice()) {
                        ("average" | "max" | "min" | "slope", [n]) | ("percentile", [_, n]) => Some(n),
                        ("consecutive_above" | "consecutive_below", [threshold]) => {
                            look.number(threshold).into_iter().for_each(|number| self.value(number));
                            None
                        }
                        _ => None,
                    };
                    if let Some((n, number)) = window.and_then(|n| Some((n, look.number(n)?))) {
                        self.window(number, text(number), n.start_position());
                    }
                }
                (Some("Moment"), Expr::Property(property, position)) if property.2 == "value" => {
                    let place = self.script.place(*position);
                    self.outline.reads_value.get_or_insert(place);
                }
                (Some("Moment"), Expr::Property(property, _)) if property.2 == "data" => {
                    if let Some(Expr::Property(key, position)) = links.get(at + 1).map(|link| link.node) {
                        self.outline.keys.push((key.2.to_string(), self.script.place(*position)));
                    }
                }
                _ => {}
            }
        }
    }
}

/// What numbers stand for in one function.
#[derive(Clone, Copy)]
struct Look<'a> {
    inference: &'a Inference<'a>,
    numbers: &'a HashMap<&'a str, f64>,
}

impl Look<'_> {
    fn number(self, expression: &Expr) -> Option<f64> {
        match self.inference.traced(expression) {
            Expr::Variable(variable, ..) if variable.2.is_empty() => self.numbers.get(variable.1.as_str()).copied(),
            other => values::number(other),
        }
    }

    fn given(self, expression: &Expr) -> Given {
        Given { types: self.inference.types(expression), number: self.number(expression) }
    }
}

/// The name of a member.
fn member<'e>(link: &Link<'e>) -> Option<&'e str> {
    match link.node {
        Expr::Property(property, _) => Some(&property.2),
        Expr::MethodCall(call, _) => Some(&call.name),
        _ => None,
    }
}

/// `number` as a small whole one.
fn small(number: f64) -> Option<u32> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // It is in range.
    (0.0..=1_000.0).contains(&number).then_some(number as u32)
}
