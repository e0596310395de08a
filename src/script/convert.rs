//! Owns the ways between script values and JSON, and from what a function returned to [`Returned`].
//! It refuses what JSON cannot hold: functions, stages, secrets.

use std::sync::Arc;

use rhai::{Dynamic, Map};
use serde_json::{Map as JsonMap, Number, Value as Json};

use super::context;
use super::limits::NESTING;
use super::modules::change::{Answer, Failed};
use super::modules::http::RequestValue;
use super::modules::secret::ScriptSecret;
use crate::function::{Change, Movement, Returned};

/// JSON as a script sees it.
pub(super) fn from_json(value: &Json) -> Dynamic {
    match value {
        Json::Null => Dynamic::UNIT,
        Json::Bool(value) => (*value).into(),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| number.as_f64().unwrap_or(f64::NAN).into(), Dynamic::from_int)
        }
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => Dynamic::from_array(items.iter().map(from_json).collect()),
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.as_str().into(), from_json(value)));
            Dynamic::from_map(entries.collect::<Map>())
        }
    }
}

/// A script value as JSON.
///
/// # Errors
/// What in it is not JSON-like, and under which key.
pub(super) fn to_json(value: &Dynamic) -> Result<Json, String> {
    json_within(value, NESTING)
}

fn json_within(value: &Dynamic, depth: usize) -> Result<Json, String> {
    let Some(depth) = depth.checked_sub(1) else { return Err(format!("values nested deeper than {NESTING}")) };
    if value.is_unit() {
        return Ok(Json::Null);
    }
    if let Ok(value) = value.as_bool() {
        return Ok(value.into());
    }
    if let Ok(value) = value.as_int() {
        return Ok(value.into());
    }
    if let Ok(value) = value.as_float() {
        return Number::from_f64(value).map(Json::Number).ok_or_else(|| format!("the number {value}"));
    }
    if let Ok(value) = value.as_char() {
        return Ok(value.to_string().into());
    }
    if let Some(text) = value.read_lock::<rhai::ImmutableString>() {
        return Ok(Json::String(text.to_string()));
    }
    if let Some(items) = value.read_lock::<rhai::Array>() {
        return items.iter().map(|item| json_within(item, depth)).collect::<Result<_, _>>().map(Json::Array);
    }
    if let Some(entries) = value.read_lock::<Map>() {
        let mut object = JsonMap::new();
        for (key, value) in entries.iter() {
            let value = json_within(value, depth).map_err(|what| format!("{what} in `{key}`"))?;
            object.insert(key.to_string(), value);
        }
        return Ok(Json::Object(object));
    }
    Err(describe(value))
}

/// No fewer bytes than a value takes as JSON; `None` where that must be found out, or where it shares something
/// with other values or is not JSON-like.
pub(super) fn json_bytes(value: &Dynamic) -> Option<usize> {
    bytes_within(value, NESTING)
}

/// The most bytes of a number as JSON.
const NUMBER_BYTES: usize = 32;

fn bytes_within(value: &Dynamic, depth: usize) -> Option<usize> {
    let depth = depth.checked_sub(1)?;
    if value.is_shared() {
        return None;
    }
    if value.is_int() || value.is_bool() || value.is_unit() {
        return Some(NUMBER_BYTES);
    }
    if let Ok(number) = value.as_float() {
        return number.is_finite().then_some(NUMBER_BYTES);
    }
    // A character may be escaped as six.
    if let Ok(text) = value.as_immutable_string_ref() {
        return Some(6 * text.len() + 3);
    }
    if let Ok(items) = value.as_array_ref() {
        return items.iter().try_fold(2, |sum, item| Some(sum + 1 + bytes_within(item, depth)?));
    }
    if let Ok(entries) = value.as_map_ref() {
        return entries
            .iter()
            .try_fold(2, |sum, (key, value)| Some(sum + 6 * key.len() + 4 + bytes_within(value, depth)?));
    }
    None
}

/// What a value is that is not JSON-like.
pub(super) fn describe(value: &Dynamic) -> String {
    if value.is_fnptr() {
        "a function".into()
    } else if value.is::<ScriptSecret>() {
        "a secret".into()
    } else if value.is::<super::session::StageNumber>() {
        "a stage".into()
    } else {
        super::diagnose::type_name(value.type_name())
    }
}

/// A whole number or a number with a fraction: scripts may give either wherever one is taken.
pub(super) fn number(value: &Dynamic) -> Option<f64> {
    #[allow(clippy::cast_precision_loss)]
    value.as_int().map(|value| value as f64).or_else(|_| value.as_float()).ok()
}

/// What a function returned.
///
/// # Errors
/// What it returned that no stage can use.
pub(super) fn returned(value: Dynamic) -> Result<Returned, String> {
    let value = value.flatten();
    if let Some(answer) = value.read_lock::<Answer>() {
        return Ok(Returned::Change(answer.change(context::dropped(answer.number()))));
    }
    if let Some(failed) = value.read_lock::<Failed>() {
        return Ok(Returned::Failed(failed.0.clone()));
    }
    if let Some(request) = value.read_lock::<RequestValue>() {
        return Ok(Returned::Request(Arc::clone(&request.0)));
    }
    let dropped = context::dropped(0);
    let changed = |movement, dropped| Ok(Returned::Change(Change { movement, reason: None, dropped }));
    if value.is_unit() {
        // `{ if a { up(1) } if b { up(2) } }`: what was made and lost must be told.
        return if dropped.is_empty() { Ok(Returned::Nothing) } else { changed(Movement::Hold, dropped) };
    }
    if let (Some(value), false) = (number(&value), dropped.is_empty()) {
        return changed(Movement::To(value), dropped);
    }
    if let Ok(value) = value.as_int() {
        return Ok(Returned::Int(value));
    }
    if let Ok(value) = value.as_float() {
        return Ok(Returned::Float(value));
    }
    to_json(&value).map(Returned::Data)
}
