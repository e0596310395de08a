//! Owns `measure::command`: a program of this machine that writes a number or JSON.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::custom::reading;
use super::http::VALUE;
use super::{Measure, MeasureContext, Reading};
use crate::function::Function;
use crate::pipeline::Failure;
use crate::program::{COMMAND, Command, ENVIRONMENT, TIMEOUT};
use crate::request::{ANSWERS, Around, Extract};
use crate::settings::{Constructor, Fields, Setting, StageKind};
use crate::world::World;

/// `measure::command(#{ command: ["./bin/queue", "--json"], value: |output| output.json().size })`
pub const CONSTRUCTOR: Constructor<Box<dyn Measure>> = Constructor {
    kind: StageKind::Measure,
    name: "command",
    backend: "CommandBackend",
    doc: "Runs a program, without a shell, and takes the value out of what it writes; needs `--allow-run`.",
    settings: &[
        COMMAND,
        Setting {
            doc: "`|output| …`, the number or data to judge, or a dotted path to the number in the JSON; an exit status \
                  other than 0 is a failure, unless the function looks at it.",
            ..VALUE
        },
        TIMEOUT,
        ENVIRONMENT,
    ],
    read,
};

#[derive(Debug)]
struct CommandMeasure {
    command: Command,
    value: Extract,
}

fn read(fields: &mut Fields<'_>) -> Option<Box<dyn Measure>> {
    let (command, value) = (Command::read(fields, COMMAND.name), Extract::read(fields, VALUE.name));
    Some(Box::new(CommandMeasure { command: command?, value: value? }))
}

#[async_trait]
impl Measure for CommandMeasure {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        let mut settings = self.command.settings();
        settings.insert(COMMAND.name.into(), json!(self.command.words()));
        settings.extend(self.value.shown().map(|value| (VALUE.name.to_owned(), value)));
        settings.into()
    }

    fn source(&self) -> String {
        format!("output of {}{}", self.command.words().join(" "), self.value.source())
    }

    fn reaches(&self) -> Vec<String> {
        vec![self.command.reaches()]
    }

    fn value_function(&self) -> Option<&Function> {
        self.value.function()
    }

    fn is_to_blame(&self, error: &str) -> bool {
        self.value.is_to_blame(error)
    }

    async fn measure(&self, context: &MeasureContext<'_>, world: &Arc<World>) -> Result<Reading, Failure> {
        let around = Around { pipeline: context.pipeline, memory: context.memory, world };
        let ran = world.programs.run(self.command.program(None, Bytes::new())).await;
        let output = ran.map_err(|error| Failure::not_load(error.message))?;
        let returned = self.value.take(output, around).await.map_err(Failure::not_load)?;
        reading(returned, ANSWERS)
    }
}
