//! Scaling by functions of the script, here pretended ones.

use std::sync::{Arc, Mutex};

use autoscaler::function::{Argument, CallError, Callable, Function, Permit, Reach, Returned, This};
use autoscaler::scale::{Custom, Scale};
use autoscaler::settings::Place;
use autoscaler::world::Freshness::Now;
use autoscaler::world::{Platform, ScaleErrorKind};
use serde_json::{Value as Json, json};

use super::support::{live_http, world};

type Body = dyn Fn(Argument, &mut Json) -> Result<Returned, CallError> + Send + Sync;

/// A function as the engine sees it.
struct Pretended {
    place: Place,
    body: Box<Body>,
}

impl std::fmt::Debug for Pretended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pretended")
    }
}

impl Callable for Pretended {
    fn arity(&self) -> usize {
        0
    }

    fn place(&self) -> &Place {
        &self.place
    }

    fn fingerprint(&self) -> &'static str {
        ""
    }

    fn call(&self, argument: Argument, memory: &mut This, permit: &Permit) -> Result<Returned, CallError> {
        assert!(matches!(permit.reach, Reach::World { .. }), "scaling may reach the world");
        let mut json = memory.json().clone();
        let answer = (self.body)(argument, &mut json);
        *memory = json.into();
        answer
    }
}

fn function(body: impl Fn(Argument, &mut Json) -> Result<Returned, CallError> + Send + Sync + 'static) -> Function {
    let place = Place { file: "scale.rhai".into(), line: 3, column: 14 };
    Arc::new(Pretended { place, body: Box::new(body) })
}

fn open(current: Function, scale_to: Function) -> Arc<dyn Platform> {
    Arc::new(Custom::new(current, scale_to, json!({ "calls": 0 }))).open(&"web".into(), &world(live_http()))
}

#[tokio::test]
async fn both_functions_are_called_and_share_their_memory() {
    let asked: Arc<Mutex<Vec<u32>>> = Arc::default();
    let seen = Arc::clone(&asked);
    let current = function(|argument, memory| {
        assert!(matches!(argument, Argument::Nothing));
        memory["calls"] = json!(memory["calls"].as_i64().unwrap() + 1);
        Ok(Returned::Int(2))
    });
    let scale_to = function(move |argument, memory| {
        let Argument::Dynos(dynos) = argument else { panic!("`scale_to` takes the count") };
        seen.lock().unwrap().push(dynos);
        memory["calls"] = json!(memory["calls"].as_i64().unwrap() + 1);
        Ok(Returned::Data(json!("ignored")))
    });
    let platform = open(current, scale_to);
    assert_eq!(platform.observe(Now).await.unwrap().dynos, 2);
    assert_eq!(platform.scale_to(5).await.unwrap().dynos, 5);
    assert_eq!(*asked.lock().unwrap(), [5]);
    assert_eq!(*platform.memory().unwrap().lock().unwrap(), json!({ "calls": 2 }));
}

#[tokio::test]
async fn what_is_no_count_and_what_throws_is_told_with_its_place() {
    let nothing = || function(|_, _| Ok(Returned::Nothing));
    let error = open(nothing(), nothing()).observe(Now).await.unwrap_err();
    assert_eq!(
        error.message,
        "`current` answers nothing, `()`, and must answer a whole number of at least 0 (scale.rhai:3:14)"
    );
    let place = || Some(Place { file: "scale.rhai".into(), line: 4, column: 20 });
    let throws = function(move |_, memory| {
        memory["calls"] = json!(99);
        Err(CallError::Script { message: "quota is used up".into(), place: place() })
    });
    let platform = open(nothing(), throws);
    let error = platform.scale_to(5).await.unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ScaleErrorKind::Refused, "`scale_to`: quota is used up (scale.rhai:4:20)")
    );
    assert_eq!(*platform.memory().unwrap().lock().unwrap(), json!({ "calls": 0 }), "a failed call leaves no trace");
    let slow = function(move |_, _| Err(CallError::Budget { message: "it took more than 30 s".into(), place: None }));
    let error = open(nothing(), slow).scale_to(5).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ScaleErrorKind::Unknown, "`scale_to`: it took more than 30 s"));
}
