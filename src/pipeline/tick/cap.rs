//! Owns the size of measured data in what is kept of it: large data is named, not stored, and known
//! secrets in it are masked.

use serde_json::Value as Json;

use crate::secret::scrub;

/// Data larger than this is not written into a record (in bytes, about).
const LARGEST_RECORDED: usize = 16 * 1024;

/// The size of `data` as text, about.
pub(super) fn weight(data: &Json) -> usize {
    match data {
        Json::Null | Json::Bool(_) => 4,
        Json::Number(_) => 8,
        Json::String(text) => text.len() + 2,
        Json::Array(items) => 2 + items.iter().map(|item| weight(item) + 1).sum::<usize>(),
        Json::Object(map) => 2 + map.iter().map(|(key, value)| key.len() + weight(value) + 4).sum::<usize>(),
    }
}

/// `data` as a record has it.
pub(super) fn recorded(data: Json) -> Json {
    let weight = weight(&data);
    if weight > LARGEST_RECORDED {
        return Json::String(format!("(not recorded: about {} kB)", weight / 1024));
    }
    masked(data)
}

fn masked(data: Json) -> Json {
    match data {
        Json::String(text) => Json::String(scrub(&text).into_owned()),
        Json::Array(items) => Json::Array(items.into_iter().map(masked).collect()),
        Json::Object(map) => Json::Object(map.into_iter().map(|(key, value)| (key, masked(value))).collect()),
        other => other,
    }
}

/// `data` in a message, shortened.
pub(super) fn shown(data: &Json) -> String {
    const LONGEST: usize = 60;
    match data {
        Json::Array(_) => "an array".into(),
        Json::Object(_) => "a map".into(),
        Json::String(text) if text.chars().count() > LONGEST => "a text".into(),
        other => other.to_string(),
    }
}
