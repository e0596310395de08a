//! `measure::heroku_router_log`: what it makes of the requests in the log, and of a log that says nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use autoscaler::function::This;
use autoscaler::measure::{self, Measure, MeasureContext, Reading, Surroundings};
use autoscaler::pipeline::Failure;
use autoscaler::scale::{self, Scale};
use autoscaler::secret::Secret;
use autoscaler::settings::{Fields, Node, Report, Value};
use autoscaler::world::World;
use chrono::{SecondsFormat, Utc};
use serde_json::json;
use tokio::time::{Instant, advance};

use super::pretend::Pretend;
use super::support::{KEY, heroku, world};

const SECOND: Duration = Duration::from_secs(1);
const TOKEN: &str = "d.fc6b856b-3332-4546-93de-7d0ee272c3bd";

fn map(entries: &[(&str, Value)]) -> Node {
    let entries = entries.iter().map(|(key, value)| (Arc::from(*key), Node::bare(value.clone())));
    Node::bare(Value::Map(entries.collect()))
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// The backend beside a `scale::heroku`, or what was said of it.
fn backend(entries: &[(&str, Value)]) -> Result<Box<dyn Measure>, String> {
    let heroku = scale::CONSTRUCTORS.iter().find(|known| known.name == "heroku").unwrap();
    let mut report = Report::default();
    let node = map(&[("app_name", text("shop")), ("api_key", text(KEY)), ("api_url", text("https://api.test"))]);
    let mut scale =
        (heroku.read)(&mut Fields::open("`scale::heroku`", &node, vec![heroku.settings], &mut report)).unwrap();
    scale.settle("web", &mut report);
    let scale: Arc<dyn Scale> = Arc::from(scale);
    let constructor = measure::CONSTRUCTORS.iter().find(|known| known.name == "heroku_router_log").unwrap();
    let node = map(entries);
    let tables = vec![constructor.settings, measure::COMMON];
    let read = (constructor.read)(&mut Fields::open("`measure::heroku_router_log`", &node, tables, &mut report));
    let read = read.map(|mut backend| {
        backend.settle(&Surroundings { pipeline: "web", scale: &scale, max_threshold: None }, &mut report);
        backend
    });
    read.filter(|_| !report.has_errors()).ok_or_else(|| report.to_string())
}

async fn measure(backend: &dyn Measure, world: &Arc<World>) -> Result<Reading, Failure> {
    let (pipeline, memory): (Arc<str>, _) = ("web".into(), Mutex::new(This::default()));
    backend.measure(&MeasureContext { pipeline: &pipeline, at: Utc::now(), memory: &memory }, world).await
}

async fn value(backend: &dyn Measure, world: &Arc<World>) -> Result<f64, String> {
    measure(backend, world).await.map(|reading| reading.value.unwrap()).map_err(|failure| failure.message)
}

/// A line that was written `ago` seconds ago on the machine's clock.
fn line(ago: i64, text: &str) -> String {
    let time = (Utc::now() - chrono::Duration::seconds(ago)).to_rfc3339_opts(SecondsFormat::Micros, false);
    format!("{time} heroku[router]: {text}")
}

fn request(service: u32) -> String {
    format!("at=info method=GET path=\"/\" dyno=web.1 connect=2ms service={service}ms status=200")
}

/// A world with a drain that is listened for, and what comes of it.
fn drained() -> (Arc<World>, Arc<autoscaler::heroku::traffic::Traffic>) {
    let world = world(Pretend::with(&[]) as _);
    heroku(&world).drains().set_listening();
    let traffic = heroku(&world).drains().traffic(&Secret::new(TOKEN), Instant::now());
    (world, traffic)
}

fn hear(traffic: &autoscaler::heroku::traffic::Traffic, text: &str) {
    traffic.hear("heroku", "router", text, Instant::now());
}

#[tokio::test(start_paused = true)]
async fn a_percentile_of_the_chosen_time_is_judged_and_all_the_rest_is_data() {
    let (world, traffic) = drained();
    let with = |of: &str, percentile: f64| {
        backend(&[("drain_token", text(TOKEN)), ("of", text(of)), ("percentile", Value::Float(percentile))]).unwrap()
    };
    let p90 = with("service", 90.0);
    let before = value(&*p90, &world).await.unwrap_err();
    assert!(before.starts_with("nothing came from the log drain in the last 60 s"), "{before}");
    for service in 1..=100 {
        hear(&traffic, &request(service));
    }
    hear(&traffic, "at=error code=H12 desc=\"Request timeout\" dyno=web.1 connect=9ms service=30000ms status=503");
    hear(&traffic, "at=info method=GET dyno=web.1 connect=1ms service=999999ms status=101");
    advance(60 * SECOND).await;
    let reading = measure(&*p90, &world).await.unwrap();
    let expected = json!({
        "requests": 102, "per_second": 1.7,
        "service_ms": { "p50": 51.0, "p95": 96.0, "p99": 100.0, "p90": 91.0 },
        "connect_ms": { "p50": 2.0, "p95": 2.0, "p99": 2.0, "p90": 2.0 },
        "total_ms": { "p50": 53.0, "p95": 98.0, "p99": 102.0, "p90": 93.0 },
        "errors": { "H12": 1 }, "lost": 0, "seconds": 60.0,
    });
    assert_eq!((reading.value, reading.data), (Some(91.0), expected));
    for (of, expected) in [("connect", 2.0), ("total", 93.0), ("requests", 1.7), ("errors", 1.0)] {
        assert_eq!(value(&*with(of, 90.0), &world).await, Ok(expected), "{of}");
    }
}

#[tokio::test(start_paused = true)]
async fn errors_are_those_of_the_chosen_codes() {
    let (world, traffic) = drained();
    let default = backend(&[("drain_token", text(TOKEN)), ("of", text("errors"))]).unwrap();
    let codes = Value::Array(vec![Node::bare(text("H14")), Node::bare(text("R14")), Node::bare(text("R14"))]);
    let chosen = backend(&[("drain_token", text(TOKEN)), ("of", text("errors")), ("codes", codes)]).unwrap();
    traffic.look(60 * SECOND, Instant::now());
    for code in ["H12", "H14", "H21", "H10", "H12"] {
        hear(&traffic, &format!("at=error code={code} desc=\"x\" connect= service= status=503"));
    }
    traffic.hear("heroku", "web.1", "Error R14 (Memory quota exceeded)", Instant::now());
    traffic.hear("app", "web.1", "Error R14 (Memory quota exceeded)", Instant::now());
    advance(59 * SECOND).await;
    // Fewer errors would be counted than there may have been.
    let early = value(&*default, &world).await.unwrap_err();
    assert_eq!(early, "the log is known for 59 s, and the window has 60 s");
    advance(SECOND).await;
    assert_eq!((value(&*default, &world).await, value(&*chosen, &world).await), (Ok(3.0), Ok(2.0)));
    // An hour later nothing comes at all: that is no 0.
    advance(60 * SECOND).await;
    assert!(value(&*default, &world).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn no_requests_are_no_value_unless_it_is_written_that_they_are_zero() {
    let (world, traffic) = drained();
    let hold = backend(&[("drain_token", text(TOKEN))]).unwrap();
    let zero = backend(&[("drain_token", text(TOKEN)), ("no_requests", text("zero"))]).unwrap();
    let rate = backend(&[("drain_token", text(TOKEN)), ("of", text("requests"))]).unwrap();
    traffic.look(60 * SECOND, Instant::now());
    // The drain lives: other lines come.
    let alive = || traffic.hear("app", "web.1", "tick", Instant::now());
    alive();
    let early = value(&*zero, &world).await.unwrap_err();
    assert_eq!(early, "no request was answered in the last 0 s");
    advance(60 * SECOND).await;
    alive();
    let none = value(&*hold, &world).await.unwrap_err();
    assert_eq!(none, "no request was answered in the last 60 s; `no_requests: \"zero\"` counts that as 0");
    assert_eq!((value(&*zero, &world).await, value(&*rate, &world).await), (Ok(0.0), Ok(0.0)));
    // Requests that no dyno answered are no time of 0.
    hear(&traffic, "at=error code=H10 desc=\"App crashed\" connect= service= status=503");
    assert!(value(&*zero, &world).await.is_err());
    // A drain that is silent is none that tells of no requests.
    advance(120 * SECOND).await;
    for backend in [&hold, &zero, &rate] {
        let silent = value(&**backend, &world).await.unwrap_err();
        assert!(silent.starts_with("nothing came from the log drain"), "{silent}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_of_which_much_was_lost_has_no_value() {
    let (world, traffic) = drained();
    let p95 = backend(&[("drain_token", text(TOKEN))]).unwrap();
    traffic.look(60 * SECOND, Instant::now());
    for _ in 0..90 {
        hear(&traffic, &request(50));
    }
    let lost = |lines: u32| {
        format!("Error L10 (output buffer overflow): {lines} messages dropped since 2026-11-24T00:00:00+00:00.")
    };
    traffic.hear("heroku", "logplex", &lost(10), Instant::now());
    let reading = measure(&*p95, &world).await.unwrap();
    assert_eq!((reading.value, &reading.data["lost"]), (Some(50.0), &json!(10)));
    traffic.hear("heroku", "logplex", &lost(1), Instant::now());
    assert_eq!(value(&*p95, &world).await.unwrap_err(), "11 of 103 lines of the log were lost");
}

#[tokio::test(start_paused = true)]
async fn a_drain_without_a_listener_says_what_to_do() {
    let world = world(Pretend::with(&[]) as _);
    let p95 = backend(&[("drain_token", text(TOKEN))]).unwrap();
    let said = value(&*p95, &world).await.unwrap_err();
    assert_eq!(said, "the log drain has nowhere to come to: start the worker with `--listen 0.0.0.0:$PORT`");
}

#[tokio::test(start_paused = true)]
async fn a_log_session_begins_with_what_came_before() {
    let pretend = Pretend::with(&[]);
    let world = world(Arc::clone(&pretend) as _);
    let (p95, rate) = (backend(&[]).unwrap(), backend(&[("of", text("requests"))]).unwrap());
    let lines = pretend.stream(200);
    for (ago, service) in [(300, 9_999), (50, 100), (10, 300), (0, 200)] {
        lines.send(line(ago, &request(service))).unwrap();
    }
    // What is older than the window does not count, and what came before it makes the rate known at once.
    let reading = measure(&*p95, &world).await.unwrap();
    assert_eq!((reading.value, &reading.data["requests"]), (Some(300.0), &json!(3)));
    assert!(value(&*rate, &world).await.is_ok());
    let repeated = line(0, &request(400));
    lines.send(repeated.clone()).unwrap();
    advance(40 * SECOND).await;
    assert_eq!(value(&*p95, &world).await, Ok(400.0));
    // It is one stream, and one call to the API.
    assert_eq!((pretend.count("POST"), pretend.count("LINES")), (1, 1));
    // The stream ends, and goes on in the next session, which repeats the last lines.
    let next = pretend.stream(200);
    next.send(repeated).unwrap();
    next.send(line(0, &request(500))).unwrap();
    drop(lines);
    advance(SECOND).await;
    let reading = measure(&*p95, &world).await.unwrap();
    assert_eq!((reading.value, &reading.data["requests"]), (Some(500.0), &json!(4)));
    assert_eq!(pretend.count("POST"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_read_is_told() {
    let pretend = Pretend::with(&[]);
    let world = world(Arc::clone(&pretend) as _);
    let p95 = backend(&[]).unwrap();
    let _over = pretend.stream(404);
    let said = value(&*p95, &world).await.unwrap_err();
    assert_eq!(said, "cannot read the log of `shop`: the log session is over (heroku answers 404)");
    // A quiet log is looked at again after five minutes, since a dead one is quiet too.
    let _quiet = pretend.stream(200);
    advance(SECOND).await;
    assert!(value(&*p95, &world).await.is_err());
    assert_eq!(pretend.count("POST"), 2);
    let _again = pretend.stream(200);
    advance(300 * SECOND).await;
    assert!(value(&*p95, &world).await.is_err());
    assert_eq!(pretend.count("POST"), 3);
}

#[test]
fn settings_that_make_no_sense_are_errors() {
    let said = |entries: &[(&str, Value)]| backend(entries).unwrap_err();
    for (entries, expected) in [
        ([("percentile", Value::Int(0))], "`percentile` is 0, and must be above 0 and at most 100"),
        ([("percentile", Value::Float(100.5))], "`percentile` is 100.5, and must be above 0 and at most 100"),
        ([("window_seconds", Value::Int(1))], "`window_seconds` is 1, and must be between 5 and 3600"),
        ([("codes", text("H1"))], "`codes` has `H1`, which is no error code"),
        ([("of", text("services"))], "did you mean `service`"),
        ([("no_requests", text("none"))], "must be one of \"hold\", \"zero\""),
    ] {
        let said = said(&entries);
        assert!(said.contains(expected), "{said}");
    }
}
