//! Owns what a script finds without importing it: one file per module or type, registered here. It
//! reaches nothing outside by itself.

pub(super) mod change;
pub(super) mod env;
pub(super) mod event;
pub(super) mod hash;
pub(super) mod history;
pub(super) mod http;
pub(super) mod log;
pub(super) mod missing;
pub(super) mod moment;
pub(super) mod options;
pub(super) mod reaching;
pub(super) mod redis;
pub(super) mod secret;
pub(super) mod stages;
pub(super) mod stats;
pub(super) mod testing;
pub(super) mod time;

use rhai::{Dynamic, Engine, EvalAltResult, NativeCallContext, Position};

use super::convert;
use super::diagnose::complaint;

/// What a native function gives.
type Answered<T> = Result<T, Box<EvalAltResult>>;

/// Our modules, for suggestions.
pub(super) const NAMES: &[&str] =
    &["measure", "decide", "scale", "notify", "env", "http", "redis", "log", "stats", "time", "hash", "options"];

/// Our functions outside of modules and the common ones of the language, for suggestions.
pub(super) const FUNCTIONS: &[&str] = &[
    "pipeline",
    "settings",
    "up",
    "down",
    "to",
    "hold",
    "print",
    "debug",
    "abs",
    "ceiling",
    "floor",
    "round",
    "min",
    "max",
    "sqrt",
    "type_of",
    "range",
    "parse_int",
    "parse_float",
    "to_json",
    "average",
    "percentile",
    "slope",
    "consecutive_above",
    "consecutive_below",
    "to_array",
    "len",
    "because",
    "map",
    "filter",
    "reduce",
    "keys",
    "values",
    "contains",
    "push",
    "to_int",
    "to_float",
    "to_string",
    "header",
    "bearer",
    "basic",
    "query",
    "json",
    "body",
    "timeout_seconds",
    "retries",
    "send",
    "text",
    "lines",
    "llen",
    "hlen",
    "scard",
    "zcard",
    "xlen",
    "hget",
    "exists",
    "ttl",
    "zscore",
    "lindex",
    "lrange",
    "under_test",
    "assert",
    "assert_eq",
    "assert_ne",
    "assert_near",
];

/// Our functions that are called as `name(…)`; all others are methods of our types.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = ["pipeline", "settings", "up", "down", "to", "hold", "print", "debug", "sleep", "timestamp", "exit"];
    plain.contains(&name) || testing::FUNCTIONS.contains(&name)
}

/// Our types as the engine and as the author know them.
pub(super) const TYPES: &[(&str, &str)] = &[
    ("MomentValue", moment::NAME),
    ("NowValue", moment::NOW),
    ("EventValue", event::NAME),
    ("HistoryValue", "a history"),
    ("ScriptSecret", "a secret"),
    ("StageNumber", "a stage"),
    ("RequestValue", http::NAME),
    ("ReplyValue", reaching::NAME),
    ("RedisServerValue", redis::NAME),
    ("Answer", "an answer such as `up(1)`"),
    ("Failed", "a failed measurement"),
    ("BenchValue", testing::NAME),
    ("Complaint", "an error"),
];

/// The properties of our types, for suggestions.
pub(super) const PROPERTIES: &[(&str, &[&str])] = &[
    (moment::NAME, moment::PROPERTIES),
    (moment::NOW, moment::NOW_PROPERTIES),
    (event::NAME, event::PROPERTIES),
    (reaching::NAME, reaching::PROPERTIES),
];

/// Registers everything.
pub(super) fn register(engine: &mut Engine) {
    missing::register(engine);
    stages::register(engine);
    change::register(engine);
    moment::register(engine);
    history::register(engine);
    event::register(engine);
    secret::register(engine);
    env::register(engine);
    log::register(engine);
    stats::register(engine);
    hash::register(engine);
    options::register(engine);
    time::register(engine);
    http::register(engine);
    reaching::register(engine);
    redis::register(engine);
    testing::register(engine);
}

/// `answer`, its error at the place of the call: the language gives none to functions of modules.
fn placed<T>(native: &NativeCallContext, answer: Answered<T>) -> Answered<T> {
    answer.map_err(|mut error| {
        if error.position().is_none() {
            error.set_position(native.call_position());
        }
        error
    })
}

/// A finite number, given as a whole one or with a fraction.
fn number(what: &str, value: &Dynamic) -> Answered<f64> {
    convert::number(value).filter(|value| value.is_finite()).ok_or_else(|| expected(what, "a number", value))
}

/// A whole number of at least `least`; 3.0 will do.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(what: &str, least: f64, value: &Dynamic) -> Answered<usize> {
    let given = convert::number(value).filter(|value| value.fract() == 0.0 && *value >= least && *value < 1e9);
    given
        .map(|value| value as usize)
        .ok_or_else(|| expected(what, &format!("a whole number of at least {least}"), value))
}

/// A text.
fn text(what: &str, value: &Dynamic) -> Answered<String> {
    value.clone().into_string().map_err(|_| expected(what, "a text", value))
}

fn expected(what: &str, expected: &str, value: &Dynamic) -> Box<EvalAltResult> {
    let shown = if value.is_int() || value.is_float() { value.to_string() } else { convert::describe(value) };
    complaint(format!("{what} takes {expected}, not {shown}"), None, Position::NONE)
}

/// `None` as nothing.
fn optional<T: Into<Dynamic>>(value: Option<T>) -> Dynamic {
    value.map_or(Dynamic::UNIT, Into::into)
}
