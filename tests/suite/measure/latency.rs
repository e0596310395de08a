//! `measure::celery_redis_queue_latency` on a real Redis, with the very messages that Celery writes.

use autoscaler::pipeline::FailureKind::NotLoad;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::processes::{Running, celery, redis, run};
use super::support::{failed, map, measure, stage, text, world};
use autoscaler::measure::MeasureStage;

/// A task as Celery writes it.
fn task(id: &str, enqueued: Option<DateTime<Utc>>, eta: Option<DateTime<Utc>>) -> String {
    let mut headers = json!({ "task": "shop.bake", "id": id, "eta": eta.map(|eta| eta.to_rfc3339()) });
    if let Some(at) = enqueued {
        #[allow(clippy::cast_precision_loss)]
        let at = at.timestamp_millis() as f64 / 1000.0;
        headers["enqueued_at"] = json!(at);
    }
    json!({ "body": "W10=", "headers": headers, "properties": { "delivery_tag": id } }).to_string()
}

/// Puts `message` at the end that is filled.
fn send(server: &Running, list: &str, message: &str) {
    let port = server.port.to_string();
    run(std::process::Command::new("redis-cli").args(["-p", &port, "LPUSH", list, message]));
}

fn latency(server: &Running) -> MeasureStage {
    stage("celery_redis_queue_latency", &map([("redis_url", text(&format!("redis://127.0.0.1:{}/0", server.port)))]))
}

fn ago(seconds: i64) -> DateTime<Utc> {
    Utc::now() - TimeDelta::seconds(seconds)
}

#[track_caller]
fn about(value: Option<f64>, seconds: f64) {
    let value = value.expect("a value");
    // What the test itself takes comes on top.
    assert!(value >= seconds - 0.1 && value < seconds + 60.0, "{value} is not about {seconds}");
}

#[tokio::test]
async fn the_oldest_task_over_all_priorities_counts() {
    let dir = tempfile::tempdir().unwrap();
    let server = redis(dir.path(), &[]);
    let (stage, world) = (latency(&server), world());
    let measurement = measure(&stage, &world).await;
    assert_eq!((measurement.value, measurement.data), (Some(0.0), json!({ "seconds": 0.0, "estimated": false })));
    send(&server, "celery", &task("a", Some(ago(1000)), None));
    send(&server, "celery", &task("b", Some(ago(10)), None));
    about(measure(&stage, &world).await.value, 1000.0);
    send(&server, "celery\u{6}\u{16}6", &task("c", Some(ago(5000)), None));
    let measurement = measure(&stage, &world).await;
    about(measurement.value, 5000.0);
    assert_eq!(measurement.data["estimated"], false);
    // The clock of a producer that is ahead.
    send(&server, "other", &task("d", Some(ago(-500)), None));
    let settings =
        [("redis_url", text(&format!("redis://127.0.0.1:{}/0", server.port))), ("queue_name", text("other"))];
    let ahead = super::support::stage("celery_redis_queue_latency", &map(settings));
    assert_eq!(measure(&ahead, &world).await.value, Some(0.0));
}

#[tokio::test]
async fn a_task_with_a_time_of_its_own_waits_from_then_on() {
    let dir = tempfile::tempdir().unwrap();
    let server = redis(dir.path(), &[]);
    let (stage, world) = (latency(&server), world());
    send(&server, "celery", &task("a", Some(ago(9000)), Some(ago(-9000))));
    assert_eq!(measure(&stage, &world).await.value, Some(0.0), "it is not due");
    send(&server, "celery", &task("b", Some(ago(9000)), Some(ago(300))));
    about(measure(&stage, &world).await.value, 300.0);
}

#[tokio::test]
async fn what_real_celery_sends_is_read_and_estimated_without_the_hook() {
    let dir = tempfile::tempdir().unwrap();
    let server = redis(dir.path(), &[]);
    celery(&format!("redis://127.0.0.1:{}/0", server.port), "{}", &["celery - 2", "celery 9 1"]);
    let (stage, world) = (latency(&server), world());
    let first = measure(&stage, &world).await;
    assert_eq!((first.value, &first.data["estimated"]), (Some(0.0), &json!(true)));
    let later = measure(&stage, &world).await;
    assert!(later.value > Some(0.0) && later.data["estimated"] == true, "{later:?}");
}

#[tokio::test]
async fn what_is_no_task_is_no_number() {
    let dir = tempfile::tempdir().unwrap();
    let server = redis(dir.path(), &[]);
    let (stage, world) = (latency(&server), world());
    send(&server, "celery", "not a task");
    let host = format!("redis at 127.0.0.1:{}", server.port);
    let why = format!("`celery` in {host} holds something that is no task of Celery");
    assert_eq!(failed(&measure(&stage, &world).await), (NotLoad, &*why));
}
