//! What goes wrong outside: the count, the scale, the store, a process that ends in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use autoscaler::levers::Levers;
use autoscaler::pipeline::{Failure, Outcome, Pipeline, Record};
use autoscaler::state::{Batch, Fence, Kept, KeptGeneration, MemoryState, Query, State, StateError};
use autoscaler::world::pretend::Pretend;
use autoscaler::world::{Freshness, Platform, Platforms, ScaleError, ScaleErrorKind, Supply, World};
use chrono::TimeDelta;

use super::bench::{App, Draft, guards, noon, times, why};

const HIGH: f64 = 1500.0;
const RIGHT: f64 = 700.0;

fn draft(settings: &str) -> Draft {
    Draft::deciding(format!("decide::consecutive_threshold(#{{ max_dynos: 9, {settings} }})"))
}

#[tokio::test]
async fn an_unknown_count_holds_and_the_next_tick_reads_anew() {
    let mut app = draft("").open().await;
    app.hide();
    let record = app.feed([RIGHT]).await;
    assert_eq!((guards(&record), record.dynos.current, record.dynos.desired), (vec!["count_unknown"], None, None));
    assert_eq!(why(&record), "the number of dynos is unknown: no answer");
    app.feed([RIGHT, RIGHT]).await;
    let read = app.platform().lock().unwrap().read.clone();
    assert_eq!(read, [Freshness::Cached, Freshness::Now, Freshness::Cached]);
}

#[tokio::test]
async fn failing_reads_are_repeated_ever_more_rarely() {
    let measure = "measure::custom(#{ measurement_interval_in_seconds: 1 }, || 0)";
    let mut app = Draft { measure: measure.into(), ..draft("") }.open().await;
    for _ in 0..16 {
        app.hide();
    }
    app.feed(times(RIGHT, 16)).await;
    let read = app.platform().lock().unwrap().read.clone();
    let fresh: Vec<usize> =
        read.iter().enumerate().filter(|(_, read)| **read == Freshness::Now).map(|(tick, _)| tick).collect();
    assert_eq!(fresh, [1, 3, 7, 15]);
}

#[tokio::test]
async fn the_count_is_read_again_just_before_a_scale() {
    let mut app = draft("").open().await;
    app.feed(times(HIGH, 3)).await;
    let read = app.platform().lock().unwrap().read.clone();
    assert_eq!(read, [Freshness::Cached, Freshness::Cached, Freshness::Cached, Freshness::Now]);
}

#[tokio::test]
async fn where_the_count_moved_the_decision_is_made_again() {
    let mut app = draft("").open().await;
    app.feed(times(HIGH, 2)).await;
    app.platform().lock().unwrap().moves = Some(4);
    let record = app.feed([HIGH]).await;
    assert_eq!((record.dynos.current, record.dynos.desired), (Some(4), Some(5)));
    assert_eq!(app.platform().lock().unwrap().asked, [5]);
}

#[tokio::test]
async fn a_count_that_is_lost_before_the_scale_holds() {
    let mut app = draft("").open().await;
    app.feed(times(HIGH, 2)).await;
    app.platform().lock().unwrap().reads.push_back(None);
    app.hide();
    let record = app.feed([HIGH]).await;
    assert_eq!(guards(&record), ["count_unknown"]);
    assert!(app.platform().lock().unwrap().asked.is_empty());
}

#[tokio::test]
async fn a_refused_scale_changes_nothing_and_is_tried_again() {
    let mut app = draft("").open().await;
    app.refuse(ScaleErrorKind::Refused);
    let record = app.feed(times(HIGH, 3)).await;
    assert_eq!((record.outcome, app.dynos()), (Outcome::Failed, 1));
    assert_eq!(record.error.as_deref(), Some("scaling from 1 to 2 dynos: no luck"));
    let record = app.feed([HIGH]).await;
    assert_eq!((record.outcome, app.dynos()), (Outcome::Scaled, 2));
}

#[tokio::test]
async fn refused_scales_are_repeated_ever_more_rarely() {
    let measure = "measure::custom(#{ measurement_interval_in_seconds: 1 }, || 0)";
    let mut app = Draft { measure: measure.into(), ..draft("") }.open().await;
    for _ in 0..9 {
        app.refuse(ScaleErrorKind::Refused);
    }
    app.feed(times(HIGH, 18)).await;
    // Decided from the third tick on; 1, 2, 4 and 8 s apart.
    let failed: Vec<usize> =
        (0..).zip(&app.records).filter(|(_, record)| record.outcome == Outcome::Failed).map(|(tick, _)| tick).collect();
    assert_eq!(failed, [2, 3, 5, 9, 17]);
    assert_eq!(guards(&app.records[4]), ["policy", "back_off"]);
}

