//! Every example of the reference loads as a script, and the functions in it work.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use autoscaler::decide::{NamedPolicy, PolicyKind};
use autoscaler::function::{Argument, Returned};
use autoscaler::measure::{MeasureContext, Reading};
use autoscaler::pipeline::{
    Event, EventKind, History, Measurement, Moment, NamedMeasurement, Phase, PipelineSpec, declare,
};
use autoscaler::reach::Bounds;
use autoscaler::reference::{Shown, shown};
use autoscaler::script::{Environment, Frame, MissingSecrets, Source, load};
use autoscaler::settings::Severity;
use autoscaler::testing::Suite;
use autoscaler::world::pretend::Pretend;
use autoscaler::world::{Freshness, Redis, RedisError, RedisQuestion, RedisServer, RedisValue, World};
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use serde_json::json;

/// Hardly any variables are set, and programs are allowed.
struct Variables;

impl Environment for Variables {
    /// What examples are asked or sent with must be known.
    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "REDIS_URL" => Some("redis://redis.example.com/0".into()),
            "QUEUE_TOKEN" | "QUEUE_PASSWORD" => Some("never-shown-12345".into()),
            _ => None,
        }
    }

    fn bounds(&self) -> &Bounds {
        static PROGRAMS: Bounds = Bounds { hosts: None, variables: None, programs: true };
        &PROGRAMS
    }
}

/// Answers every question.
struct Answers;

#[async_trait]
impl Redis for Answers {
    async fn list_lengths(&self, _: &RedisServer, keys: &[Vec<u8>]) -> Result<Vec<u64>, RedisError> {
        Ok(vec![1; keys.len()])
    }

    async fn read(&self, _: &RedisServer, question: &RedisQuestion) -> Result<RedisValue, RedisError> {
        Ok(match question.command {
            "GET" | "HGET" | "LINDEX" => RedisValue::Text("12".into()),
            "ZSCORE" => RedisValue::Float(1.5),
            "LRANGE" => RedisValue::List(vec!["a".into(), "b".into()]),
            _ => RedisValue::Int(12),
        })
    }
}

/// A world that reaches nothing but a redis that answers.
fn world() -> Arc<World> {
    let pretend = Pretend::starting_at(start()).world;
    let mut world = Arc::into_inner(pretend).expect("nobody else holds it");
    world.redis = Arc::new(Answers);
    Arc::new(world)
}

/// The pipelines and tests of an example; nothing but notes may be said of it.
fn declared(shown: &Shown) -> Suite {
    let text = shown.example.whole();
    let source = Source { path: "example.rhai".into(), text: Some(text.as_str().into()), unit: None };
    let environment: Arc<dyn Environment> = Arc::new(Variables);
    let loaded = load(&source, &environment, MissingSecrets::Placeholder);
    let declared = declare(&loaded, None, 1, chrono_tz::UTC);
    let said = declared.report.diagnostics().iter().find(|said| said.severity != Severity::Note);
    assert!(said.is_none(), "{}: {}\n{text}", shown.title, said.map_or_else(String::new, ToString::to_string));
    Suite { tests: loaded.tests, specs: declared.specs, unit: None }
}

fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 24, 9, 30, 0).unwrap()
}

fn moment(spec: &PipelineSpec) -> Moment {
    let mut history = History::default();
    for (second, value) in (0_i64..).zip([100.0, 200.0, 300.0, 350.0]) {
        history.push(Measurement::good("custom", json!(value), start() + TimeDelta::seconds(second)), 10);
    }
    let history = Arc::new(history);
    let measurement = Arc::new(Measurement::good("custom", json!(350.0), start()));
    let names = spec.measure.iter().filter(|_| spec.names_measurements()).map(|stage| Arc::clone(&stage.name));
    let named = |name| NamedMeasurement { name, measurement: Arc::clone(&measurement), past: Arc::clone(&history) };
    Moment {
        pipeline: "web".into(),
        named: names.map(named).collect(),
        judges_all: spec.decide.policies[0].judges.is_none(),
        mark: None,
        measurement: Arc::clone(&measurement),
        history: Arc::clone(&history),
        past: history,
        dynos: 2,
        booting: 0,
        min_dynos: 1,
        max_dynos: 5,
        now: start().with_timezone(&chrono_tz::America::Vancouver),
        seconds_since_scale: Some(600.0),
    }
}

