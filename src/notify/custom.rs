//! Owns a function of the script as a notifying backend: bare, or with settings in `notify::custom`.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::{Notify, NotifyStage, Undelivered};
use crate::function::This;
use crate::function::{Argument, Function, Returned};
use crate::pipeline::Event;
use crate::settings::{Kind, Preset, Setting};
use crate::world::World;

/// What `notify::custom(settings, function)` takes next to [`super::COMMON`].
pub static SETTINGS: &[Setting] = &[Setting {
    name: "memory",
    kind: Kind::Map,
    preset: Preset::None("`#{}`"),
    doc: "The initial `this` of the function.",
}];

/// Calls a function of the script with every event.
#[derive(Debug)]
pub struct Custom {
    function: Function,
}

impl Custom {
    /// `function` takes one parameter, the event; what it answers is ignored.
    #[must_use]
    pub fn new(function: Function) -> Self {
        Self { function }
    }

    /// A bare function as a stage: without flags it hears everything but `measured`.
    #[must_use]
    pub fn bare(function: Function) -> NotifyStage {
        NotifyStage { backend: Arc::new(Self::new(function)), flags: None, memory: json!({}) }
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
        // The place tells two functions of one text apart only by file: an edit above a function
        // must not make it a new recipient, whose count of messages starts anew.
        format!("function {} {}", self.function.place().file, self.function.fingerprint())
    }

    fn function(&self) -> Option<&Function> {
        Some(&self.function)
    }

    /// It may `.send()`; nobody can tell before it runs.
    fn leaves_machine(&self) -> bool {
        true
    }

    fn reaches(&self) -> Vec<String> {
        self.function.reaches()
    }

    fn rehearses(&self) -> bool {
        true
    }

    async fn deliver(&self, event: &Arc<Event>, memory: &Mutex<This>, world: &Arc<World>) -> Result<(), Undelivered> {
        let argument = Argument::Event(Arc::clone(event));
        let called = world.calls.reaching(&self.function, argument, memory, &event.pipeline, world).await;
        // Not tried again: it may have sent half of what it sends before it threw.
        match called.map_err(|error| Undelivered::for_good(error.to_string()))? {
            Returned::Request(plan) => Err(Undelivered::for_good(format!(
                "the function answered the request `{plan}`, which nobody sent: write `.send()`, or `notify::http(…)` ({})",
                self.function.place()
            ))),
            _ => Ok(()),
        }
    }
}
