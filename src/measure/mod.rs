//! Owns the measuring stage: the trait [`Measure`], one file per backend, and what all of them have in
//! common (interval, what a failure counts as, `.map`). It judges no value.

mod app_decision;
mod celery;
mod celery_redis_queue_latency;
mod celery_redis_queue_size;
mod command;
mod custom;
mod headers;
mod heroku_app;
mod heroku_router_log;
mod heroku_service_time;
mod http;
pub(crate) mod json;
mod map;
pub mod probe;
mod redis_source;
pub(crate) mod redis_url;
mod request_queue_time;
mod response_time;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use crate::function::Function;
use crate::function::This;
use crate::pipeline::{Failure, Measurement};
use crate::scale::Scale;
use crate::settings::{Constructor, Kind, Preset, Report, Setting};
use crate::world::World;

pub use custom::Custom;
pub(crate) use headers::is_credential;

/// What a failed measurement counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// As above the maximum, where the failure can be a sign of load.
    TooHigh,
    /// No decision this tick; a run of consecutive values is broken.
    Hold,
    /// As if not taken.
    Ignore,
}

/// Settings that every `measure::` takes, next to its own.
pub static COMMON: &[Setting] = &[
    Setting {
        name: "measurement_interval_in_seconds",
        kind: Kind::Seconds,
        preset: Preset::Number(30.0),
        doc: "Seconds from the start of one measurement to the start of the next.",
    },
    Setting {
        name: "on_measurement_failure",
        kind: Kind::OneOf(&["too_high", "hold", "ignore"]),
        preset: Preset::None("\"too_high\" for response_time, \"hold\" for all others"),
        doc: "What a failed measurement counts as; it never reads as zero and never scales down.",
    },
    Setting {
        name: "memory",
        kind: Kind::Map,
        preset: Preset::None("`#{}`"),
        doc: "The initial `this` of the stage's functions.",
    },
];

/// A measuring stage as resolved.
#[derive(Clone, Debug)]
pub struct MeasureStage {
    /// Its name in the pipeline; [`ONLY`] for the only one.
    pub name: Arc<str>,
    /// The backend.
    pub backend: Arc<dyn Measure>,
    /// From the start of one tick to the start of the next.
    pub interval: Duration,
    /// What a failure counts as.
    pub on_failure: OnFailure,
    /// Functions of `.map(…)`, first to last.
    pub map: Vec<Function>,
    /// The initial `this`.
    pub memory: Json,
}

/// What a backend is told of the tick it measures for.
pub struct MeasureContext<'a> {
    /// The pipeline.
    pub pipeline: &'a Arc<str>,
    /// The tick's start.
    pub at: DateTime<Utc>,
    /// The memory of the stage, for scripted backends: replaced on success.
    pub memory: &'a std::sync::Mutex<This>,
}

/// What a backend measured: data as it came and the number to judge.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// As it came.
    pub data: Json,
    /// The number, where there is one.
    pub value: Option<f64>,
}

/// What of the rest of its pipeline a measuring backend may look at while the script loads.
pub struct Surroundings<'a> {
    /// The pipeline's name.
    pub pipeline: &'a str,
    /// Its scale stage: app and key of `scale::heroku`, for a relative URL or the log tail.
    pub scale: &'a Arc<dyn Scale>,
    /// The upper threshold of its decision, in the unit of the measurement.
    pub max_threshold: Option<f64>,
}

/// A measuring backend with its settings.
#[async_trait]
pub trait Measure: Send + Sync + fmt::Debug {
    /// The documented name ("`ResponseTimeBackend`"), or "custom".
    fn backend(&self) -> &'static str;

    /// Its own settings as resolved, secrets masked, for `check --json`.
    fn settings(&self) -> Json;

    /// Names source and unit: a pipeline whose measurement changed it starts a new history.
    fn source(&self) -> String;

    /// The default of `on_measurement_failure`.
    fn on_failure(&self) -> OnFailure {
        OnFailure::Hold
    }

    /// The thresholds given on the measuring side (minimum, maximum), if any.
    fn thresholds(&self) -> (Option<f64>, Option<f64>) {
        (None, None)
    }

