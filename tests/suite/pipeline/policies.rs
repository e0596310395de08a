//! The two documented policies: their defaults, their comparisons, and what a failed measurement counts as.

use autoscaler::pipeline::{Decided, Failure};
use serde_json::json;

use super::bench::{Draft, times, why};

fn consecutive(settings: &str) -> Draft {
    let common = "min_measurement_value: 400, max_measurement_value: 1000, max_dynos: 9, min_dynos: 1";
    Draft::deciding(format!("decide::consecutive_threshold(#{{ {common}, {settings} }})"))
}

fn average(settings: &str) -> Draft {
    Draft::deciding(format!("decide::average_threshold(#{{ max_dynos: 9, min_dynos: 1, {settings} }})"))
}

/// `draft` with a measuring stage whose failures count as `word`.
fn failing(word: &str, draft: Draft) -> Draft {
    Draft { measure: format!("measure::custom(#{{ on_measurement_failure: \"{word}\" }}, || 0)"), ..draft }
}

#[tokio::test]
async fn the_proposal_says_why_with_numbers() {
    let mut app = consecutive("").open().await;
    let record = app.feed([1301.0, 1295.5, 1310.0]).await;
    assert_eq!(record.proposals[0].dynos, Some(2));
    assert_eq!(record.proposals[0].text, "the last 3 of 3 above 1000: 1301, 1296, 1310");
    let mut app = Draft {
        measure: "measure::response_time(#{ measurement_url: \"https://a.test/\" })".into(),
        ..consecutive("")
    }
    .open()
    .await;
    let record = app.feed(times(1301.0, 2)).await;
    assert_eq!(record.reasons[0].text, "the last 2 of 3 above 1000 ms: 1301, 1301");
}

#[tokio::test]
async fn a_value_equal_to_a_threshold_is_inside() {
    let mut app = consecutive("").open().await;
    app.set(4);
    app.feed(times(1000.0, 4)).await;
    app.feed(times(400.0, 6)).await;
    assert_eq!(app.dynos(), 4);
    app.feed(times(399.9, 5)).await;
    assert_eq!(app.dynos(), 3);
}

#[tokio::test]
async fn with_a_minimum_of_zero_exactly_zero_is_below() {
    for draft in [
        Draft::deciding("decide::consecutive_threshold(#{ min_measurement_value: 0, max_measurement_value: 20 })"),
        average(""),
    ] {
        let mut app = draft.open().await;
        app.set(3);
        app.feed([0.0, 0.0, 0.0, 0.0, 0.5]).await;
        let low = app.dynos();
        app.feed(times(0.0, 5)).await;
        assert!(app.dynos() < 3, "{} {low}", why(app.records.last().unwrap()));
    }
}

#[tokio::test]
async fn the_defaults_are_the_documented_ones() {
    let settings = |draft: &Draft| {
        let spec = draft.spec();
        let autoscaler::decide::PolicyKind::Native(policy) = &spec.decide.policies[0].kind else {
            panic!("a native policy")
        };
        (policy.backend(), policy.settings())
    };
    let consecutive = json!({
        "number_of_fails_to_scale_up_after": 3, "number_of_passes_to_scale_down_after": 5,
        "min_measurement_value": 400, "max_measurement_value": 1200,
    });
    assert_eq!(settings(&Draft::default()), ("ConsecutiveThresholdBackend", consecutive));
    let average =
        json!({ "number_of_measurements_to_average": 3, "min_measurement_value": 0, "max_measurement_value": 20 });
    let draft = Draft::deciding("decide::average_threshold(#{})");
    assert_eq!(settings(&draft), ("AverageThresholdBackend", average));
    let decide = &draft.spec().decide;
    let common = (decide.increment, decide.wait.as_secs(), decide.history_length, decide.keep_history);
    assert_eq!(common, (1, 5, 10, false));
    let bounds = decide.bounds(super::bench::noon());
    assert_eq!((bounds.min, bounds.max), (1, 3));
}

