//! A pipeline on a virtual clock: built from settings by hand, fed with measurements, its dynos a number.

use std::sync::{Arc, Mutex};

use autoscaler::function::{Argument, CallError, Callable, Function, Permit, Returned};
use autoscaler::pipeline::{Declared, Event, Failure, Pipeline, PipelineSpec, Record, declare};
use autoscaler::script::{Declaration, Loaded};
use autoscaler::settings::{Node, Place, Stage, StageKind, Value};
use autoscaler::state::Fence;
use autoscaler::world::pretend::{Pretend, PretendDynos};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::Value as Json;

/// A value of a script, with a place of its own per key: line = number of the entry.
pub fn node(value: Value) -> Node {
    Node { value, place: None }
}

pub fn at(line: u32, value: impl Into<Node>) -> Node {
    let place = Some(Place { file: "test.rhai".into(), line, column: 5 });
    Node { place, ..value.into() }
}

/// `#{ … }` from JSON; texts, numbers and flags.
pub fn map(json: &Json) -> Node {
    node(match json {
        Json::Null => Value::Unit,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Int),
        Json::String(text) => Value::Text(text.as_str().into()),
        Json::Array(items) => Value::Array(items.iter().map(map).collect()),
        Json::Object(entries) => {
            let entry = |(line, (key, value)): (usize, (&String, &Json))| {
                (Arc::from(key.as_str()), at(10 + u32::try_from(line).unwrap(), map(value)))
            };
            Value::Map(entries.iter().enumerate().map(entry).collect())
        }
    })
}

pub fn stage(kind: StageKind, name: &str, settings: &Json) -> Node {
    let stage = Stage {
        kind,
        name: name.into(),
        settings: map(settings),
        arguments: Vec::new(),
        map: Vec::new(),
        place: Some(Place { file: "test.rhai".into(), line: 2, column: 1 }),
    };
    node(Value::Stage(Arc::new(stage)))
}

/// A function of the test in place of one of a script.
pub struct Native {
    pub arity: usize,
    pub text: String,
    pub call: Box<dyn Fn(Argument, &mut Json) -> Result<Returned, CallError> + Send + Sync>,
}

impl std::fmt::Debug for Native {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

static NOWHERE: std::sync::LazyLock<Place> = std::sync::LazyLock::new(|| Place::file("test.rhai"));

impl Callable for Native {
    fn arity(&self) -> usize {
        self.arity
    }

    fn place(&self) -> &Place {
        &NOWHERE
    }

    fn fingerprint(&self) -> &str {
        &self.text
    }

    fn call(&self, argument: Argument, memory: &mut Json, _permit: &Permit) -> Result<Returned, CallError> {
        (self.call)(argument, memory)
    }
}

pub fn function(
    arity: usize,
    call: impl Fn(Argument, &mut Json) -> Result<Returned, CallError> + Send + Sync + 'static,
) -> Function {
    Arc::new(Native { arity, text: "function".into(), call: Box::new(call) })
}

/// The stages of a pipeline map; `decide` and `wide` as JSON.
pub struct Draft {
    pub measure: Node,
    pub decide: Node,
    pub scale: Node,
    pub notify: Node,
    pub wide: Json,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            measure: measured(),
            decide: consecutive(&Json::Object(serde_json::Map::new())),
            scale: functions(),
            notify: node(Value::Unit),
            wide: Json::Object(serde_json::Map::new()),
        }
    }
}

/// `measure: || …`; what it answers is fed.
pub fn measured() -> Node {
    node(Value::Function(function(0, |_, _| Ok(Returned::Nothing))))
}

pub fn consecutive(settings: &Json) -> Node {
    stage(StageKind::Decide, "consecutive_threshold", settings)
}

/// `scale: #{ current: …, scale_to: … }`; the platform is pretended.
pub fn functions() -> Node {
    let never = |arity| at(3, node(Value::Function(function(arity, |_, _| Ok(Returned::Nothing)))));
    node(Value::Map(vec![("current".into(), never(0)), ("scale_to".into(), never(1))]))
}

pub fn decided(call: impl Fn(Argument, &mut Json) -> Result<Returned, CallError> + Send + Sync + 'static) -> Node {
    node(Value::Function(function(1, call)))
}

impl Draft {
    pub fn declaration(self, name: &str) -> Declaration {
        let Value::Map(mut entries) = map(&self.wide).value else { panic!("the wide settings are a map") };
        let stages =
            [("measure", self.measure), ("decide", self.decide), ("scale", self.scale), ("notify", self.notify)];
        for (line, (key, value)) in (3..).zip(stages) {
            entries.push((key.into(), at(line, value)));
        }
        let place = Some(Place { file: "test.rhai".into(), line: 1, column: 1 });
        Declaration { name: name.into(), place: place.clone(), settings: Node { value: Value::Map(entries), place } }
    }

    pub fn loaded(self) -> Loaded {
        Loaded { declarations: vec![self.declaration("web")], ..Loaded::default() }
    }

    pub fn declared(self) -> Declared {
        declare(&self.loaded(), None, 1, Tz::UTC)
    }

    pub fn spec(self) -> Arc<PipelineSpec> {
        let declared = self.declared();
        assert!(!declared.report.has_errors(), "{}", declared.report);
        Arc::clone(&declared.specs[0])
    }

    pub async fn open(self) -> App {
        App::open(self.spec()).await
    }
}

/// A pipeline at work in a pretended world. Its clock stands at noon at first.
pub struct App {
    pub pretend: Pretend,
    pub pipeline: Pipeline,
    pub now: DateTime<Utc>,
    pub events: Vec<Event>,
    pub records: Vec<Arc<Record>>,
}

pub fn noon() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

impl App {
    pub async fn open(spec: Arc<PipelineSpec>) -> Self {
        let pretend = Pretend::starting_at(noon());
        let pipeline = Pipeline::open(spec, Arc::clone(&pretend.world), Fence(1)).await;
        Self { pretend, pipeline, now: noon(), events: Vec::new(), records: Vec::new() }
    }

    /// One tick with a measurement of `value`, an interval after the last.
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
        Arc::clone(self.records.last().unwrap())
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

    /// Kinds, phases and texts since the last call.
    pub fn told(&mut self) -> Vec<String> {
        let events = std::mem::take(&mut self.events);
        events.into_iter().map(|event| format!("{} {:?}: {}", event.kind, event.phase, event.message)).collect()
    }
}

/// The guards that spoke in a record.
pub fn guards(record: &Record) -> Vec<&str> {
    record.reasons.iter().map(|reason| reason.guard.as_str()).collect()
}
