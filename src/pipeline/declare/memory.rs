//! Owns the initial memory of a stage: a map of JSON-like values, at most 64 KiB.

use serde_json::{Map, Number, Value as Json};

use crate::rules;
use crate::settings::{Fields, Kind, Node, Preset, Setting, Value};

/// `memory`, for the stages whose common settings do not have it.
pub(super) static MEMORY: &[Setting] = &[Setting {
    name: "memory",
    kind: Kind::Map,
    preset: Preset::None("`#{}`"),
    doc: "The initial `this` of the stage's functions.",
}];

/// The most that `this` may hold.
const LARGEST: usize = 64 * 1024;

/// Reads `memory`; an empty map where it is not written or wrong.
pub(super) fn read(fields: &mut Fields<'_>) -> Json {
    let empty = || Json::Object(Map::new());
    let Some(node) = fields.node("memory") else { return empty() };
    if !matches!(node.value, Value::Map(_)) {
        let message = format!("`memory` takes a map `#{{ … }}`, not {}", node.describe());
        fields.error("memory", message, None);
        return empty();
    }
    match json(node) {
        Ok(memory) if memory.to_string().len() > LARGEST => {
            fields.error("memory", "`memory` holds more than 64 KiB", None);
            empty()
        }
        Ok(memory) => memory,
        Err(bad) => {
            let place = bad.place.clone().or_else(|| fields.place("memory"));
            let message = format!("`memory` cannot hold {}", bad.describe());
            fields.report().say(
                &rules::WRONG_TYPE,
                place.as_ref(),
                message,
                "numbers, texts, flags, arrays and maps".to_owned(),
            );
            empty()
        }
    }
}

/// `node` as JSON, or the part of it that is none.
fn json(node: &Node) -> Result<Json, &Node> {
    Ok(match &node.value {
        Value::Unit | Value::Unset { .. } => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::from(*value),
        Value::Float(value) => Number::from_f64(*value).map(Json::Number).ok_or(node)?,
        Value::Text(text) => Json::String(text.to_string()),
        Value::Array(items) => Json::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        Value::Map(entries) => {
            let mut map = Map::new();
            for (key, node) in entries {
                map.insert(key.to_string(), json(node)?);
            }
            Json::Object(map)
        }
        Value::Secret(_)
        | Value::MissingSecret(_)
        | Value::Function(_)
        | Value::Request(_)
        | Value::Stage(_)
        | Value::Other(_) => {
            return Err(node);
        }
    })
}