#[tokio::test]
async fn an_unknown_scale_counts_as_happened_and_the_next_read_resolves_it() {
    let mut app = draft("post_scale_wait_time_seconds: 45").open().await;
    app.refuse(ScaleErrorKind::Unknown);
    let record = app.feed(times(HIGH, 3)).await;
    assert_eq!(record.outcome, Outcome::Unknown);
    assert!(app.told()[0].starts_with("scale_failed Begin"));
    let record = app.feed([HIGH]).await;
    assert_eq!(record.dynos.current, Some(2));
    assert_eq!(guards(&record), ["last_scale", "cooldown"]);
    assert_eq!(app.told(), ["scaled Once: Scaled to (2) dynos."]);
    // Judged from the end of the wait on, as after any scale.
    app.feed(times(HIGH, 2)).await;
    assert_eq!(app.dynos(), 2);
    app.feed([HIGH]).await;
    assert_eq!(app.dynos(), 3);
}

#[tokio::test]
async fn a_platform_that_names_its_limit_is_believed() {
    let mut app = draft("increment: 4").open().await;
    app.refuse(ScaleErrorKind::Limit(2));
    app.feed(times(HIGH, 3)).await;
    app.platform().lock().unwrap().limit = Some(2);
    app.feed([HIGH]).await;
    assert_eq!((app.dynos(), app.platform().lock().unwrap().asked.clone()), (2, vec![5, 2]));
}

#[tokio::test]
async fn what_is_kept_outlives_the_pipeline() {
    let spec = draft("post_scale_wait_time_seconds: 300").spec();
    let pretend = Pretend::starting_at(noon());
    let mut app = App::open(Arc::clone(&spec), &pretend).await;
    app.feed(times(HIGH, 3)).await;
    let now = app.now;
    drop(app);
    let mut app = App::open(spec, &pretend).await;
    app.now = now;
    let record = app.feed([HIGH]).await;
    assert_eq!((record.tick, guards(&record)), (4, vec!["cooldown"]));
    assert_eq!(app.pipeline.kept().history.len(), 4);
}

/// A store that answers nothing, or not any more.
struct Broken(MemoryState);

#[async_trait]
impl State for Broken {
    async fn load(&self, _pipeline: &str) -> Result<Option<Kept>, StateError> {
        Err(StateError("disk on fire".into()))
    }

    async fn commit(&self, _pipeline: &Arc<str>, _fence: Fence, _batch: Batch) -> Result<(), StateError> {
        Err(StateError("disk full".into()))
    }

    async fn records(&self, query: &Query) -> Result<Vec<Arc<Record>>, StateError> {
        self.0.records(query).await
    }

    async fn levers(&self) -> Result<Levers, StateError> {
        Err(StateError("disk on fire".into()))
    }

    async fn keep_levers(&self, _: &Levers) -> Result<(), StateError> {
        Err(StateError("disk full".into()))
    }

    async fn generations(&self, _: &str) -> Result<Vec<KeptGeneration>, StateError> {
        Err(StateError("disk on fire".into()))
    }

    async fn keep_generation(&self, _: KeptGeneration) -> Result<(), StateError> {
        Err(StateError("disk full".into()))
    }
}

/// `pretend` with another store and other platforms.
fn world(pretend: &Pretend, state: Arc<dyn State>, platforms: Arc<dyn Platforms>) -> Arc<World> {
    Arc::new(World { platforms, state, ..World::clone(&pretend.world) })
}

#[tokio::test]
async fn a_broken_store_is_told_and_stops_nothing() {
    let pretend = Pretend::starting_at(noon());
    let platforms = Arc::clone(&pretend.platforms) as Arc<dyn Platforms>;
    let broken = world(&pretend, Arc::new(Broken(MemoryState::default())), platforms);
    let pipeline = Pipeline::open(draft("").spec(), broken, Fence(1)).await;
    let mut app = App { pretend, pipeline, now: noon(), events: Vec::new(), records: Vec::new() };
    app.feed(times(HIGH, 3)).await;
    assert_eq!(app.dynos(), 2);
    let errors: Vec<&str> = app.records.iter().filter_map(|record| record.error.as_deref()).collect();
    assert!(errors[0].contains("the pipeline starts afresh: disk on fire"), "{errors:?}");
    assert!(errors[2].contains("the intent to scale was not kept: disk full"), "{errors:?}");
}

#[tokio::test]
async fn a_worker_that_was_taken_over_keeps_nothing_more() {
    let state = MemoryState::default();
    let name: Arc<str> = "web".into();
    let batch = || Batch { kept: Kept::default(), intent: None, record: None };
    state.commit(&name, Fence(2), batch()).await.unwrap();
    assert!(state.commit(&name, Fence(1), batch()).await.is_err());
}

#[tokio::test]
async fn records_are_kept_in_a_bounded_ring_and_streamed() {
    let mut app = draft("").open().await;
    let mut stream = app.pretend.state.subscribe();
    app.feed(times(RIGHT, 400)).await;
    let kept = app.pretend.state.records(&Query::newest("web", 1000)).await.unwrap();
    assert_eq!((kept.len(), kept[0].tick, kept.last().unwrap().tick), (360, 41, 400));
    assert_eq!(app.pretend.state.records(&Query::newest("web", 2)).await.unwrap().len(), 2);
    // A view that lags misses the oldest and goes on.
    assert!(stream.recv().await.is_err());
    assert!(stream.recv().await.is_ok());
}

