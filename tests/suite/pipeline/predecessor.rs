//! The predecessor's own tests, row by row (4, 30 and 32 are superseded), through scripts and
//! `Pipeline::tick`. A verdict of the predecessor is a measurement here: low 100, right 700, high 1500.

use std::fmt::Write as _;

use autoscaler::pipeline::{Decided, Failure, Outcome};
use autoscaler::world::ScaleErrorKind;

use super::bench::{App, Draft, times};

const LOW: f64 = 100.0;
const RIGHT: f64 = 700.0;
const HIGH: f64 = 1500.0;

/// The fixture: thresholds 400 and 1000, up after 3, down after 5, one to three dynos; `changes` come
/// first.
fn fixture(changes: &str) -> Draft {
    let mut settings = String::from(changes);
    for (key, value) in [
        ("min_measurement_value", "400"),
        ("max_measurement_value", "1000"),
        ("min_dynos", "1"),
        ("max_dynos", "3"),
        ("post_scale_wait_time_seconds", "0"),
    ] {
        if !changes.contains(key) {
            write!(settings, " {key}: {value},").unwrap();
        }
    }
    Draft::deciding(format!("decide::consecutive_threshold(#{{ {settings} }})"))
}

async fn plain() -> App {
    fixture("").open().await
}

const PROBE: &str = "measure::response_time(#{ measurement_url: \"https://app.test/m\" })";

#[tokio::test]
async fn rows_1_2_7_8_11_it_scales_up_to_the_maximum_and_no_further() {
    let mut app = plain().await;
    let mut counts = Vec::new();
    for _ in 0..4 {
        app.feed(times(HIGH, 3)).await;
        counts.push(app.dynos());
    }
    assert_eq!(counts, [2, 3, 3, 3]);
}

#[tokio::test]
async fn rows_3_19_only_the_newest_in_their_order_count() {
    let mut app = plain().await;
    app.feed([LOW, LOW, LOW, HIGH, HIGH]).await;
    assert_eq!(app.dynos(), 1);
    app.feed([HIGH]).await;
    assert_eq!(app.dynos(), 2);
}

#[tokio::test]
async fn row_5_one_low_wants_nothing_and_highs_want_up() {
    let mut app = plain().await;
    assert_eq!(app.feed([LOW]).await.decision, Decided::Hold);
    assert_eq!(app.feed(times(HIGH, 3)).await.decision, Decided::Up);
}

#[tokio::test]
async fn rows_6_9_10_12_it_scales_down_to_the_minimum_and_no_further() {
    let mut app = plain().await;
    app.set(3);
    app.feed([HIGH]).await;
    let mut counts = Vec::new();
    for _ in 0..4 {
        app.feed(times(LOW, 5)).await;
        counts.push(app.dynos());
    }
    assert_eq!(counts, [2, 1, 1, 1]);
}

#[test]
fn rows_13_14_bounds_go_by_the_time_of_day() {
    let table = "#{ \"0:00\": 2, \"9:00\": 5, \"17:00\": 3 }";
    let spec = fixture(&format!("min_dynos: {table}, max_dynos: {table}, time_zone: \"UTC\",")).spec();
    let times = ["01:00", "12:00", "18:00", "09:05", "09:00"];
    let bounds = times.map(|time| spec.decide.bounds(format!("2026-11-24T{time}:00Z").parse().unwrap()));
    assert_eq!(bounds.map(|bounds| bounds.max), [2, 5, 3, 5, 5]);
    assert_eq!(bounds.map(|bounds| bounds.min), [2, 5, 3, 5, 5]);
}

#[tokio::test]
async fn row_15_the_increment_is_taken_in_one_step() {
    let mut app = fixture("increment: 2,").open().await;
    app.feed(times(HIGH, 3)).await;
    assert_eq!(app.dynos(), 3);
}

#[tokio::test]
async fn row_16_a_minimum_above_the_count_needs_no_history() {
    let mut app = fixture("min_dynos: 2,").open().await;
    app.feed([RIGHT]).await;
    assert_eq!(app.dynos(), 2);
}

#[tokio::test]
async fn row_17_a_count_above_the_maximum_goes_straight_to_it() {
    let mut app = fixture("max_dynos: 2,").open().await;
    app.set(4);
    app.feed([RIGHT]).await;
    assert_eq!(app.dynos(), 2);
}

#[tokio::test]
async fn row_18_what_was_measured_before_a_scale_is_not_judged_again() {
    let mut app = plain().await;
    app.feed(times(HIGH, 3)).await;
    app.feed(times(HIGH, 2)).await;
    assert_eq!(app.dynos(), 2);
}

