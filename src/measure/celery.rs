//! Owns Celery's queues on Redis as settings name them, and the lists that each is made of. It asks
//! nothing.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::redis_source::RedisSource;
use crate::doctor::Queue;
use crate::settings::{Fields, Kind, Preset, Setting};

/// The setting `queue_name`.
pub(super) const QUEUE_NAME: Setting = Setting {
    name: "queue_name",
    kind: Kind::Texts,
    preset: Preset::Text("celery"),
    doc: "The queue, or several that are taken together.",
};

/// The setting `global_keyprefix`.
pub(super) const PREFIX: Setting = Setting {
    name: "global_keyprefix",
    kind: Kind::Text,
    preset: Preset::Text(""),
    doc: "Celery's transport option of that name: what all its keys begin with.",
};

/// Suffixes of the lists of one queue: kombu's separator and its default `priority_steps`, of which
/// the first, 0, has none. Source: `kombu/transport/redis.py`, `_q_for_pri`.
const PRIORITIES: [&str; 4] = ["", "\x06\x163", "\x06\x166", "\x06\x169"];

/// Some queues of one broker.
#[derive(Debug)]
pub(super) struct Broker {
    queues: Vec<Arc<str>>,
    prefix: Arc<str>,
    pub(super) redis: RedisSource,
}

impl Broker {
    /// Reads [`QUEUE_NAME`], [`PREFIX`] and where the Redis is.
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let mut queues = fields.texts("queue_name")?;
        if queues.iter().any(|queue| queue.is_empty()) {
            fields.error("queue_name", "`queue_name` is empty, and must name a queue", None);
            return None;
        }
        // A queue named twice is still one queue.
        let mut seen = std::collections::HashSet::new();
        queues.retain(|queue| seen.insert(Arc::clone(queue)));
        let prefix = fields.text("global_keyprefix")?;
        Some(Self { queues, prefix, redis: RedisSource::read(fields)? })
    }

    /// The keys of its lists, every priority of every queue.
    pub(super) fn keys(&self) -> Vec<Vec<u8>> {
        let lists = |queue: &Arc<str>| PRIORITIES.map(|step| format!("{}{queue}{step}", self.prefix).into_bytes());
        self.queues.iter().flat_map(lists).collect()
    }

    /// The same, for a look at it.
    pub(super) fn queue(&self) -> Queue {
        let (names, prefix) = (self.queues.clone(), Arc::clone(&self.prefix));
        Queue { names, prefix, keys: self.keys(), server: self.redis.server().ok().cloned() }
    }

    /// The settings as resolved.
    pub(super) fn settings(&self) -> Json {
        let mut settings = Map::new();
        let queues = match &self.queues[..] {
            [one] => json!(one),
            several => json!(several),
        };
        settings.insert(QUEUE_NAME.name.into(), queues);
        settings.insert(PREFIX.name.into(), json!(self.prefix));
        self.redis.show(&mut settings);
        settings.into()
    }

    /// Which queues they are, for people.
    pub(super) fn source(&self) -> String {
        format!("{}{} of {}", self.prefix, self.queues.join("+"), self.redis.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Node, Report, Value};

    #[test]
    fn every_priority_of_every_queue_is_counted() {
        let queues = Value::Array(["a", "b", "a"].map(|name| Node::bare(Value::Text(name.into()))).to_vec());
        let entries = [("queue_name", queues), ("global_keyprefix", Value::Text("p:".into()))];
        let entries = entries.into_iter().map(|(name, value)| (Arc::from(name), Node::bare(value)));
        let (node, mut report) = (Node::bare(Value::Map(entries.collect())), Report::default());
        let tables: Vec<&'static [Setting]> = vec![super::super::celery_redis_queue_size::CONSTRUCTOR.settings];
        let mut fields = Fields::open("`test`", &node, tables, &mut report);
        let keys = Broker::read(&mut fields).unwrap().keys();
        let keys: Vec<String> = keys.into_iter().map(|key| String::from_utf8(key).unwrap()).collect();
        assert_eq!(keys[..4], ["p:a", "p:a\u{6}\u{16}3", "p:a\u{6}\u{16}6", "p:a\u{6}\u{16}9"]);
        assert_eq!(keys.len(), 8);
    }
}
