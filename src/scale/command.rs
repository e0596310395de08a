//! Owns `scale::command`: two programs of this machine as a platform.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::Scale;
use super::described::{DescribedPlatform, Steps, TARGET, refused};
use crate::function::Returned;
use crate::program::{COMMAND, Command, ENVIRONMENT, TIMEOUT};
use crate::request::{Around, Extract};
use crate::settings::{Constructor, Fields, Kind, Preset, Setting, StageKind};
use crate::world::{Platform, ScaleError, ScaleErrorKind, World};

/// `scale::command(#{ current: ["./bin/dynos"], scale_to: ["./bin/scale", "--to", "{dynos}"] })`
pub(super) const CONSTRUCTOR: Constructor<Box<dyn Scale>> = Constructor {
    kind: StageKind::Scale,
    name: "command",
    backend: "CommandBackend",
    doc: "Reads and sets the number of dynos by programs, without a shell; needs `--allow-run`.",
    settings: &[
        Setting { name: "current", doc: "The program that writes the number of dynos.", ..COMMAND },
        Setting {
            name: "scale_to",
            doc: "The program that asks for so many dynos in all as stand for `{dynos}` in its arguments; it may be \
                  repeated, and fails by an exit status other than 0.",
            ..COMMAND
        },
        Setting {
            name: "value",
            kind: Kind::Answer,
            preset: Preset::None("what `current` writes is the number"),
            doc: "`|output| …`, or a dotted path into the JSON that `current` writes: the number of dynos.",
        },
        TIMEOUT,
        ENVIRONMENT,
        TARGET,
    ],
    read: |fields| read(fields).map(|scale| Box::new(scale) as Box<dyn Scale>),
};

#[derive(Debug)]
struct CommandScale {
    current: Command,
    scale_to: Command,
    value: Extract,
    target: Option<Arc<str>>,
}

fn read(fields: &mut Fields<'_>) -> Option<CommandScale> {
    let (current, scale_to) = (Command::read(fields, "current"), Command::read(fields, "scale_to"));
    let (value, target) = (Extract::read(fields, "value"), fields.text(TARGET.name));
    if scale_to.as_ref().is_some_and(|command| !command.names_dynos()) {
        let help = "such as `[\"./bin/scale\", \"--to\", \"{dynos}\"]`";
        fields.error("scale_to", "`scale_to` has no `{dynos}`, and could not say how many", Some(help.into()));
        return None;
    }
    Some(CommandScale { current: current?, scale_to: scale_to?, value: value?, target })
}

impl Scale for CommandScale {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        let mut settings = self.current.settings();
        settings.insert("current".into(), json!(self.current.words()));
        settings.insert("scale_to".into(), json!(self.scale_to.words()));
        settings.extend(self.value.shown().map(|value| ("value".to_owned(), value)));
        settings.extend(self.target.iter().map(|target| (TARGET.name.to_owned(), json!(target))));
        settings.into()
    }

    fn target(&self) -> Option<String> {
        self.target.as_ref().map(ToString::to_string)
    }

    fn reaches(&self) -> Vec<String> {
        vec![self.current.reaches(), self.scale_to.reaches()]
    }

    fn open(self: Arc<Self>, pipeline: &Arc<str>, world: &Arc<World>) -> Arc<dyn Platform> {
        Arc::new(DescribedPlatform::new(self, pipeline, world))
    }
}

#[async_trait]
impl Steps for CommandScale {
    async fn current(&self, around: Around<'_>) -> Result<Returned, ScaleError> {
        let ran = around.world.programs.run(self.current.program(None, Bytes::new())).await;
        let output = ran.map_err(|error| refused(error.message))?;
        self.value.take(output, around).await.map_err(refused)
    }

    async fn scale_to(&self, dynos: u32, around: Around<'_>) -> Result<(), ScaleError> {
        let ran = around.world.programs.run(self.scale_to.program(Some(dynos), Bytes::new())).await;
        let output = ran.map_err(|error| {
            // One that was killed may have done its work.
            let kind = if error.started { ScaleErrorKind::Unknown } else { ScaleErrorKind::Refused };
            ScaleError { kind, message: error.message }
        })?;
        if output.is_fine() { Ok(()) } else { Err(refused(output.failure())) }
    }
}
