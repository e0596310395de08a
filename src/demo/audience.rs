//! Owns an audience that listens in: what concerns the whole worker (a reload, a refused one) goes to the
//! demo's view too. A pipeline's own events are in its records and only pass through.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::broadcast;

use crate::function::This;
use crate::notify::Audience;
use crate::pipeline::{Event, PipelineSpec};
use crate::world::Console;

/// How many events a slow view may lag behind before it misses some.
const CAPACITY: usize = 64;

/// Passes everything on to `next`, where there is one, and announcements to whoever listens.
pub struct Listening {
    next: Option<Arc<dyn Audience>>,
    announced: broadcast::Sender<Arc<Event>>,
}

impl Listening {
    /// Listens in front of `next`, the worker's own audience.
    #[must_use]
    pub fn new(next: Option<Arc<dyn Audience>>) -> Self {
        Self { next, announced: broadcast::Sender::new(CAPACITY) }
    }

    /// Follows what is announced from now on.
    #[must_use]
    pub fn announced(&self) -> broadcast::Receiver<Arc<Event>> {
        self.announced.subscribe()
    }
}

impl Audience for Listening {
    fn tell(&self, pipeline: &Arc<PipelineSpec>, events: Vec<Event>) {
        if let Some(next) = &self.next {
            next.tell(pipeline, events);
        }
    }

    fn announce(&self, pipelines: &[Arc<PipelineSpec>], event: Event) {
        // Nobody listening is no error.
        let _ = self.announced.send(Arc::new(event.clone()));
        if let Some(next) = &self.next {
            next.announce(pipelines, event);
        }
    }

    fn memories(&self, pipeline: &str) -> BTreeMap<String, This> {
        self.next.as_ref().map(|next| next.memories(pipeline)).unwrap_or_default()
    }

    fn recall(&self, pipeline: &Arc<str>, memories: &BTreeMap<String, This>) {
        if let Some(next) = &self.next {
            next.recall(pipeline, memories);
        }
    }
}

/// A console that prints nothing: the view has the whole screen and would be torn, and plain lines tell
/// every scale already, as `notify::console` would.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Console for Silent {
    fn say(&self, _severity: &str, _line: &str) -> std::io::Result<()> {
        Ok(())
    }
}
