//! Owns `event`, what a notifying function is called with. Unknown properties are errors.

use std::sync::Arc;

use chrono::SecondsFormat;
use rhai::{Dynamic, Engine};

use super::optional;
use crate::pipeline::{Event, EventKind, Phase};
use crate::script::entry::{Entry, Form, Stands, notifying, property};
use crate::secret::scrub;

/// The type's name in messages.
pub(in crate::script) const NAME: &str = "the event";

/// The texts that a property of an event can be, where they are known.
pub(in crate::script) fn words(property: &str) -> Option<Vec<&'static str>> {
    match property {
        "kind" => Some(EventKind::ALL.iter().map(|kind| kind.name()).collect()),
        "phase" => Some([Phase::Once, Phase::Begin, Phase::Repeat, Phase::End].map(phase).to_vec()),
        "severity" => Some(vec!["info", "warning", "error"]),
        _ => None,
    }
}

/// `event`.
#[derive(Clone, Debug)]
pub(in crate::script) struct EventValue(pub(in crate::script) Arc<Event>);

/// What is registered here.
pub(super) static DOCS: &[Entry] = &[
    property(
        "Event",
        "kind",
        "String",
        "What happened, such as `scaled`, `scale_failed` or `needs_above_max`.",
        Stands::Notifying,
        notifying(r#"if event.kind == "scaled" { print(event.message) }"#),
    ),
    property(
        "Event",
        "phase",
        "String",
        "`once`; for what lasts `begin`, `repeat` and `end`.",
        Stands::Notifying,
        notifying(r#"if event.phase == "end" { log::info(`over: ${event.subject}`) }"#),
    ),
    property(
        "Event",
        "key",
        "String",
        "The same for all events of one condition of one pipeline, so that an incident can be closed.",
        Stands::Notifying,
        notifying(r#"this.open = if event.phase == "end" { "" } else { event.key };"#),
    ),
    property(
        "Event",
        "severity",
        "String",
        "`info`, `warning` or `error`.",
        Stands::Notifying,
        notifying(r#"if event.severity == "error" { log::error(event.message) }"#),
    ),
    property(
        "Event",
        "pipeline",
        "String",
        "The pipeline's name.",
        Stands::Notifying,
        notifying("print(`${event.pipeline}: ${event.message}`)"),
    ),
    property(
        "Event",
        "message",
        "String",
        "What happened, in a sentence or two.",
        Stands::Notifying,
        notifying("print(event.message)"),
    ),
    property(
        "Event",
        "subject",
        "String",
        "What happened, in a few words.",
        Stands::Notifying,
        notifying("print(event.subject)"),
    ),
    property(
        "Event",
        "dynos",
        "int | ()",
        "Dynos at the time, where they are known.",
        Stands::Notifying,
        notifying(r#"print(`${event.dynos ?? "?"} dynos`)"#),
    ),
    property(
        "Event",
        "from",
        "int | ()",
        "Dynos before a scale.",
        Stands::Notifying,
        notifying("if event.from != () { print(`it had ${event.from}`) }"),
    ),
    property(
        "Event",
        "to",
        "int | ()",
        "Dynos asked for by a scale.",
        Stands::Notifying,
        notifying("if event.to != () { print(`it has ${event.to}`) }"),
    ),
    property(
        "Event",
        "measurement",
        "float | ()",
        "The value that it is about, where there is one.",
        Stands::Notifying,
        notifying("print(`measured ${event.measurement ?? 0.0}`)"),
    ),
    property(
        "Event",
        "reason",
        "String | ()",
        "Why, where there is a reason.",
        Stands::Notifying,
        notifying(r#"print(event.reason ?? "no reason given")"#),
    ),
    property(
        "Event",
        "at",
        "String",
        "When, as in 2026-11-24T09:30:00Z.",
        Stands::Notifying,
        notifying("print(`${event.at} ${event.message}`)"),
    ),
    property(
        "Event",
        "unix",
        "int",
        "When, in seconds since 1970.",
        Stands::Notifying,
        notifying("print(`${event.unix} ${event.message}`)"),
    ),
    Entry {
        form: Form::Method("Event"),
        name: "to_json",
        parameters: &[],
        gives: "String",
        doc: "All of it as JSON.",
        stands: Stands::Notifying,
        example: notifying("print(event.to_json())"),
    },
];

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
