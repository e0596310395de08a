//! Owns the checks of who is told: servers let us in, and, where it is asked for, a test message to everybody.

use std::sync::{Arc, Mutex};

use super::row::Row;
use crate::notify::NotifyStage;
use crate::pipeline::{Event, EventKind, Phase, PipelineSpec};
use crate::world::World;

/// Everybody who is told, once, with a pipeline that tells them.
pub fn recipients(specs: &[Arc<PipelineSpec>]) -> Vec<(&Arc<PipelineSpec>, &NotifyStage)> {
    let mut seen: Vec<String> = Vec::new();
    let all = specs.iter().flat_map(|spec| spec.notify.iter().map(move |stage| (spec, stage)));
    all.filter(|(_, stage)| {
        let recipient = stage.backend.recipient();
        let new = !seen.contains(&recipient);
        if new {
            seen.push(recipient);
        }
        new
    })
    .collect()
}

/// Checks one of them.
pub async fn recipient(spec: &PipelineSpec, stage: &NotifyStage, world: &Arc<World>, send: bool) -> Vec<Row> {
    let name = spec.name.to_string();
    let backend = stage.backend.backend();
    let mut rows = Vec::new();
    match stage.backend.knock().await {
        None => {}
        Some(Ok(server)) => {
            let found = format!("the mail server {server} lets us in");
            rows.push(Row::ok("mail", &name, found));
        }
        Some(Err(error)) => {
            let advice = "see `smtp_url`: user, password, port, and whether the server wants TLS";
            rows.push(Row::fail("mail", &name, error.message, advice));
            return rows;
        }
    }
    if send {
        let memory = Mutex::new(stage.memory.clone().into());
        let event = Arc::new(test_event(spec, world));
        rows.push(match stage.backend.deliver(&event, &memory, world).await {
            Ok(()) => Row::ok("message", &name, format!("{backend} has taken a test message")),
            Err(error) => {
                Row::fail("message", &name, format!("{backend}: {}", error.message), "nobody would be told of anything")
            }
        });
    }
    rows
}

/// What the test message says. It is of the kind that concerns no pipeline's dynos.
fn test_event(spec: &PipelineSpec, world: &Arc<World>) -> Event {
    let text = "A test message of `autoscaler doctor`: whoever reads it will be told of events.";
    Event {
        kind: EventKind::Reloaded,
        phase: Phase::Once,
        key: "doctor".into(),
        severity: "info".into(),
        pipeline: Arc::clone(&spec.name),
        message: text.into(),
        subject: "A test message of autoscaler doctor".into(),
        dynos: None,
        from: None,
        to: None,
        measurement: None,
        unit: None,
        target: spec.shown_target(),
        reason: None,
        at: world.clock.now(),
    }
}
