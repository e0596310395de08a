//! Owns the measurement of how long the oldest task of Celery queues on Redis has been waiting. Celery
//! notes no time itself: the producer's hook does (`autoscaler_django.celery`), and without it the time
//! since this worker first saw the task is what is known. It says nothing of tasks that a worker has taken.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use super::celery::{self, Broker};
use super::json::parse;
use super::{Measure, MeasureContext, Reading, redis_source};
use crate::pipeline::Failure;
use crate::settings::{Constructor, StageKind};
use crate::world::{RedisQuestion, RedisServer, RedisValue, World};

/// So many of the oldest tasks are looked through for one that is not waiting for its own time.
const LOOKED_THROUGH: i64 = 100;

/// `measure::celery_redis_queue_latency`
pub const CONSTRUCTOR: Constructor<Box<dyn Measure>> = Constructor {
    kind: StageKind::Measure,
    name: "celery_redis_queue_latency",
    backend: "CeleryRedisQueueLatencyBackend",
    doc: "Measures how many seconds the oldest task in Celery queues on Redis has been waiting: exactly where its \
          producers have the hook `autoscaler_django.celery`, else at least since it was first seen.",
    settings: &[celery::QUEUE_NAME, redis_source::REDIS_URL, celery::PREFIX, redis_source::MASTER_NAME],
    read: |fields| {
        let broker = Broker::read(fields)?;
        Some(Box::new(QueueLatency { broker, seen: Mutex::default() }))
    },
};

#[derive(Debug)]
struct QueueLatency {
    broker: Broker,
    /// The oldest task of each list that bears no time.
    seen: Mutex<HashMap<Vec<u8>, Seen>>,
}

/// A task, and when it was first seen at the end of its list.
#[derive(Debug)]
struct Seen {
    id: String,
    first: DateTime<Utc>,
}

/// A task that waits.
struct Task {
    id: String,
    /// Unix seconds since which it might run, where it says so.
    since: Option<f64>,
    /// Unix seconds before which it must not run.
    not_before: Option<f64>,
}

impl Task {
    fn read(text: &str) -> Option<Self> {
        let message = parse(text.as_bytes()).ok()?;
        let (headers, properties) = (message.get("headers")?, message.get("properties")?);
        let eta = headers.get("eta").and_then(Json::as_str);
        let not_before = eta.and_then(|eta| DateTime::parse_from_rfc3339(eta).ok()).map(|eta| seconds(eta.to_utc()));
        let noted = headers.get("enqueued_at").or_else(|| properties.get("published_at")).and_then(Json::as_f64);
        let id = headers.get("id").or_else(|| properties.get("delivery_tag"))?.as_str()?.to_owned();
        Some(Self { id, since: noted.map(|noted| not_before.map_or(noted, |eta| eta.max(noted))), not_before })
    }
}

/// As Unix seconds.
fn seconds(at: DateTime<Utc>) -> f64 {
    // Microseconds since 1970 fit into the 53 bits of a float until the year 2255.
    #[allow(clippy::cast_precision_loss)]
    let micros = at.timestamp_micros() as f64;
    micros / 1e6
}

impl QueueLatency {
    /// The task at the end of the list `key` that could run by now; `None` where there is none.
    async fn oldest(
        &self,
        server: &RedisServer,
        key: &[u8],
        now: f64,
        world: &Arc<World>,
    ) -> Result<Option<Task>, Failure> {
        // One task as a rule: a task may be large, and the others are of no interest.
        for many in [1, LOOKED_THROUGH] {
            let arguments = [-many, -1].map(|index: i64| index.to_string().into_bytes()).to_vec();
            let question = RedisQuestion { command: "LRANGE", key: key.to_vec(), arguments };
            let answer = world.redis.read(server, &question).await.map_err(redis_source::failure)?;
            let RedisValue::List(tasks) = answer else { return Ok(None) };
            let all = i64::try_from(tasks.len()).is_ok_and(|count| count < many);
            // The oldest is the last.
            for text in tasks.iter().rev() {
                let Some(task) = Task::read(text) else {
                    let key = String::from_utf8_lossy(key);
                    let why = format!("`{}` in {server} holds something that is no task of Celery", key.escape_debug());
                    return Err(Failure::not_load(why));
                };
                if task.not_before.is_none_or(|eta| eta <= now) {
                    return Ok(Some(task));
                }
            }
            if all {
                break;
            }
        }
        Ok(None)
    }

    /// Seconds that `task` has waited in `key`, and whether that is only what was seen of it.
    fn age(&self, key: Vec<u8>, task: Option<Task>, now: DateTime<Utc>) -> (f64, bool) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match task {
            Some(Task { since: None, id, .. }) => {
                let known = seen.get(&key).filter(|seen| seen.id == id).map(|seen| seen.first);
                let first = known.unwrap_or(now);
                seen.insert(key, Seen { id, first });
                (seconds(now) - seconds(first), true)
            }
            Some(Task { since: Some(since), .. }) => {
                seen.remove(&key);
                (seconds(now) - since, false)
            }
            None => {
                seen.remove(&key);
                (0.0, false)
            }
        }
    }
}

#[async_trait]
impl Measure for QueueLatency {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        self.broker.settings()
    }

    fn source(&self) -> String {
        format!("age in s of the oldest task in {}", self.broker.source())
    }

    fn unit(&self) -> Option<&'static str> {
        Some("s")
    }

    fn needs(&self) -> Vec<(Arc<str>, bool)> {
        self.broker.redis.needs()
    }

    fn queue(&self) -> Option<crate::doctor::Queue> {
        Some(self.broker.queue())
    }

    fn reaches(&self) -> Vec<String> {
        self.broker.redis.reaches()
    }

    async fn measure(&self, _context: &MeasureContext<'_>, world: &Arc<World>) -> Result<Reading, Failure> {
        let server = self.broker.redis.server()?;
        let now = world.clock.now();
        let (mut oldest, mut estimated) = (0.0_f64, false);
        for key in self.broker.keys() {
            let task = self.oldest(server, &key, seconds(now), world).await?;
            let (age, guessed) = self.age(key, task, now);
            // Clocks of two machines differ: what comes from the future has just come.
            if age >= oldest && guessed || age > oldest {
                (oldest, estimated) = (age, guessed);
            }
        }
        Ok(Reading { data: json!({ "seconds": oldest, "estimated": estimated }), value: Some(oldest) })
    }
}
