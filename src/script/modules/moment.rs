//! Owns `m`, what a decision is called with, and `m.now`. Unknown properties are errors.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::Tz;
use rhai::{Dynamic, Engine};

use super::history::HistoryValue;
use super::optional;
use crate::pipeline::Moment;
use crate::script::context;
use crate::script::convert::from_json;

/// The type's name in messages.
pub(in crate::script) const NAME: &str = "the moment `m`";

/// Its properties.
pub(in crate::script) const PROPERTIES: &[&str] = &[
    "value",
    "data",
    "success",
    "error",
    "history",
    "past",
    "dynos",
    "min_dynos",
    "max_dynos",
    "now",
    "seconds_since_scale",
    "pipeline",
];

/// The time's name in messages.
pub(in crate::script) const NOW: &str = "a time";

/// Its properties: `weekday` counts from 1, Monday, to 7; `timestamp` is seconds since 1970.
pub(in crate::script) const NOW_PROPERTIES: &[&str] =
    &["year", "month", "day", "hour", "minute", "second", "weekday", "weekday_name", "timestamp"];

/// `m`.
#[derive(Clone, Debug)]
pub(in crate::script) struct MomentValue(pub(in crate::script) Arc<Moment>);

/// `m.now`.
#[derive(Clone, Debug)]
pub(in crate::script) struct NowValue(pub(in crate::script) DateTime<Tz>);

/// Registers both types.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<MomentValue>(NAME);
    let mut get = |name: &str, read: fn(&Moment) -> Dynamic| {
        engine.register_get(name, move |moment: &mut MomentValue| read(&moment.0));
    };
    get("value", |m| optional(m.measurement.value));
    get("data", |m| {
        // Nobody knows what will be measured.
        context::end_trial();
        from_json(&m.measurement.data)
    });
    get("success", |m| m.measurement.success.into());
    get("error", |m| optional(m.measurement.failure.as_ref().map(|failure| failure.message.clone())));
    get("history", |m| Dynamic::from(HistoryValue(Arc::clone(&m.history))));
    get("past", |m| Dynamic::from(HistoryValue(Arc::clone(&m.past))));
    get("dynos", |m| i64::from(m.dynos).into());
    get("min_dynos", |m| i64::from(m.min_dynos).into());
    get("max_dynos", |m| i64::from(m.max_dynos).into());
    get("now", |m| Dynamic::from(NowValue(m.now)));
    get("seconds_since_scale", |m| optional(m.seconds_since_scale));
    get("pipeline", |m| m.pipeline.to_string().into());
    now(engine);
}

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
