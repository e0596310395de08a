//! Owns secrets in scripts: they can be joined with texts and handed to settings, and never read.

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use rhai::{Dynamic, Engine, ImmutableString, NativeCallContext};
use sha2::{Digest, Sha256};

use crate::request::Part;
use crate::script::context;
use crate::script::limits::{self, Halt};
use crate::script::node::Written;
use crate::secret::{MASK, Secret};
use crate::settings::Value;

/// What `env::secret` gives.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::script) enum ScriptSecret {
    /// A text that must not be shown.
    Set(Secret),
    /// The variable of this name is not set here.
    Missing(Arc<str>),
}

impl fmt::Debug for ScriptSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl ScriptSecret {
    /// As settings see it.
    pub(in crate::script) fn value(&self) -> Value {
        match self {
            Self::Set(secret) => Value::Secret(secret.clone()),
            Self::Missing(name) => Value::MissingSecret(Arc::clone(name)),
        }
    }

    /// As requests see it.
    pub(in crate::script) fn part(&self) -> Part {
        match self {
            Self::Set(secret) => Part::Secret(secret.clone()),
            Self::Missing(name) => Part::Missing(Arc::clone(name)),
        }
    }

    /// The hosts that it is bound to.
    pub(in crate::script) fn hosts(&self) -> Vec<String> {
        match self {
            Self::Set(secret) => secret.hosts().map(ToString::to_string).collect(),
            Self::Missing(_) => Vec::new(),
        }
    }

    /// Equal for equal secrets, and tells nothing of them.
    pub(in crate::script) fn fingerprint(&self) -> String {
        match self {
            Self::Set(secret) => format!("secret {:x}", Sha256::digest(secret.expose())),
            Self::Missing(name) => format!("missing secret {name}"),
        }
    }

    fn joined(&self, join: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Set(secret) => Self::Set(secret.extended(join(secret.expose()))),
            Self::Missing(name) => Self::Missing(Arc::clone(name)),
        }
    }
}

/// Registers what secrets can do.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<ScriptSecret>("a secret");
    engine.register_fn("+", |secret: ScriptSecret, text: ImmutableString| secret.joined(|s| format!("{s}{text}")));
    engine.register_fn("+", |text: ImmutableString, secret: ScriptSecret| secret.joined(|s| format!("{text}{s}")));
    engine.register_fn("+", |a: ScriptSecret, b: ScriptSecret| match (&a, &b) {
        (ScriptSecret::Set(first), ScriptSecret::Set(second)) => {
            let text = format!("{}{}", first.expose(), second.expose());
            ScriptSecret::Set(first.extended(text).bound_like(second))
        }
        (ScriptSecret::Missing(_), _) => a,
        _ => b,
    });
    // `text += secret` makes the variable a secret.
    let types = [TypeId::of::<ImmutableString>(), TypeId::of::<ScriptSecret>()];
    engine.register_raw_fn("+=", types, |_, given| {
        let secret = given[1].clone().cast::<ScriptSecret>();
        let text = given[0].to_string();
        *given[0] = Dynamic::from(secret.joined(|s| format!("{text}{s}")));
        Ok(Dynamic::UNIT)
    });
    engine.register_fn("print", |_: ScriptSecret| MASK);
    engine.register_fn("debug", |_: ScriptSecret| MASK);
    engine.register_fn("to_debug", |_: &mut ScriptSecret| MASK);
    // Called for `${…}`, which cannot fail: the run is stopped instead.
    engine.register_fn("to_string", |native: NativeCallContext, _: &mut ScriptSecret| {
        limits::halt(Halt::SecretShown);
        if let Some(written) = Written::new(&native) {
            context::show_at(written.place());
        }
        MASK
    });
}
