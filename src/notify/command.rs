//! Owns `notify::command`: a program of this machine that is run for each event.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::{Notify, Undelivered};
use crate::function::This;
use crate::pipeline::Event;
use crate::program::{COMMAND, Command, ENVIRONMENT, TIMEOUT};
use crate::settings::{Constructor, Setting, StageKind};
use crate::world::World;

/// `notify::command(#{ command: ["./bin/tell"] })`
pub const CONSTRUCTOR: Constructor<Box<dyn Notify>> = Constructor {
    kind: StageKind::Notify,
    name: "command",
    backend: "CommandBackend",
    doc: "Runs a program for each event, without a shell, the event as JSON on its standard input; needs `--allow-run`.",
    settings: &[
        Setting { doc: "The program and its arguments; it fails by an exit status other than 0.", ..COMMAND },
        TIMEOUT,
        ENVIRONMENT,
    ],
    read: |fields| {
        Command::read(fields, COMMAND.name).map(|command| Box::new(CommandNotify { command }) as Box<dyn Notify>)
    },
};

#[derive(Debug)]
struct CommandNotify {
    command: Command,
}

#[async_trait]
impl Notify for CommandNotify {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        let mut settings = self.command.settings();
        settings.insert(COMMAND.name.into(), json!(self.command.words()));
        settings.into()
    }

    fn recipient(&self) -> String {
        format!("program {}", self.command.words().join("\0"))
    }

    /// Nobody can tell what the program does with it.
    fn leaves_machine(&self) -> bool {
        true
    }

    fn reaches(&self) -> Vec<String> {
        vec![self.command.reaches()]
    }

    async fn deliver(&self, event: &Arc<Event>, _: &Mutex<This>, world: &Arc<World>) -> Result<(), Undelivered> {
        let text = serde_json::to_string(&**event).map_err(|error| Undelivered::for_good(error.to_string()))?;
        let ran = world.programs.run(self.command.program(None, format!("{text}\n").into())).await;
        let output = ran.map_err(|error| Undelivered::for_good(error.message))?;
        if output.is_fine() { Ok(()) } else { Err(Undelivered::for_good(output.failure())) }
    }
}
