//! What is told, when, and in which words.

use autoscaler::pipeline::{Decided, EventKind, Failure, Phase, RapidLimit};
use autoscaler::world::ScaleErrorKind;

use super::bench::{Draft, times};

const HIGH: f64 = 1500.0;
const LOW: f64 = 10.0;
const RIGHT: f64 = 700.0;

fn draft(settings: &str) -> Draft {
    Draft::deciding(format!("decide::consecutive_threshold(#{{ {settings} }})"))
}

#[tokio::test]
async fn a_scale_is_told_with_its_numbers_and_its_reason() {
    let mut app = draft("max_dynos: 5").open().await;
    app.feed(times(HIGH, 3)).await;
    let event = app.events[0].clone();
    assert_eq!((event.kind, event.phase, event.key.as_str()), (EventKind::Scaled, Phase::Once, "web/scaled"));
    assert_eq!((event.from, event.to, event.dynos, event.measurement), (Some(1), Some(2), Some(2), Some(HIGH)));
    assert_eq!(event.reason.as_deref(), Some("the last 3 of 3 above 1200: 1500, 1500, 1500"));
    assert_eq!((event.severity.as_str(), &*event.pipeline), ("info", "web"));
    assert_eq!(app.records.last().unwrap().events, [event]);
}

#[tokio::test]
async fn a_lasting_condition_begins_repeats_and_ends() {
    let mut app = draft("max_dynos: 3").open().await;
    app.set(3);
    // 30 s a tick: begins with the third, is repeated an hour later.
    app.feed(times(HIGH, 123)).await;
    let phases: Vec<Phase> = app.events.iter().map(|event| event.phase).collect();
    assert_eq!(phases, [Phase::Begin, Phase::Repeat]);
    assert!(app.events.iter().all(|event| event.key == "web/needs_above_max"));
    assert_eq!(app.events[0].subject, "Demand above max scaling.");
    app.told();
    app.feed(times(RIGHT, 9)).await;
    assert_eq!(app.told(), [""; 0]);
    app.feed(times(RIGHT, 1)).await;
    assert_eq!(app.told(), ["needs_above_max End: The maximum of dynos is enough again."]);
}

#[tokio::test]
async fn notify_repeat_minutes_is_heeded() {
    let mut app = Draft { wide: "notify_repeat_minutes: 2".into(), ..draft("max_dynos: 3") }.open().await;
    app.set(3);
    app.feed(times(HIGH, 11)).await;
    let phases: Vec<Phase> = app.events.iter().map(|event| event.phase).collect();
    assert_eq!(phases, [Phase::Begin, Phase::Repeat, Phase::Repeat]);
}

#[tokio::test]
async fn three_failed_measurements_in_a_row_are_told() {
    let mut app = draft("").open().await;
    for _ in 0..2 {
        app.fail(Failure::not_load("no such host")).await;
    }
    app.feed([RIGHT]).await;
    for _ in 0..2 {
        app.fail(Failure::not_load("no such host")).await;
    }
    assert_eq!(app.told(), [""; 0]);
    app.fail(Failure::not_load("no such host")).await;
    assert_eq!(app.told(), ["measurement_failed Begin: The last measurements failed: no such host."]);
    app.feed(times(RIGHT, 10)).await;
    assert_eq!(app.told(), ["measurement_failed End: Measuring works again."]);
}

#[tokio::test]
async fn a_scale_that_keeps_failing_is_one_condition() {
    let mut app = draft("max_dynos: 5").open().await;
    for _ in 0..4 {
        app.refuse(ScaleErrorKind::Refused);
    }
    app.feed(times(HIGH, 6)).await;
    let events: Vec<_> = app.events.iter().filter(|event| event.kind == EventKind::ScaleFailed).collect();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].subject, "Scale to 2 dynos failed.");
    assert_eq!(events[0].message, "Just tried to scale, and it failed. We're currently at 1 dynos.");
    assert_eq!(events[0].reason.as_deref(), Some("scaling from 1 to 2 dynos: no luck"));
    assert_eq!((events[0].from, events[0].to, events[0].severity.as_str()), (Some(1), Some(2), "error"));
}

#[tokio::test]
async fn each_limit_of_too_rapid_is_told_to_those_who_set_it() {
    let rapid = |scales: u32| {
        format!(
            "notify::test(#{{ notify_if_scaling_is_too_rapid: true, notify_if_scaling_is_too_rapid_num_scales: \
             {scales}, notify_if_scaling_is_too_rapid_time_period_minutes: 10 }})"
        )
    };
    let settings = "number_of_fails_to_scale_up_after: 1, post_scale_wait_time_seconds: 0, max_dynos: 99";
    let mut app = Draft { notify: format!("[{}, {}]", rapid(2), rapid(4)), ..draft(settings) }.open().await;
    app.feed(times(HIGH, 5)).await;
    let rapid: Vec<_> = app.events.iter().filter(|event| event.kind == EventKind::ScalingTooRapid).collect();
    assert_eq!(rapid.len(), 2);
    let stages = &app.pipeline.spec().notify;
    assert!(stages[0].hears(rapid[0]) && !stages[1].hears(rapid[0]));
    assert!(!stages[0].hears(rapid[1]) && stages[1].hears(rapid[1]));
    assert_eq!((rapid[0].at - super::bench::noon()).num_seconds(), 60);
    assert_eq!(rapid[0].reason.as_deref(), Some("3 scales up within 10 min, more than 2"));
    assert_eq!((rapid[1].at - super::bench::noon()).num_seconds(), 120);
    assert_eq!(RapidLimit::all(app.pipeline.spec()).len(), 2);
}

