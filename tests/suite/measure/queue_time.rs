//! `measure::request_queue_time`: what processes report to a real Redis, and what one of them answers.

use autoscaler::measure::MeasureStage;
use autoscaler::pipeline::FailureKind::NotLoad;
use autoscaler::settings::Value;
use chrono::Utc;
use serde_json::json;

use super::processes::{Running, redis, run};
use super::support::{Target, declare, failed, map, measure, stage, text, world};
use super::web::Web;

/// A process reports so many seconds ago.
fn report(server: &Running, seconds: i64, ms: &serde_json::Value) {
    let at = Utc::now().timestamp() - seconds;
    let (port, text) = (server.port.to_string(), json!({ "at": at, "ms": ms }).to_string());
    run(std::process::Command::new("redis-cli").args(["-p", &port, "LPUSH", "autoscaler:queue-time", &text]));
}

fn by_redis(server: &Running, percentile: i64) -> MeasureStage {
    let url = format!("redis://127.0.0.1:{}", server.port);
    stage("request_queue_time", &map([("redis_url", text(&url)), ("percentile", Value::Int(percentile))]))
}

#[tokio::test]
async fn the_waits_of_all_processes_are_one_number() {
    let dir = tempfile::tempdir().unwrap();
    let server = redis(dir.path(), &[]);
    let world = world();
    report(&server, 1, &json!({ "10": 80, "20": 10 }));
    report(&server, 2, &json!({ "20": 5, "400": 5 }));
    for (percentile, ms) in [(0, 10.0), (50, 10.0), (80, 10.0), (81, 20.0), (95, 20.0), (96, 400.0), (100, 400.0)] {
        let measurement = measure(&by_redis(&server, percentile), &world).await;
        assert_eq!(measurement.value, Some(ms), "p{percentile}: {measurement:?}");
        assert_eq!(measurement.data, json!({ "ms": ms, "requests": 100 }));
    }
}

#[tokio::test]
async fn nobody_who_waits_is_zero_and_nobody_who_reports_is_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let server = redis(dir.path(), &[]);
    let (stage, world) = (by_redis(&server, 95), world());
    let silent = format!(
        "no process has reported its waits to `autoscaler:queue-time` in redis at 127.0.0.1:{} for 15 s; is the \
         middleware `autoscaler_django.middleware.QueueTime` on, and its Redis the same?",
        server.port
    );
    assert_eq!(failed(&measure(&stage, &world).await), (NotLoad, &*silent));
    // All of them crashed a while ago: what they told last is no number for now.
    report(&server, 40, &json!({ "900": 9 }));
    assert_eq!(failed(&measure(&stage, &world).await), (NotLoad, &*silent));
    report(&server, 500, &json!({ "900": 9 }));
    report(&server, 1, &json!({}));
    let measurement = measure(&stage, &world).await;
    assert_eq!(measurement.data, json!({ "ms": 900.0, "requests": 9 }), "a minute is looked at, and no more");
}

#[tokio::test]
async fn what_is_no_report_is_no_number() {
    let dir = tempfile::tempdir().unwrap();
    for (wrong, why) in [(json!({ "soon": 1 }), "holds something that is no report"), (json!([]), "no report")] {
        let server = redis(dir.path(), &[]);
        report(&server, 1, &wrong);
        let measurement = measure(&by_redis(&server, 95), &world()).await;
        assert!(failed(&measurement).1.contains(why), "{measurement:?}");
    }
}

#[tokio::test]
async fn one_process_answers_by_itself() {
    let world = world();
    let asked = |body: &'static str| {
        let web = Web::saying(200, body);
        let stage = stage("request_queue_time", &map([("url", text(&web.url("/heroku-autoscale/queue-time/")))]));
        (web, stage)
    };
    let (_web, one) = asked(r#"{"window_seconds": 60, "requests": 4, "ms": {"3": 3, "70": 1}}"#);
    assert_eq!(measure(&one, &world).await.value, Some(70.0));
    let (_web, idle) = asked(r#"{"ms": {}}"#);
    assert_eq!(measure(&idle, &world).await.value, Some(0.0));
    let (_web, other) = asked("Beat");
    let measurement = measure(&other, &world).await;
    assert!(failed(&measurement).1.contains("does not answer as the view `queue_time`"), "{measurement:?}");
}

#[test]
fn wrong_settings_are_told() {
    let said = |settings: &autoscaler::settings::Node| {
        let (backend, report) = declare("request_queue_time", settings, Target::default(), None);
        assert!(backend.is_none() || report.has_errors());
        report.to_string()
    };
    let percentile = said(&map([("percentile", Value::Int(101))]));
    assert!(percentile.contains("`percentile` is 101, and must be between 0 and 100"), "{percentile}");
    let both = map([("url", text("https://a.test/q")), ("redis_url", text("redis://"))]);
    assert!(said(&both).contains("`url` and `redis_url` are both written"), "{}", said(&both));
    let relative = said(&map([("url", text("/heroku-autoscale/queue-time/"))]));
    assert!(relative.contains("`url` of `measure::request_queue_time` is"), "{relative}");
}
