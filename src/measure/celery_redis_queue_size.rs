//! Owns the measurement of Celery queues on Redis: how many tasks wait, over all priorities of each
//! queue (`CeleryRedisQueueSizeBackend`). It does not count tasks that a worker has taken already.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::celery::{self, Broker};
use super::{Measure, MeasureContext, Reading, redis_source};
use crate::doctor::Queue;
use crate::pipeline::Failure;
use crate::settings::{Constructor, StageKind};
use crate::world::World;

/// `measure::celery_redis_queue_size`
pub const CONSTRUCTOR: Constructor<Box<dyn Measure>> = Constructor {
    kind: StageKind::Measure,
    name: "celery_redis_queue_size",
    backend: "CeleryRedisQueueSizeBackend",
    doc: "Counts the tasks that wait in Celery queues on Redis, over all priorities.",
    settings: &[celery::QUEUE_NAME, redis_source::REDIS_URL, celery::PREFIX, redis_source::MASTER_NAME],
    read: |fields| Broker::read(fields).map(|broker| Box::new(QueueSize(broker)) as Box<dyn Measure>),
};

#[derive(Debug)]
struct QueueSize(Broker);

#[async_trait]
impl Measure for QueueSize {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        self.0.settings()
    }

    fn source(&self) -> String {
        format!("tasks in {}", self.0.source())
    }

    fn unit(&self) -> Option<&'static str> {
        Some("tasks")
    }

    fn needs(&self) -> Vec<(Arc<str>, bool)> {
        self.0.redis.needs()
    }

    fn queue(&self) -> Option<Queue> {
        Some(self.0.queue())
    }

    fn reaches(&self) -> Vec<String> {
        self.0.redis.reaches()
    }

    async fn measure(&self, _context: &MeasureContext<'_>, world: &Arc<World>) -> Result<Reading, Failure> {
        let server = self.0.redis.server()?;
        let lengths = world.redis.list_lengths(server, &self.0.keys()).await.map_err(redis_source::failure)?;
        let tasks = lengths.into_iter().fold(0_u64, u64::saturating_add);
        // A queue of 2^53 tasks would not fit into any Redis.
        #[allow(clippy::cast_precision_loss)]
        Ok(Reading { data: json!(tasks), value: Some(tasks as f64) })
    }
}
