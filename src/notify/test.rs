//! Owns `notify::test`: keeps what it was told in memory, for tests to read.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::{Notify, Undelivered};
use crate::function::This;
use crate::pipeline::Event;
use crate::settings::{Constructor, StageKind};
use crate::world::World;

/// Older ones are forgotten: a worker may run for months with it.
const KEPT: usize = 1_000;

/// Numbers the backends: each is a recipient of its own.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// Keeps messages.
#[derive(Debug)]
pub struct Test {
    number: u64,
    events: Mutex<VecDeque<Arc<Event>>>,
}

/// `notify::test(#{ … })`
pub const CONSTRUCTOR: Constructor<Box<dyn Notify>> = Constructor {
    kind: StageKind::Notify,
    name: "test",
    backend: "TestBackend",
    doc: "Keeps the newest 1,000 events in memory, for tests.",
    settings: &[],
    read: |_| Some(Box::new(Test::default())),
};

impl Default for Test {
    fn default() -> Self {
        Self { number: COUNT.fetch_add(1, Ordering::Relaxed), events: Mutex::default() }
    }
}

#[async_trait]
impl Notify for Test {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        json!({})
    }

    fn recipient(&self) -> String {
        format!("test {}", self.number)
    }

    fn leaves_machine(&self) -> bool {
        false
    }

    fn rehearses(&self) -> bool {
        true
    }

    fn kept(&self) -> Vec<Arc<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    async fn deliver(&self, event: &Arc<Event>, _: &Mutex<This>, _: &Arc<World>) -> Result<(), Undelivered> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() == KEPT {
            events.pop_front();
        }
        events.push_back(Arc::clone(event));
        Ok(())
    }
}

impl Test {
    /// The texts it was told, oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        self.kept().iter().map(|event| event.message.clone()).collect()
    }
}
