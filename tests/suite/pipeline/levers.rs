//! What operators do, as ticks see it: pauses, counts set by hand, switches, and counts that were changed on the
//! platform behind the engine's back.

use std::sync::Arc;

use async_trait::async_trait;
use autoscaler::levers::{Board, Lever, Pull, Pulled, Whom, apply};
use autoscaler::pipeline::{Decided, Failure};
use autoscaler::scale::Scale;
use autoscaler::world::pretend::Pretend;
use autoscaler::world::{Freshness, Platform, Platforms, ScaleError, ScaleErrorKind, Supply, World};
use chrono::TimeDelta;

use super::bench::{App, Draft, guards, noon, times, why};

const HIGH: f64 = 1500.0;
const LOW: f64 = 10.0;
const RIGHT: f64 = 700.0;

fn draft(settings: &str) -> Draft {
    Draft::deciding(format!("decide::consecutive_threshold(#{{ {settings} }})"))
}

/// Pulls `lever` of `web` for so many seconds.
fn pull(app: &App, lever: Lever, seconds: Option<i64>) {
    let until = seconds.map(|seconds| app.now + TimeDelta::seconds(seconds));
    let pull = Pull { by: "ann@ops".into(), at: app.now, until, reason: Some("deploying".into()) };
    let board = &app.pretend.world.levers;
    let mut levers = (*board.levers()).clone();
    apply(&mut levers, &Pulled { whom: Whom::Pipeline("web".into()), lever, pull }, app.now);
    board.set(levers);
}

fn set(dynos: u32) -> Lever {
    Lever::Set { dynos, beyond_bounds: false }
}

#[tokio::test]
async fn a_paused_pipeline_measures_holds_and_goes_on_by_itself() {
    let mut app = draft("max_dynos: 5").open().await;
    pull(&app, Lever::Pause, Some(95));
    let record = app.feed(times(HIGH, 4)).await;
    assert_eq!((app.dynos(), &*record.mode, guards(&record)), (1, "paused", vec!["paused"]));
    assert_eq!(why(&record), "paused by ann@ops until 12:01:35: deploying");
    assert!(record.proposals.is_empty() && record.measurements[0].value == Some(HIGH));
    // What was measured meanwhile counts.
    let record = app.feed([HIGH]).await;
    assert_eq!((app.dynos(), &*record.mode), (2, "live"));
}

#[tokio::test]
async fn a_pause_is_stronger_than_bounds_and_they_are_stronger_than_an_override() {
    let mut app = draft("min_dynos: 2, max_dynos: 5").open().await;
    pull(&app, set(9), None);
    let record = app.feed([RIGHT]).await;
    assert_eq!((app.dynos(), guards(&record)), (5, vec!["override", "bounds"]));
    assert_eq!(why(&record), "set to 9 dynos by ann@ops: deploying; 9 dynos wanted, and the maximum is 5");
    pull(&app, Lever::Pause, None);
    app.set(7);
    assert_eq!(guards(&*app.feed([RIGHT]).await), ["paused"]);
    assert_eq!(app.dynos(), 7);
    pull(&app, Lever::Resume, None);
    app.feed([RIGHT]).await;
    assert_eq!(app.dynos(), 5);
}

#[tokio::test]
async fn an_override_is_kept_and_lets_go_at_its_end() {
    let mut app = draft("max_dynos: 5, post_scale_wait_time_seconds: 0").open().await;
    pull(&app, set(3), Some(115));
    app.feed([HIGH]).await;
    assert_eq!(app.dynos(), 3);
    // Kept, whatever the load is and whoever changes it, also while nothing can be measured.
    app.feed([HIGH]).await;
    app.set(5);
    let record = app.fail(Failure::not_load("no such host")).await;
    assert_eq!((app.dynos(), record.decision, guards(&record)), (3, Decided::Down, vec!["override"]));
    let record = app.feed([LOW]).await;
    assert_eq!((app.dynos(), why(&record)), (3, "set to 3 dynos by ann@ops until 12:01:55: deploying".into()));
    app.feed(times(HIGH, 3)).await;
    assert_eq!(app.dynos(), 4);
}

