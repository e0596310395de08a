//! Owns `env::`: what a script may know of its environment variables.

use std::sync::Arc;

use rhai::{Dynamic, Engine, Module, NativeCallContext, Position};

use super::secret::ScriptSecret;
use super::{Answered, optional, text};
use crate::script::diagnose::complaint;
use crate::script::node::Written;
use crate::script::{MissingSecrets, context, session};
use crate::secret::Secret;

/// Registers the module.
pub(super) fn register(engine: &mut Engine) {
    let mut module = Module::new();
    module.set_native_fn("get", |name: Dynamic| -> Answered<Dynamic> {
        let name = text("`env::get`", &name)?;
        let value = variable(&name);
        session::with(|session| session.need(&name, value.is_some()));
        Ok(optional(value))
    });
    module.set_native_fn("get", |name: Dynamic, default: Dynamic| -> Answered<Dynamic> {
        let name = text("`env::get`", &name)?;
        Ok(variable(&name).map_or(default, Dynamic::from))
    });
    module.set_native_fn("secret", |native: NativeCallContext, name: Dynamic| -> Answered<ScriptSecret> {
        secret(&native, &text("`env::secret`", &name)?)
    });
    engine.register_static_module("env", module.into());
}

fn variable(name: &str) -> Option<String> {
    context::surroundings()?.environment.variable(name)
}

fn secret(native: &NativeCallContext, name: &str) -> Answered<ScriptSecret> {
    // An empty one is a slip of the deployment, not a credential.
    let value = variable(name).filter(|value| !value.is_empty());
    session::with(|session| session.need(name, value.is_some()));
    if let Some(value) = value {
        return Ok(ScriptSecret::Set(Secret::new(value)));
    }
    let missing = context::surroundings().map(|surroundings| surroundings.missing);
    if missing == Some(MissingSecrets::Error) {
        let message = format!("the environment variable `{name}` is not set");
        let help = "set it where the worker runs".to_owned();
        let place = Written::new(native).map(|written| written.place());
        // The load goes on: all that are missing are reported at once.
        let loading =
            session::with(|session| session.report.error(place.as_ref(), message.clone(), Some(help.clone())));
        if loading.is_none() {
            return Err(complaint(message, Some(help), Position::NONE));
        }
    }
    Ok(ScriptSecret::Missing(Arc::from(name)))
}
