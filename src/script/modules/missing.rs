//! Owns what a missing value may take part in: nothing. Ordering or calculating with `()` is an error
//! with its place, where the language would say "false" or join texts.

use rhai::{Dynamic, Engine};

use super::{Answered, complaint};
use crate::script::context;
use crate::script::diagnose::missing_value;

/// Something that a decision asked for and that is `()`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::script) enum Missing {
    /// `m.value`
    Value,
    /// `m.value` where what was measured is no number, but this.
    NoNumber(&'static str),
    /// `m.seconds_since_scale`
    SinceScale,
    /// A statistic of the newest `n` of a history, of which there are fewer.
    Few { name: &'static str, p: Option<f64>, n: usize },
    /// A statistic of the newest `n`, one of which failed.
    Failed { name: &'static str, p: Option<f64>, n: usize },
}

impl Missing {
    /// The fact, the expression with a value in its place, and the question to ask before.
    fn words(self) -> (String, String, String) {
        let call = |name: &str, p: Option<f64>, n: usize| match p {
            Some(p) => format!("{name}({p}, {n})"),
            None => format!("{name}({n})"),
        };
        match self {
            Self::Value => (
                "`m.value` is `()` where no number was measured".into(),
                "m.value ?? 0.0".into(),
                "if m.value == () { … }".into(),
            ),
            Self::NoNumber(measured) => (
                format!(
                    "`m.value` is `()` since {measured} was measured: answer a number in `measure`, or read `m.data`"
                ),
                String::new(),
                String::new(),
            ),
            Self::SinceScale => (
                "`m.seconds_since_scale` is `()` before the first scale".into(),
                "m.seconds_since_scale ?? 3600.0".into(),
                "if m.seconds_since_scale == () { … }".into(),
            ),
            Self::Few { name, p, n } => {
                let call = call(name, p, n);
                let fact = format!("with fewer than {n} measurements `{call}` is `()`");
                (fact, format!("m.history.{call} ?? 0.0"), format!("if m.history.len() >= {n} {{ … }}"))
            }
            Self::Failed { name, p, n } => {
                let call = call(name, p, n);
                let fact = format!("where one of the newest {n} measurements failed `{call}` is `()`");
                (fact, format!("m.history.{call} ?? 0.0"), format!("if m.history.{call} == () {{ … }}"))
            }
        }
    }
}

const ORDERING: &[&str] = &["<", "<=", ">", ">="];
const CALCULATING: &[&str] = &["+", "-", "*", "/", "%", "**"];

/// Registers the operators.
pub(super) fn register(engine: &mut Engine) {
    for operator in ORDERING.iter().chain(CALCULATING).copied() {
        engine.register_fn(operator, move |(): (), (): ()| refuse(operator));
        both::<i64>(engine, operator);
        both::<f64>(engine, operator);
    }
    // `m.value == ()` must go on working: only the missing value on the left of a number is refused.
    for operator in ["==", "!="] {
        engine.register_fn(operator, move |(): (), _: i64| refuse(operator));
        engine.register_fn(operator, move |(): (), _: f64| refuse(operator));
    }
}

fn both<T: Clone + Send + Sync + 'static>(engine: &mut Engine, operator: &'static str) {
    engine.register_fn(operator, move |(): (), _: T| refuse(operator));
    engine.register_fn(operator, move |_: T, (): ()| refuse(operator));
}

fn refuse(operator: &str) -> Answered<Dynamic> {
    let verb = if CALCULATING.contains(&operator) { "calculates with" } else { "compares" };
    let known: Vec<_> = context::missing().into_iter().map(Missing::words).collect();
    let facts: Vec<&str> = known.iter().map(|(fact, ..)| fact.as_str()).collect();
    let facts = if facts.is_empty() { String::new() } else { format!("{}; ", facts.join(", ")) };
    if let Some((fact, given, _)) = known.first()
        && given.is_empty()
    {
        // A stand-in would hide what is wrong for ever.
        let message = format!("`{operator}` {verb} a value that is missing, `()`");
        return Err(complaint(message, Some(fact.clone()), rhai::Position::NONE));
    }
    let (given, asked) =
        known.first().map_or(("m.value ?? 0.0", "if m.value == () { … }"), |(_, given, asked)| (given, asked));
    let help = format!("{facts}give it a value, as in `{given}` or `(this.n ?? 0) + 1`, or ask first: `{asked}`");
    Err(missing_value(format!("`{operator}` {verb} a value that is missing, `()`"), help))
}
