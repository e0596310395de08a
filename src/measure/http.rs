//! Owns `measure::http`: a request that the script describes and the engine sends, with no thread held,
//! and the value in its reply.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value as Json};

use super::custom::reading;
use super::probe::failure;
use super::{Measure, MeasureContext, Reading};
use crate::function::{Argument, Function};
use crate::pipeline::Failure;
use crate::request::{ANSWERS, Around, Described, Extract};
use crate::settings::{Constructor, Fields, Kind, Preset, Setting, StageKind};
use crate::world::World;

/// Further tries of a request that says nothing of them: a second time-out would take the whole interval.
const RETRIES: u32 = 1;

/// The setting `value`.
pub(super) const VALUE: Setting = Setting {
    name: "value",
    kind: Kind::Answer,
    preset: Preset::None("the reply itself, as JSON"),
    doc: "`|reply| …`, the number or data to judge, or a dotted path to the number in the JSON; a status that is not \
          fine is a failure, unless the function looks at it.",
};

/// `measure::http(#{ request: http::get(url), value: |reply| reply.json().size })`
pub const CONSTRUCTOR: Constructor<Box<dyn Measure>> = Constructor {
    kind: StageKind::Measure,
    name: "http",
    backend: "HttpBackend",
    doc: "Sends a request that the script describes, and takes the value out of the reply.",
    settings: &[
        Setting {
            name: "request",
            kind: Kind::Request,
            preset: Preset::Required,
            doc: "`http::get(url)` with what belongs to it, or `|| …` that returns one; tried once more after 429, 5xx \
                  or a failure of the network, unless `.retries(n)` says otherwise.",
        },
        VALUE,
    ],
    read,
};

#[derive(Debug)]
struct HttpMeasure {
    request: Described,
    value: Extract,
}

fn read(fields: &mut Fields<'_>) -> Option<Box<dyn Measure>> {
    let (request, value) = (Described::read(fields, "request", 0), Extract::read(fields, VALUE.name));
    Some(Box::new(HttpMeasure { request: request?, value: value? }))
}

#[async_trait]
impl Measure for HttpMeasure {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        let mut settings = Map::new();
        settings.insert("request".into(), self.request.shown());
        settings.extend(self.value.shown().map(|value| (VALUE.name.to_owned(), value)));
        settings.into()
    }

    fn source(&self) -> String {
        format!("{}{}", self.request.source(), self.value.source())
    }

    fn reaches(&self) -> Vec<String> {
        self.request.reaches()
    }

    fn value_function(&self) -> Option<&Function> {
        self.value.function()
    }

    fn is_to_blame(&self, error: &str) -> bool {
        self.value.is_to_blame(error)
    }

    async fn measure(&self, context: &MeasureContext<'_>, world: &Arc<World>) -> Result<Reading, Failure> {
        let around = Around { pipeline: context.pipeline, memory: context.memory, world };
        let plan = self.request.plan("request", Argument::Nothing, around).await.map_err(Failure::not_load)?;
        let plan = plan.ok_or_else(|| Failure::not_load("`request` answered nothing, and must answer a request"))?;
        let sent = crate::request::send(&plan, RETRIES, world).await;
        let response = sent.map_err(|error| failure(error, plan.has_answered(world)))?;
        let status = response.plain_status();
        let returned = self.value.take(response, around).await.map_err(|why| match status {
            500.. => Failure::overload(why),
            _ => Failure::not_load(why),
        })?;
        reading(returned, ANSWERS)
    }
}
