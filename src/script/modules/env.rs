//! Owns `env::`: what a script may know of its environment variables.

use std::sync::Arc;

use rhai::{Dynamic, Engine, Map, Module, NativeCallContext, Position};

use super::secret::ScriptSecret;
use super::{Answered, optional, placed, text};
use crate::reach::HostPattern;
use crate::rules;
use crate::script::diagnose::{complaint, ruled};
use crate::script::entry::{Entry, Form, Stands, may_take, script, takes};
use crate::script::files::Surroundings;
use crate::script::node::Written;
use crate::script::session::{self, Session};
use crate::script::{MissingSecrets, context};
use crate::secret::Secret;
use crate::settings::Place;

/// What is registered here.
pub(super) static DOCS: &[Entry] = &[
    Entry {
        form: Form::Member("env"),
        name: "get",
        parameters: &[takes("name", "String"), may_take("default", "?")],
        gives: "String | ?",
        doc: "The environment variable of this name; where it is not set `default`, or `()` without one.",
        stands: Stands::Anywhere,
        example: script(
            r#"let region = env::get("REGION", "eu");

pipeline("web", #{
    measure: || 250,
    decide: |m| if region == "eu" && m.value > 200 { up(1) },
    scale: #{ current: || 2, scale_to: |n| () },
});"#,
        ),
    },
    Entry {
        form: Form::Member("env"),
        name: "secret",
        parameters: &[takes("name", "String"), may_take("options", "Map")],
        gives: "Secret",
        doc: "The environment variable of this name as a secret; `#{ hosts: [\"hooks.slack.com\"] }` lets it go there only. One that is not set is a placeholder to `check` and an error to `run`.",
        stands: Stands::Anywhere,
        example: script(
            r#"let app = #{ app_name: "dancing-forest-1234", api_key: env::secret("HEROKU_API_KEY") };

pipeline("web", #{
    measure: || 250,
    decide: decide::average_threshold(#{ max_measurement_value: 200 }),
    scale: scale::heroku(app),
});"#,
        ),
    },
];

/// Registers the module.
pub(super) fn register(engine: &mut Engine) {
    let mut module = Module::new();
    module.set_native_fn("get", |native: NativeCallContext, name: Dynamic| placed(&native, get(&name)));
    module.set_native_fn("get", |native: NativeCallContext, name: Dynamic, default: Dynamic| {
        let value = text("`env::get`", &name).and_then(|name| allowed(&name).map(|()| variable(&name)));
        placed(&native, value.map(|value| value.map_or(default, Dynamic::from)))
    });
    module.set_native_fn("secret", |native: NativeCallContext, name: Dynamic| {
        placed(&native, text("`env::secret`", &name).and_then(|name| secret(&native, &name)))
    });
    module.set_native_fn("secret", |native: NativeCallContext, name: Dynamic, options: Dynamic| {
        placed(&native, bound(&native, &name, &options))
    });
    engine.register_static_module("env", module.into());
}

fn get(name: &Dynamic) -> Answered<Dynamic> {
    let name = text("`env::get`", name)?;
    allowed(&name)?;
    let value = variable(&name);
    session::with(|session| session.need(&name, value.is_some()));
    if value.is_none() {
        // It may be set where the worker runs.
        context::doubt_trial();
    }
    Ok(optional(value))
}

/// A secret that may be sent to some hosts only.
fn bound(native: &NativeCallContext, name: &Dynamic, options: &Dynamic) -> Answered<ScriptSecret> {
    let (name, hosts) = (text("`env::secret`", name)?, hosts(options)?);
    Ok(match secret(native, &name)? {
        ScriptSecret::Set(secret) => ScriptSecret::Set(secret.bound_to(hosts)),
        missing @ ScriptSecret::Missing(_) => missing,
    })
}

/// `#{ hosts: ["hooks.slack.com"] }`
fn hosts(options: &Dynamic) -> Answered<Arc<[HostPattern]>> {
    let example = || Some("write `env::secret(\"NAME\", #{ hosts: [\"hooks.slack.com\"] })`".to_owned());
    let wrong = |message: String| complaint(message, example(), Position::NONE);
    let Some(options) = options.read_lock::<Map>() else {
        return Err(super::expected("the second argument of `env::secret`", "a map", options));
    };
    if let Some(unknown) = options.keys().find(|key| *key != "hosts") {
        return Err(wrong(format!("unknown setting `{unknown}` of `env::secret`")));
    }
    let items = options.get("hosts").cloned().unwrap_or_default();
    let items = if items.is_array() { items.into_array().unwrap_or_default() } else { vec![items] };
    if items.is_empty() {
        return Err(wrong("`hosts` of `env::secret` is empty".into()));
    }
    let patterns = items.iter().map(|item| {
        let host = text("`hosts` of `env::secret`", item)?;
        HostPattern::parse(&host).map_err(|why| wrong(format!("`{host}` in `hosts` of `env::secret` {why}")))
    });
    Ok(patterns.collect::<Answered<Vec<_>>>()?.into())
}

/// Refuses a variable that the command line does not allow.
fn allowed(name: &str) -> Answered<()> {
    let Some(surroundings) = context::surroundings() else { return Ok(()) };
    let allowed = surroundings.environment.bounds().variable(name);
    allowed.map_err(|(message, help)| ruled(&rules::VARIABLE_NOT_ALLOWED, message, Some(help), Position::NONE))
}

fn variable(name: &str) -> Option<String> {
    context::surroundings()?.environment.variable(name)
}

fn secret(native: &NativeCallContext, name: &str) -> Answered<ScriptSecret> {
    let Some(surroundings) = context::surroundings() else { return Ok(ScriptSecret::Missing(Arc::from(name))) };
    allowed(name)?;
    if let Some(value) = set(&surroundings, name) {
        session::with(|session| session.need(name, true));
        return Ok(ScriptSecret::Set(Secret::new(value)));
    }
    let place = Written::new(native).map(|written| written.place());
    // The load goes on: all that are missing are reported at once.
    let loading = session::with(|session| need(session, &surroundings, name, place.as_ref()));
    if loading.is_none() && surroundings.missing == MissingSecrets::Error {
        return Err(complaint(missing(name), Some(MEND.into()), Position::NONE));
    }
    Ok(ScriptSecret::Missing(Arc::from(name)))
}

/// The value of a secret. An empty one is a slip of the deployment, not a credential.
fn set(surroundings: &Surroundings, name: &str) -> Option<String> {
    surroundings.environment.variable(name).filter(|value| !value.is_empty())
}

/// Notes that the script needs the secret `name`; one that is not set is an error where it must be.
pub(in crate::script) fn need(session: &mut Session, surroundings: &Surroundings, name: &str, place: Option<&Place>) {
    let set = set(surroundings, name).is_some();
    session.need(name, set);
    if !set && surroundings.missing == MissingSecrets::Error {
        session.report.say(&rules::VARIABLE_NOT_SET, place, missing(name), MEND.to_owned());
    }
}

/// What to do about a variable that is missing.
const MEND: &str = "set it where the worker runs";

fn missing(name: &str) -> String {
    format!("the environment variable `{name}` is not set")
}
