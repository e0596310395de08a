//! What bounds, waits, marks, 0 dynos and modes mean.

use autoscaler::pipeline::{Decided, Failure, Outcome};
use chrono::TimeDelta;

use super::bench::{Draft, guards, times, why};

const HIGH: f64 = 1500.0;
const LOW: f64 = 10.0;
const RIGHT: f64 = 700.0;

fn draft(settings: &str) -> Draft {
    Draft::deciding(format!("decide::consecutive_threshold(#{{ {settings} }})"))
}

#[tokio::test]
async fn outside_the_bounds_it_goes_straight_to_the_nearest_also_in_a_cooldown() {
    let mut app = draft("min_dynos: 1, max_dynos: 5, post_scale_wait_time_seconds: 3600").open().await;
    app.feed(times(HIGH, 3)).await;
    assert_eq!(app.dynos(), 2);
    assert_eq!(guards(&*app.feed([RIGHT]).await), ["cooldown"]);
    app.set(9);
    let record = app.feed([RIGHT]).await;
    assert_eq!((app.dynos(), guards(&record)), (5, vec!["bounds"]));
    assert_eq!(record.reasons[0].text, "9 dynos above the maximum of 5");
    assert_eq!((record.reasons[0].from, record.reasons[0].to), (Some(9), Some(5)));
}

#[tokio::test]
async fn the_clock_moves_the_bounds() {
    let table = "#{ \"0:00\": 4, \"12:01\": 2 }";
    let mut app = draft(&format!("max_dynos: {table}, time_zone: \"UTC\"")).open().await;
    app.set(4);
    assert_eq!(app.feed([RIGHT, RIGHT]).await.decision, Decided::Hold);
    // 12:01:00, to the second.
    assert_eq!(app.feed([RIGHT]).await.dynos.desired, Some(2));
    assert_eq!(app.dynos(), 2);
}

#[tokio::test]
async fn while_the_measurement_fails_bounds_only_raise() {
    let mut app = draft("min_dynos: 2, max_dynos: 3").open().await;
    app.set(5);
    let record = app.fail(Failure::not_load("no such host")).await;
    assert_eq!((app.dynos(), record.decision), (5, Decided::Hold));
    assert_eq!(why(&record), "5 dynos above the maximum of 3; lowered after the next good measurement");
    app.feed([RIGHT]).await;
    assert_eq!(app.dynos(), 3);
    app.set(1);
    app.fail(Failure::not_load("no such host")).await;
    assert_eq!(app.dynos(), 2);
}

#[tokio::test]
async fn a_bound_that_is_not_written_changes_nothing_by_itself() {
    let mut app = draft("").open().await;
    app.set(5);
    for value in [RIGHT, HIGH, HIGH, HIGH, HIGH] {
        let record = app.feed([value]).await;
        assert_eq!((app.dynos(), record.decision), (5, Decided::Hold));
        let text = "5 dynos above the default maximum of 3, which changes nothing; write `max_dynos`";
        assert_eq!(why(&record), text);
    }
}

#[tokio::test]
async fn an_unwritten_maximum_still_limits_growth() {
    let mut app = draft("").open().await;
    app.feed(times(HIGH, 30)).await;
    assert_eq!(app.dynos(), 3);
    assert!(why(app.records.last().unwrap()).ends_with("4 dynos wanted, and the maximum is 3 (its default)"));
}

#[tokio::test]
async fn no_dynos_are_a_persons_doing() {
    let mut app = draft("min_dynos: 2, max_dynos: 5").open().await;
    app.set(0);
    let record = app.feed([HIGH]).await;
    assert_eq!((app.dynos(), guards(&record)), (0, vec!["switched_off"]));
    assert!(app.told()[0].starts_with("switched_off Begin: There are 0 dynos, so nothing is scaled"));
    app.feed(times(HIGH, 5)).await;
    assert_eq!(app.dynos(), 0);
    app.set(1);
    app.feed([RIGHT]).await;
    assert_eq!(app.dynos(), 2);
}

#[tokio::test]
async fn start_from_zero_leaves_zero() {
    let mut app = draft("min_dynos: 1, max_dynos: 5, start_from_zero: true").open().await;
    app.set(0);
    app.feed([RIGHT]).await;
    assert_eq!(app.dynos(), 1);
    // A written minimum of 0 is left by the policy alone.
    let mut app = draft("min_dynos: 0, max_dynos: 5, start_from_zero: true").open().await;
    app.set(0);
    app.feed([RIGHT]).await;
    assert_eq!(app.dynos(), 0);
    app.feed(times(HIGH, 3)).await;
    assert_eq!(app.dynos(), 1);
}

#[tokio::test]
async fn a_maximum_of_zero_is_no_switch() {
    let night = "min_dynos: 0, max_dynos: #{ \"0:00\": 0, \"12:01\": 3 }, start_from_zero: true";
    let mut app = draft(&format!("{night}, time_zone: \"UTC\", post_scale_wait_time_seconds: 0")).open().await;
    app.feed([RIGHT]).await;
    assert_eq!((app.dynos(), app.told()), (0, vec!["scaled Once: Scaled to (0) dynos.".to_owned()]));
    app.feed(times(HIGH, 3)).await;
    assert_eq!(app.dynos(), 1);
}

