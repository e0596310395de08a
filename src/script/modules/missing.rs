//! Owns what a missing value may take part in: nothing. Ordering or calculating with `()` is an error
//! with its place, where the language would say "false" or join texts.

use rhai::{Dynamic, Engine};

use super::Answered;
use crate::script::diagnose::complaint;

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
    let help = "give it a value, as in `m.value ?? 0.0` or `(this.n ?? 0) + 1`, or ask first: `if m.value == () { … }`";
    Err(complaint(
        format!("`{operator}` {verb} a value that is missing, `()`"),
        Some(help.into()),
        rhai::Position::NONE,
    ))
}
