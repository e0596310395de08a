//! Owns reading settings from YAML, as the predecessor's unreleased version 3 had them: events of a real parser,
//! put together within limits. Aliases are followed; tags are not.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::said::Said;
use super::value::{At, DEEPEST, Entry, MOST_VALUES, Node, Value};

/// What is being put together.
struct Open {
    anchor: usize,
    at: At,
    /// Keys and values by turns in a map, values in a list.
    nodes: Vec<Node>,
    map: bool,
}

/// What the first document sets; what is wrong with it goes to `said`.
pub fn read(text: &str, said: &mut Said) -> Vec<Entry> {
    match document(text) {
        Ok(Some(Node { value: Value::Map(entries), .. })) => entries,
        Ok(Some(node)) => {
            said.error(
                node.at,
                format!("the YAML is {}, not a map of process types", node.is()),
                "write `web:` and below it `measurement:` and so on",
            );
            Vec::new()
        }
        Ok(None) => {
            said.error(At::default(), "the YAML is empty", "");
            Vec::new()
        }
        Err((at, message)) => {
            let help = if message.contains("tab") || line(text, at.line).contains('\t') {
                "YAML indents with spaces, never with tabs"
            } else {
                ""
            };
            said.error(at, message, help);
            Vec::new()
        }
    }
}

fn line(text: &str, number: u32) -> &str {
    usize::try_from(number).ok().and_then(|number| text.lines().nth(number.checked_sub(1)?)).unwrap_or_default()
}

fn document(text: &str) -> Result<Option<Node>, (At, String)> {
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: Vec<(usize, Node)> = Vec::new();
    let mut taken = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| (place(*error.marker()), format!("this is not YAML: {}", error.info())))?;
        let at = place(span.start);
        let (anchor, node) = match event {
            Event::SequenceStart(anchor, _) => {
                open.push(Open { anchor, at, nodes: Vec::new(), map: false });
                (0, None)
            }
            Event::MappingStart(anchor, _) => {
                open.push(Open { anchor, at, nodes: Vec::new(), map: true });
                (0, None)
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(done) => (done.anchor, Some(closed(done)?)),
                None => (0, None),
            },
            Event::Scalar(text, style, anchor, _) => (anchor, Some(Node::new(at, scalar(&text, style)))),
            Event::Alias(anchor) => {
                let found = anchors.iter().rev().find(|(known, _)| *known == anchor).map(|(_, node)| node);
                let found = found.ok_or_else(|| (at, "this alias names nothing above it".to_owned()))?;
                taken += found.size();
                if taken > MOST_VALUES {
                    return Err((at, "the settings come to more than 100,000 values".into()));
                }
                (0, Some(found.clone()))
            }
            _ => (0, None),
        };
        if open.len() > DEEPEST {
            return Err((at, format!("maps and lists stand more than {DEEPEST} deep within each other")));
        }
        let Some(node) = node else { continue };
        taken += 1;
        if taken > MOST_VALUES {
            return Err((at, "the settings come to more than 100,000 values".into()));
        }
        if anchor > 0 {
            taken += node.size();
            anchors.push((anchor, node.clone()));
        }
        match open.last_mut() {
            Some(around) => around.nodes.push(node),
            None => return Ok(Some(node)),
        }
    }
    Ok(None)
}

/// A map or a list with everything in it.
fn closed(done: Open) -> Result<Node, (At, String)> {
    if !done.map {
        return Ok(Node::new(done.at, Value::List(done.nodes)));
    }
    let mut entries = Vec::new();
    let mut nodes = done.nodes.into_iter();
    while let (Some(key), Some(value)) = (nodes.next(), nodes.next()) {
        match (key.value, value) {
            (Value::Text(merge), Node { value: Value::Map(others), .. }) if merge == "<<" => entries.extend(others),
            (Value::Text(text), value) => entries.push(Entry { key: text, at: key.at, value }),
            (Value::Whole(number), value) => entries.push(Entry { key: number.to_string(), at: key.at, value }),
            _ => return Err((key.at, "a key is a text".into())),
        }
    }
    Ok(Node::new(done.at, Value::Map(entries)))
}

/// A scalar as the predecessor's parser read it: YAML 1.1's words for flags count too.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Nothing,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Value::Flag(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Value::Flag(false),
        _ => {}
    }
    let begins = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    if let Some(whole) = text.parse().ok().filter(|_| begins) {
        return Value::Whole(whole);
    }
    match text.parse::<f64>() {
        Ok(number) if begins && number.is_finite() => Value::Number(number),
        _ => Value::Text(text.to_owned()),
    }
}

fn place(marker: Marker) -> At {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    At { line: count(marker.line()), column: count(marker.col() + 1) }
}