/// Calls every function in `spec` that can be called here; how many there were.
async fn call_all(spec: &PipelineSpec, title: &str) -> usize {
    let (world, memory) =
        (&world(), |initial: &serde_json::Value| Mutex::new(autoscaler::function::This::from(initial)));
    let mut called = 0;
    for stage in &spec.measure {
        let memory = memory(&stage.memory);
        let context = MeasureContext { pipeline: &spec.name, at: start(), memory: &memory };
        if stage.backend.backend() == "custom" {
            called += 1;
            let measured = stage.measure(&context, world).await;
            assert!(measured.success, "{title}: {:?}", measured.failure);
        } else if !stage.map.is_empty() {
            called += 1;
            let data = json!({ "waiting": 1, "running": 2 });
            let measured = stage.finish(Ok(Reading { data, value: None }), &context, world).await;
            assert_eq!(measured.value, Some(3.0), "{title}: {:?}", measured.failure);
        }
    }
    if let [NamedPolicy { kind: PolicyKind::Scripted(function), memory: initial, .. }] = &spec.decide.policies[..] {
        called += 1;
        let memory = memory(initial);
        let answer = world.calls.pure(function, Argument::Moment(Arc::new(moment(spec))), &memory, &spec.name).await;
        let sound =
            matches!(answer, Ok(Returned::Nothing | Returned::Change(_) | Returned::Int(_) | Returned::Float(_)));
        assert!(sound, "{title}: {answer:?}");
    }
    for stage in spec.notify.iter().filter(|stage| stage.backend.backend() == "custom") {
        called += 1;
        let delivered = stage.backend.deliver(&event(), &memory(&stage.memory), world).await;
        assert_eq!(delivered, Ok(()), "{title}");
    }
    if spec.scale.backend() == "custom" {
        let platform = Arc::clone(&spec.scale).open(&spec.name, world);
        let counted = platform.observe(Freshness::Now).await;
        assert_eq!(counted.map(|supply| supply.dynos), Ok(2), "{title}");
    }
    called
}

fn event() -> Arc<Event> {
    Arc::new(Event {
        kind: EventKind::Scaled,
        phase: Phase::Once,
        key: "web/scaled".into(),
        severity: "info".into(),
        pipeline: "web".into(),
        message: "Scaled up from 2 to 3.".into(),
        subject: "Scaled up".into(),
        dynos: Some(3),
        from: Some(2),
        to: Some(3),
        measurement: Some(350.0),
        reason: None,
        unit: None,
        target: None,
        at: start(),
    })
}

#[tokio::test]
async fn every_example_runs() {
    let shown = shown();
    assert!(shown.len() > 80, "{}", shown.len());
    for shown in &shown {
        let suite = declared(shown);
        assert!(!suite.specs.is_empty(), "{} declares nothing", shown.title);
        let mut called = 0;
        for spec in suite.specs.iter().filter(|_| shown.example.frame != Frame::Sending) {
            called += call_all(spec, &shown.title).await;
        }
        let tested = shown.example.whole().contains("fn test_");
        let verdicts = suite.run(|_| true, None);
        for verdict in &verdicts {
            assert_eq!(verdict.fault, None, "{}", shown.title);
        }
        assert_eq!(verdicts.len(), usize::from(tested), "{}", shown.title);
        let function = matches!(shown.example.frame, Frame::Measuring | Frame::Deciding | Frame::Notifying);
        assert!(called > 0 || !function, "{}: its function was not called", shown.title);
    }
}
