//! What dynos are doing and whether a release is under way: read for guards, rarely, and once for all.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use autoscaler::heroku::fake::Fault;
use autoscaler::world::{Condition, Http, HttpError, Reply, Request, ScaleErrorKind, Wants};
use tokio::time::advance;

use super::support::{Served, app, heroku, world};

const BOTH: Wants = Wants { boots: true, release: true };
const BOOTS: Wants = Wants { boots: true, release: false };

const DYNOS: &str = "GET /apps/{app}/dynos";
const RELEASES: &str = "GET /apps/{app}/releases";

fn condition(booting: u32, not_up: u32, releasing: bool) -> Condition {
    Condition { booting: Some(booting), not_up: Some(not_up), releasing: Some(releasing) }
}

#[tokio::test]
async fn dynos_are_counted_by_their_state_and_the_newest_release_by_its_status() {
    let served = Served::start().await;
    let target = served.target();
    assert_eq!(target.condition("worker", BOTH).await.unwrap(), condition(0, 0, false));
    let served = Served::start().await;
    // Of 5 workers 2 were up before, 3 are booting; then one of these crashes.
    served.fake.set_boot(Duration::from_secs(600));
    served.fake.set_dynos("shop", "worker", 5);
    served.fake.begin_release("shop");
    assert_eq!(served.target().condition("worker", BOTH).await.unwrap(), condition(3, 3, true));
    served.fake.crash("shop", "worker", 5);
    served.fake.end_release("shop", false);
    assert_eq!(served.target().condition("worker", BOTH).await.unwrap(), condition(2, 3, false));
    assert_eq!(served.target().condition("web", BOTH).await.unwrap(), condition(0, 0, false));
}

#[tokio::test]
async fn a_list_of_many_dynos_is_read_to_its_end() {
    let served = Served::start().await;
    served.fake.set_dyno_limit("shop", 2000);
    served.fake.set_boot(Duration::from_secs(600));
    served.fake.set_dynos("shop", "worker", 1500);
    let found = served.target().condition("worker", BOOTS).await.unwrap();
    assert_eq!((found.booting, found.releasing), (Some(1498), None));
    assert_eq!(served.fake.count_of(DYNOS), 2);
}

#[tokio::test]
async fn nothing_is_read_that_nobody_asks_for_and_once_what_many_do() {
    let served = Served::start().await;
    let target = served.target();
    target.condition("web", Wants::default()).await.unwrap();
    assert_eq!((served.fake.count_of(DYNOS), served.fake.count_of(RELEASES)), (0, 0));
    let (one, two) = tokio::join!(target.condition("web", BOTH), target.condition("worker", BOTH));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!((served.fake.count_of(DYNOS), served.fake.count_of(RELEASES)), (1, 1));
    // What a scale changed is read anew.
    target.scale(&"web".into(), 2).await.unwrap();
    target.condition("web", BOTH).await.unwrap();
    assert_eq!((served.fake.count_of(DYNOS), served.fake.count_of(RELEASES)), (2, 1));
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_no_guess() {
    let served = Served::start().await;
    served.fake.fail_next(DYNOS, Fault::Reply { status: 503, body: "{}".into() });
    let error = served.target().condition("web", BOOTS).await.unwrap_err();
    assert_eq!(error.kind, ScaleErrorKind::Unknown);
    assert!(error.message.starts_with("cannot read what the dynos of `shop` are doing: heroku has a fault"), "{error}");
    served.fake.set_forbidden("shop", true);
    let error = served.target().condition("web", BOTH).await.unwrap_err();
    assert_eq!(error.kind, ScaleErrorKind::Refused);
}

/// Answers every call, and counts them.
#[derive(Default)]
struct Counted {
    calls: AtomicUsize,
    remaining: Mutex<Option<u32>>,
}

#[async_trait]
impl Http for Counted {
    async fn send(&self, _request: Request) -> Result<Reply, HttpError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let remaining = self.remaining.lock().unwrap().map(|left| ("ratelimit-remaining".into(), left.to_string()));
        Ok(Reply { status: 200, headers: remaining.into_iter().collect(), body: "[]".into(), took: Duration::ZERO })
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_read_every_ten_seconds_at_most_and_rarely_where_little_is_left() {
    let http = Arc::new(Counted::default());
    let world = world(Arc::clone(&http) as _);
    let target = heroku(&world).target(&app("https://api.test"), &world);
    let reads = |seconds: u64| {
        let (http, target) = (Arc::clone(&http), target.clone());
        async move {
            let before = http.calls.load(Ordering::Relaxed);
            for _ in 0..seconds {
                advance(Duration::from_secs(1)).await;
                target.condition("web", BOOTS).await.unwrap();
            }
            http.calls.load(Ordering::Relaxed) - before
        }
    };
    assert_eq!(reads(60).await, 6);
    *http.remaining.lock().unwrap() = Some(100);
    reads(10).await;
    // Until the account has got back enough of them, which takes 280 s.
    assert_eq!(reads(250).await, 0);
}
