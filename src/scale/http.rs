//! Owns `scale::http`: requests that the script describes and the engine sends, with no thread held, as
//! a platform.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value as Json, json};

use super::Scale;
use super::described::{DescribedPlatform, Steps, TARGET, refused};
use crate::function::{Argument, Returned};
use crate::request::{Around, Described, Extract};
use crate::settings::{Constructor, Fields, Kind, Preset, Setting, StageKind};
use crate::world::{HttpError, HttpErrorKind, Platform, ScaleError, ScaleErrorKind, World};

/// Further tries of a request that says nothing of them: both may be repeated, their count is absolute.
const RETRIES: u32 = 1;

/// `current` of it.
static CURRENT: &[Setting] = &[
    Setting {
        name: "request",
        kind: Kind::Request,
        preset: Preset::Required,
        doc: "A request, or `|| …` that returns one.",
    },
    Setting {
        name: "value",
        kind: Kind::Answer,
        preset: Preset::None("the reply itself, as JSON"),
        doc: "`|reply| …`, or a dotted path into the JSON: the number of dynos, a whole number.",
    },
];

/// `scale::http(#{ current: #{ request: http::get(url), value: "replicas" }, scale_to: |n| http::put(url).json(n) })`
pub(super) const CONSTRUCTOR: Constructor<Box<dyn Scale>> = Constructor {
    kind: StageKind::Scale,
    name: "http",
    backend: "HttpBackend",
    doc: "Reads and sets the number of dynos by requests that the script describes.",
    settings: &[
        Setting {
            name: "current",
            kind: Kind::Map,
            preset: Preset::Required,
            doc: "`#{ request, value }`: how the number of dynos is read; `value` is `|reply| …` or a dotted path.",
        },
        Setting {
            name: "scale_to",
            kind: Kind::Function,
            preset: Preset::Required,
            doc: "`|n| …` returns the request that asks for n dynos in all; it may be repeated.",
        },
        TARGET,
    ],
    read: |fields| read(fields).map(|scale| Box::new(scale) as Box<dyn Scale>),
};

#[derive(Debug)]
struct HttpScale {
    request: Described,
    value: Extract,
    scale_to: Described,
    target: Option<Arc<str>>,
}

fn read(fields: &mut Fields<'_>) -> Option<HttpScale> {
    let target = fields.text(TARGET.name);
    let scale_to = fields.function("scale_to", 1).map(Described::Made);
    let node = fields.node("current")?;
    let mut inner = Fields::open("`current` of `scale::http`", node, vec![CURRENT], fields.report());
    let (request, value) = (Described::read(&mut inner, "request", 0), Extract::read(&mut inner, "value"));
    Some(HttpScale { request: request?, value: value?, scale_to: scale_to?, target })
}

impl Scale for HttpScale {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        let mut current = Map::new();
        current.insert("request".into(), self.request.shown());
        current.extend(self.value.shown().map(|value| ("value".to_owned(), value)));
        let mut settings = Map::new();
        settings.insert("current".into(), current.into());
        settings.insert("scale_to".into(), self.scale_to.shown());
        settings.extend(self.target.iter().map(|target| (TARGET.name.to_owned(), json!(target))));
        settings.into()
    }

    fn target(&self) -> Option<String> {
        self.target.as_ref().map(ToString::to_string)
    }

    fn reaches(&self) -> Vec<String> {
        self.request.reaches().into_iter().chain(self.scale_to.reaches()).collect()
    }

    fn open(self: Arc<Self>, pipeline: &Arc<str>, world: &Arc<World>) -> Arc<dyn Platform> {
        Arc::new(DescribedPlatform::new(self, pipeline, world))
    }
}

#[async_trait]
impl Steps for HttpScale {
    async fn current(&self, around: Around<'_>) -> Result<Returned, ScaleError> {
        let sent = self.request.send("request", Argument::Nothing, RETRIES, around).await;
        let response = sent.map_err(|error| failed(&error))?;
        let kind = kind_of(response.plain_status());
        self.value.take(response, around).await.map_err(|message| ScaleError { kind, message })
    }

    async fn scale_to(&self, dynos: u32, around: Around<'_>) -> Result<(), ScaleError> {
        let sent = self.scale_to.send("scale_to", Argument::Dynos(dynos), RETRIES, around).await;
        let response = sent.map_err(|error| failed(&error))?;
        if response.is_fine() {
            return Ok(());
        }
        Err(ScaleError { kind: kind_of(response.plain_status()), message: response.failure() })
    }
}

/// Whether an exchange that failed may have reached its end.
fn failed(error: &HttpError) -> ScaleError {
    use HttpErrorKind as K;
    match error.kind {
        K::Dns | K::Tls | K::Refused | K::Unreachable | K::Invalid => refused(error.message.clone()),
        K::Broken | K::Timeout | K::TooLarge | K::Redirect => {
            ScaleError { kind: ScaleErrorKind::Unknown, message: error.message.clone() }
        }
    }
}

/// What a status says of a change that was asked for.
fn kind_of(status: i64) -> ScaleErrorKind {
    match status {
        429 => ScaleErrorKind::RateLimited,
        500.. => ScaleErrorKind::Unknown,
        _ => ScaleErrorKind::Refused,
    }
}