#[tokio::test]
async fn beyond_the_bounds_only_where_that_was_said() {
    let mut app = draft("max_dynos: 5").open().await;
    pull(&app, Lever::Set { dynos: 9, beyond_bounds: true }, Some(60));
    let record = app.feed([RIGHT, RIGHT]).await;
    assert_eq!((app.dynos(), record.decision), (9, Decided::Hold));
    assert!(why(&record).starts_with("set to 9 dynos, beyond the bounds, by ann@ops"));
    // At its end the bounds count again.
    app.feed([RIGHT]).await;
    assert_eq!(app.dynos(), 5);
}

#[tokio::test]
async fn an_override_near_a_bound_that_is_not_written_neither_passes_it_nor_moves_to_it() {
    let mut app = draft("").open().await;
    pull(&app, set(8), None);
    assert!(why(&*app.feed([RIGHT]).await).ends_with("8 dynos wanted, and the maximum is 3 (its default)"));
    assert_eq!(app.dynos(), 3);
    app.set(7);
    app.feed([RIGHT]).await;
    assert_eq!(app.dynos(), 7);
    pull(&app, set(6), None);
    app.feed([RIGHT]).await;
    assert_eq!(app.dynos(), 6);
}

#[tokio::test]
async fn an_override_switches_a_process_type_on_and_off() {
    let mut app = draft("min_dynos: 0, max_dynos: 5").open().await;
    pull(&app, set(0), None);
    app.feed([HIGH]).await;
    assert_eq!(app.dynos(), 0);
    pull(&app, set(2), None);
    app.feed([HIGH]).await;
    assert_eq!(app.dynos(), 2);
}

#[tokio::test]
async fn scale_in_off_keeps_and_scale_out_off_rises_to_a_written_minimum_only() {
    let mut app = draft("min_dynos: 2, max_dynos: 5").open().await;
    app.set(4);
    pull(&app, Lever::ScaleIn { on: false }, None);
    let record = app.feed(times(LOW, 6)).await;
    assert_eq!((app.dynos(), guards(&record)), (4, vec!["policy", "scale_in_off"]));
    assert!(why(&record).ends_with("scale-in was switched off by ann@ops: deploying"));
    app.set(7);
    assert_eq!(guards(&*app.feed([RIGHT]).await), ["bounds", "scale_in_off"]);
    assert_eq!(app.dynos(), 7);
    pull(&app, Lever::ScaleIn { on: true }, None);
    pull(&app, Lever::ScaleOut { on: false }, None);
    app.set(3);
    let record = app.feed(times(HIGH, 3)).await;
    assert_eq!((app.dynos(), guards(&record)), (3, vec!["policy", "scale_out_off"]));
    app.set(1);
    app.feed([HIGH]).await;
    assert_eq!(app.dynos(), 2);
    app.feed(times(LOW, 6)).await;
    assert_eq!(app.dynos(), 2);
}

#[tokio::test]
async fn a_pause_pulled_between_the_decision_and_the_scale_stops_it() {
    let mut pretend = Pretend::starting_at(noon());
    let platforms = Arc::clone(&pretend.world.platforms);
    pretend.world = Arc::new(World { platforms: Arc::new(PausedWhileRead(platforms)), ..World::clone(&pretend.world) });
    let decide = "|m| if m.value > 1000 { up(1) } else { hold(\"fine\") }";
    let spec = Draft { wide: "max_dynos: 5".into(), ..Draft::deciding(decide) }.spec();
    let mut app = App::open(spec, &pretend).await;
    let record = app.feed([HIGH]).await;
    assert_eq!((app.dynos(), guards(&record)), (1, vec!["paused"]));
    assert!(app.platform().lock().unwrap().asked.is_empty());
}

/// A platform that an operator pauses all pipelines of while the count is read just before a scale.
struct PausedWhileRead(Arc<dyn Platforms>);

struct PausedPlatform(Arc<dyn Platform>, Arc<Board>);

