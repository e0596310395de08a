//! Owns `notify::logger`: one entry per event in the worker's log, its level from the severity.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::{Notify, Undelivered, text};
use crate::function::This;
use crate::pipeline::Event;
use crate::settings::{Constructor, StageKind};
use crate::world::World;

/// Writes to the log.
#[derive(Clone, Copy, Debug)]
pub struct Logger;

/// `notify::logger(#{ … })`
pub const CONSTRUCTOR: Constructor<Box<dyn Notify>> = Constructor {
    kind: StageKind::Notify,
    name: "logger",
    backend: "LoggerBackend",
    doc: "Writes every event to the log of the worker, as info, warning or error; under `manage.py autoscaler` to Python's logger `autoscaler`.",
    settings: &[],
    read: |_| Some(Box::new(Logger)),
};

#[async_trait]
impl Notify for Logger {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        json!({})
    }

    fn recipient(&self) -> String {
        "logger".into()
    }

    fn leaves_machine(&self) -> bool {
        false
    }

    fn hears_reloads(&self) -> bool {
        true
    }

    fn is_log(&self) -> bool {
        true
    }

    async fn deliver(&self, event: &Arc<Event>, _: &Mutex<This>, world: &Arc<World>) -> Result<(), Undelivered> {
        let (pipeline, kind) = (&*event.pipeline, event.kind.name());
        let message = text::one_line(&event.message);
        let reason = text::further_reason(event).map(text::one_line);
        if let Some(host) = world.host.as_ref().filter(|host| host.logs()) {
            let record = json!({
                "level": event.severity, "message": message, "pipeline": pipeline, "kind": kind, "reason": reason,
            });
            match host.log(record).await {
                Ok(()) => return Ok(()),
                Err(refused) => {
                    tracing::warn!(target: "autoscaler::notify", "not in the log of {}: {refused}", host.program());
                }
            }
        }
        // A level is part of the call site, hence three of them.
        match &*event.severity {
            "error" => tracing::error!(target: "autoscaler::notify", pipeline, kind, reason, "{message}"),
            "warning" => tracing::warn!(target: "autoscaler::notify", pipeline, kind, reason, "{message}"),
            _ => tracing::info!(target: "autoscaler::notify", pipeline, kind, reason, "{message}"),
        }
        Ok(())
    }
}