#[tokio::test]
async fn scales_in_both_directions_are_not_too_rapid() {
    let notify = "notify::test(#{ notify_if_scaling_is_too_rapid: true, \
                  notify_if_scaling_is_too_rapid_num_scales: 2, \
                  notify_if_scaling_is_too_rapid_time_period_minutes: 10 })";
    let settings = "number_of_fails_to_scale_up_after: 1, number_of_passes_to_scale_down_after: 1, \
                    post_scale_wait_time_seconds: 0, max_dynos: 99";
    let mut app = Draft { notify: notify.into(), ..draft(settings) }.open().await;
    app.feed([HIGH, LOW, HIGH, LOW]).await;
    assert!(app.events.iter().all(|event| event.kind == EventKind::Scaled), "{:?}", app.told());
    app.feed([HIGH]).await;
    assert!(app.events.iter().any(|event| event.kind == EventKind::ScalingTooRapid));
}

#[tokio::test]
async fn measurements_are_told_only_where_somebody_wants_to_hear_them() {
    let measure = "measure::response_time(#{ measurement_url: \"https://a.test/\" })";
    let notify = "notify::test(#{ notify_on_every_measurement: true })";
    let mut app = Draft { measure: measure.into(), notify: notify.into(), ..draft("") }.open().await;
    app.feed([512.0, HIGH, LOW]).await;
    let texts: Vec<&str> = app.events.iter().map(|event| event.message.as_str()).collect();
    assert_eq!(texts, ["Ping: 512ms, right", "Ping: 1500ms, high", "Ping: 10ms, low"]);
    let mut app = Draft { notify: "|event| ()".into(), ..draft("") }.open().await;
    app.feed([RIGHT]).await;
    assert_eq!(app.told(), [""; 0]);
}

#[tokio::test]
async fn below_the_minimum_is_silent_at_one_dyno_and_told_above() {
    let mut app = draft("min_dynos: 2, max_dynos: 5").open().await;
    app.set(2);
    let record = app.feed(times(LOW, 5)).await;
    assert_eq!(record.decision, Decided::Hold);
    assert_eq!(app.events[0].subject, "Load below min scaling.");
    assert_eq!(app.events.len(), 1);
}

#[tokio::test]
async fn a_count_that_cannot_be_read_is_told_at_the_third_tick() {
    let mut app = draft("").open().await;
    for _ in 0..2 {
        app.hide();
    }
    app.feed(times(RIGHT, 3)).await;
    assert_eq!(app.told(), [""; 0]);
    for _ in 0..3 {
        app.hide();
    }
    app.feed(times(RIGHT, 3)).await;
    let event = app.events[0].clone();
    assert_eq!((event.key.as_str(), event.severity.as_str(), event.dynos), ("web/count_unknown", "error", None));
    assert_eq!(event.subject, "Dynos cannot be counted: no answer");
    let told = ["count_unknown Begin: Nothing is scaled, for the number of dynos cannot be read: no answer."];
    assert_eq!(app.told(), told);
    app.feed(times(RIGHT, 10)).await;
    assert_eq!(app.told(), ["count_unknown End: The number of dynos can be read again."]);
}

#[tokio::test]
async fn decisions_that_go_wrong_are_errors_and_are_told() {
    for (answer, cause) in [
        ("throw \"no idea\"", "no idea"),
        ("loop {}", "used up"),
        ("\"up\"", "the decision answered \"up\", and must answer"),
        ("up([-1][0])", "`up(-1)`: a number of dynos is never negative (write `down(1)` for fewer)"),
    ] {
        let decide = format!("|m| {{ if m.value > 1.0 {{ return hold(\"fine\"); }} {answer} }}");
        let mut app = Draft::deciding(decide).open().await;
        let record = app.feed([1.0]).await;
        let error = record.error.clone().unwrap_or_default();
        assert!(error.contains(cause) && error.contains("test.rhai:3:"), "{answer}: {error}");
        app.feed([1.0]).await;
        assert_eq!(app.told(), [""; 0], "{answer}");
        app.feed([1.0]).await;
        let event = app.events[0].clone();
        assert_eq!((event.key.as_str(), event.severity.as_str()), ("web/decision_failed", "error"));
        assert!(event.message.contains(cause) && event.subject.contains(cause), "{event:?}");
        assert_eq!((app.told().len(), app.feed(times(2.0, 11)).await.error.clone()), (1, None));
        assert_eq!(app.told(), ["decision_failed End: The decision works again."]);
    }
}

#[tokio::test]
async fn the_end_of_a_condition_has_no_reason_and_its_begin_says_it_once() {
    let mut app = draft("max_dynos: 9").open().await;
    app.set(0);
    app.feed(times(HIGH, 3)).await;
    let begin = app.events[0].clone();
    assert_eq!(begin.message, "There are 0 dynos, so nothing is scaled until there is one again.");
    let reason = "switched off by hand; `start_from_zero: true` in the pipeline says otherwise";
    assert_eq!(begin.reason.as_deref(), Some(reason));
    app.set(1);
    app.feed(times(HIGH, 11)).await;
    let end = app.events.iter().find(|event| event.phase == Phase::End).unwrap();
    assert_eq!((end.message.as_str(), &end.reason), ("There are dynos again; scaling goes on.", &None));
}

#[tokio::test]
async fn texts_are_for_people() {
    let mut app = draft("").open().await;
    for _ in 0..3 {
        app.fail(Failure::not_load("is `measurement_url` right?")).await;
    }
    assert_eq!(app.events[0].message, "The last measurements failed: is `measurement_url` right?");
    app.told();
    app.feed([1301.208, 1405.517, 1500.0]).await;
    assert_eq!(app.events[0].reason.as_deref(), Some("the last 3 of 3 above 1200: 1301, 1406, 1500"));
}
