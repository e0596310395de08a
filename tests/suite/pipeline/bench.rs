//! A pipeline of a real script on a virtual clock: fed with measurements, its dynos a number.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use autoscaler::pipeline::{Declared, Event, Failure, Pipeline, PipelineSpec, Record, declare};
use autoscaler::script::{Environment, Loaded, MissingSecrets, Source, load};
use autoscaler::state::Fence;
use autoscaler::world::pretend::{Pretend, PretendDynos};
use autoscaler::world::{ScaleError, ScaleErrorKind};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::Value as Json;

/// No variable is set.
struct Bare;

impl Environment for Bare {
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }
}

pub fn loaded(text: &str) -> Loaded {
    let path = PathBuf::from("/nowhere/test.rhai");
    let source = Source { path, text: Some(text.into()), unit: None };
    let environment: Arc<dyn Environment> = Arc::new(Bare);
    load(&source, &environment, MissingSecrets::Placeholder)
}

pub fn declared(text: &str) -> Declared {
    declare(&loaded(text), None, 1, Tz::UTC)
}

/// The pipelines of a script without errors.
pub fn specs(text: &str) -> Vec<Arc<PipelineSpec>> {
    let declared = declared(text);
    assert!(!declared.report.has_errors(), "{}", declared.report);
    declared.specs
}

/// The script of one pipeline `web`, stage by stage.
pub struct Draft {
    pub measure: String,
    pub decide: String,
    pub scale: String,
    pub notify: String,
    /// Further entries of the pipeline's map: `start_from_zero: true,`.
    pub wide: String,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            measure: "|| 0".into(),
            decide: "decide::consecutive_threshold(#{})".into(),
            scale: "#{ current: || 0, scale_to: |n| () }".into(),
            notify: "()".into(),
            wide: String::new(),
        }
    }
}

impl Draft {
    pub fn text(&self) -> String {
        let Self { measure, decide, scale, notify, wide } = self;
        format!(
            "pipeline(\"web\", #{{\n    measure: {measure},\n    decide: {decide},\n    scale: {scale},\n    \
             notify: {notify},\n    {wide}\n}});\n"
        )
    }

    pub fn deciding(decide: impl Into<String>) -> Self {
        Self { decide: decide.into(), ..Self::default() }
    }

    pub fn spec(&self) -> Arc<PipelineSpec> {
        Arc::clone(&specs(&self.text())[0])
    }

    pub async fn open(&self) -> App {
        App::open(self.spec(), &Pretend::starting_at(noon())).await
    }
}

/// A pipeline at work in a pretended world.
pub struct App {
    pub pretend: Pretend,
    pub pipeline: Pipeline,
    pub now: DateTime<Utc>,
    pub events: Vec<Event>,
    pub records: Vec<Arc<Record>>,
}

/// When the tests begin.
pub fn noon() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

impl App {
    pub async fn open(spec: Arc<PipelineSpec>, pretend: &Pretend) -> Self {
        let pipeline = Pipeline::open(spec, Arc::clone(&pretend.world), Fence(1)).await;
        Self { pretend: pretend.clone(), pipeline, now: noon(), events: Vec::new(), records: Vec::new() }
    }

    /// One tick with what is measured, an interval after the last.
    pub async fn tick(&mut self, measured: Result<Json, Failure>) -> Arc<Record> {
        let name = Arc::clone(&self.pipeline.spec().name);
        self.pretend.sources.feed(&name, measured);
        self.pretend.clock.set(self.now);
        let record = self.pipeline.tick(self.now).await;
        self.now += TimeDelta::from_std(self.pipeline.interval()).unwrap();
        self.events.extend(self.pretend.audience.take());
        self.records.push(Arc::clone(&record));
        record
    }

    /// One tick a value; the last record.
    pub async fn feed(&mut self, values: impl IntoIterator<Item = f64>) -> Arc<Record> {
        for value in values {
            self.tick(Ok(value.into())).await;
        }
        Arc::clone(self.records.last().expect("there was a tick"))
    }

    pub async fn fail(&mut self, failure: Failure) -> Arc<Record> {
        self.tick(Err(failure)).await
    }

    pub fn dynos(&self) -> u32 {
        self.pretend.platforms.dynos("web")
    }

    pub fn set(&self, dynos: u32) {
        self.pretend.platforms.set("web", dynos);
    }

    pub fn platform(&self) -> Arc<Mutex<PretendDynos>> {
        self.pretend.platforms.of("web")
    }

    /// Makes the next scale fail.
    pub fn refuse(&self, kind: ScaleErrorKind) {
        let error = ScaleError { kind, message: "no luck".into() };
        self.platform().lock().unwrap().scales.push_back(Some(error));
    }

    /// Makes the next read fail.
    pub fn hide(&self) {
        let error = ScaleError { kind: ScaleErrorKind::Refused, message: "no answer".into() };
        self.platform().lock().unwrap().reads.push_back(Some(error));
    }

    /// Kinds, phases and texts of the events since the last call.
    pub fn told(&mut self) -> Vec<String> {
        let events = std::mem::take(&mut self.events);
        events.into_iter().map(|event| format!("{} {:?}: {}", event.kind, event.phase, event.message)).collect()
    }
}

/// The guards that spoke in a record.
pub fn guards(record: &Record) -> Vec<&str> {
    record.reasons.iter().map(|reason| &*reason.guard).collect()
}

/// All reasons of a record in one text.
pub fn why(record: &Record) -> String {
    let texts: Vec<&str> = record.reasons.iter().map(|reason| reason.text.as_str()).collect();
    texts.join("; ")
}

pub fn times(value: f64, n: usize) -> impl Iterator<Item = f64> {
    std::iter::repeat_n(value, n)
}
