//! Owns `notify::console`: one line per event on the worker's terminal.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::{Notify, Undelivered, text};
use crate::function::This;
use crate::pipeline::Event;
use crate::settings::{Constructor, StageKind};
use crate::world::World;

/// Prints to the terminal.
#[derive(Clone, Copy, Debug)]
pub struct Console;

/// `notify::console(#{ … })`
pub const CONSTRUCTOR: Constructor<Box<dyn Notify>> = Constructor {
    kind: StageKind::Notify,
    name: "console",
    backend: "ConsoleBackend",
    doc: "Prints one line per event to the standard output of the worker.",
    settings: &[],
    read: |_| Some(Box::new(Console)),
};

#[async_trait]
impl Notify for Console {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        json!({})
    }

    fn recipient(&self) -> String {
        "console".into()
    }

    fn leaves_machine(&self) -> bool {
        false
    }

    fn hears_reloads(&self) -> bool {
        true
    }

    async fn deliver(&self, event: &Arc<Event>, _: &Mutex<This>, world: &Arc<World>) -> Result<(), Undelivered> {
        let (console, event) = (Arc::clone(&world.console), Arc::clone(event));
        // A pipe that nobody reads blocks the writer: not one of the threads that run the ticks.
        let printed = tokio::task::spawn_blocking(move || console.say(&event.severity, &text::told(&event))).await;
        match printed {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Undelivered::for_good(format!("the console takes no more lines: {error}"))),
            Err(error) => Err(Undelivered::for_good(format!("the console broke down: {error}"))),
        }
    }
}
