//! Owns `stats::`: statistics of arrays and histories. `()` where there is no value at all; a missing
//! value among them is an error, never skipped.

pub(super) mod forecast;
pub(super) mod outlook;
pub(super) mod steady;
pub(super) mod waiting;

use rhai::{Array, Dynamic, Engine, Module, Position};

use super::history::HistoryValue;
use super::{Answered, expected, number, optional};
use crate::script::diagnose::complaint;
use crate::script::entry::{Entry, Form, Parameter, Stands, deciding, takes};

/// What is registered here.
pub(super) static DOCS: &[Entry] = &[
    Entry {
        form: Form::Member("stats"),
        name: "mean",
        parameters: &[takes("of", "History | Array")],
        gives: "float | ()",
        doc: "The mean of all values. `()` where there is none; a missing value among them is an error.",
        stands: Stands::Anywhere,
        example: deciding("if stats::mean(m.history) > 1000 { up(1) }"),
    },
    Entry {
        form: Form::Member("stats"),
        name: "min",
        parameters: &[takes("of", "History | Array")],
        gives: "float | ()",
        doc: "The smallest value. `()` where there is none; a missing value among them is an error.",
        stands: Stands::Anywhere,
        example: deciding("to(stats::min([3, m.dynos + 1]))"),
    },
    Entry {
        form: Form::Member("stats"),
        name: "max",
        parameters: &[takes("of", "History | Array")],
        gives: "float | ()",
        doc: "The largest value. `()` where there is none; a missing value among them is an error.",
        stands: Stands::Anywhere,
        example: deciding("to(stats::max([2, m.value / 100]))"),
    },
    Entry {
        form: Form::Member("stats"),
        name: "median",
        parameters: &[takes("of", "History | Array")],
        gives: "float | ()",
        doc: "The middle value, or the mean of the two in the middle. `()` where there is none; a missing value among them is an error.",
        stands: Stands::Anywhere,
        example: deciding("if stats::median(m.history) > 1000 { up(1) }"),
    },
    Entry {
        form: Form::Member("stats"),
        name: "percentile",
        parameters: &[takes("of", "History | Array"), takes("p", "int | float")],
        gives: "float | ()",
        doc: "The value that p % (0 to 100) of all values do not exceed (nearest rank). `()` where there is none.",
        stands: Stands::Anywhere,
        example: deciding("if stats::percentile(m.history, 90) > 1000 { up(1) }"),
    },
    Entry {
        form: Form::Member("stats"),
        name: "rolling_max",
        parameters: ROLLING,
        gives: "Array",
        doc: "Notes a value at a time (in whole seconds, never going back) in a window kept in `this`, and forgets what is so old. The largest value of the window is `[1]`; begin with `[]`.",
        stands: Stands::Anywhere,
        example: deciding(
            r"this.wanted = stats::rolling_max(this.wanted ?? [], m.now.timestamp, m.value / 100, 300);
to(this.wanted[1])",
        ),
    },
    Entry {
        form: Form::Member("stats"),
        name: "rolling_min",
        parameters: ROLLING,
        gives: "Array",
        doc: "As `stats::rolling_max`, for the smallest value.",
        stands: Stands::Anywhere,
        example: deciding(
            r"this.load = stats::rolling_min(this.load ?? [], m.now.timestamp, m.value, 600);
if this.load[1] > 1000 { up(1) }",
        ),
    },
];

/// What the rolling ones take.
const ROLLING: &[Parameter] =
    &[takes("window", "Array"), takes("at", "int"), takes("value", "int | float"), takes("seconds", "int | float")];

