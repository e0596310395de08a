//! Owns `notify::http`: a request per event that the script describes and the engine sends, with no
//! thread held.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::{Notify, Undelivered};
use crate::function::This;
use crate::function::{Argument, Function, Returned};
use crate::pipeline::Event;
use crate::request::{Around, Described, send};
use crate::secret::scrub;
use crate::settings::{Constructor, Fields, Kind, Preset, Setting, StageKind};
use crate::world::World;

/// Further tries of a request that says nothing of them.
const RETRIES: u32 = 2;

/// `notify::http(|event| http::post(url).json(…))`, `notify::http(#{ … }, |event| …)`
pub const CONSTRUCTOR: Constructor<Box<dyn Notify>> = Constructor {
    kind: StageKind::Notify,
    name: "http",
    backend: "HttpBackend",
    doc: "Sends the request that a function of the script describes for each event.",
    settings: &[
        Setting {
            name: "request",
            kind: Kind::Function,
            preset: Preset::Required,
            doc: "`|event| …` returns the request, or `()` for none; it may stand behind the settings instead. Tried \
                  twice more after 429, 5xx or a failure of the network, unless `.retries(n)` says otherwise.",
        },
        Setting {
            name: "accepted",
            kind: Kind::Function,
            preset: Preset::None("a status of 2xx"),
            doc: "`|reply| …` says whether a reply means that the message has arrived: `true`, or a text that says why \
                  it has not. A status that is not fine is a failure, unless the function looks at it.",
        },
    ],
    read,
};

#[derive(Debug)]
struct HttpNotify {
    function: Function,
    request: Described,
    accepted: Option<Function>,
}

fn read(fields: &mut Fields<'_>) -> Option<Box<dyn Notify>> {
    let function = fields.function("request", 1)?;
    let accepted = match fields.node("accepted") {
        Some(_) => Some(fields.function("accepted", 1)?),
        None => None,
    };
    Some(Box::new(HttpNotify { accepted, request: Described::Made(Arc::clone(&function)), function }))
}

#[async_trait]
impl Notify for HttpNotify {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        match &self.accepted {
            Some(accepted) => json!({ "request": self.request.shown(), "accepted": accepted.place().to_string() }),
            None => json!({ "request": self.request.shown() }),
        }
    }

    fn recipient(&self) -> String {
        format!("requests of {} {}", self.function.place().file, self.function.fingerprint())
    }

    fn function(&self) -> Option<&Function> {
        Some(&self.function)
    }

    fn leaves_machine(&self) -> bool {
        true
    }

    fn rehearses(&self) -> bool {
        true
    }

    fn reaches(&self) -> Vec<String> {
        self.request.reaches()
    }

    async fn deliver(&self, event: &Arc<Event>, memory: &Mutex<This>, world: &Arc<World>) -> Result<(), Undelivered> {
        let around = Around { pipeline: &event.pipeline, memory, world };
        let plan = self.request.plan("request", Argument::Event(Arc::clone(event)), around).await;
        let Some(plan) = plan.map_err(Undelivered::for_good)? else { return Ok(()) };
        // Its own tries are all there are: the delivery would begin them anew.
        let response = send(&plan, RETRIES, world).await.map_err(|error| Undelivered::for_good(error.message))?;
        let Some(accepted) = &self.accepted else {
            return if response.is_fine() { Ok(()) } else { Err(Undelivered::for_good(response.failure())) };
        };
        let response = Arc::new(response);
        let answered = world.calls.pure(accepted, Argument::Response(Arc::clone(&response)), memory, &event.pipeline);
        match (answered.await, response.unhandled()) {
            (_, Some(failure)) => Err(Undelivered::for_good(failure)),
            (Ok(Returned::Data(Json::Bool(true))), None) => Ok(()),
            (Ok(Returned::Data(Json::String(why))), None) => Err(Undelivered::for_good(scrub(&why))),
            (Ok(other), None) => {
                let message = format!("`accepted` answered {}, not `true` or a text that says why", other.describe());
                Err(Undelivered::for_good(message))
            }
            (Err(error), None) => Err(Undelivered::for_good(format!("`accepted`: {error}"))),
        }
    }
}
