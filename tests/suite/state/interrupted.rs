//! A worker that ends in the middle of a scale: the next one writes down what was decided, why, and what became of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use autoscaler::levers::Levers;
use autoscaler::pipeline::{Decided, Outcome, Pipeline, Record};
use autoscaler::state::{Batch, Fence, Kept, KeptGeneration, Query, State, StateError};
use autoscaler::world::World;
use autoscaler::world::pretend::Pretend;

use super::Place;
use crate::harness::Autoscaler;
use crate::pipeline::bench::{App, Draft, noon, times, why};

/// What a worker leaves that is killed during its first scale: nothing is kept after the intent.
struct Killed {
    state: Arc<dyn State>,
    dead: AtomicBool,
}

#[async_trait]
impl State for Killed {
    async fn load(&self, pipeline: &str) -> Result<Option<Kept>, StateError> {
        self.state.load(pipeline).await
    }

    async fn commit(&self, pipeline: &Arc<str>, fence: Fence, batch: Batch) -> Result<(), StateError> {
        if self.dead.load(Ordering::Acquire) {
            return Ok(());
        }
        self.dead.store(batch.intent.is_some(), Ordering::Release);
        self.state.commit(pipeline, fence, batch).await
    }

    async fn records(&self, query: &Query) -> Result<Vec<Arc<Record>>, StateError> {
        self.state.records(query).await
    }

    async fn levers(&self) -> Result<Levers, StateError> {
        self.state.levers().await
    }

    async fn keep_levers(&self, levers: &Levers) -> Result<(), StateError> {
        self.state.keep_levers(levers).await
    }

    async fn generations(&self, unit: &str) -> Result<Vec<KeptGeneration>, StateError> {
        self.state.generations(unit).await
    }

    async fn keep_generation(&self, generation: KeptGeneration) -> Result<(), StateError> {
        self.state.keep_generation(generation).await
    }
}

fn draft() -> Draft {
    Draft {
        measure: "measure::custom(#{ measurement_interval_in_seconds: 30 }, || 0)".into(),
        decide: "decide::consecutive_threshold(#{ min_measurement_value: 100, max_measurement_value: 200, \
                 number_of_fails_to_scale_up_after: 3, min_dynos: 1, max_dynos: 10, post_scale_wait_time_seconds: 120 })"
            .into(),
        wide: "time_zone: \"UTC\",".into(),
        ..Draft::default()
    }
}

async fn app(state: &Arc<dyn State>, pretend: &Pretend, now: chrono::DateTime<chrono::Utc>) -> App {
    let world = Arc::new(World { state: Arc::clone(state), ..(*pretend.world).clone() });
    pretend.clock.set(now);
    let pipeline = Pipeline::open(draft().spec(), world, state.fence()).await;
    App { pretend: pretend.clone(), pipeline, now, events: Vec::new(), records: Vec::new() }
}

/// A worker on `place` that is killed while it scales from 2 to 3.
async fn killed(place: &Place) -> (Pretend, chrono::DateTime<chrono::Utc>) {
    let pretend = Pretend::starting_at(noon());
    pretend.platforms.set("web", 2);
    let state = place.open().await;
    let fence = state.fence();
    let killed: Arc<dyn State> = Arc::new(Killed { state, dead: AtomicBool::new(false) });
    let world = Arc::new(World { state: killed, ..(*pretend.world).clone() });
    let pipeline = Pipeline::open(draft().spec(), world, fence).await;
    let mut app = App { pretend: pretend.clone(), pipeline, now: noon(), events: Vec::new(), records: Vec::new() };
    app.feed(times(900.0, 3)).await;
    assert_eq!(app.dynos(), 3);
    (pretend, app.now)
}

#[tokio::test]
async fn a_scale_that_was_interrupted_is_recorded_with_its_reason_and_what_became_of_it() {
    for make in [Place::folder, Place::redis] {
        for (found, outcome, became) in [
            (3, Outcome::Scaled, "the platform has 3 dynos now, so it was carried out"),
            (2, Outcome::Failed, "the platform has 2 dynos still, so it was not carried out"),
            (7, Outcome::Unknown, "the platform has 7 dynos now, which does not tell whether it was carried out"),
        ] {
            let place = make();
            let (pretend, now) = killed(&place).await;
            pretend.platforms.set("web", found);
            let state = place.open().await;
            let mut next = app(&state, &pretend, now).await;
            let first = next.feed([900.0]).await;
            assert!(why(&first).contains("scaled 30 s ago"), "{}: {}", place.what, why(&first));
            let told = first.error.as_deref().unwrap_or_default();
            let expected = if outcome == Outcome::Scaled {
                String::new()
            } else {
                format!(
                    "at the tick of 12:01:00 UTC, scaling from 2 to 3 dynos: the worker ended during this scale; {became}"
                )
            };
            assert_eq!(told, expected, "{}", place.what);
            next.feed([900.0]).await;
            let records = state.records(&Query::newest("web", 9)).await.unwrap();
            let ticks: Vec<u64> = records.iter().map(|record| record.tick).collect();
            assert_eq!(ticks, [1, 2, 3, 4, 5], "{}: one record of each", place.what);
            let record = &records[2];
            assert_eq!((record.decision, record.outcome), (Decided::Up, outcome), "{}", place.what);
            assert_eq!(record.measurements[0].value, Some(900.0));
            assert_eq!((record.dynos.current, record.dynos.desired), (Some(2), Some(3)));
            let reasons: Vec<&str> = record.reasons.iter().map(|reason| reason.text.as_str()).collect();
            assert_eq!(reasons[0], format!("the worker ended during this scale; {became}"));
            assert!(reasons[1].starts_with("the last 3 of 3 above 200"), "{reasons:?}");
            drop((next, state));
            // The one after that has nothing to add.
            let state = place.open().await;
            let mut last = app(&state, &pretend, now).await;
            last.feed([900.0]).await;
            assert_eq!(state.records(&Query::newest("web", 99)).await.unwrap().len(), 6, "{}", place.what);
        }
    }
}

#[tokio::test]
async fn an_interrupted_scale_is_told_by_the_commands() {
    let place = Place::folder();
    let (pretend, now) = killed(&place).await;
    let state = place.open().await;
    app(&state, &pretend, now).await.feed([900.0]).await;
    state.flush().await.unwrap();
    drop(state);
    let run = |words: &[&str]| {
        let folder = place.folder.path().display().to_string();
        Autoscaler::new(words.iter().copied()).env("TZ", "UTC").arg("--state").arg(&folder).run()
    };
    let day = noon().format("%Y-%m-%d").to_string();
    let said = "the worker ended during this scale; the platform has 3 dynos now, so it was carried out";
    let history = run(&["history", "web", "--since", &day]).expect(0).stdout;
    let line = format!("12:01:00  ▲ up from 2 to 3 dynos, {said}  900: the last 3 of 3 above 200");
    assert!(history.contains(&line), "{history}");
    let told = run(&["explain", "web", "--at", &format!("{day}T12:01:00")]).expect(0).stdout;
    assert!(told.contains(&format!("happened  {said}\n")) && told.contains("the last 3 of 3 above 200"), "{told}");
    let status = run(&["status"]).expect(1).stdout;
    assert!(status.contains("up from 2 to 3: the worker ended during this scale;"), "{status}");
    let export = run(&["records", "export", "--since", "366d"]).expect(0).json();
    assert_eq!((&export[2]["tick"], &export[2]["reasons"][0]["guard"]), (&3.into(), &"interrupted".into()));
}
