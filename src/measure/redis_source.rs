//! Owns which Redis a measurement asks: `redis_url` or the variable `REDIS_URL`, and the master behind
//! sentinels. It asks nothing.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::redis_url;
use crate::pipeline::Failure;
use crate::secret::{MASK, Secret};
use crate::settings::{Fields, Kind, Preset, Setting, Value};
use crate::world::{RedisError, RedisErrorKind, RedisServer};

/// The variable that `redis_url` comes from when it is not written.
const VARIABLE: &str = "REDIS_URL";

/// The setting `redis_url`.
pub(super) const REDIS_URL: Setting = Setting {
    name: "redis_url",
    kind: Kind::Secret,
    preset: Preset::None("the environment variable `REDIS_URL`"),
    doc: "The server: `redis://`, `rediss://` (with `ssl_cert_reqs`), `redis+socket://` or `sentinel://`.",
};

/// The setting `master_name`.
pub(super) const MASTER_NAME: Setting = Setting {
    name: "master_name",
    kind: Kind::Text,
    preset: Preset::None("none"),
    doc: "The name of the master that the sentinels of a `sentinel://` URL watch.",
};

/// A Redis server as settings name it.
#[derive(Debug)]
pub(super) struct RedisSource {
    /// `None`: the URL is a variable that is not set here.
    server: Option<RedisServer>,
    master: Option<Arc<str>>,
    /// Whether the URL comes from [`VARIABLE`].
    from_variable: bool,
}

impl RedisSource {
    /// Reads [`REDIS_URL`] and [`MASTER_NAME`].
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let master = fields.text("master_name");
        let from_variable = !fields.has("redis_url");
        let missing = fields.node("redis_url").is_some_and(|node| matches!(node.value, Value::MissingSecret(_)));
        let url = if from_variable {
            std::env::var(VARIABLE).ok().filter(|url| !url.is_empty()).map(Secret::new)
        } else if missing {
            None
        } else {
            Some(fields.secret("redis_url")?)
        };
        let server = match url.map(|url| redis_url::parse(url.expose(), master.as_deref())) {
            None => None,
            Some(Ok(server)) => Some(server),
            Some(Err(why)) => {
                let what = if from_variable { "the variable `REDIS_URL`" } else { "`redis_url`" };
                fields.error("redis_url", format!("{what} {why}"), Some(redis_url::EXAMPLE.into()));
                return None;
            }
        };
        Some(Self { server, master, from_variable })
    }

    /// Adds the settings as resolved.
    pub(super) fn show(&self, settings: &mut Map<String, Json>) {
        settings.insert(REDIS_URL.name.into(), json!(MASK));
        if let Some(master) = &self.master {
            settings.insert(MASTER_NAME.name.into(), json!(master));
        }
    }

    /// Server and database, for people.
    pub(super) fn shown(&self) -> String {
        let server = self.server.as_ref().map(|server| format!("{server}, database {}", server.database));
        server.unwrap_or_else(|| "redis".into())
    }

    pub(super) fn needs(&self) -> Vec<(Arc<str>, bool)> {
        if self.from_variable { vec![(VARIABLE.into(), self.server.is_some())] } else { Vec::new() }
    }

    pub(super) fn reaches(&self) -> Vec<String> {
        self.server.iter().map(ToString::to_string).collect()
    }

    /// The server.
    ///
    /// # Errors
    /// Its URL is not known here.
    pub(super) fn server(&self) -> Result<&RedisServer, Failure> {
        let unknown = || Failure::not_load("the URL of redis is not known; write `redis_url` or set `REDIS_URL`");
        self.server.as_ref().ok_or_else(unknown)
    }
}

/// A failed question as the failed measurement that it makes.
pub(super) fn failure(error: RedisError) -> Failure {
    match error.kind {
        RedisErrorKind::Busy => Failure::overload(error.message),
        RedisErrorKind::Wrong => Failure::not_load(error.message),
    }
}
