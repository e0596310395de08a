//! Owns `print`, `debug` and `log::`: what a script says goes to the log with its pipeline's name.

use rhai::{Dynamic, Engine, Module, NativeCallContext};

use super::secret::ScriptSecret;
use crate::script::context;
use crate::script::entry::{Entry, Form, Stands, notifying, takes};
use crate::secret::{MASK, scrub};

/// The log target of everything a script says.
const TARGET: &str = "autoscaler::script";

/// The most characters of one message.
const LONGEST: usize = 4_000;

#[derive(Clone, Copy)]
enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// What is registered here.
pub(super) static DOCS: &[Entry] = &[
    Entry {
        form: Form::Function,
        name: "print",
        parameters: &[takes("value", "?")],
        gives: "()",
        doc: "Writes to the log with the pipeline's name. A secret is written as `***`.",
        stands: Stands::Anywhere,
        example: notifying("print(event.message)"),
    },
    Entry {
        form: Form::Function,
        name: "debug",
        parameters: &[takes("value", "?")],
        gives: "()",
        doc: "Writes a value as the language shows it, at the level debug.",
        stands: Stands::Anywhere,
        example: notifying("debug(event)"),
    },
    Entry {
        form: Form::Member("log"),
        name: "info",
        parameters: &[takes("value", "?")],
        gives: "()",
        doc: "Writes to the log at the level info, with the pipeline's name.",
        stands: Stands::Anywhere,
        example: notifying("log::info(event.message)"),
    },
    Entry {
        form: Form::Member("log"),
        name: "warn",
        parameters: &[takes("value", "?")],
        gives: "()",
        doc: "Writes to the log at the level warn, with the pipeline's name.",
        stands: Stands::Anywhere,
        example: notifying("log::warn(event.message)"),
    },
    Entry {
        form: Form::Member("log"),
        name: "error",
        parameters: &[takes("value", "?")],
        gives: "()",
        doc: "Writes to the log at the level error, with the pipeline's name.",
        stands: Stands::Anywhere,
        example: notifying("log::error(event.message)"),
    },
];

/// Registers the module and the two functions.
pub(super) fn register(engine: &mut Engine) {
    engine.on_print(|text| say(Level::Info, text));
    engine.on_debug(|text, _, _| say(Level::Debug, text));
    let mut module = Module::new();
    // `debug` is a word of the language: `log::debug` would not parse.
    for (name, level) in [("info", Level::Info), ("warn", Level::Warn), ("error", Level::Error)] {
        module.set_native_fn(name, move |native: NativeCallContext, value: Dynamic| {
            say(level, &shown(&native, value));
            Ok(())
        });
    }
    engine.register_static_module("log", module.into());
}

fn shown(native: &NativeCallContext, mut value: Dynamic) -> String {
    if value.is::<ScriptSecret>() {
        return MASK.into();
    }
    let text = native.call_native_fn_raw("to_string", true, &mut [&mut value]);
    text.ok().and_then(|text| text.into_string().ok()).unwrap_or_else(|| value.to_string())
}

/// Says how many lines of one call were left out.
pub(in crate::script) fn left_out(pipeline: Option<&str>, lines: u32) {
    let lines = crate::counted::counted(lines, "more line");
    tracing::warn!(target: TARGET, pipeline, "{lines} of this call were left out");
}

fn say(level: Level, text: &str) {
    if context::is_trial() || !context::may_say() {
        return;
    }
    let text = scrub(text);
    let text = text.char_indices().nth(LONGEST).map_or(&*text, |(end, _)| &text[..end]);
    let pipeline = context::pipeline();
    let pipeline = pipeline.as_deref();
    match level {
        Level::Debug => tracing::debug!(target: TARGET, pipeline, "{text}"),
        Level::Info => tracing::info!(target: TARGET, pipeline, "{text}"),
        Level::Warn => tracing::warn!(target: TARGET, pipeline, "{text}"),
        Level::Error => tracing::error!(target: TARGET, pipeline, "{text}"),
    }
}
