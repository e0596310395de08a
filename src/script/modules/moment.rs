//! Owns `m`, what a decision is called with, and `m.now`. Unknown properties are errors.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::Tz;
use rhai::{Dynamic, Engine, Position};
use serde_json::Value as Json;

use super::history::HistoryValue;
use super::missing::Missing;
use super::named::{self, MeasurementsValue, ValuesValue};
use super::{Answered, optional};
use crate::pipeline::{Measurement, Moment};
use crate::script::context;
use crate::script::convert::from_json;
use crate::script::diagnose::complaint;
use crate::script::entry::{Entry, Form, Stands, deciding, property, script, takes};

/// The type's name in messages.
pub(in crate::script) const NAME: &str = "the moment `m`";

/// The time's name in messages.
pub(in crate::script) const NOW: &str = "a time";

/// The least and the most that properties of a time are.
pub(in crate::script) const RANGES: &[(&str, (i64, i64))] = &[
    ("month", (1, 12)),
    ("day", (1, 31)),
    ("hour", (0, 23)),
    ("minute", (0, 59)),
    ("second", (0, 59)),
    ("weekday", (1, 7)),
];

/// What `weekday_name` is, Monday first.
pub(in crate::script) const WEEKDAYS: &[&str] =
    &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// `m`.
#[derive(Clone, Debug)]
pub(in crate::script) struct MomentValue(pub(in crate::script) Arc<Moment>);

/// `m.now`.
#[derive(Clone, Debug)]
pub(in crate::script) struct NowValue(pub(in crate::script) DateTime<Tz>);

