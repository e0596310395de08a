//! When ticks come, on virtual time: evenly spread, one interval apart, never two at once, never a burst.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use autoscaler::measure::{MeasureContext, MeasureStage, Reading};
use autoscaler::pipeline::Measurement;
use autoscaler::script::{Environment, MissingSecrets};
use autoscaler::worker::{Actor, Loading, Options, Supervisor};
use autoscaler::world::pretend::Pretend;
use autoscaler::world::{Sources, TokioClock, World};
use chrono::Utc;
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::harness::Script;

/// Nothing is set.
struct Bare;

impl Environment for Bare {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }
}

/// Notes when each measurement starts, and takes as long as it is told for each.
struct Stopwatch {
    start: Instant,
    takes: Mutex<Vec<Duration>>,
    started: Mutex<Vec<(String, f64)>>,
    under_way: Mutex<Vec<String>>,
}

#[async_trait]
impl Sources for Stopwatch {
    async fn measure(&self, stage: &MeasureStage, context: &MeasureContext<'_>, world: &Arc<World>) -> Measurement {
        let name = context.pipeline.to_string();
        {
            let mut under_way = self.under_way.lock().unwrap();
            assert!(!under_way.contains(&name), "two ticks of {name} at once");
            under_way.push(name.clone());
        }
        self.started.lock().unwrap().push((name.clone(), self.start.elapsed().as_secs_f64()));
        let takes = self.takes.lock().unwrap().pop().unwrap_or_default();
        let _ = tokio::time::timeout(takes, std::future::pending::<()>()).await;
        self.under_way.lock().unwrap().retain(|other| *other != name);
        stage.finish(Ok(Reading { value: Some(5.0), data: json!(5) }), context, world).await
    }
}

/// The starts of all ticks of `text` within `length`; the first measurements take as long as `takes` says.
async fn starts(text: &str, takes: &[f64], length: f64) -> Vec<(String, f64)> {
    let script = Script::new(text);
    let takes = takes.iter().rev().map(|seconds| Duration::from_secs_f64(*seconds)).collect();
    let watch = Arc::new(Stopwatch {
        start: Instant::now(),
        takes: Mutex::new(takes),
        started: Mutex::default(),
        under_way: Mutex::default(),
    });
    let pretend = Pretend::starting_at(Utc::now());
    let world = Arc::new(World {
        clock: Arc::new(TokioClock::starting_at(Utc::now())),
        sources: Arc::clone(&watch) as Arc<dyn Sources>,
        ..World::clone(&pretend.world)
    });
    let options =
        Options { script: script.path(), dry_run: false, only: Vec::new(), secrets: MissingSecrets::Placeholder };
    let loading = Loading {
        options: Arc::new(options),
        environment: Arc::new(Bare),
        actor: Actor::default(),
        zone: chrono_tz::UTC,
    };
    let worker = Supervisor::load(loading, world).unwrap_or_else(|problems| panic!("{}", problems.report));
    let stop = CancellationToken::new();
    let ticking = tokio::spawn(worker.run(stop.clone(), Arc::new(Notify::new())));
    let _ = tokio::time::timeout(Duration::from_secs_f64(length), std::future::pending::<()>()).await;
    stop.cancel();
    ticking.await.unwrap();
    let started = watch.started.lock().unwrap();
    started.iter().map(|(name, at)| (name.clone(), (at * 100.0).round() / 100.0)).collect()
}

fn pipelines(names: &[&str], interval: f64) -> String {
    let pipeline = |name: &&str| {
        format!(
            "pipeline(\"{name}\", #{{
                measure: measure::app_decision(#{{
                    base_url: \"http://127.0.0.1:9\", measurement_interval_in_seconds: {interval},
                }}),
                decide: decide::consecutive_threshold(#{{ min_measurement_value: 1, max_measurement_value: 9 }}),
                scale: #{{ current: || 1, scale_to: |n| () }},
            }});"
        )
    };
    names.iter().map(pipeline).collect::<Vec<_>>().concat()
}

fn times(starts: &[(String, f64)], name: &str) -> Vec<f64> {
    starts.iter().filter(|(pipeline, _)| pipeline == name).map(|(_, at)| *at).collect()
}

#[tokio::test(start_paused = true)]
async fn the_first_tick_is_at_once_and_the_others_are_spread_over_ten_seconds() {
    let starts = starts(&pipelines(&["a", "b", "c", "d"], 30.0), &[], 64.0).await;
    assert_eq!(times(&starts, "a"), [0.0, 30.0, 60.0]);
    assert_eq!(times(&starts, "b"), [2.5, 32.5, 62.5]);
    assert_eq!(times(&starts, "c"), [5.0, 35.0]);
    assert_eq!(times(&starts, "d"), [7.5, 37.5]);
}

#[tokio::test(start_paused = true)]
async fn a_short_interval_is_spread_over_itself() {
    let starts = starts(&pipelines(&["a", "b"], 1.0), &[], 2.4).await;
    assert_eq!(times(&starts, "a"), [0.0, 1.0, 2.0]);
    assert_eq!(times(&starts, "b"), [0.5, 1.5]);
}

#[tokio::test(start_paused = true)]
async fn a_long_tick_is_followed_at_once_by_one_and_not_by_many() {
    let starts = starts(&pipelines(&["a"], 10.0), &[35.0, 3.0], 60.0).await;
    assert_eq!(times(&starts, "a"), [0.0, 35.0, 45.0, 55.0]);
}

#[tokio::test(start_paused = true)]
async fn ticks_that_are_always_too_long_never_overlap() {
    let starts = starts(&pipelines(&["a"], 10.0), &[15.0, 15.0, 15.0, 15.0], 50.0).await;
    assert_eq!(times(&starts, "a"), [0.0, 15.0, 30.0, 45.0]);
}
