//! `measure::heroku_service_time`, whole: a probe to an app, and the router's line for it in the log of
//! the fake API.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use autoscaler::measure::{self, MeasureContext, MeasureStage, OnFailure, Surroundings};
use autoscaler::pipeline::{FailureKind, Measurement};
use autoscaler::scale::{self, Scale};
use autoscaler::settings::{Fields, Node, Report, Value};
use autoscaler::world::World;
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use chrono::Utc;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

use super::support::{KEY, Served, live_http, world};

fn map(entries: &[(&str, &str)]) -> Node {
    let entries = entries.iter().map(|(key, value)| (Arc::from(*key), Node::bare(Value::Text((*value).into()))));
    Node::bare(Value::Map(entries.collect()))
}

/// The scale stage that a script with `served` would have.
fn scale(served: &Served) -> Arc<dyn Scale> {
    let constructor = scale::CONSTRUCTORS.iter().find(|known| known.name == "heroku").unwrap();
    let (node, mut report) =
        (map(&[("app_name", "shop"), ("api_key", KEY), ("api_url", &served.url)]), Report::default());
    let fields = &mut Fields::open("`scale::heroku`", &node, vec![constructor.settings], &mut report);
    let mut scale = (constructor.read)(fields).unwrap();
    scale.settle("web", &mut report);
    Arc::from(scale)
}

/// The stage as declared beside `scale`, and what was said of it.
fn stage(entries: &[(&str, &str)], scale: &Arc<dyn Scale>) -> (Option<MeasureStage>, String) {
    let constructor = measure::CONSTRUCTORS.iter().find(|known| known.name == "heroku_service_time").unwrap();
    let (node, mut report) = (map(entries), Report::default());
    let tables = vec![constructor.settings, measure::COMMON];
    let backend = (constructor.read)(&mut Fields::open("`measure::heroku_service_time`", &node, tables, &mut report));
    let stage = backend.map(|mut backend| {
        backend.settle(&Surroundings { pipeline: "web", scale, max_threshold: None }, &mut report);
        MeasureStage {
            name: "measurement".into(),
            backend: Arc::from(backend),
            interval: Duration::from_secs(30),
            on_failure: OnFailure::Hold,
            map: Vec::new(),
            memory: json!({}),
        }
    });
    (stage, report.to_string())
}

async fn measure(stage: &MeasureStage, world: &Arc<World>) -> Measurement {
    let (pipeline, memory): (Arc<str>, _) = ("web".into(), Mutex::default());
    stage.measure(&MeasureContext { pipeline: &pipeline, at: Utc::now(), memory: &memory }, world).await
}

/// An app whose router writes what `says` of each request into the log of `served`.
async fn app(served: &Served, says: impl Fn(&Served2, &str) -> StatusCode + Clone + Send + Sync + 'static) -> String {
    let fake = Served2(served.fake.clone());
    let answer = move |headers: HeaderMap| {
        let id = headers.get("x-request-id").unwrap().to_str().unwrap().to_owned();
        let status = says(&fake, &id);
        async move { (status, "Beat") }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let routes = Router::new().route("/measurement", axum::routing::get(answer));
        axum::serve(listener, routes).await.unwrap();
    });
    served.fake.set_web_url("shop", Some(&url));
    url
}

/// The log of `shop`.
#[derive(Clone)]
struct Served2(autoscaler::heroku::fake::Fake);

#[tokio::test]
async fn the_service_time_of_our_own_probe_is_measured() {
    let served = Served::start().await;
    app(&served, |log, id| {
        log.0.log_request("shop", "somebody-elses", "/measurement", 9999, 200);
        log.0.log_request("shop", id, "/measurement", 137, 200);
        StatusCode::OK
    })
    .await;
    let (stage, said) = stage(&[], &scale(&served));
    assert_eq!(said, "");
    let (stage, world) = (stage.unwrap(), world(live_http()));
    for _ in 0..3 {
        let measured = measure(&stage, &world).await;
        assert_eq!(
            (&*measured.backend, measured.data, measured.value, measured.failure),
            ("HerokuServiceTimeBackend", json!(137.0), Some(137.0), None)
        );
    }
    assert_eq!(served.fake.count_of("POST /apps/{app}/log-sessions"), 1, "one tail for all");
    let asked = served.fake.requests().into_iter().find(|request| request.route.starts_with("POST")).unwrap();
    let asked: Json = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(asked, json!({ "lines": 100, "source": "heroku", "dyno_name": "router", "tail": true }));
    // Heroku ends the stream and the session: the next measurement opens another.
    served.fake.end_log_streams("shop");
    assert!(crate::harness::eventually(Duration::from_secs(5), || served.fake.log_streams("shop") == 0));
    let again = async {
        loop {
            let measured = measure(&stage, &world).await;
            if measured.success {
                break measured.value;
            }
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), again).await.unwrap(), Some(137.0));
    assert_eq!(served.fake.count_of("POST /apps/{app}/log-sessions"), 2);
}