/// What is registered here.
pub(super) static DOCS: &[Entry] = &[
    property(
        "Moment",
        "value",
        "float | ()",
        "The number that was measured. Ordering or calculating with a missing one is an error; `m.value ?? 0.0` is fine.",
        Stands::Deciding,
        deciding("if m.value > 1000 { up(1) }"),
    ),
    property(
        "Moment",
        "values",
        "Values",
        "The numbers of several measurements, by name: `m.values.latency`.",
        Stands::Deciding,
        script(
            r#"pipeline("web", #{
    measure: #{ latency: || 250, queue: || 40 },
    decide: |m| if m.values.latency > 1000 || m.values.queue > 100 { up(1) } else { hold(`${m.values}`) },
    scale: #{ current: || 2, scale_to: |n| () },
});"#,
        ),
    ),
    property(
        "Moment",
        "measurements",
        "Measurements",
        "Several measurements, by name, each with its value, history and age.",
        Stands::Deciding,
        script(
            r#"pipeline("web", #{
    measure: #{ latency: || 250, queue: || 40 },
    decide: |m| if m.measurements.latency.history.consecutive_above(1000) >= 3 { up(1) },
    scale: #{ current: || 2, scale_to: |n| () },
});"#,
        ),
    ),
    property(
        "Moment",
        "data",
        "?",
        "What was measured, as it came: a number, a text, an array or a map.",
        Stands::Deciding,
        deciding(r#"if type_of(m.data) == "map" && m.data.waiting > 10 { up(1) }"#),
    ),
    Entry {
        form: Form::Method("Moment"),
        name: "reading",
        parameters: &[takes("name", "String")],
        gives: "float | ()",
        doc: "The number of that name: of several measurements, or in the map that the only one answered. `()` where there is none.",
        stands: Stands::Deciding,
        example: script(
            r#"pipeline("web", #{
    measure: || #{ rate: 120, queue: 40 },
    decide: |m| to(1 + (m.reading("rate") ?? 0.0) / 50 + (m.reading("queue") ?? 0.0) / 100),
    scale: #{ current: || 2, scale_to: |n| () },
});"#,
        ),
    },
    property(
        "Moment",
        "success",
        "bool",
        "Whether it was measured; without `call_on_failure` always `true`.",
        Stands::Deciding,
        deciding(r#"if !m.success { hold("no measurement") }"#),
    ),
    property(
        "Moment",
        "error",
        "String | ()",
        "Why it was not measured.",
        Stands::Deciding,
        deciding("if m.error != () { hold(m.error) }"),
    ),
    property(
        "Moment",
        "history",
        "History",
        "The measurements that may be judged, newest last: those after the last scale and its wait.",
        Stands::Deciding,
        deciding("if m.history.consecutive_above(1000) >= 3 { up(1) }"),
    ),
    property(
        "Moment",
        "past",
        "History",
        "All measurements that are kept, newest last.",
        Stands::Deciding,
        deciding("if (m.past.slope(4) ?? 0.0) > 5 { up(1) }"),
    ),
    property(
        "Moment",
        "dynos",
        "int",
        "Dynos now.",
        Stands::Deciding,
        deciding("if m.value > 100 * m.dynos { up(1) }"),
    ),
    property(
        "Moment",
        "booting",
        "int",
        "Of `m.dynos`, those that still boot; 0 where the platform does not tell.",
        Stands::Deciding,
        deciding(r#"if m.booting > 0 && m.value > 1000 { hold("help is on its way") }"#),
    ),
    property(
        "Moment",
        "min_dynos",
        "int",
        "The lower bound now.",
        Stands::Deciding,
        deciding("if m.value < 10 { to(m.min_dynos) }"),
    ),
    property(
        "Moment",
        "max_dynos",
        "int",
        "The upper bound now.",
        Stands::Deciding,
        deciding("if m.value > 5000 { to(m.max_dynos) }"),
    ),
    property(
        "Moment",
        "now",
        "Time",
        "The tick's start in the pipeline's time zone.",
        Stands::Deciding,
        deciding("if m.now.hour >= 22 { to(1) }"),
    ),
    property(
        "Moment",
        "seconds_since_scale",
        "float | ()",
        "Seconds since the last scale; `()` before the first.",
        Stands::Deciding,
        deciding("if (m.seconds_since_scale ?? 3600.0) > 600 && m.value < 100 { down(1) }"),
    ),
    property(
        "Moment",
        "pipeline",
        "String",
        "The pipeline's name.",
        Stands::Deciding,
        deciding(r#"if m.pipeline == "web" { up(1) }"#),
    ),
    property("Time", "year", "int", "The year.", Stands::Anywhere, deciding("hold(`the year ${m.now.year}`)")),
    property(
        "Time",
        "month",
        "int",
        "1, January, to 12.",
        Stands::Anywhere,
        deciding("if m.now.month == 12 { to(m.max_dynos) }"),
    ),
    property(
        "Time",
        "day",
        "int",
        "The day of the month, from 1.",
        Stands::Anywhere,
        deciding(r#"if m.now.day == 1 { to(m.max_dynos).because("bills are sent today") }"#),
    ),
    property("Time", "hour", "int", "0 to 23.", Stands::Anywhere, deciding("if m.now.hour < 6 { to(1) }")),
    property(
        "Time",
        "minute",
        "int",
        "0 to 59.",
        Stands::Anywhere,
        deciding(r#"if m.now.hour == 8 && m.now.minute >= 50 { to(5).because("the rush is near") }"#),
    ),
    property("Time", "second", "int", "0 to 59.", Stands::Anywhere, deciding("hold(`second ${m.now.second}`)")),
    property(
        "Time",
        "weekday",
        "int",
        "1, Monday, to 7, Sunday.",
        Stands::Anywhere,
        deciding(r#"if m.now.weekday >= 6 { to(1).because("weekend") }"#),
    ),
    property(
        "Time",
        "weekday_name",
        "String",
        "`monday` to `sunday`.",
        Stands::Anywhere,
        deciding(r#"if m.now.weekday_name == "monday" { to(4) }"#),
    ),
    property(
        "Time",
        "timestamp",
        "int",
        "Seconds since 1970 (UTC).",
        Stands::Anywhere,
        deciding("hold(`${m.now.timestamp} s`)"),
    ),
];

/// Registers both types.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<MomentValue>(NAME);
    of_one(engine);
    engine.register_get("values", |moment: &mut MomentValue| ValuesValue(Arc::clone(&moment.0)));
    engine.register_get("measurements", |moment: &mut MomentValue| MeasurementsValue(Arc::clone(&moment.0)));
    engine.register_fn("reading", |moment: &mut MomentValue, name: &str| {
        // Nobody knows what will be measured.
        context::end_trial();
        optional(named_number(&moment.0, name))
    });
    let mut get = |name: &str, read: fn(&Moment) -> Dynamic| {
        engine.register_get(name, move |moment: &mut MomentValue| read(&moment.0));
    };
    get("dynos", |m| i64::from(m.dynos).into());
    get("booting", |m| i64::from(m.booting).into());
    get("min_dynos", |m| i64::from(m.min_dynos).into());
    get("max_dynos", |m| i64::from(m.max_dynos).into());
    get("now", |m| Dynamic::from(NowValue(m.now)));
    get("seconds_since_scale", |m| noted(Missing::SinceScale, m.seconds_since_scale));
    get("pipeline", |m| m.pipeline.to_string().into());
    now(engine);
}

/// The number that goes by `name`: of several measurements, or in the map of the only one.
pub(super) fn named_number(moment: &Moment, name: &str) -> Option<f64> {
    if let Some(one) = moment.named.iter().find(|one| *one.name == *name) {
        return one.measurement.value;
    }
    moment.measurement.data.get(name).filter(|_| !moment.judges_all).and_then(Json::as_f64)
}

/// Seconds since the week began, Monday at midnight, in the time's zone.
pub(super) fn of_week(now: &DateTime<Tz>) -> f64 {
    f64::from(now.weekday().num_days_from_monday()) * 86_400.0 + f64::from(now.num_seconds_from_midnight())
}

/// What is of one measurement; a decision that is shown several must say which one.
fn of_one(engine: &mut Engine) {
    let mut get = |name: &'static str, read: fn(&Moment) -> Dynamic| {
        engine.register_get(name, move |moment: &mut MomentValue| -> Answered<Dynamic> {
            let m = &moment.0;
            if m.judges_all {
                let (message, help) = named::several(name, m.named.iter().map(|one| &*one.name));
                return Err(complaint(message, Some(help), Position::NONE));
            }
            Ok(read(m))
        });
    };
    get("data", |m| {
        // Nobody knows what will be measured.
        context::end_trial();
        from_json(&m.measurement.data)
    });
    get("success", |m| m.measurement.success.into());
    get("error", |m| optional(m.measurement.failure.as_ref().map(|failure| failure.message.clone())));
    get("history", |m| Dynamic::from(HistoryValue(Arc::clone(&m.history))));
    get("past", |m| Dynamic::from(HistoryValue(Arc::clone(&m.past))));
    engine.register_get("value", |moment: &mut MomentValue| -> Answered<Dynamic> {
        let m = &moment.0;
        if m.judges_all {
            let (message, help) = named::several("value", m.named.iter().map(|one| &*one.name));
            return Err(complaint(message, Some(help), Position::NONE));
        }
        value_of(&m.measurement)
    });
}

/// The value of `measurement`, `()` where it failed. One that succeeded without a number is an error, whatever
/// stands behind it: `?? 0.0` would make a zero of it.
pub(super) fn value_of(measurement: &Measurement) -> Answered<Dynamic> {
    let what = unmeasured(measurement);
    if let (None, true, Missing::NoNumber(measured)) = (measurement.value, measurement.success, what) {
        let message = format!("`m.value` is no number: {measured} was measured");
        let help = "answer a number in `measure`, or read `m.data`".to_owned();
        return Err(complaint(message, Some(help), Position::NONE));
    }
    Ok(noted(what, measurement.value))
}

/// Why the value of `measurement` is missing, if it is.
fn unmeasured(measurement: &Measurement) -> Missing {
    match &measurement.data {
        Json::Bool(_) => Missing::NoNumber("`true` or `false`"),
        Json::String(_) => Missing::NoNumber("a text"),
        Json::Array(_) => Missing::NoNumber("an array"),
        Json::Object(_) => Missing::NoNumber("a map"),
        Json::Null if measurement.success => Missing::NoNumber("nothing"),
        Json::Null | Json::Number(_) => Missing::Value,
    }
}

/// `value`; that it is missing is noted.
fn noted(what: Missing, value: Option<f64>) -> Dynamic {
    if value.is_none() {
        context::note_missing(what);
    }
    optional(value)
}

/// What `m.NAME` is of, if it is of one measurement.
pub(in crate::script) const OF_ONE: &[&str] = &["value", "data", "success", "error", "history", "past"];

fn now(engine: &mut Engine) {
    engine.register_type_with_name::<NowValue>(NOW);
    let mut get = |name: &str, read: fn(&DateTime<Tz>) -> i64| {
        engine.register_get(name, move |now: &mut NowValue| read(&now.0));
    };
    get("year", |now| now.year().into());
    get("month", |now| now.month().into());
    get("day", |now| now.day().into());
    get("hour", |now| now.hour().into());
    get("minute", |now| now.minute().into());
    get("second", |now| now.second().into());
    get("weekday", |now| now.weekday().number_from_monday().into());
    get("timestamp", DateTime::timestamp);
    engine.register_get("weekday_name", |now: &mut NowValue| now.0.format("%A").to_string().to_lowercase());
    engine.register_fn("to_string", |now: &mut NowValue| now.0.to_rfc3339());
    engine.register_fn("to_debug", |now: &mut NowValue| now.0.to_rfc3339());
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    #[test]
    fn times_keep_within_their_ranges_and_reach_both_ends() {
        let mut engine = Engine::new();
        register(&mut engine);
        let mut seen: Vec<(i64, i64)> = vec![(i64::MAX, i64::MIN); RANGES.len()];
        let mut names = Vec::new();
        // Steps of 25 h, 61 min and 61 s come by every value.
        for step in 0..400_i64 {
            let time = Tz::UTC.timestamp_opt(1_767_225_600 + step * (25 * 3600 + 61 * 60 + 61), 0).single();
            let now = NowValue(time.expect("a time"));
            let mut scope = rhai::Scope::new();
            scope.push("now", now);
            for (at, (name, _)) in RANGES.iter().enumerate() {
                let value: i64 = engine.eval_with_scope(&mut scope, &format!("now.{name}")).expect("a number");
                seen[at] = (seen[at].0.min(value), seen[at].1.max(value));
            }
            names.push(engine.eval_with_scope::<String>(&mut scope, "now.weekday_name").expect("a text"));
        }
        assert_eq!(seen, RANGES.iter().map(|(_, range)| *range).collect::<Vec<_>>());
        assert!(names.iter().all(|name| WEEKDAYS.contains(&name.as_str())));
        assert!(WEEKDAYS.iter().all(|name| names.iter().any(|known| known == name)));
    }
}
