//! Owns `m.values` and `m.measurements`: what a decision sees of several measurements, by name. An unknown
//! name is an error, a missing value is `()`.

use std::sync::Arc;

use rhai::{Dynamic, Engine, Position};

use super::history::HistoryValue;
use super::{Answered, optional};
use crate::pipeline::{Moment, NamedMeasurement};
use crate::script::context;
use crate::script::convert::from_json;
use crate::script::diagnose::complaint;
use crate::script::entry::{Entry, Form, Stands, property, script, takes};
use crate::settings::did_you_mean;

/// The types' names in messages.
pub(in crate::script) const VALUES: &str = "`m.values`";
pub(in crate::script) const MEASUREMENTS: &str = "`m.measurements`";
pub(in crate::script) const MEASUREMENT: &str = "a measurement";

/// `m.values`.
#[derive(Clone)]
pub(in crate::script) struct ValuesValue(pub(super) Arc<Moment>);

/// `m.measurements`.
#[derive(Clone)]
pub(in crate::script) struct MeasurementsValue(pub(super) Arc<Moment>);

/// `m.measurements.NAME`.
#[derive(Clone)]
pub(in crate::script) struct MeasurementValue {
    moment: Arc<Moment>,
    at: usize,
}

/// A pipeline with two measurements.
macro_rules! of_two {
    ($body:literal) => {
        script(concat!(
            "pipeline(\"web\", #{\n    measure: #{ latency: || 250, queue: || 40 },\n    decide: |m| {\n        ",
            $body,
            "\n    },\n    scale: #{ current: || 2, scale_to: |n| () },\n    max_dynos: 5,\n});"
        ))
    };
}

/// What is registered here.
pub(super) static DOCS: &[Entry] = &[
    Entry {
        form: Form::Index("Values"),
        name: "",
        parameters: &[takes("name", "String")],
        gives: "float | ()",
        doc: "The number that was measured under a name, written `m.values.latency`; `()` where it failed. A name that `measure` does not have is an error.",
        stands: Stands::Deciding,
        example: of_two!("if m.values.latency > 1000 || m.values.queue > 100 { up(1) }"),
    },
    Entry {
        form: Form::Index("Measurements"),
        name: "",
        parameters: &[takes("name", "String")],
        gives: "Measurement",
        doc: "The measurement under a name, written `m.measurements.queue`.",
        stands: Stands::Deciding,
        example: of_two!("if m.measurements.queue.success { up(1) }"),
    },
    property(
        "Measurement",
        "value",
        "float | ()",
        "The number that was measured; `()` where it failed.",
        Stands::Deciding,
        of_two!("if (m.measurements.latency.value ?? 0.0) > 1000 { up(1) }"),
    ),
    property(
        "Measurement",
        "data",
        "?",
        "What was measured, as it came.",
        Stands::Deciding,
        of_two!("if m.measurements.queue.data == 40 { up(1) }"),
    ),
    property(
        "Measurement",
        "success",
        "bool",
        "Whether it was measured.",
        Stands::Deciding,
        of_two!("if !m.measurements.queue.success { hold(\"the queue is not known\") }"),
    ),
    property(
        "Measurement",
        "error",
        "String | ()",
        "Why it was not measured.",
        Stands::Deciding,
        of_two!("if m.measurements.queue.error != () { hold(m.measurements.queue.error) }"),
    ),
    property(
        "Measurement",
        "history",
        "History",
        "The measurements of this name that may be judged, newest last: those after the last scale and its wait.",
        Stands::Deciding,
        of_two!("if m.measurements.latency.history.consecutive_above(1000) >= 3 { up(1) }"),
    ),
    property(
        "Measurement",
        "past",
        "History",
        "All measurements of this name that are kept, newest last.",
        Stands::Deciding,
        of_two!("if (m.measurements.queue.past.slope(4) ?? 0.0) > 5 { up(1) }"),
    ),
    property(
        "Measurement",
        "age_seconds",
        "float",
        "Seconds since it was measured: a measurement with an interval longer than the others' is not of this tick.",
        Stands::Deciding,
        of_two!("if m.measurements.queue.age_seconds < 120 && m.values.queue > 100 { up(1) }"),
    ),
];

