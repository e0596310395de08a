//! What a pipeline remembers over a restart, and what it does where it cannot remember.

use std::path::Path;
use std::sync::Arc;

use autoscaler::pipeline::{Decided, Outcome, Pipeline};
use autoscaler::state::{Intent, Query, State};
use autoscaler::world::pretend::Pretend;
use autoscaler::world::{ScaleError, ScaleErrorKind, World};

use super::open;
use crate::pipeline::bench::{App, Draft, guards, noon, times, why};

/// Three too slow in a row scale up, three fast ones down; then it waits for two minutes.
fn draft() -> Draft {
    Draft {
        measure: "measure::custom(#{ measurement_interval_in_seconds: 30 }, || 0)".into(),
        decide: "decide::consecutive_threshold(#{ min_measurement_value: 100, max_measurement_value: 200, \
                 number_of_fails_to_scale_up_after: 3, number_of_passes_to_scale_down_after: 3, \
                 min_dynos: 1, max_dynos: 10, post_scale_wait_time_seconds: 120 })"
            .into(),
        ..Draft::default()
    }
}

/// A worker on the state in `folder`, in a world that outlives it.
async fn worker(folder: &Path, pretend: &Pretend, now: chrono::DateTime<chrono::Utc>) -> (App, Arc<dyn State>) {
    let state = open(folder).await.state;
    let world = Arc::new(World { state: Arc::clone(&state), ..(*pretend.world).clone() });
    pretend.clock.set(now);
    let pipeline = Pipeline::open(draft().spec(), world, state.fence()).await;
    (App { pretend: pretend.clone(), pipeline, now, events: Vec::new(), records: Vec::new() }, state)
}

#[tokio::test]
async fn measurements_and_cooldown_come_back() {
    let (folder, pretend) = (tempfile::tempdir().unwrap(), Pretend::starting_at(noon()));
    pretend.platforms.set("web", 2);
    let (mut app, state) = worker(folder.path(), &pretend, noon()).await;
    app.feed(times(900.0, 2)).await;
    assert_eq!(app.dynos(), 2);
    let now = app.now;
    drop((app, state));
    // The third one in a row comes after a restart.
    let (mut app, state) = worker(folder.path(), &pretend, now).await;
    let record = app.feed([900.0]).await;
    assert_eq!((record.decision, record.tick, app.dynos()), (Decided::Up, 3, 3), "{}", why(&record));
    let now = app.now;
    drop((app, state));
    // So does the wait: 120 s are the ticks at 30, 60 and 90 s; what was measured before the scale is not judged.
    let (mut app, _state) = worker(folder.path(), &pretend, now).await;
    for _ in 0..3 {
        let record = app.feed([900.0]).await;
        assert_eq!(guards(&record), ["cooldown"]);
    }
    let record = app.feed(times(900.0, 2)).await;
    assert_eq!(record.decision, Decided::Hold, "{}", why(&record));
    assert_eq!(app.feed([900.0]).await.decision, Decided::Up);
}

#[tokio::test]
async fn an_open_intent_is_resolved_by_reading_the_platform() {
    for (took_effect, dynos) in [(true, 3), (false, 2)] {
        let (folder, pretend) = (tempfile::tempdir().unwrap(), Pretend::starting_at(noon()));
        pretend.platforms.set("web", 2);
        let (mut app, state) = worker(folder.path(), &pretend, noon()).await;
        let error = ScaleError { kind: ScaleErrorKind::Unknown, message: "reset".into() };
        app.platform().lock().unwrap().scales.push_back(Some(error));
        let record = app.feed(times(900.0, 3)).await;
        assert_eq!(record.outcome, Outcome::Unknown);
        assert_eq!(app.pipeline.kept().control.open, Some(Intent { from: 2, to: 3 }));
        let now = app.now;
        drop((app, state));
        pretend.platforms.set("web", dynos);
        let (mut app, _state) = worker(folder.path(), &pretend, now).await;
        let record = app.feed([900.0]).await;
        assert_eq!(record.reasons[0].guard == "last_scale", took_effect, "{}", why(&record));
        assert_eq!(app.pipeline.kept().control.open, None);
        // It happened or may have: it waits either way.
        assert!(guards(&record).contains(&"cooldown"), "{}", why(&record));
        assert_eq!(pretend.platforms.of("web").lock().unwrap().asked, [3], "asked once for one decision");
    }
}

#[tokio::test]
async fn without_its_state_it_waits_once_and_takes_nothing_away() {
    let (folder, pretend) = (tempfile::tempdir().unwrap(), Pretend::starting_at(noon()));
    pretend.platforms.set("web", 5);
    std::fs::write(folder.path().join("state.db"), "no store".repeat(1000)).unwrap();
    let (mut app, state) = worker(folder.path(), &pretend, noon()).await;
    for _ in 0..4 {
        let record = app.feed([900.0]).await;
        assert_eq!(guards(&record), ["cooldown"]);
        assert!(why(&record).starts_with("the state cannot be used, so nobody knows when it scaled last; "));
    }
    assert_eq!(app.feed([900.0]).await.decision, Decided::Up, "it scales out");
    assert_eq!(app.dynos(), 6);
    let record = app.feed(times(10.0, 12)).await;
    assert_eq!((record.decision, app.dynos()), (Decided::Hold, 6));
    assert!(guards(&record).contains(&"degraded_state"), "{}", why(&record));
    drop((app, state));
    // A state that can be used again: it takes away.
    std::fs::remove_file(folder.path().join("state.db")).unwrap();
    let (mut app, _state) = worker(folder.path(), &pretend, noon()).await;
    app.feed(times(10.0, 3)).await;
    assert_eq!(app.dynos(), 5);
}

#[tokio::test]
async fn a_worker_whose_state_was_taken_over_scales_nothing() {
    let (folder, pretend) = (tempfile::tempdir().unwrap(), Pretend::starting_at(noon()));
    pretend.platforms.set("web", 2);
    let (mut app, old) = worker(folder.path(), &pretend, noon()).await;
    app.feed(times(900.0, 2)).await;
    old.flush().await.unwrap();
    // A lock that does not hold, as on some network file systems.
    std::fs::remove_file(folder.path().join("lock")).unwrap();
    let new = open(folder.path()).await.state;
    assert!(new.fence() > old.fence());
    let record = app.feed([900.0]).await;
    assert_eq!((record.outcome, app.dynos()), (Outcome::Failed, 2));
    let error = record.error.as_deref().unwrap_or_default();
    assert!(error.contains("another worker has taken the state over"), "{error}");
    assert_eq!(new.records(&Query::newest("web", 9)).await.unwrap().len(), 2);
}