#[tokio::test]
async fn nothing_is_decided_in_the_wait_and_its_measurements_are_not_judged() {
    let mut app = draft("post_scale_wait_time_seconds: 60, min_dynos: 1, max_dynos: 9").open().await;
    app.feed(times(HIGH, 3)).await;
    assert_eq!(app.dynos(), 2);
    // 30 s later: in the wait. 60 s later: the first that counts.
    let mut seen = Vec::new();
    for _ in 0..5 {
        let record = app.feed([HIGH]).await;
        seen.push((guards(&record)[0].to_owned(), record.decision));
    }
    let policy = |decision| ("policy".to_owned(), decision);
    assert_eq!(
        seen,
        [
            ("cooldown".to_owned(), Decided::Hold),
            policy(Decided::Hold),
            policy(Decided::Hold),
            policy(Decided::Up),
            ("cooldown".to_owned(), Decided::Hold),
        ]
    );
    assert_eq!(app.records[3].reasons[0].text, "scaled 30 s ago; the next decision is in 30 s");
    assert!(app.records[3].proposals.is_empty());
}

#[tokio::test]
async fn keep_history_sets_no_mark() {
    let mut app = draft("keep_history: true, post_scale_wait_time_seconds: 0, max_dynos: 9").open().await;
    app.feed(times(HIGH, 5)).await;
    assert_eq!(app.dynos(), 4);
}

#[tokio::test]
async fn the_scaling_ticks_own_measurement_lies_before_the_mark() {
    let settings = "number_of_fails_to_scale_up_after: 1, post_scale_wait_time_seconds: 0, max_dynos: 9";
    let mut app = draft(settings).open().await;
    app.feed([HIGH]).await;
    // Only this measurement is judged: it is not below, and one high before it does not count.
    let record = app.feed([RIGHT]).await;
    assert_eq!(why(&record), "700 is within 400 and 1200");
}

#[tokio::test]
async fn no_tick_with_a_failed_measurement_scales_down() {
    let mut app = Draft::deciding("decide::custom(#{ call_on_failure: true, max_dynos: 5 }, |m| down(1))").open().await;
    app.set(4);
    let record = app.fail(Failure::overload("timed out")).await;
    assert_eq!((app.dynos(), guards(&record)), (4, vec!["policy", "failed_measurement"]));
    app.feed([1.0]).await;
    assert_eq!(app.dynos(), 3);
}

#[tokio::test]
async fn a_dry_run_does_all_but_the_scale_and_has_no_cooldown() {
    let mut app = Draft { wide: "mode: \"dry_run\"".into(), ..draft("") }.open().await;
    let record = app.feed(times(HIGH, 3)).await;
    assert_eq!((&*record.mode, record.outcome, record.dynos.desired), ("dry_run", Outcome::DryRun, Some(2)));
    assert!(app.platform().lock().unwrap().asked.is_empty());
    assert_eq!(app.told(), ["would_scale Once: Would scale to (2) dynos."]);
    // It still wants to, and says so in the record; people are told once.
    assert_eq!(app.feed([HIGH]).await.outcome, Outcome::DryRun);
    assert_eq!(app.told(), [""; 0]);
    app.feed([RIGHT]).await;
    app.feed(times(HIGH, 3)).await;
    assert_eq!(app.told(), ["would_scale Once: Would scale to (2) dynos."]);
}

#[tokio::test]
async fn a_paused_pipeline_measures_and_holds() {
    let mut app = Draft { wide: "mode: \"paused\"".into(), ..draft("min_dynos: 2") }.open().await;
    let record = app.feed(times(HIGH, 4)).await;
    assert_eq!((app.dynos(), guards(&record)), (1, vec!["paused"]));
    assert_eq!(record.measurements[0].value, Some(HIGH));
}

#[tokio::test]
async fn the_platforms_limit_is_obeyed() {
    let mut app = draft("increment: 3, max_dynos: 9").open().await;
    app.platform().lock().unwrap().limit = Some(2);
    let record = app.feed(times(HIGH, 3)).await;
    assert_eq!((app.dynos(), guards(&record)), (2, vec!["policy", "platform_limit"]));
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_hold_for_hours() {
    let mut app = draft("max_dynos: 9, post_scale_wait_time_seconds: 60").open().await;
    app.feed(times(HIGH, 3)).await;
    app.now -= TimeDelta::hours(2);
    assert_eq!(guards(&*app.feed([RIGHT]).await), ["policy"]);
}

#[tokio::test]
async fn history_length_limits_what_is_kept() {
    let mut app = draft("history_length: 7").open().await;
    app.feed(times(RIGHT, 20)).await;
    assert_eq!(app.pipeline.kept().history.len(), 7);
    assert_eq!(draft("number_of_passes_to_scale_down_after: 25").spec().decide.history_length, 25);
    assert_eq!(draft("").spec().decide.history_length, 10);
}

#[tokio::test]
async fn to_zero_is_below_a_minimum_of_one() {
    let mut app = draft("min_dynos: 1, max_dynos: 5").open().await;
    app.set(2);
    app.feed(times(LOW, 20)).await;
    assert_eq!(app.dynos(), 1);
}
