//! The log tail: shared, opened when a line is waited for, opened anew when it ends.

use std::sync::Arc;
use std::time::Duration;

use autoscaler::heroku::Tail;
use tokio::time::{Instant, advance};

use super::pretend::{Answer, Pretend};
use super::support::{app, heroku, world};

const SECOND: Duration = Duration::from_secs(1);

fn tail(pretend: &Arc<Pretend>) -> Tail {
    let world = world(Arc::clone(pretend) as _);
    heroku(&world).tail(&app("https://api.test"), &world)
}

fn line(id: &str, service: u32) -> String {
    format!(
        "2026-11-24T03:47:20+00:00 heroku[router]: at=info request_id={id} dyno=web.1 service={service}ms status=200"
    )
}

#[tokio::test(start_paused = true)]
async fn one_stream_serves_all_and_is_opened_when_needed() {
    let pretend = Pretend::with(&[]);
    let world = world(Arc::clone(&pretend) as _);
    let first = heroku(&world).tail(&app("https://api.test"), &world);
    let second = heroku(&world).tail(&app("https://api.test"), &world);
    assert_eq!(pretend.count("POST"), 0);
    let lines = pretend.stream(200);
    let (one, two) = (first.watch("one").await.unwrap(), second.watch("two").await.unwrap());
    for text in ["noise".into(), line("three", 1), line("two", 22), format!("data: {}", line("one", 11))] {
        lines.send(text).unwrap();
    }
    assert_eq!((one.line().await.unwrap().service_ms, two.line().await.unwrap().service_ms), (Some(11.0), Some(22.0)));
    assert_eq!((pretend.count("POST"), pretend.count("LINES")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_is_opened_again_while_somebody_waits() {
    let pretend = Pretend::with(&[]);
    let tail = tail(&pretend);
    let (first, second) = (pretend.stream(200), pretend.stream(200));
    let watch = tail.watch("one").await.unwrap();
    drop(first);
    second.send(line("one", 7)).unwrap();
    let started = Instant::now();
    assert_eq!(watch.line().await.unwrap().service_ms, Some(7.0));
    // It had ended at once, so there was a pause.
    assert_eq!((started.elapsed().as_secs(), pretend.count("POST")), (1, 2));
    // Nobody waits: it stays closed until somebody does.
    drop(second);
    advance(60 * SECOND).await;
    assert_eq!(pretend.count("POST"), 2);
    let third = pretend.stream(200);
    let watch = tail.watch("two").await.unwrap();
    third.send(line("two", 8)).unwrap();
    assert_eq!(watch.line().await.unwrap().service_ms, Some(8.0));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_over_is_told_and_opened_anew_after_a_pause() {
    for status in [403, 404] {
        let pretend = Pretend::with(&[]);
        let tail = tail(&pretend);
        let _over = pretend.stream(status);
        let error = tail.watch("one").await.unwrap_err();
        assert_eq!(error, format!("cannot read the log of `shop`: the log session is over (heroku answers {status})"));
        let error = tail.watch("two").await.unwrap_err();
        assert!(error.ends_with("; tried again in 1 s"), "{error}");
        assert_eq!(pretend.count("POST"), 1);
        advance(SECOND).await;
        let _good = pretend.stream(200);
        tail.watch("three").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_double_to_a_minute() {
    let pretend = Pretend::with(&[]);
    let tail = tail(&pretend);
    let body = r#"{"id":"forbidden","message":"No."}"#;
    for _ in 0..9 {
        pretend.next("POST", Answer::Status(403, body));
    }
    let started = Instant::now();
    while pretend.count("POST") < 9 {
        let error = tail.watch("one").await.unwrap_err();
        assert!(
            error.starts_with(
                "cannot open the log of `shop`: the API key may not do that; use the key of an owner or collaborator \
                 of `shop` (heroku answers 403: `No.`)"
            ),
            "{error}"
        );
        advance(SECOND / 2).await;
    }
    let at: Vec<u64> = pretend.times("POST").iter().map(|at| (*at - started).as_secs()).collect();
    assert_eq!(at, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_does_not_come_fails_after_10_s_and_a_silent_stream_is_opened_again() {
    let pretend = Pretend::with(&[]);
    let tail = tail(&pretend);
    let _silent = pretend.stream(200);
    let watch = tail.watch("one").await.unwrap();
    let started = Instant::now();
    let error = watch.line().await.unwrap_err();
    assert_eq!(
        error,
        "no router line for the request came within 10 s; is the measurement URL served by heroku's router for this app?"
    );
    assert_eq!(started.elapsed(), 10 * SECOND);
    let lines = pretend.stream(200);
    // The silent one is given up, and after the pause another is opened.
    let watch = loop {
        advance(SECOND).await;
        if let Ok(watch) = tail.watch("two").await {
            break watch;
        }
    };
    lines.send(line("two", 5)).unwrap();
    assert_eq!(watch.line().await.unwrap().service_ms, Some(5.0));
    assert_eq!(pretend.count("LINES"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_nobody_waits_on_is_closed() {
    let pretend = Pretend::with(&[]);
    let tail = tail(&pretend);
    let lines = pretend.stream(200);
    drop(tail.watch("one").await.unwrap());
    advance(599 * SECOND).await;
    lines.send("noise".into()).unwrap();
    // Closed by the tail, although lines still come.
    tokio::time::timeout(2 * SECOND, lines.closed()).await.unwrap();
    let again = pretend.stream(200);
    let watch = tail.watch("two").await.unwrap();
    again.send(line("two", 3)).unwrap();
    assert_eq!(watch.line().await.unwrap().service_ms, Some(3.0));
}
