//! Owns the measurement of Celery queues on Redis: how many tasks wait, over all priorities of each
//! queue (`CeleryRedisQueueSizeBackend`). It does not count tasks that a worker has taken already.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value as Json, json};

use super::{Measure, MeasureContext, Reading, redis_url};
use crate::doctor::Queue;
use crate::pipeline::Failure;
use crate::secret::{MASK, Secret};
use crate::settings::{Constructor, Fields, Kind, Preset, Setting, StageKind, Value};
use crate::world::{RedisErrorKind, RedisServer, World};

/// The variable that `redis_url` comes from when it is not written.
const VARIABLE: &str = "REDIS_URL";

/// Suffixes of the lists of one queue: kombu's separator and its default `priority_steps`, of which
/// the first, 0, has none. Source: `kombu/transport/redis.py`, `_q_for_pri`.
const PRIORITIES: [&str; 4] = ["", "\x06\x163", "\x06\x166", "\x06\x169"];

/// `measure::celery_redis_queue_size`
pub const CONSTRUCTOR: Constructor<Box<dyn Measure>> = Constructor {
    kind: StageKind::Measure,
    name: "celery_redis_queue_size",
    backend: "CeleryRedisQueueSizeBackend",
    doc: "Counts the tasks that wait in Celery queues on Redis, over all priorities.",
    settings: &[
        Setting {
            name: "queue_name",
            kind: Kind::Texts,
            preset: Preset::Text("celery"),
            doc: "The queue, or several whose tasks are added up.",
        },
        Setting {
            name: "redis_url",
            kind: Kind::Secret,
            preset: Preset::None("the environment variable `REDIS_URL`"),
            doc: "The broker: `redis://`, `rediss://` (with `ssl_cert_reqs`), `redis+socket://` or `sentinel://`.",
        },
        Setting {
            name: "global_keyprefix",
            kind: Kind::Text,
            preset: Preset::Text(""),
            doc: "Celery's transport option of that name: what all its keys begin with.",
        },
        Setting {
            name: "master_name",
            kind: Kind::Text,
            preset: Preset::None("none"),
            doc: "The name of the master that the sentinels of a `sentinel://` URL watch.",
        },
    ],
    read,
};

#[derive(Debug)]
struct QueueSize {
    queues: Vec<Arc<str>>,
    prefix: Arc<str>,
    master: Option<Arc<str>>,
    /// `None`: the URL is a variable that is not set here.
    server: Option<RedisServer>,
    /// Whether the URL comes from [`VARIABLE`].
    from_variable: bool,
}

fn read(fields: &mut Fields<'_>) -> Option<Box<dyn Measure>> {
    let mut queues = fields.texts("queue_name")?;
    if queues.iter().any(|queue| queue.is_empty()) {
        fields.error("queue_name", "`queue_name` is empty, and must name a queue", None);
        return None;
    }
    // A queue named twice is still one queue.
    let mut seen = std::collections::HashSet::new();
    queues.retain(|queue| seen.insert(Arc::clone(queue)));
    let prefix = fields.text("global_keyprefix")?;
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
    Some(Box::new(QueueSize { queues, prefix, master, server, from_variable }))
}

impl QueueSize {
    fn keys(&self) -> Vec<Vec<u8>> {
        let lists = |queue: &Arc<str>| PRIORITIES.map(|step| format!("{}{queue}{step}", self.prefix).into_bytes());
        self.queues.iter().flat_map(lists).collect()
    }
}

#[async_trait]
impl Measure for QueueSize {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        let mut settings = Map::new();
        let queues = match &self.queues[..] {
            [one] => json!(one),
            several => json!(several),
        };
        settings.insert("queue_name".into(), queues);
        settings.insert("redis_url".into(), json!(MASK));
        settings.insert("global_keyprefix".into(), json!(self.prefix));
        if let Some(master) = &self.master {
            settings.insert("master_name".into(), json!(master));
        }
        settings.into()
    }

    fn source(&self) -> String {
        let server = self.server.as_ref().map(|server| format!("{server}, database {}", server.database));
        format!("tasks in {}{} of {}", self.prefix, self.queues.join("+"), server.unwrap_or_else(|| "redis".into()))
    }

    fn unit(&self) -> Option<&'static str> {
        Some("tasks")
    }

    fn needs(&self) -> Vec<(Arc<str>, bool)> {
        if self.from_variable { vec![(VARIABLE.into(), self.server.is_some())] } else { Vec::new() }
    }

    fn queue(&self) -> Option<Queue> {
        let (names, prefix) = (self.queues.clone(), Arc::clone(&self.prefix));
        Some(Queue { names, prefix, keys: self.keys(), server: self.server.clone() })
    }

    fn reaches(&self) -> Vec<String> {
        self.server.iter().map(ToString::to_string).collect()
    }

    async fn measure(&self, _context: &MeasureContext<'_>, world: &Arc<World>) -> Result<Reading, Failure> {
        let Some(server) = &self.server else {
            return Err(Failure::not_load("the URL of redis is not known; write `redis_url` or set `REDIS_URL`"));
        };
        let lengths = world.redis.list_lengths(server, &self.keys()).await.map_err(|error| match error.kind {
            RedisErrorKind::Busy => Failure::overload(error.message),
            RedisErrorKind::Wrong => Failure::not_load(error.message),
        })?;
        let tasks = lengths.into_iter().fold(0_u64, u64::saturating_add);
        // A queue of 2^53 tasks would not fit into any Redis.
        #[allow(clippy::cast_precision_loss)]
        Ok(Reading { data: json!(tasks), value: Some(tasks as f64) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_priority_of_every_queue_is_counted() {
        let queues = vec!["a".into(), "b".into()];
        let size = QueueSize { queues, prefix: "p:".into(), master: None, server: None, from_variable: true };
        let keys: Vec<String> = size.keys().into_iter().map(|key| String::from_utf8(key).unwrap()).collect();
        assert_eq!(keys[..4], ["p:a", "p:a\u{6}\u{16}3", "p:a\u{6}\u{16}6", "p:a\u{6}\u{16}9"]);
        assert_eq!(keys.len(), 8);
    }
}
