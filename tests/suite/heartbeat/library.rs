//! The routes as a Rust app mounts them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use autoscaler::heartbeat::{Heartbeat, LIMIT, PATH};
use axum::Router;
use axum::http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};

async fn told(heartbeat: &Heartbeat, headers: &[(header::HeaderName, &'static str)]) -> (u16, String) {
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
    let answer = heartbeat.answer(&headers).await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), 1 << 16).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn what_is_broken_is_told_and_what_works_has_its_time() {
    let broken = Arc::new(AtomicBool::new(false));
    let breaks = Arc::clone(&broken);
    let folder = tempfile::tempdir().unwrap();
    let heartbeat = Heartbeat::new().disk(folder.path()).check("queue", move || {
        let broken = breaks.load(Ordering::SeqCst);
        async move { if broken { Err("it is full\nand more".to_owned()) } else { Ok(()) } }
    });
    assert_eq!(told(&heartbeat, &[]).await, (200, "Beat\n".into()));
    let (status, body) = told(&heartbeat, &[(header::ACCEPT, "application/json")]).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert!(body["disk_ms"].as_f64().unwrap() > 0.0 && body["queue_ms"].as_f64().unwrap() >= 0.0, "{body}");
    broken.store(true, Ordering::SeqCst);
    assert_eq!(told(&heartbeat, &[]).await, (500, "the queue is broken: it is full\n".into()));
    let (status, body) = told(&heartbeat, &[(header::ACCEPT, "text/html, application/json")]).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["error"]), (500, &json!("the queue is broken: it is full")));
    assert!(body["disk_ms"].is_f64() && body.get("queue_ms").is_none(), "{body}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "files are left behind");
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_is_given_up_in_time_for_the_worker() {
    let heartbeat = Heartbeat::new().check("queue", std::future::pending);
    let started = tokio::time::Instant::now();
    assert_eq!(told(&heartbeat, &[]).await, (500, "the queue is broken: no answer within 8 s\n".into()));
    assert_eq!((started.elapsed(), LIMIT), (Duration::from_secs(8), LIMIT));
}

#[tokio::test]
async fn only_who_knows_the_token_is_answered() {
    let heartbeat = Heartbeat::new().token("a-token-of-ours");
    for wrong in [&[][..], &[(header::AUTHORIZATION, "Bearer another")], &[(header::AUTHORIZATION, "a-token-of-ours")]]
    {
        assert_eq!(told(&heartbeat, wrong).await, (403, "the token is missing or wrong\n".into()));
    }
    assert_eq!(told(&heartbeat, &[(header::AUTHORIZATION, "Bearer a-token-of-ours")]).await.0, 200);
}

#[tokio::test]
async fn the_routes_stand_among_those_of_an_app_with_a_state() {
    let app: Router<u8> =
        Router::new().route("/", axum::routing::get(|| async { "hello" })).merge(Heartbeat::new().routes());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, app.with_state(7)).await.unwrap() });
    let asked = tokio::task::spawn_blocking(move || {
        [PATH, PATH.trim_end_matches('/'), "/"].map(|path| {
            let (status, _, body) = super::ask(port, path, "");
            (status, body)
        })
    });
    let beat = (200, "Beat".to_owned());
    assert_eq!(asked.await.unwrap(), [beat.clone(), beat, (200, "hello".into())]);
}

#[test]
fn urls_that_are_none_are_told_without_being_quoted() {
    for (url, expected) in [
        (
            "mysql://root:hunter2hunter2@db/app",
            "a database `mysql:` is not known; there are `postgres://…` and `sqlite:PATH`",
        ),
        ("nothing", "the URL of the database has no scheme"),
        ("sqlite::memory:", "the URL of the database names no file"),
        (
            "postgres://u:hunter2hunter2@db/app?sslmode=often",
            "the URL of the database has `sslmode=often`, which there is not",
        ),
        ("postgres://u:hunter2hunter2@db:port/app", "the URL of the database is none: invalid port number"),
    ] {
        let why = Heartbeat::new().database(url).unwrap_err();
        assert!(why.starts_with(expected) && !why.contains("hunter2"), "{why}");
    }
    let why = Heartbeat::new().redis("http://x:hunter2hunter2@y").unwrap_err();
    assert!(
        why.starts_with("the URL of redis begins with `http:`; it looks like") && !why.contains("hunter2"),
        "{why}"
    );
}