/// A platform whose scale waits until it is let go.
struct Slow {
    inner: Arc<dyn Platform>,
    go: Arc<tokio::sync::Notify>,
    begun: Arc<AtomicBool>,
}

#[async_trait]
impl Platform for Slow {
    async fn observe(&self, freshness: Freshness) -> Result<Supply, ScaleError> {
        self.inner.observe(freshness).await
    }

    async fn scale_to(&self, dynos: u32) -> Result<Supply, ScaleError> {
        self.begun.store(true, Ordering::Release);
        self.go.notified().await;
        self.inner.scale_to(dynos).await
    }
}

struct SlowPlatforms(Arc<dyn Platforms>, Arc<tokio::sync::Notify>, Arc<AtomicBool>);

impl Platforms for SlowPlatforms {
    fn open(
        &self,
        scale: &Arc<dyn autoscaler::scale::Scale>,
        pipeline: &Arc<str>,
        world: &Arc<World>,
    ) -> Arc<dyn Platform> {
        let inner = self.0.open(scale, pipeline, world);
        Arc::new(Slow { inner, go: Arc::clone(&self.1), begun: Arc::clone(&self.2) })
    }
}

#[tokio::test]
async fn a_scale_in_flight_is_known_and_a_tick_dropped_in_it_is_resolved_later() {
    let pretend = Pretend::starting_at(noon());
    let (go, begun) = (Arc::<tokio::sync::Notify>::default(), Arc::<AtomicBool>::default());
    let platforms = SlowPlatforms(Arc::clone(&pretend.platforms) as _, Arc::clone(&go), Arc::clone(&begun));
    let slow = world(&pretend, Arc::clone(&pretend.state) as _, Arc::new(platforms));
    let settings = "number_of_fails_to_scale_up_after: 1, post_scale_wait_time_seconds: 300";
    let mut pipeline = Pipeline::open(draft(settings).spec(), slow, Fence(1)).await;
    let acting = pipeline.acting();
    pretend.sources.feed("web", Ok(HIGH.into()));
    {
        let tick = pipeline.tick(noon());
        tokio::pin!(tick);
        // One poll takes it into the call, where it stays.
        assert!(futures_util::poll!(&mut tick).is_pending());
        assert!(begun.load(Ordering::Acquire) && acting.now());
    }
    assert!(!acting.now());
    // The intent was safe before the call, and counts until the platform says otherwise.
    let kept = pretend.state.load("web").await.unwrap().unwrap();
    assert!(kept.control.open.is_some() && kept.control.waits(noon() + TimeDelta::seconds(30)));
    pretend.sources.feed("web", Ok(HIGH.into()));
    let record = pipeline.tick(noon() + TimeDelta::seconds(30)).await;
    assert_eq!((record.dynos.current, guards(&record)), (Some(1), vec!["cooldown"]));
    assert!(pipeline.kept().control.open.is_none());
}

#[tokio::test]
async fn a_panic_in_a_backend_is_a_failure_of_its_tick() {
    struct Panicking;
    #[async_trait]
    impl Platform for Panicking {
        async fn observe(&self, _: Freshness) -> Result<Supply, ScaleError> {
            panic!("a bug")
        }
        async fn scale_to(&self, _: u32) -> Result<Supply, ScaleError> {
            panic!("a bug")
        }
    }
    impl Platforms for Panicking {
        fn open(&self, _: &Arc<dyn autoscaler::scale::Scale>, _: &Arc<str>, _: &Arc<World>) -> Arc<dyn Platform> {
            Arc::new(Self)
        }
    }
    let pretend = Pretend::starting_at(noon());
    let world = world(&pretend, Arc::clone(&pretend.state) as _, Arc::new(Panicking));
    let mut pipeline = Pipeline::open(draft("").spec(), world, Fence(1)).await;
    let record = pipeline.tick(noon()).await;
    assert_eq!(guards(&record), ["count_unknown"]);
    assert!(why(&record).contains("this is a bug of autoscaler"));
}

#[tokio::test]
async fn large_data_is_named_in_the_record_and_not_kept() {
    let mut app = Draft::deciding("|m| if m.data.len() > 3 { hold(\"\" + m.data.len()) }").open().await;
    let data: Vec<u32> = (0..5_000).collect();
    let record = app.tick(Ok(data.into())).await;
    assert_eq!(why(&record), "5000");
    assert!(record.measurements[0].data.as_str().unwrap().starts_with("(not recorded: about"));
    assert_eq!(app.pipeline.kept().history.newest().unwrap().data, serde_json::Value::Null);
}

#[tokio::test]
async fn a_failed_measurement_is_recorded_as_documented() {
    let mut app = draft("").open().await;
    let record = app.fail(Failure::overload("timed out after 10 s")).await;
    let measurement = serde_json::to_value(&record.measurements[0]).unwrap();
    assert_eq!(measurement["name"], "measurement");
    assert_eq!(measurement["data"], serde_json::Value::Null);
    assert_eq!(
        (measurement["success"].as_bool(), measurement["error"].as_str()),
        (Some(false), Some("timed out after 10 s"))
    );
}