#[tokio::test]
async fn a_probe_or_a_line_that_is_not_good_is_a_failure() {
    let served = Served::start().await;
    let failure = |measured: Measurement| {
        assert_eq!((measured.success, measured.value, &measured.data), (false, None, &Json::Null));
        let failure = measured.failure.unwrap();
        (failure.kind, failure.message)
    };
    let url = app(&served, |_, _| StatusCode::INTERNAL_SERVER_ERROR).await;
    let (stage_of_it, _) = stage(&[], &scale(&served));
    let (kind, message) = failure(measure(&stage_of_it.unwrap(), &world(live_http())).await);
    assert_eq!(
        (kind, message),
        (FailureKind::Overload, format!("`{url}measurement` answered 500 Internal Server Error"))
    );

    for (text, kind, expected) in [
        (
            "at=error code=H12 desc=\"Request timeout\" service=30001ms",
            FailureKind::Overload,
            "heroku's router answered H12 (Request timeout)",
        ),
        (
            "at=error code=H10 desc=\"App crashed\" service=",
            FailureKind::NotLoad,
            "heroku's router answered H10 (App crashed)",
        ),
        ("at=info service= status=200", FailureKind::NotLoad, "the router line of the request has no `service=`"),
    ] {
        app(&served, move |log, id| {
            log.0.log("shop", "heroku", "router", &format!("{text} request_id={id}"));
            StatusCode::OK
        })
        .await;
        let (stage, _) = stage(&[], &scale(&served));
        assert_eq!(failure(measure(&stage.unwrap(), &world(live_http())).await), (kind, expected.into()));
    }

    // The key may not read the log.
    served.fake.set_forbidden("shop", true);
    let (stage, _) = stage(&[], &scale(&served));
    let (kind, message) = failure(measure(&stage.unwrap(), &world(live_http())).await);
    assert_eq!(kind, FailureKind::NotLoad);
    assert!(message.starts_with("cannot open the log of `shop`: the API key may not do that"), "{message}");
}

#[tokio::test]
async fn settings_and_where_the_app_comes_from() {
    let served = Served::start().await;
    let (with_scale, said) = stage(&[], &scale(&served));
    assert_eq!(said, "");
    let expected = json!({
        "measurement_url": "/measurement",
        "timeout_seconds": 10.0,
        "headers": {},
        "app_name": "shop",
        "api_key": "***",
        "api_url": served.url,
    });
    assert_eq!(with_scale.unwrap().backend.settings(), expected);

    let own = [("app_name", "barn"), ("api_key", "key-of-the-barn"), ("measurement_url", "https://barn.test/m")];
    let other: Arc<dyn Scale> = Arc::new(NoHeroku);
    let (own, said) = stage(&own, &other);
    assert_eq!(said, "");
    let own = own.unwrap().backend;
    assert_eq!(
        (&own.settings()["app_name"], &own.settings()["api_url"]),
        (&json!("barn"), &json!("https://api.heroku.com"))
    );
    assert_eq!(own.reaches(), ["https://barn.test/m", "https://api.heroku.com/apps/barn/log-sessions"]);

    let (_, said) = stage(&[], &other);
    assert_eq!(
        said,
        "error: `measure::heroku_service_time` reads the router log of an app on heroku, and no app is known (give it \
         `app_name` and `api_key`, or scale the pipeline with `scale::heroku`)"
    );
    let (wrong, said) = stage(&[("app_name", "a b"), ("api_key", "")], &other);
    assert!(wrong.is_none());
    assert!(
        said.contains("`app_name` is \"a b\", which is no name of an app") && said.contains("`api_key` is empty"),
        "{said}"
    );
}

#[derive(Debug)]
struct NoHeroku;

impl Scale for NoHeroku {
    fn backend(&self) -> &'static str {
        "custom"
    }

    fn settings(&self) -> Json {
        json!({})
    }

    fn target(&self) -> Option<String> {
        None
    }

    fn open(self: Arc<Self>, _: &Arc<str>, _: &Arc<World>) -> Arc<dyn autoscaler::world::Platform> {
        unreachable!("nothing is scaled here")
    }
}