#[tokio::test]
async fn row_20_a_response_between_the_thresholds_is_right() {
    let mut app = plain().await;
    let record = app.feed([500.0]).await;
    assert_eq!(record.reasons[0].text, "500 is within 400 and 1000");
}

#[tokio::test]
async fn rows_21_22_23_an_error_counts_as_too_slow_and_slow_and_fast_as_what_they_are() {
    let mut app = Draft { measure: PROBE.into(), ..fixture("") }.open().await;
    app.fail(Failure::overload("500 Internal Server Error")).await;
    app.feed([2000.0]).await;
    app.fail(Failure::overload("500 Internal Server Error")).await;
    assert_eq!(app.dynos(), 2);
    app.feed(times(1.0, 5)).await;
    assert_eq!(app.dynos(), 1);
}

#[tokio::test]
async fn row_24_the_count_never_exceeds_the_maximum_however_often_it_is_wanted() {
    let mut app = plain().await;
    app.feed(times(HIGH, 30)).await;
    assert_eq!(app.dynos(), 3);
}

#[tokio::test]
async fn row_25_too_many_scales_in_a_period_are_told() {
    let flags = "notify_if_scaling_is_too_rapid: true, notify_if_scaling_is_too_rapid_num_scales: 2";
    let draft = Draft {
        measure: "measure::custom(#{ measurement_interval_in_seconds: 10 }, || 0)".into(),
        notify: format!("notify::test(#{{ {flags} }})"),
        ..fixture("number_of_fails_to_scale_up_after: 1, max_dynos: 9,")
    };
    let mut app = draft.open().await;
    app.feed(times(HIGH, 2)).await;
    assert!(!app.told().iter().any(|told| told.starts_with("scaling_too_rapid")));
    app.feed(times(HIGH, 2)).await;
    let told = app.told();
    let rapid: Vec<&String> = told.iter().filter(|told| told.starts_with("scaling_too_rapid")).collect();
    let text = "scaling_too_rapid Begin: Too much scaling over too little time!  We have 4 dynos right now.";
    assert_eq!(rapid, [text]);
}

#[tokio::test]
async fn row_26_at_the_maximum_one_message_says_so() {
    let mut app = plain().await;
    app.set(3);
    app.feed(times(HIGH, 5)).await;
    let text = "needs_above_max Begin: We are at the max (3) dynos, but the response is still too slow.";
    assert_eq!(app.told(), [text]);
}

#[tokio::test]
async fn row_27_at_one_dyno_nobody_hears_that_fewer_would_do() {
    let mut app = plain().await;
    app.feed(times(LOW, 6)).await;
    assert_eq!(app.told(), [""; 0]);
}

#[tokio::test]
async fn row_28_at_a_higher_minimum_one_message_says_so() {
    let mut app = fixture("min_dynos: 2,").open().await;
    app.feed([LOW]).await;
    app.told();
    app.feed(times(LOW, 6)).await;
    let text = "needs_below_min Begin: We are at the minimum (2) dynos, but the response is still low enough we \
                could scale down further.";
    assert_eq!(app.told(), [text]);
}

#[tokio::test]
async fn row_29_a_backend_that_does_not_want_to_hear_of_the_maximum_does_not() {
    let notify = "notify::test(#{ notify_if_needs_exceed_max: false })".into();
    let mut app = Draft { notify, ..fixture("") }.open().await;
    app.set(3);
    app.feed(times(HIGH, 5)).await;
    let stages = &app.pipeline.spec().notify;
    assert_eq!(app.events.len(), 1);
    assert!(!stages[0].hears(&app.events[0]));
}

#[tokio::test]
async fn row_31_a_scale_that_fails_is_told() {
    let mut app = plain().await;
    app.refuse(ScaleErrorKind::Refused);
    let record = app.feed(times(HIGH, 3)).await;
    assert_eq!(record.outcome, Outcome::Failed);
    assert_eq!(app.told(), ["scale_failed Begin: Just tried to scale, and it failed. We're currently at 1 dynos."]);
}

#[tokio::test]
async fn row_33_every_backend_hears_of_a_scale() {
    let test = "notify::test(#{ notify_on_every_scale: true })";
    let mut app = Draft { notify: format!("[{test}, {test}]"), ..fixture("") }.open().await;
    app.feed(times(HIGH, 3)).await;
    assert_eq!(app.events.len(), 1);
    assert_eq!(app.events[0].message, "Scaled to (2) dynos.");
    assert_eq!(app.events[0].subject, "Scaled to 2 dynos");
    assert!(app.pipeline.spec().notify.iter().all(|stage| stage.hears(&app.events[0])));
}