/// Registers the module.
pub(super) fn register(engine: &mut Engine) {
    let mut module = Module::new();
    of_values(&mut module, "mean", |values| mean(values));
    of_values(&mut module, "min", |values| values.iter().copied().reduce(f64::min));
    of_values(&mut module, "max", |values| values.iter().copied().reduce(f64::max));
    of_values(&mut module, "median", median);
    module.set_native_fn("percentile", |of: Dynamic, p: Dynamic| -> Answered<Dynamic> {
        let p = number("`stats::percentile`", &p)?;
        if !(0.0..=100.0).contains(&p) {
            return Err(complaint(format!("`stats::percentile` takes 0 to 100, not {p}"), None, Position::NONE));
        }
        Ok(optional(percentile(&mut values("`stats::percentile`", &of)?, p)))
    });
    for (name, sign) in [("rolling_max", 1.0), ("rolling_min", -1.0)] {
        // Found at once, where any value is tried type by type.
        module.set_native_fn(name, move |window: Array, at: i64, value: i64, seconds: i64| {
            let (window, at, value) = (Dynamic::from_array(window), at.into(), value.into());
            rolled(&format!("`stats::{name}`"), &window, &at, value, &seconds.into(), sign)
        });
        module.set_native_fn(name, move |window: Dynamic, at: Dynamic, value: Dynamic, seconds: Dynamic| {
            rolled(&format!("`stats::{name}`"), &window, &at, value, &seconds, sign)
        });
    }
    forecast::add(&mut module);
    outlook::add(&mut module);
    steady::add(&mut module);
    waiting::add(&mut module);
    engine.register_static_module("stats", module.into());
}

fn of_values(module: &mut Module, name: &'static str, statistic: fn(&mut [f64]) -> Option<f64>) {
    module.set_native_fn(name, move |of: Dynamic| -> Answered<Dynamic> {
        Ok(optional(statistic(&mut values(&format!("`stats::{name}`"), &of)?)))
    });
}

fn values(what: &str, of: &Dynamic) -> Answered<Vec<f64>> {
    let items = match (of.read_lock::<HistoryValue>(), of.read_lock::<Array>()) {
        (Some(history), _) => history.values(),
        (_, Some(items)) => items.clone(),
        _ => return Err(expected(what, "an array or a history", of)),
    };
    items.iter().map(|item| number(what, item)).collect()
}

/// `window` with `value` noted: times and values in turn, only those that can still be the extreme of what is
/// younger than `seconds`, which is the first of them.
fn rolled(what: &str, window: &Dynamic, at: &Dynamic, value: Dynamic, seconds: &Dynamic, sign: f64) -> Answered<Array> {
    let Some(before) = window.read_lock::<Array>() else { return Err(expected(what, "an array", window)) };
    let (since, newest) = (number(what, at)? - number(what, seconds)?, sign * number(what, &value)?);
    let mut rolled = Array::with_capacity(before.len() + 2);
    for pair in before.chunks_exact(2) {
        if number(what, &pair[0])? > since && sign * number(what, &pair[1])? > newest {
            rolled.extend_from_slice(pair);
        }
    }
    rolled.push(at.clone());
    rolled.push(value);
    Ok(rolled)
}

#[allow(clippy::cast_precision_loss)]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The middle one, or the mean of the two in the middle.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[middle - 1], upper) })
}

/// The smallest value that at least `p` % do not exceed (nearest rank).
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn percentile(values: &mut [f64], p: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let rank = (p / 100.0 * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_is_the_mean_of_the_middle_two() {
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&mut [9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median(&mut []), None);
    }

    #[test]
    fn a_rolling_window_keeps_what_can_still_be_its_largest() {
        let mut window = Dynamic::from_array(Array::new());
        let mut largest = Vec::new();
        for (at, value) in [(0, 5), (15, 3), (30, 4), (60, 1), (75, 1), (90, 2), (200, 0)] {
            let rolled = rolled("test", &window, &at.into(), value.into(), &60.into(), 1.0).unwrap();
            largest.push((rolled[1].as_int().unwrap(), rolled.len() / 2));
            window = Dynamic::from_array(rolled);
        }
        assert_eq!(largest, [(5, 1), (5, 2), (5, 2), (4, 2), (4, 2), (2, 1), (0, 1)]);
        assert!(rolled("test", &"x".into(), &0.into(), 1.into(), &60.into(), 1.0).is_err());
    }

    #[test]
    fn percentiles_are_nearest_rank() {
        let mut values = [15.0, 20.0, 35.0, 40.0, 50.0];
        assert_eq!(percentile(&mut values, 30.0), Some(20.0));
        assert_eq!(percentile(&mut values, 0.0), Some(15.0));
        assert_eq!(percentile(&mut values, 100.0), Some(50.0));
    }
}