impl Platforms for PausedWhileRead {
    fn open(&self, scale: &Arc<dyn Scale>, pipeline: &Arc<str>, world: &Arc<World>) -> Arc<dyn Platform> {
        Arc::new(PausedPlatform(self.0.open(scale, pipeline, world), Arc::clone(&world.levers)))
    }
}

#[async_trait]
impl Platform for PausedPlatform {
    async fn observe(&self, freshness: Freshness) -> Result<Supply, ScaleError> {
        if freshness == Freshness::Now {
            let pull = Pull { by: "ann@ops".into(), at: noon(), until: None, reason: None };
            let mut levers = (*self.1.levers()).clone();
            apply(&mut levers, &Pulled { whom: Whom::All, lever: Lever::Pause, pull }, noon());
            self.1.set(levers);
        }
        self.0.observe(freshness).await
    }

    async fn scale_to(&self, dynos: u32) -> Result<Supply, ScaleError> {
        self.0.scale_to(dynos).await
    }
}

#[tokio::test]
async fn a_count_changed_by_hand_is_told_once_with_how_to_keep_it() {
    let mut app = draft("max_dynos: 8").open().await;
    app.feed([RIGHT, RIGHT]).await;
    assert!(app.told().is_empty());
    app.set(5);
    let record = app.feed([RIGHT, RIGHT, RIGHT]).await;
    assert_eq!((app.dynos(), record.decision), (5, Decided::Hold));
    assert_eq!(
        app.told(),
        ["changed_by_hand Once: The dynos were changed by hand from 1 to 5. Scaling goes on from there. To keep it: \
          `autoscaler set web 5 --for 1h`, or `autoscaler pause web`."]
    );
    // The policy goes on from there.
    app.feed(times(HIGH, 3)).await;
    assert_eq!(app.dynos(), 6);
}

#[tokio::test]
async fn what_the_engine_scaled_itself_is_nobody_elses_doing() {
    let mut app = draft("max_dynos: 8, post_scale_wait_time_seconds: 0").open().await;
    app.feed(times(HIGH, 3)).await;
    // One of which nobody knows how it ended, first as it happened, then as it did not.
    app.refuse(ScaleErrorKind::Unknown);
    app.feed(times(HIGH, 12)).await;
    app.feed(times(LOW, 30)).await;
    assert_eq!(app.dynos(), 1);
    assert!(app.events.iter().all(|event| event.kind.name() != "changed_by_hand"), "{:?}", app.told());
}

#[tokio::test]
async fn a_platform_that_lags_behind_is_no_person() {
    let mut app = draft("max_dynos: 8, post_scale_wait_time_seconds: 0").open().await;
    app.feed(times(HIGH, 3)).await;
    assert_eq!(app.dynos(), 2);
    app.set(1);
    app.feed([RIGHT, RIGHT]).await;
    app.set(2);
    app.feed([RIGHT]).await;
    assert!(app.told().iter().all(|told| !told.starts_with("changed_by_hand")));
    // Seen at its new count once, the old one is a person's doing.
    app.set(1);
    app.feed([RIGHT]).await;
    assert!(app.told()[0].starts_with("changed_by_hand Once: The dynos were changed by hand from 2 to 1."));
}

#[tokio::test]
async fn a_count_changed_by_hand_is_left_alone_for_as_long_as_the_script_says() {
    let settings = "min_dynos: 1, max_dynos: 6, post_scale_wait_time_seconds: 0";
    let mut app = Draft { wide: "respect_manual_seconds: 120".into(), ..draft(settings) }.open().await;
    app.feed([RIGHT]).await;
    app.set(4);
    let record = app.feed(times(HIGH, 4)).await;
    assert_eq!((app.dynos(), guards(&record)), (4, vec!["changed_by_hand"]));
    assert_eq!(why(&record), "4 dynos by hand, left alone for another 30 s (`respect_manual_seconds`)");
    assert!(app.told()[0].contains("It is left alone for 120 s."));
    app.feed([HIGH]).await;
    assert_eq!(app.dynos(), 5);
    // Outside the bounds it is not.
    app.set(9);
    app.feed([RIGHT]).await;
    assert_eq!(app.dynos(), 6);
}
