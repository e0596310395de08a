//! Owns a notifying stage that is a function of the script.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::Notify;
use crate::function::{Argument, Function};
use crate::pipeline::Event;
use crate::world::World;

/// A function that is told.
#[derive(Debug)]
pub struct Custom(Function);

impl Custom {
    /// Tells `function`.
    #[must_use]
    pub fn new(function: Function) -> Self {
        Self(function)
    }
}

#[async_trait]
impl Notify for Custom {
    fn backend(&self) -> &'static str {
        "custom"
    }

    fn settings(&self) -> Json {
        json!({})
    }

    fn recipient(&self) -> String {
        format!("custom {}", self.0.fingerprint())
    }

    fn leaves_machine(&self) -> bool {
        true
    }

    async fn deliver(&self, event: &Arc<Event>, memory: &Mutex<Json>, world: &Arc<World>) -> Result<(), String> {
        let event_ = Argument::Event(Arc::clone(event));
        let call = world.calls.reaching(&self.0, event_, memory, &event.pipeline, world);
        call.await.map(drop).map_err(|error| error.to_string())
    }
}
