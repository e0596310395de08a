//! Owns histories in scripts: statistics that are `()` where they cannot be told, counts, elements.

use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, Position};

use super::missing::Missing;
use super::{Answered, number, optional, whole};
use crate::pipeline::History;
use crate::script::context;
use crate::script::diagnose::complaint;
use crate::script::entry::{Entry, Form, Stands, deciding, property, takes};

/// `m.history`, `m.past`: values, oldest first; a failed measurement is `()`.
#[derive(Clone, Debug)]
pub(in crate::script) struct HistoryValue(pub(in crate::script) Arc<History>);

impl HistoryValue {
    /// The values, oldest first.
    pub(super) fn values(&self) -> Array {
        self.0.iter().map(|measurement| optional(measurement.value)).collect()
    }
}

impl IntoIterator for HistoryValue {
    type Item = Dynamic;
    type IntoIter = std::vec::IntoIter<Dynamic>;

    fn into_iter(self) -> Self::IntoIter {
        self.values().into_iter()
    }
}

/// What is registered here.
pub(super) static DOCS: &[Entry] = &[
    Entry {
        form: Form::Method("History"),
        name: "average",
        parameters: &[takes("n", "int")],
        gives: "float | ()",
        doc: "The mean of the newest n values; `()` when fewer are there or one of them failed.",
        stands: Stands::Deciding,
        example: deciding(
            r#"let mean = m.history.average(3);
if mean == () { hold("too few values") } else if mean > 1000 { up(1) }"#,
        ),
    },
    Entry {
        form: Form::Method("History"),
        name: "max",
        parameters: &[takes("n", "int")],
        gives: "float | ()",
        doc: "The largest of the newest n values; `()` as for `average`.",
        stands: Stands::Deciding,
        example: deciding("if (m.history.max(3) ?? 0.0) > 2000 { up(2) }"),
    },
    Entry {
        form: Form::Method("History"),
        name: "min",
        parameters: &[takes("n", "int")],
        gives: "float | ()",
        doc: "The smallest of the newest n values; `()` as for `average`.",
        stands: Stands::Deciding,
        example: deciding("if (m.history.min(3) ?? 0.0) > 1000 { up(1) }"),
    },
    Entry {
        form: Form::Method("History"),
        name: "slope",
        parameters: &[takes("n", "int")],
        gives: "float | ()",
        doc: "How fast the newest n values grow, per second (least squares); `()` as for `average`.",
        stands: Stands::Deciding,
        example: deciding(r#"if (m.history.slope(3) ?? 0.0) > 10 { up(1).because("it grows") }"#),
    },
    Entry {
        form: Form::Method("History"),
        name: "percentile",
        parameters: &[takes("p", "int | float"), takes("n", "int")],
        gives: "float | ()",
        doc: "The value that p % (0 to 100) of the newest n values do not exceed (nearest rank); `()` as for `average`.",
        stands: Stands::Deciding,
        example: deciding("if (m.history.percentile(95, 3) ?? 0.0) > 1000 { up(1) }"),
    },
    Entry {
        form: Form::Method("History"),
        name: "consecutive_above",
        parameters: &[takes("x", "int | float")],
        gives: "int",
        doc: "How many of the newest values in a row are above x.",
        stands: Stands::Deciding,
        example: deciding("if m.history.consecutive_above(1000) >= 3 { up(1) }"),
    },
    Entry {
        form: Form::Method("History"),
        name: "consecutive_below",
        parameters: &[takes("x", "int | float")],
        gives: "int",
        doc: "How many of the newest values in a row are below x.",
        stands: Stands::Deciding,
        example: deciding("if m.history.consecutive_below(200) >= 5 { down(1) }"),
    },
    Entry {
        form: Form::Method("History"),
        name: "len",
        parameters: &[],
        gives: "int",
        doc: "How many measurements there are, failed ones included.",
        stands: Stands::Deciding,
        example: deciding(r#"if m.past.len() < 10 { hold("just started") }"#),
    },
    property(
        "History",
        "len",
        "int",
        "The same as `len()`.",
        Stands::Deciding,
        deciding(r#"if m.past.len < 10 { hold("just started") }"#),
    ),
    Entry {
        form: Form::Method("History"),
        name: "is_empty",
        parameters: &[],
        gives: "bool",
        doc: "Whether there is none.",
        stands: Stands::Deciding,
        example: deciding(r#"if m.history.is_empty() { hold("nothing yet") }"#),
    },
    Entry {
        form: Form::Method("History"),
        name: "to_array",
        parameters: &[],
        gives: "Array",
        doc: "The values, oldest first; a failed one is `()`.",
        stands: Stands::Deciding,
        example: deciding(
            r"let busy = m.history.to_array().filter(|value| (value ?? 0.0) > 200);
if busy.len() > 1 { up(1) }",
        ),
    },
    Entry {
        form: Form::Index("History"),
        name: "",
        parameters: &[takes("at", "int")],
        gives: "float | ()",
        doc: "The value at a position: 0 is the oldest, -1 the newest. A `for` loop runs over all of them, oldest first.",
        stands: Stands::Deciding,
        example: deciding(
            r"let sum = 0.0;
for value in m.history { sum += value ?? 0.0; }
if m.history[-1] > m.history[0] && sum > 100 { up(1) }",
        ),
    },
];

/// Registers the type.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<HistoryValue>("a history");
    engine.register_iterator::<HistoryValue>();
    newest(engine, "average", History::average);
    newest(engine, "max", History::max);
    newest(engine, "min", History::min);
    newest(engine, "slope", History::slope);
    engine.register_fn("percentile", |history: &mut HistoryValue, p: Dynamic, n: Dynamic| -> Answered<Dynamic> {
        let p = number("`percentile`", &p)?;
        if !(0.0..=100.0).contains(&p) {
            return Err(complaint(format!("`percentile` takes 0 to 100, not {p}"), None, Position::NONE));
        }
        let n = whole("`percentile`", 1.0, &n)?;
        Ok(noted(history, ("percentile", Some(p), n), history.0.percentile(p, n)))
    });
    row(engine, "consecutive_above", History::consecutive_above);
    row(engine, "consecutive_below", History::consecutive_below);
    engine.register_fn("len", |history: &mut HistoryValue| count(history.0.len()));
    engine.register_get("len", |history: &mut HistoryValue| count(history.0.len()));
    engine.register_fn("is_empty", |history: &mut HistoryValue| history.0.is_empty());
    engine.register_fn("to_array", |history: &mut HistoryValue| history.values());
    engine.register_indexer_get(element);
    engine.register_fn("to_string", |history: &mut HistoryValue| shown(history));
    engine.register_fn("to_debug", |history: &mut HistoryValue| shown(history));
}

fn newest(engine: &mut Engine, name: &'static str, read: fn(&History, usize) -> Option<f64>) {
    engine.register_fn(name, move |history: &mut HistoryValue, n: Dynamic| -> Answered<Dynamic> {
        let n = whole(&format!("`{name}`"), 1.0, &n)?;
        Ok(noted(history, (name, None, n), read(&history.0, n)))
    });
}

/// `value`; where it is missing, why is noted.
fn noted(history: &HistoryValue, (name, p, n): (&'static str, Option<f64>, usize), value: Option<f64>) -> Dynamic {
    if value.is_none() {
        let few = n > history.0.len();
        context::note_missing(if few { Missing::Few { name, p, n } } else { Missing::Failed { name, p, n } });
    }
    optional(value)
}

fn row(engine: &mut Engine, name: &'static str, read: fn(&History, f64) -> usize) {
    engine.register_fn(name, move |history: &mut HistoryValue, x: Dynamic| -> Answered<i64> {
        Ok(count(read(&history.0, number(&format!("`{name}`"), &x)?)))
    });
}

/// `history[0]` is the oldest, `history[-1]` the newest.
fn element(history: &mut HistoryValue, at: i64) -> Answered<Dynamic> {
    let length = count(history.0.len());
    let from_start = if at < 0 { length + at } else { at };
    let measurement = usize::try_from(from_start).ok().and_then(|at| history.0.iter().nth(at));
    measurement.map(|measurement| optional(measurement.value)).ok_or_else(|| {
        let help = "ask `len()` first, or use `average(n)`, which is `()` where values are missing";
        complaint(format!("the history has {length} values, and none at {at}"), Some(help.into()), Position::NONE)
    })
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn shown(history: &HistoryValue) -> String {
    let values = history.0.iter().map(|measurement| measurement.value.map_or("()".into(), |value| value.to_string()));
    format!("[{}]", values.collect::<Vec<_>>().join(", "))
}
