//! Functions of the script as measurements, and `.map`, with functions that are not Rhai.

use std::sync::{Arc, Mutex};

use autoscaler::function::{Argument, CallError, Callable, Function, Movement, Permit, Reach, Returned, This};
use autoscaler::measure::{Custom, MeasureContext, MeasureStage};
use autoscaler::pipeline::FailureKind::{NotLoad, Overload};
use autoscaler::settings::Place;
use serde_json::{Value as Json, json};

use super::support::{failed, map, measure, stage, stage_of, text, world};
use super::web::Web;

type Body = dyn Fn(Argument, &mut Json, &Permit) -> Result<Returned, CallError> + Send + Sync;

struct Native(Box<Body>, Place);

impl std::fmt::Debug for Native {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Native")
    }
}

impl Callable for Native {
    fn arity(&self) -> usize {
        0
    }
    fn place(&self) -> &Place {
        &self.1
    }
    fn fingerprint(&self) -> &'static str {
        "native"
    }
    fn call(&self, argument: Argument, memory: &mut This, permit: &Permit) -> Result<Returned, CallError> {
        let mut json = memory.json().clone();
        let answer = (self.0)(argument, &mut json, permit);
        *memory = json.into();
        answer
    }
}

fn function(
    body: impl Fn(Argument, &mut Json, &Permit) -> Result<Returned, CallError> + Send + Sync + 'static,
) -> Function {
    Arc::new(Native(Box::new(body), Place::file("test.rhai")))
}

fn answering(returned: Returned) -> MeasureStage {
    stage_of(Arc::new(Custom::new(function(move |_, _, _| Ok(returned.clone())))))
}

fn thrown() -> CallError {
    let place = Some(Place { file: "test.rhai".into(), line: 3, column: 9 });
    CallError::Script { message: "no queue".into(), place }
}

#[tokio::test]
async fn a_function_answers_numbers_or_json() {
    let world = world();
    let object = json!({"a": [1]});
    for (returned, value, data) in [
        (Returned::Int(3), Some(3.0), json!(3)),
        (Returned::Float(2.5), Some(2.5), json!(2.5)),
        (Returned::Data(object.clone()), None, object),
        (Returned::Data(json!("12")), None, json!("12")),
    ] {
        let measurement = measure(&answering(returned), &world).await;
        assert_eq!((measurement.success, measurement.value, measurement.data), (true, value, data));
        assert_eq!(measurement.backend, "custom");
    }
}

#[tokio::test]
async fn what_is_no_measurement_fails() {
    let world = world();
    let change = autoscaler::function::Change { movement: Movement::Up(1.0), reason: None, dropped: Vec::new() };
    for (returned, kind, says) in [
        (Returned::Nothing, NotLoad, "the function of `measure` answered nothing"),
        (Returned::Float(f64::NAN), NotLoad, "the function of `measure` answered NaN, which is no number to judge"),
        (Returned::Failed("queue is down".into()), Overload, "queue is down"),
        (
            Returned::Change(change),
            NotLoad,
            "the function of `measure` answered a change of dynos; `up`, `down`, `to` and `hold` belong into `decide`",
        ),
    ] {
        assert_eq!(failed(&measure(&answering(returned), &world).await), (kind, says));
    }
    let throws = stage_of(Arc::new(Custom::new(function(|_, _, _| Err(thrown())))));
    assert_eq!(failed(&measure(&throws, &world).await), (Overload, "no queue (test.rhai:3:9)"));
}

#[tokio::test]
async fn a_function_reaches_the_world_and_has_a_memory() {
    let count = function(|argument, memory, permit| {
        assert!(matches!(argument, Argument::Nothing) && matches!(permit.reach, Reach::World { .. }));
        let n = memory["n"].as_i64().unwrap_or(0) + 1;
        *memory = json!({ "n": n });
        Ok(Returned::Int(n))
    });
    let (stage, world) = (stage_of(Arc::new(Custom::new(count))), world());
    let memory = Mutex::new(This::default());
    let pipeline: Arc<str> = "web".into();
    for n in 1..=3 {
        let context = MeasureContext { pipeline: &pipeline, at: world.clock.now(), memory: &memory };
        assert_eq!(stage.measure(&context, &world).await.data, json!(n));
    }
    assert_eq!(*memory.lock().unwrap(), json!({"n": 3}));
}

#[tokio::test]
async fn a_native_measurement_is_reworked() {
    let web = Web::saying(200, r#"{"size": 12}"#);
    let mut stage = stage("app_decision", &map([("measurement_url", text(&web.url("/m")))]));
    let size = function(|argument, _, permit| {
        assert!(matches!(permit.reach, Reach::Pure));
        let Argument::Data(data) = argument else { panic!("data is due") };
        Ok(Returned::Data(data["size"].clone()))
    });
    let halve = function(|argument, _, _| {
        let Argument::Data(data) = argument else { panic!("data is due") };
        Ok(Returned::Float(data.as_f64().unwrap() / 2.0))
    });
    let world = world();
    stage.map = vec![size, halve];
    let measurement = measure(&stage, &world).await;
    assert_eq!((measurement.value, measurement.data), (Some(6.0), json!(6.0)));
    assert_eq!(measurement.backend, "AppDecisionBackend");
    stage.map.push(function(|_, _, _| Err(thrown())));
    assert_eq!(failed(&measure(&stage, &world).await), (NotLoad, "`.map`: no queue (test.rhai:3:9)"));
    stage.map = vec![function(|_, _, _| Ok(Returned::Nothing))];
    assert_eq!(failed(&measure(&stage, &world).await), (NotLoad, "the function of `.map` answered nothing"));
    stage.map = vec![function(|_, _, _| Ok(Returned::Failed("too old".into())))];
    assert_eq!(failed(&measure(&stage, &world).await), (Overload, "too old"));
}

#[tokio::test]
async fn a_failed_measurement_is_not_reworked() {
    let web = Web::saying(404, "");
    let mut stage = stage("app_decision", &map([("measurement_url", text(&web.url("/m")))]));
    stage.map = vec![function(|_, _, _| Ok(Returned::Int(0)))];
    let message = format!("`{}` answered 404 Not Found; is `measurement_url` right?", web.url("/m"));
    assert_eq!(failed(&measure(&stage, &world()).await), (NotLoad, &*message));
}
