//! Owns `event`, what a notifying function is called with. Unknown properties are errors.

use std::sync::Arc;

use chrono::SecondsFormat;
use rhai::{Dynamic, Engine};

use super::optional;
use crate::pipeline::{Event, Phase};
use crate::secret::scrub;

/// The type's name in messages.
pub(in crate::script) const NAME: &str = "the event";

/// Its properties.
pub(in crate::script) const PROPERTIES: &[&str] = &[
    "kind",
    "phase",
    "key",
    "severity",
    "pipeline",
    "message",
    "subject",
    "dynos",
    "from",
    "to",
    "measurement",
    "reason",
    "at",
    "unix",
    "to_json",
];

/// `event`.
#[derive(Clone, Debug)]
pub(in crate::script) struct EventValue(pub(in crate::script) Arc<Event>);

/// Registers the type.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<EventValue>(NAME);
    let mut get = |name: &str, read: fn(&Event) -> Dynamic| {
        engine.register_get(name, move |event: &mut EventValue| read(&event.0));
    };
    get("kind", |event| event.kind.name().into());
    get("phase", |event| phase(event.phase).into());
    get("key", |event| event.key.clone().into());
    get("severity", |event| event.severity.clone().into());
    get("pipeline", |event| event.pipeline.to_string().into());
    get("message", |event| event.message.clone().into());
    get("subject", |event| event.subject.clone().into());
    get("dynos", |event| dynos(event.dynos));
    get("from", |event| dynos(event.from));
    get("to", |event| dynos(event.to));
    get("measurement", |event| optional(event.measurement));
    get("reason", |event| optional(event.reason.clone()));
    get("at", |event| event.at.to_rfc3339_opts(SecondsFormat::Secs, true).into());
    get("unix", |event| event.at.timestamp().into());
    engine.register_fn("to_json", |event: &mut EventValue| json(&event.0));
    engine.register_fn("to_string", |event: &mut EventValue| event.0.message.clone());
    engine.register_fn("to_debug", |event: &mut EventValue| json(&event.0));
}

impl EventValue {
    /// Its fields, secrets in its texts masked.
    pub(super) fn json(&self) -> Result<serde_json::Value, String> {
        serde_json::from_str(&json(&self.0)).map_err(|error| error.to_string())
    }
}

fn json(event: &Event) -> String {
    let text = serde_json::to_string(event).unwrap_or_default();
    scrub(&text).into_owned()
}

fn dynos(count: Option<u32>) -> Dynamic {
    optional(count.map(i64::from))
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Once => "once",
        Phase::Begin => "begin",
        Phase::Repeat => "repeat",
        Phase::End => "end",
    }
}
