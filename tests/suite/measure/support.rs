//! A world with the live network and nothing else, and settings written by hand.

use std::sync::{Arc, Mutex};

use autoscaler::function::Calls;
use autoscaler::heroku::App;
use autoscaler::measure::{CONSTRUCTORS, Measure, MeasureContext, MeasureStage, Surroundings};
use autoscaler::net::{Client, RedisConnections, install_tls};
use autoscaler::notify::Audience;
use autoscaler::pipeline::{Event, FailureKind, Measurement, PipelineSpec};
use autoscaler::scale::Scale;
use autoscaler::settings::{Fields, Node, Place, Report, Value};
use autoscaler::state::MemoryState;
use autoscaler::world::{LiveSources, Platform, Platforms, Standard, SystemClock, World};
use serde_json::Value as Json;

struct Nothing;

impl Platforms for Nothing {
    fn open(&self, _: &Arc<dyn Scale>, _: &Arc<str>, _: &Arc<World>) -> Arc<dyn Platform> {
        unreachable!("a measurement opens no platform")
    }
}

impl Audience for Nothing {
    fn tell(&self, _: &Arc<PipelineSpec>, _: Vec<Event>) {}
    fn announce(&self, _: &[Arc<PipelineSpec>], _: Event) {}
}

/// A world whose network is the real one.
pub fn world() -> Arc<World> {
    install_tls();
    Arc::new(World {
        clock: Arc::new(SystemClock),
        calls: Calls::default(),
        http: Arc::new(Client::new().expect("a client")),
        redis: Arc::new(RedisConnections::default()),
        programs: Arc::new(autoscaler::program::Runner),
        sources: Arc::new(LiveSources),
        platforms: Arc::new(Nothing),
        console: Arc::new(Standard::Output),
        audience: Arc::new(Nothing),
        state: Arc::new(MemoryState::default()),
        levers: Arc::default(),
        host: None,
        ledger: Arc::default(),
    })
}

/// A settings map, every key on a line of its own: the first on line 1 of `test.rhai`.
pub fn map<const N: usize>(entries: [(&str, Value); N]) -> Node {
    let place = |line: usize| Some(Place { file: "test.rhai".into(), line: u32::try_from(line).unwrap(), column: 1 });
    let node =
        |(index, (key, value)): (usize, (&str, Value))| (Arc::from(key), Node { value, place: place(index + 1) });
    Node { value: Value::Map(entries.into_iter().enumerate().map(node).collect()), place: place(0) }
}

pub fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// A scale stage that may be an app on Heroku.
#[derive(Debug, Default)]
pub struct Target(pub Option<App>);

impl Scale for Target {
    fn backend(&self) -> &'static str {
        "custom"
    }
    fn settings(&self) -> Json {
        Json::Null
    }
    fn target(&self) -> Option<String> {
        None
    }
    fn heroku(&self) -> Option<&App> {
        self.0.as_ref()
    }
    fn open(self: Arc<Self>, _: &Arc<str>, _: &Arc<World>) -> Arc<dyn Platform> {
        unreachable!("a measurement opens no platform")
    }
}

/// Reads and settles `measure::name(settings)`.
pub fn declare(
    name: &str,
    settings: &Node,
    target: Target,
    max_threshold: Option<f64>,
) -> (Option<Box<dyn Measure>>, Report) {
    let constructor = CONSTRUCTORS.iter().find(|one| one.name == name).expect("a constructor of that name");
    let mut report = Report::default();
    let tables = vec![constructor.settings, autoscaler::measure::COMMON];
    let mut fields = Fields::open(format!("`measure::{name}`"), settings, tables, &mut report);
    let mut backend = (constructor.read)(&mut fields);
    if let Some(backend) = &mut backend {
        let scale: Arc<dyn Scale> = Arc::new(target);
        backend.settle(&Surroundings { pipeline: "web", scale: &scale, max_threshold }, &mut report);
    }
    (backend, report)
}

/// A stage of `measure::name(settings)` that has nothing wrong.
pub fn stage(name: &str, settings: &Node) -> MeasureStage {
    let (backend, report) = declare(name, settings, Target::default(), None);
    assert_eq!(report.to_string(), "");
    stage_of(Arc::from(backend.expect("a backend")))
}

pub fn stage_of(backend: Arc<dyn Measure>) -> MeasureStage {
    let on_failure = backend.on_failure();
    let interval = std::time::Duration::from_secs(30);
    MeasureStage { name: "measurement".into(), backend, interval, on_failure, map: Vec::new(), memory: Json::Null }
}

/// One measurement of `stage` in `world`.
pub async fn measure(stage: &MeasureStage, world: &Arc<World>) -> Measurement {
    let memory = Mutex::new((&stage.memory).into());
    let pipeline: Arc<str> = "web".into();
    let context = MeasureContext { pipeline: &pipeline, at: world.clock.now(), memory: &memory };
    world.sources.measure(stage, &context, world).await
}

/// What a user reads of a failed measurement, and whether it can be a sign of load.
pub fn failed(measurement: &Measurement) -> (FailureKind, &str) {
    assert!(!measurement.success && measurement.value.is_none() && measurement.data.is_null(), "{measurement:?}");
    let failure = measurement.failure.as_ref().expect("a failed measurement says why");
    (failure.kind, &failure.message)
}
