//! Owns one connection of its own to a Redis server, for whoever keeps something there: opened when it is first
//! needed and again after it broke. What is asked twice because of that must be the same as asked once.

use std::time::Duration;

use redis::FromRedisValue;
use redis::aio::MultiplexedConnection;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::errors::seconds;
use super::redis::connect;
use super::redis_errors::{describe, is_stale};
use crate::world::{RedisError, RedisErrorKind, RedisServer};

/// Time for one question, connecting included: a tick may wait for it.
const TIMEOUT: Duration = Duration::from_secs(4);

/// A connection to one server. It belongs to the runtime that first uses it.
pub struct RedisLink {
    server: RedisServer,
    open: Mutex<Option<MultiplexedConnection>>,
}

impl RedisLink {
    /// To `server`; nothing is opened yet.
    #[must_use]
    pub fn new(server: RedisServer) -> Self {
        Self { server, open: Mutex::new(None) }
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &RedisServer {
        &self.server
    }

    /// The answer to `command`.
    ///
    /// # Errors
    /// When it has no answer that can be used within 4 s.
    pub async fn ask<T: FromRedisValue>(&self, command: redis::Cmd) -> Result<T, RedisError> {
        let mut pipe = redis::pipe();
        pipe.add_command(command);
        let mut answers: Vec<T> = self.ask_all(&pipe).await?;
        answers.pop().ok_or_else(|| {
            let message = format!("{} answered nothing", self.server);
            RedisError { kind: RedisErrorKind::Wrong, message }
        })
    }

    /// The answers to the commands of `pipe`.
    ///
    /// # Errors
    /// When any of them has no answer that can be used within 4 s.
    pub async fn ask_all<T: FromRedisValue>(&self, pipe: &redis::Pipeline) -> Result<T, RedisError> {
        if let Ok(answer) = timeout(TIMEOUT, self.answer(pipe)).await {
            return answer;
        }
        if let Ok(mut open) = self.open.try_lock() {
            open.take();
        }
        let message = format!("no answer from {} within {}", self.server, seconds(TIMEOUT));
        Err(RedisError { kind: RedisErrorKind::Busy, message })
    }

    async fn answer<T: FromRedisValue>(&self, pipe: &redis::Pipeline) -> Result<T, RedisError> {
        loop {
            let (mut connection, kept) = {
                let mut open = self.open.lock().await;
                match &*open {
                    Some(connection) => (connection.clone(), true),
                    None => (open.insert(connect(&self.server).await?).clone(), false),
                }
            };
            match pipe.query_async(&mut connection).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => {
                    if fault.is_unrecoverable_error() {
                        self.open.lock().await.take();
                    }
                    // A kept connection may have been closed long ago: that says nothing about now.
                    if !(kept && is_stale(&fault)) {
                        return Err(describe(&fault, &self.server, &[]));
                    }
                    self.open.lock().await.take();
                }
            }
        }
    }
}
