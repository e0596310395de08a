//! Owns `notify::http`: a request per event that the script describes and the engine sends, with no
//! thread held.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::{Notify, Undelivered};
use crate::function::{Argument, Function};
use crate::pipeline::Event;
use crate::request::{Around, Described, send};
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
    settings: &[Setting {
        name: "request",
        kind: Kind::Function,
        preset: Preset::Required,
        doc: "`|event| …` returns the request, or `()` for none; it may stand behind the settings instead. Tried twice \
              more after 429, 5xx or a failure of the network, unless `.retries(n)` says otherwise.",
    }],
    read,
};

#[derive(Debug)]
struct HttpNotify {
    function: Function,
    request: Described,
}

fn read(fields: &mut Fields<'_>) -> Option<Box<dyn Notify>> {
    let function = fields.function("request", 1)?;
    Some(Box::new(HttpNotify { request: Described::Made(Arc::clone(&function)), function }))
}

#[async_trait]
impl Notify for HttpNotify {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        json!({ "request": self.request.shown() })
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

    async fn deliver(&self, event: &Arc<Event>, memory: &Mutex<Json>, world: &Arc<World>) -> Result<(), Undelivered> {
        let around = Around { pipeline: &event.pipeline, memory, world };
        let plan = self.request.plan("request", Argument::Event(Arc::clone(event)), around).await;
        let Some(plan) = plan.map_err(Undelivered::for_good)? else { return Ok(()) };
        // Its own tries are all there are: the delivery would begin them anew.
        let response = send(&plan, RETRIES, world).await.map_err(|error| Undelivered::for_good(error.message))?;
        if response.is_fine() { Ok(()) } else { Err(Undelivered::for_good(response.failure())) }
    }
}
