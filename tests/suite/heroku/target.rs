//! The target: one read for all, the API budget, back-off, caps, and calls that overlap.

use std::sync::Arc;
use std::time::Duration;

use autoscaler::heroku::Target;
use autoscaler::world::Freshness::{Cached, Now};
use autoscaler::world::{ScaleErrorKind, Supply};
use tokio::time::{Instant, advance};

use super::pretend::{Answer, Pretend};
use super::support::{app, heroku, world};

const SECOND: Duration = Duration::from_secs(1);

fn target(pretend: &Arc<Pretend>) -> Target {
    let world = world(Arc::clone(pretend) as _);
    heroku(&world).target(&app("https://api.test"), &world)
}

fn name(text: &str) -> Arc<str> {
    text.into()
}

#[tokio::test(start_paused = true)]
async fn one_read_serves_every_pipeline_of_an_app() {
    let pretend = Pretend::with(&[("web", 1), ("worker", 2), ("clock", 0)]);
    let world = world(Arc::clone(&pretend) as _);
    // Three pipelines, each with a target of its own as far as they know.
    let targets: Vec<Target> = (0..3).map(|_| heroku(&world).target(&app("https://api.test"), &world)).collect();
    let (web, worker, clock) = (name("web"), name("worker"), name("clock"));
    pretend.next("GET", Answer::Late(SECOND / 10));
    let counts = tokio::join!(
        targets[0].observe(&web, Now),
        targets[1].observe(&worker, Cached),
        targets[2].observe(&clock, Now)
    );
    let dynos = |supply: Result<Supply, _>| supply.unwrap().dynos;
    assert_eq!((dynos(counts.0), dynos(counts.1), dynos(counts.2)), (1, 2, 0));
    assert_eq!(pretend.count("GET"), 1);
    // Another key is another target.
    let mut other = app("https://api.test");
    other.key = autoscaler::secret::Secret::new("another-key");
    heroku(&world).target(&other, &world).observe(&web, Cached).await.unwrap();
    assert_eq!(pretend.count("GET"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_app_is_read_more_rarely_and_always_when_it_must_be() {
    let pretend = Pretend::with(&[("web", 1)]);
    let (target, web) = (target(&pretend), name("web"));
    for _ in 0..240 {
        target.observe(&web, Cached).await.unwrap();
        advance(30 * SECOND).await;
    }
    // Two hours at 30 s: 240 ticks.
    let reads = pretend.times("GET");
    let gaps: Vec<u64> = reads.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    assert!(gaps[..8].iter().all(|gap| *gap == 30), "{gaps:?}");
    assert_eq!(gaps.iter().max(), Some(&300), "{gaps:?}");
    assert!(reads.len() < 80, "{} reads", reads.len());
    // Just before a scale it is read, whatever is cached.
    pretend.set("web", 7);
    assert_eq!(target.observe(&web, Now).await.unwrap().dynos, 7);
    // A change makes it worth looking at again.
    advance(30 * SECOND).await;
    pretend.set("web", 3);
    assert_eq!(target.observe(&web, Cached).await.unwrap().dynos, 3);
}

#[tokio::test(start_paused = true)]
async fn out_of_calls_nothing_is_sent_for_30_s_doubling() {
    let pretend = Pretend::with(&[("web", 1)]);
    let (target, web) = (target(&pretend), name("web"));
    let body = r#"{"id":"rate_limit","message":"Your account reached the API rate limit"}"#;
    pretend.next("GET", Answer::Status(429, body));
    let error = target.observe(&web, Cached).await.unwrap_err();
    assert_eq!(error.kind, ScaleErrorKind::RateLimited);
    assert_eq!(
        error.message,
        "cannot read the dynos of `shop`: the account is out of API calls; other programs that use it count too \
         (heroku answers 429: `Your account reached the API rate limit`)"
    );
    advance(20 * SECOND).await;
    let refused = "the account of `shop` is out of API calls (heroku answered 429); the next call goes out in 10 s";
    for error in [target.observe(&web, Now).await.unwrap_err(), target.scale(&web, 2).await.unwrap_err()] {
        assert_eq!((error.kind, error.message.as_str()), (ScaleErrorKind::RateLimited, refused));
    }
    assert_eq!((pretend.count("GET"), pretend.count("PATCH")), (1, 0));
    advance(10 * SECOND).await;
    pretend.next("PATCH", Answer::Status(429, body));
    target.scale(&web, 2).await.unwrap_err();
    advance(59 * SECOND).await;
    let error = target.scale(&web, 2).await.unwrap_err();
    assert!(error.message.ends_with("the next call goes out in 1 s"), "{}", error.message);
    advance(SECOND).await;
    assert_eq!(target.scale(&web, 2).await.unwrap().dynos, 2);
}

#[tokio::test(start_paused = true)]
async fn with_little_left_only_scales_go_through() {
    let pretend = Pretend::with(&[("web", 1)]);
    let (target, web) = (target(&pretend), name("web"));
    pretend.set_remaining(Some(100));
    target.observe(&web, Cached).await.unwrap();
    for _ in 0..20 {
        advance(30 * SECOND).await;
        pretend.set_remaining(Some(100));
        assert_eq!(target.observe(&web, Cached).await.unwrap().dynos, 1);
    }
    // The pool refills at 75 a minute: 450 and more are not little.
    let first = pretend.times("GET")[1] - pretend.times("GET")[0];
    assert!(first >= 280 * SECOND, "read again after {first:?}");
    pretend.set_remaining(Some(5));
    target.scale(&web, 2).await.unwrap();
    let reads = pretend.count("GET");
    advance(240 * SECOND).await;
    assert_eq!(target.observe(&web, Cached).await.unwrap().dynos, 2);
    assert_eq!(pretend.count("GET"), reads);
    // The read just before a scale belongs to it.
    assert_eq!(target.observe(&web, Now).await.unwrap().dynos, 2);
    assert_eq!((pretend.count("GET"), pretend.count("PATCH")), (reads + 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_obeyed_and_remembered() {
    let pretend = Pretend::with(&[("web", 1), ("worker", 4)]);
    let (target, web) = (target(&pretend), name("web"));
    target.observe(&web, Now).await.unwrap();
    let body = r#"{"id":"cannot_update_above_limit","limit":10,"message":"Cannot update to more than 10 dynos."}"#;
    pretend.next("PATCH", Answer::Status(422, body));
    let error = target.scale(&web, 8).await.unwrap_err();
    assert_eq!(error.kind, ScaleErrorKind::Limit(6));
    assert_eq!(
        error.message,
        "cannot scale `web` of `shop` to 8: heroku allows 10 here; set `max_dynos` to that, or ask heroku for more \
         (heroku answers 422: `Cannot update to more than 10 dynos.`); other process types count too, which leaves 6 \
         for `web`"
    );
    // Not asked again, but told.
    let error = target.scale(&web, 7).await.unwrap_err();
    assert_eq!(error.kind, ScaleErrorKind::Limit(6));
    assert_eq!(error.message, "heroku allowed 6 of `web` of `shop` when last asked for more; asked again in a while");
    assert_eq!(pretend.count("PATCH"), 1);
    assert_eq!(target.observe(&web, Now).await.unwrap().limit, Some(6));
    assert_eq!(target.scale(&web, 6).await.unwrap().dynos, 6);
    advance(901 * SECOND).await;
    assert_eq!(target.scale(&web, 8).await.unwrap().dynos, 8);
}

#[tokio::test(start_paused = true)]
async fn a_stuck_read_delays_no_scale_and_fails_after_5_s() {
    let pretend = Pretend::with(&[("web", 1), ("worker", 1)]);
    let (target, web, worker) = (target(&pretend), name("web"), name("worker"));
    pretend.next("GET", Answer::Never);
    let started = Instant::now();
    let scale = async {
        let supply = target.scale(&worker, 3).await.unwrap();
        (supply.dynos, started.elapsed())
    };
    let (read, (dynos, took)) = tokio::join!(target.observe(&web, Now), scale);
    assert_eq!((dynos, took), (3, Duration::ZERO));
    let error = read.unwrap_err();
    assert_eq!(error.message, "cannot read the dynos of `shop`: heroku does not answer within 5 s");
    assert_eq!(started.elapsed(), 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn after_a_failed_read_the_next_waits_a_second_doubling() {
    let pretend = Pretend::with(&[("web", 1)]);
    let (target, web) = (target(&pretend), name("web"));
    for _ in 0..4 {
        pretend.next("GET", Answer::Status(500, "oops"));
    }
    let started = Instant::now();
    while target.observe(&web, Now).await.is_err() {
        advance(SECOND / 4).await;
    }
    let at: Vec<u64> = pretend.times("GET").iter().map(|at| (*at - started).as_secs()).collect();
    assert_eq!(at, [0, 1, 3, 7, 15]);
}

#[tokio::test(start_paused = true)]
async fn a_scale_that_timed_out_and_was_done_is_found_by_the_next_read() {
    let pretend = Pretend::with(&[("web", 1)]);
    let (target, web) = (target(&pretend), name("web"));
    target.observe(&web, Now).await.unwrap();
    pretend.next("PATCH", Answer::DoneAndNever);
    let error = target.scale(&web, 4).await.unwrap_err();
    assert_eq!(error.kind, ScaleErrorKind::Unknown);
    assert_eq!(error.message, "cannot scale `web` of `shop` to 4: heroku does not answer within 5 s");
    // What was known before is doubtful, so even a cached count is read.
    assert_eq!(target.observe(&web, Cached).await.unwrap().dynos, 4);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_began_before_a_scale_does_not_undo_it() {
    let pretend = Pretend::with(&[("web", 1)]);
    let (target, web) = (target(&pretend), name("web"));
    target.observe(&web, Now).await.unwrap();
    advance(SECOND).await;
    // Short enough that a cached count would be answered from it.
    pretend.next("GET", Answer::Late(SECOND / 2));
    let scale = async {
        // After the read has begun: both are asked in this order.
        tokio::task::yield_now().await;
        target.scale(&web, 5).await.unwrap()
    };
    let (read, scaled) = tokio::join!(target.observe(&web, Now), scale);
    assert_eq!((read.unwrap().dynos, scaled.dynos, pretend.dynos("web")), (1, 5, 5));
    assert_eq!(target.observe(&web, Cached).await.unwrap().dynos, 5);
}