    /// The unit of the value ("ms", "tasks"), where it is known: for warnings and views.
    fn unit(&self) -> Option<&'static str> {
        None
    }

    /// Takes from the rest of the pipeline what it needs (the app for a relative URL …); reports what
    /// is missing.
    fn settle(&mut self, _around: &Surroundings<'_>, _report: &mut Report) {}

    /// Environment variables in place of settings that are not written, and whether each is set: like
    /// those that the script asks for with `env::secret`.
    fn needs(&self) -> Vec<(Arc<str>, bool)> {
        Vec::new()
    }

    /// What it reaches, for `check`: URLs and hosts.
    fn reaches(&self) -> Vec<String> {
        Vec::new()
    }

    /// The URL that is asked, where one is: for a look at it.
    fn probe(&self) -> Option<&probe::Probe> {
        None
    }

    /// The queue that is counted, where one is: for a look at it.
    fn queue(&self) -> Option<crate::doctor::Queue> {
        None
    }

    /// The function of the script that measures, if one does.
    fn function(&self) -> Option<&Function> {
        None
    }

    /// The function of the script that takes the value out of a reply, if one does.
    fn value_function(&self) -> Option<&Function> {
        None
    }

    /// Whether a function of the script that is not [`Measure::function`] made the measurement fail with `error`.
    fn is_to_blame(&self, _error: &str) -> bool {
        false
    }

    /// Measures once.
    ///
    /// # Errors
    /// Why there is no number: never a number that was not measured.
    async fn measure(&self, context: &MeasureContext<'_>, world: &Arc<World>) -> Result<Reading, Failure>;
}

/// Every constructor of `measure::`.
pub static CONSTRUCTORS: &[Constructor<Box<dyn Measure>>] = &[
    response_time::CONSTRUCTOR,
    heroku_service_time::CONSTRUCTOR,
    celery_redis_queue_size::CONSTRUCTOR,
    celery_redis_queue_latency::CONSTRUCTOR,
    request_queue_time::CONSTRUCTOR,
    app_decision::CONSTRUCTOR,
    http::CONSTRUCTOR,
    command::CONSTRUCTOR,
    heroku_router_log::CONSTRUCTOR,
];

/// The name of the only measurement of a pipeline.
pub const ONLY: &str = "measurement";

impl MeasureStage {
    /// The functions of the script that make its values.
    pub fn functions(&self) -> impl Iterator<Item = &Function> {
        self.backend.function().into_iter().chain(&self.map)
    }

    /// Those, and the function that takes the value out of a reply.
    pub fn all_functions(&self) -> impl Iterator<Item = &Function> {
        self.functions().chain(self.backend.value_function())
    }

    /// Whether functions of the script may have made the measurement fail with `error`.
    #[must_use]
    pub fn functions_failed(&self, error: &str) -> bool {
        self.functions().next().is_some() || self.backend.is_to_blame(error)
    }

    /// The unit of the values that are judged, where it is known: a `.map` makes it unknown.
    #[must_use]
    pub fn unit(&self) -> Option<&'static str> {
        if self.map.is_empty() { self.backend.unit() } else { None }
    }

    /// One measurement: the backend's reading, reworked by `.map`, with its time.
    pub async fn measure(&self, context: &MeasureContext<'_>, world: &Arc<World>) -> Measurement {
        let started = tokio::time::Instant::now();
        let read = self.backend.measure(context, world).await;
        let mut measurement = self.finish(read, context, world).await;
        measurement.took_ms = started.elapsed().as_secs_f64() * 1000.0;
        measurement
    }

    /// What a reading comes to, however it was had: reworked by `.map`, with a finite number or none.
    pub async fn finish(
        &self,
        read: Result<Reading, Failure>,
        context: &MeasureContext<'_>,
        world: &Arc<World>,
    ) -> Measurement {
        let backend = self.backend.backend();
        let measured = match read {
            // Boxed: the future of a script call is large, and most stages have none.
            Ok(reading) if !self.map.is_empty() => Box::pin(map::rework(reading, &self.map, context, world)).await,
            read => read,
        };
        match measured {
            Ok(reading) => Measurement {
                value: reading.value.filter(|value| value.is_finite()),
                ..Measurement::good(backend, reading.data, context.at)
            },
            Err(failure) => Measurement::failed(backend, failure, context.at),
        }
    }
}