#[tokio::test]
async fn the_average_is_that_of_the_newest_and_needs_all_of_them() {
    let mut app = average("").open().await;
    let record = app.feed([100.0, 100.0]).await;
    assert_eq!(why(&record), "2 of the 3 measurements to average");
    // 100, 100, 1: the mean is 67; then 100, 1, 1 is 34; then 1, 1, 1 is 1.
    let mut app = average("keep_history: true, post_scale_wait_time_seconds: 0").open().await;
    let mut decided = Vec::new();
    for value in [100.0, 100.0, 1.0, 1.0, 1.0] {
        decided.push(app.feed([value]).await.decision);
    }
    assert_eq!(decided, [Decided::Hold, Decided::Hold, Decided::Up, Decided::Up, Decided::Hold]);
    assert_eq!(why(app.records.last().unwrap()), "the mean of the newest 3 is 1, within 0 and 20");
}

#[tokio::test]
async fn a_mean_equal_to_the_maximum_is_inside() {
    let mut app = average("").open().await;
    assert_eq!(app.feed([10.0, 20.0, 30.0]).await.decision, Decided::Hold);
    assert_eq!(app.feed([10.1]).await.decision, Decided::Up);
}

#[tokio::test]
async fn failures_that_count_as_too_high() {
    let mut app = failing("too_high", consecutive("")).open().await;
    app.feed([1500.0]).await;
    app.fail(Failure::overload("timed out")).await;
    let record = app.fail(Failure::overload("timed out")).await;
    assert_eq!(record.decision, Decided::Up);
    assert_eq!(record.proposals[0].text, "the last 3 of 3 above 1000: 1500, failed, failed");
}

#[tokio::test]
async fn a_failure_that_is_no_load_holds_and_breaks_a_run() {
    let mut app = failing("too_high", consecutive("")).open().await;
    app.feed(times(1500.0, 2)).await;
    let record = app.fail(Failure::not_load("no such host")).await;
    assert_eq!((record.decision, why(&record).as_str()), (Decided::Hold, "the measurement failed: no such host"));
    assert_eq!(app.feed(times(1500.0, 2)).await.decision, Decided::Hold);
    assert_eq!(app.feed([1500.0]).await.decision, Decided::Up);
}

#[tokio::test]
async fn failures_that_hold_break_a_run_and_ignored_ones_do_not() {
    let mut app = failing("hold", consecutive("")).open().await;
    app.feed(times(1500.0, 2)).await;
    assert_eq!(app.fail(Failure::overload("timed out")).await.decision, Decided::Hold);
    assert_eq!(app.feed([1500.0]).await.decision, Decided::Hold);

    let mut app = failing("ignore", consecutive("")).open().await;
    app.feed(times(1500.0, 2)).await;
    assert_eq!(app.fail(Failure::overload("timed out")).await.decision, Decided::Hold);
    assert_eq!(app.feed([1500.0]).await.decision, Decided::Up);
}

#[tokio::test]
async fn failures_among_an_average() {
    // Up where the mean of the others is above.
    let mut app = failing("too_high", average("")).open().await;
    app.feed([30.0, 30.0]).await;
    assert_eq!(app.fail(Failure::overload("timed out")).await.decision, Decided::Up);
    // Hold where it is not, however low.
    let mut app = failing("too_high", average("")).open().await;
    app.set(3);
    app.fail(Failure::overload("timed out")).await;
    let record = app.feed([0.0, 0.0]).await;
    assert_eq!(record.decision, Decided::Hold);
    assert!(why(&record).starts_with("1 of the newest 3 failed"), "{}", why(&record));
    // Up where none is left.
    let mut app = failing("too_high", average("")).open().await;
    for _ in 0..3 {
        app.fail(Failure::overload("timed out")).await;
    }
    assert_eq!(app.dynos(), 2);
}

#[tokio::test]
async fn what_is_no_number_is_a_failed_measurement_to_a_native_policy() {
    let mut app = failing("too_high", consecutive("")).open().await;
    app.set(3);
    for _ in 0..5 {
        let record = app.tick(Ok(json!({ "queue": 0 }))).await;
        assert!(!record.measurements[0].success);
        assert_eq!(record.measurements[0].data, json!(null));
        assert_eq!(record.decision, Decided::Hold);
        assert_eq!(why(&record), "the measurement failed: a number is due, not a map");
    }
}