/// Registers the types.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<ValuesValue>(VALUES);
    engine.register_type_with_name::<MeasurementsValue>(MEASUREMENTS);
    engine.register_type_with_name::<MeasurementValue>(MEASUREMENT);
    engine.register_indexer_get(|values: &mut ValuesValue, name: &str| -> Answered<Dynamic> {
        find(&values.0, VALUES, name).and_then(|at| super::moment::value_of(&values.0.named[at].measurement))
    });
    engine.register_indexer_get(|all: &mut MeasurementsValue, name: &str| -> Answered<MeasurementValue> {
        find(&all.0, MEASUREMENTS, name).map(|at| MeasurementValue { moment: Arc::clone(&all.0), at })
    });
    engine.register_fn("to_string", |values: &mut ValuesValue| shown(&values.0));
    engine.register_fn("to_debug", |values: &mut ValuesValue| shown(&values.0));
    engine.register_get("value", |one: &mut MeasurementValue| -> Answered<Dynamic> {
        super::moment::value_of(&one.moment.named[one.at].measurement)
    });
    let mut get = |name: &str, read: fn(&Moment, &NamedMeasurement) -> Dynamic| {
        engine.register_get(name, move |one: &mut MeasurementValue| read(&one.moment, &one.moment.named[one.at]));
    };
    get("data", |_, one| {
        // Nobody knows what will be measured.
        context::end_trial();
        from_json(&one.measurement.data)
    });
    get("success", |_, one| one.measurement.success.into());
    get("error", |_, one| optional(one.measurement.failure.as_ref().map(|failure| failure.message.clone())));
    get("history", |moment, one| {
        let history = match moment.mark {
            Some(mark) => Arc::new(one.past.since(Some(mark))),
            None => Arc::clone(&one.past),
        };
        Dynamic::from(HistoryValue(history))
    });
    get("past", |_, one| Dynamic::from(HistoryValue(Arc::clone(&one.past))));
    #[allow(clippy::cast_precision_loss)]
    get("age_seconds", |moment, one| {
        let age = moment.now.to_utc() - one.measurement.at;
        (age.num_milliseconds().max(0) as f64 / 1000.0).into()
    });
}

fn find(moment: &Moment, what: &str, name: &str) -> Answered<usize> {
    moment.named.iter().position(|one| *one.name == *name).ok_or_else(|| {
        let (message, help) = unknown(what, name, moment.named.iter().map(|one| &*one.name));
        complaint(message, Some(help), Position::NONE)
    })
}

/// What is said of a name that `measure` does not have.
pub(in crate::script) fn unknown<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> (String, String) {
    let names: Vec<String> = known.clone().map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        let message = format!("{what} has no `{name}`: the pipeline's one measurement has no name");
        return (message, "write `m.value`, or name it: `measure: #{ latency: … }`".into());
    }
    let help = did_you_mean(name, known).unwrap_or_else(|| format!("`measure` names {}", names.join(", ")));
    (format!("{what} has no `{name}`"), help)
}

/// What is said of `m.value` and others, where a decision is shown several measurements.
pub(in crate::script) fn several<'a>(member: &str, names: impl Iterator<Item = &'a str>) -> (String, String) {
    let names: Vec<&str> = names.collect();
    let first = names.first().copied().unwrap_or("latency");
    let (listed, written) = (names.join(", "), if member == "value" { "values" } else { "measurements" });
    let rest = if member == "value" { String::new() } else { format!(".{member}") };
    let message = format!("`m.{member}` is of one measurement, and there are several: {listed}");
    (message, format!("write `m.{written}.{first}{rest}`"))
}

fn shown(moment: &Moment) -> String {
    let value = |one: &NamedMeasurement| {
        let value = one.measurement.value.map_or("()".into(), |value| value.to_string());
        format!("{}: {value}", one.name)
    };
    format!("#{{{}}}", moment.named.iter().map(value).collect::<Vec<_>>().join(", "))
}
