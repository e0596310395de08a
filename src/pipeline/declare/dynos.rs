//! Owns the reading of a number of dynos: one number, or a table by time of day and days.

use std::sync::Arc;

use crate::decide::{DynosByTime, TableEntry};
use crate::pipeline::{When, mend_of_key};
use crate::rules;
use crate::settings::{Fields, Kind, Node, Value};

/// More dynos than any platform gives: beyond it is a slip of the keyboard.
const MOST_DYNOS: i64 = 100_000;

/// Reads `name` (`min_dynos` or `max_dynos`), written or preset. `None` only after an error.
pub(super) fn read(fields: &mut Fields<'_>, name: &str) -> Option<DynosByTime> {
    match fields.node(name) {
        Some(Node { value: Value::Map(entries), .. }) => table(fields, name, entries),
        None => always(fields.whole(name, 0..=MOST_DYNOS)?),
        Some(Node { value: Value::Int(_) | Value::Float(_), .. }) => {
            // The reader of whole numbers says what is wrong, and goes on with the preset.
            let read = fields.whole(name, 0..=MOST_DYNOS)?;
            fields.node(name).and_then(count).and(always(read))
        }
        Some(node) => {
            let message = format!("`{name}` takes {}, not {}", Kind::DynosByTime.expected(), node.describe());
            fields.say(&rules::WRONG_TYPE, name, message, None);
            None
        }
    }
}

fn always(dynos: i64) -> Option<DynosByTime> {
    u32::try_from(dynos).ok().map(DynosByTime::Always)
}

fn table(fields: &mut Fields<'_>, name: &str, entries: &[(Arc<str>, Node)]) -> Option<DynosByTime> {
    if entries.is_empty() {
        fields.say(
            &rules::DYNO_BOUNDS,
            name,
            format!("the table of `{name}` is empty"),
            Some(Kind::DynosByTime.expected()),
        );
        return None;
    }
    let mut read: Vec<TableEntry> = Vec::new();
    let mut good = true;
    for (key, node) in entries {
        let place = node.place.clone().or_else(|| fields.place(name));
        let mut wrong = |message: String, help: Option<&str>| {
            good = false;
            fields.report().say(&rules::DYNO_BOUNDS, place.as_ref(), message, help.map(str::to_owned));
        };
        let when = When::parse(key);
        match &when {
            Err(None) => wrong(
                format!("`{key}` in `{name}` is no time of day"),
                mend_of_key(key).as_deref().or(Some(
                    "\"H:MM\", from \"0:00\" to \"23:59\", such as \"9:30\"; with days as in \"mon-fri 9:30\", \"2026-12-24 9:30\"",
                )),
            ),
            Err(Some(why)) => wrong(format!("`{key}` in `{name}` {why}"), None),
            Ok(when) => {
                if let Some(other) = read.iter().find(|entry| entry.when.clashes(when)) {
                    wrong(format!("`{key}` and `{}` in `{name}` are the same time", other.written), None);
                }
            }
        }
        let dynos = count(node);
        if dynos.is_none() {
            let message =
                format!("`{name}` at \"{key}\" takes a whole number from 0 to {MOST_DYNOS}, not {}", node.describe());
            wrong(message, None);
        }
        if let (Ok(when), Some(dynos)) = (when, dynos) {
            read.push(TableEntry { written: Arc::clone(key), when, dynos });
        }
    }
    if good && !read.iter().any(|entry| entry.when.days.goes_on()) {
        good = false;
        let message = format!("the table of `{name}` says nothing of all other days");
        fields.error(name, message, Some("add an entry for every day, such as `\"0:00\": 1`".into()));
    }
    read.sort_by_key(|entry| entry.when.minute);
    good.then_some(DynosByTime::Table(read))
}

/// A whole number of dynos within the range.
fn count(node: &Node) -> Option<u32> {
    let value = match node.value {
        Value::Int(value) => value,
        #[allow(clippy::cast_possible_truncation)]
        Value::Float(value) if value.fract() == 0.0 && value.abs() < 1e9 => value as i64,
        _ => return None,
    };
    (0..=MOST_DYNOS).contains(&value).then(|| u32::try_from(value).ok()).flatten()
}
