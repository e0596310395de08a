//! Owns ordering a number with what is none: an error with its place, where the language would say "false".
//! What is missing is of `missing`.

use std::sync::{Arc, OnceLock};

use rhai::{Array, Dynamic, Engine, ImmutableString, Map, Module, Position, Shared};

use super::Answered;
use super::history::HistoryValue;
use super::moment::NowValue;
use crate::script::diagnose::complaint;

/// Registers the operators, made once per process: they are the same for every script.
pub(super) fn register(engine: &mut Engine) {
    static OPERATORS: OnceLock<Shared<Module>> = OnceLock::new();
    engine.register_global_module(Arc::clone(OPERATORS.get_or_init(|| {
        let mut module = Module::new();
        for operator in ["<", "<=", ">", ">="] {
            both::<i64>(&mut module, operator);
            both::<f64>(&mut module, operator);
        }
        module.build_index();
        module.into()
    })));
}

/// A number of the type `N` with everything that is none.
fn both<N: Clone + Send + Sync + 'static>(module: &mut Module, operator: &'static str) {
    pair::<N, ImmutableString>(module, operator, "a text");
    pair::<N, bool>(module, operator, "`true` or `false`");
    pair::<N, Array>(module, operator, "an array");
    pair::<N, Map>(module, operator, "a map");
    pair::<N, HistoryValue>(module, operator, "a history");
    pair::<N, NowValue>(module, operator, "a time");
}

fn pair<N, O>(module: &mut Module, operator: &'static str, other: &'static str)
where
    N: Clone + Send + Sync + 'static,
    O: Clone + Send + Sync + 'static,
{
    module.set_native_fn(operator, move |_: N, _: O| refuse(operator, "a number", other));
    module.set_native_fn(operator, move |_: O, _: N| refuse(operator, other, "a number"));
}

fn refuse(operator: &str, left: &str, right: &str) -> Answered<Dynamic> {
    let help = match (left, right) {
        ("a text", _) | (_, "a text") => "write the number without quotes, or make one of it: `parse_float(text)`",
        ("a history", _) | (_, "a history") => "take a value of it, as in `m.history.average(3) ?? 0.0`",
        ("a time", _) | (_, "a time") => "take a part of it, as in `m.now.hour`",
        _ => "take a number of it",
    };
    let message = format!("`{operator}` compares {left} with {right}");
    Err(complaint(message, Some(help.into()), Position::NONE))
}
