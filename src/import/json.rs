//! Owns reading settings from JSON, as `manage.py` hands them over: values without places.

use serde_json::Value as Json;

use super::said::Said;
use super::value::{At, Entry, Node, Value, Variable};

/// `{"$variable": "NAME"}` stands for an environment variable.
const VARIABLE: &str = "$variable";

/// What the object sets; what is wrong with it goes to `said`.
pub fn read(text: &str, said: &mut Said) -> Vec<Entry> {
    match serde_json::from_str::<Json>(text) {
        Ok(Json::Object(object)) => entries(object),
        Ok(_) => {
            said.error(At::default(), "the JSON is no object", "hand over the dictionary: `{\"web\": {…}}`");
            Vec::new()
        }
        Err(error) => {
            let (line, column) = (u32::try_from(error.line()).unwrap_or(0), u32::try_from(error.column()).unwrap_or(0));
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            said.error(At { line, column }, format!("this is not JSON: {message}"), "");
            Vec::new()
        }
    }
}

fn entries(object: serde_json::Map<String, Json>) -> Vec<Entry> {
    object.into_iter().map(|(key, value)| Entry { key, at: At::default(), value: node(value) }).collect()
}

fn node(json: Json) -> Node {
    let value = match json {
        Json::Null => Value::Nothing,
        Json::Bool(flag) => Value::Flag(flag),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Whole(whole),
            (None, Some(number)) => Value::Number(number),
            (None, None) => Value::Code("the number is too large for any setting".into()),
        },
        Json::String(text) => Value::Text(text),
        Json::Array(values) => Value::List(values.into_iter().map(node).collect()),
        Json::Object(object) => match object.get(VARIABLE) {
            Some(Json::String(name)) => Value::Variable(Variable { name: name.clone(), default: None }),
            _ => Value::Map(entries(object)),
        },
    };
    Node::new(At::default(), value)
}
