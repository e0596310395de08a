//! Owns the flat settings of autoscalebot 2 (`HEROKU_APP_NAME`, in Django with `AUTOSCALE_` before each name) as
//! the documented dictionary of one process type, `web`, which is all that it scaled.

use super::said::Said;
use super::value::{At, Entry, Node, Value};

/// What Django's settings had before each name.
const PREFIX: &str = "AUTOSCALE_";

/// The names and the section that each belongs to; an empty one is no longer a setting.
const NAMES: &[(&str, &str)] = &[
    ("HEROKU_APP_NAME", "SCALING"),
    ("HEROKU_API_KEY", "SCALING"),
    ("HEARTBEAT_URL", "MEASUREMENT"),
    ("HEARTBEAT_INTERVAL_IN_SECONDS", "MEASUREMENT"),
    ("MIN_RESPONSE_TIME_IN_MS", "DECISION"),
    ("MAX_RESPONSE_TIME_IN_MS", "DECISION"),
    ("NUMBER_OF_FAILS_TO_SCALE_UP_AFTER", "DECISION"),
    ("NUMBER_OF_PASSES_TO_SCALE_DOWN_AFTER", "DECISION"),
    ("MIN_DYNOS", "DECISION"),
    ("MAX_DYNOS", "DECISION"),
    ("INCREMENT", "DECISION"),
    ("NOTIFICATION_BACKENDS", ""),
    ("NOTIFY_IF_NEEDS_EXCEED_MAX", "NOTIFICATION"),
    ("NOTIFY_IF_NEEDS_BELOW_MIN", "NOTIFICATION"),
    ("NOTIFY_ON_EVERY_SCALE", "NOTIFICATION"),
    ("NOTIFY_ON_EVERY_PING", "NOTIFICATION"),
    ("NOTIFY_ON_SCALE_FAILS", ""),
    ("NOTIFY_IF_SCALE_DIFF_EXCEEDS_THRESHOLD", ""),
    ("NOTIFY_IF_SCALE_DIFF_EXCEEDS_PERIOD_IN_MINUTES", ""),
];

/// The names that tell this form from any other file.
const TELLING: &[&str] = &["HEROKU_APP_NAME", "HEROKU_API_KEY", "HEARTBEAT_URL"];

/// The documented entry for `web`, where `names` are of this form.
pub fn read(names: &[Entry], said: &mut Said) -> Option<Entry> {
    let of = |name: &str| {
        let prefixed = format!("{PREFIX}{name}");
        names.iter().rev().find(|entry| entry.key == name || entry.key == prefixed)
    };
    let first = TELLING.iter().find_map(|name| of(name))?;
    let mut sections: Vec<(&str, Vec<Entry>)> =
        ["MEASUREMENT", "DECISION", "SCALING", "NOTIFICATION"].map(|title| (title, Vec::new())).into();
    for (name, title) in NAMES {
        let section = sections.iter_mut().find(|(known, _)| known == title);
        if let (Some(entry), Some((_, settings))) = (of(name), section) {
            settings.push(Entry { key: (*name).to_owned(), ..entry.clone() });
        }
    }
    strangers(names, said);
    silent(&of, said);
    // The defaults of that version, where they differ from the documented ones.
    for (name, default) in [("MIN_RESPONSE_TIME_IN_MS", 200), ("MAX_RESPONSE_TIME_IN_MS", 1000)] {
        if of(name).is_none() {
            put(&mut sections, "DECISION", name, Value::Whole(default), first.at);
        }
    }
    if of("HEARTBEAT_URL").is_none() {
        let message = "there is no HEARTBEAT_URL: its default, `/autoscalebot/heartbeat/`, is measured";
        said.warning(first.at, message, "write the URL that is to be measured");
        put(&mut sections, "MEASUREMENT", "HEARTBEAT_URL", Value::Text("/autoscalebot/heartbeat/".into()), first.at);
    }
    let classes = ["ResponseTimeBackend", "ConsecutiveThresholdBackend", "HerokuBackend"];
    let mut web: Vec<Entry> = Vec::new();
    for (index, (title, settings)) in sections.into_iter().enumerate() {
        let at = settings.first().map_or(first.at, |entry| entry.at);
        let backend = match classes.get(index) {
            Some(class) => entry("BACKEND", Value::Text((*class).into()), at),
            None => match of("NOTIFICATION_BACKENDS") {
                Some(backends) => Entry { key: "BACKENDS".into(), ..backends.clone() },
                None => continue,
            },
        };
        let settings = entry("SETTINGS", Value::Map(settings), at);
        web.push(entry(title, Value::Map(vec![backend, settings]), at));
    }
    Some(entry("web", Value::Map(web), first.at))
}

fn entry(key: &str, value: Value, at: At) -> Entry {
    Entry { key: key.to_owned(), at, value: Node::new(at, value) }
}

fn put(sections: &mut [(&str, Vec<Entry>)], title: &str, key: &str, value: Value, at: At) {
    if let Some((_, settings)) = sections.iter_mut().find(|(known, _)| *known == title) {
        settings.push(entry(key, value, at));
    }
}

/// Names with the prefix that no version had.
fn strangers(names: &[Entry], said: &mut Said) {
    for entry in names {
        if let Some(name) = entry.key.strip_prefix(PREFIX)
            && !NAMES.iter().any(|(known, _)| *known == name)
        {
            said.warning(entry.at, format!("`{}` is no setting of autoscalebot: it is left out", entry.key), "");
        }
    }
}

/// What is different here.
fn silent<'n>(of: &dyn Fn(&str) -> Option<&'n Entry>, said: &mut Said) {
    if let Some(entry) = of("NOTIFY_ON_SCALE_FAILS")
        && entry.value.value == Value::Flag(false)
    {
        said.warning(entry.at, "`NOTIFY_ON_SCALE_FAILS` is left out: a scale that fails is always told", "");
    }
    for name in ["NOTIFY_IF_SCALE_DIFF_EXCEEDS_THRESHOLD", "NOTIFY_IF_SCALE_DIFF_EXCEEDS_PERIOD_IN_MINUTES"] {
        if let Some(entry) = of(name)
            && entry.value.value != Value::Nothing
        {
            let help = "see `notify_if_scaling_is_too_rapid`: more than N scales in one direction within M minutes";
            said.warning(entry.at, format!("`{name}` is left out: no version ever read it"), help);
        }
    }
}
