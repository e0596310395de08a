//! Several measurements in one pipeline: each with its own pace and history, policies by name, one function
//! that is shown all.

use std::sync::Arc;

use autoscaler::pipeline::{Decided, Failure, Record};
use chrono::TimeDelta;
use serde_json::{Value as Json, json};

use super::bench::{App, Draft, declared, guards, noon, why};

/// Latency every 30 s, a queue every `pace` seconds.
fn two(pace: u32, decide: &str) -> Draft {
    Draft {
        measure: format!(
            "#{{ latency: || 0, queue: measure::custom(#{{ measurement_interval_in_seconds: {pace} }}, || 0) }}"
        ),
        decide: decide.into(),
        wide: "min_dynos: 1, max_dynos: 20, post_scale_wait_time_seconds: 0,".into(),
        ..Draft::default()
    }
}

/// Each policy wants what it measures.
const AS_MEASURED: &str = "#{ latency: |m| to(m.value).because(\"calls\"), queue: |m| to(m.value).because(\"jobs\") }";

const HOLDS: &str = "#{ latency: |m| if m.value > 0 { to(m.value) }, queue: |m| if m.value > 0 { to(m.value) } }";

/// One tick that measures what is given, where it is due.
async fn tick(app: &mut App, latency: impl Into<Fed>, queue: impl Into<Fed>) -> Arc<Record> {
    for (name, fed) in [("latency", latency.into()), ("queue", queue.into())] {
        app.pretend.sources.feed_named("web", name, [fed.0]);
    }
    let now = app.now;
    app.pretend.clock.set(now);
    let record = app.pipeline.tick(now).await;
    app.now += TimeDelta::from_std(app.pipeline.interval()).unwrap();
    app.records.push(Arc::clone(&record));
    record
}

struct Fed(Result<Json, Failure>);

impl From<f64> for Fed {
    fn from(value: f64) -> Self {
        Self(Ok(json!(value)))
    }
}

impl From<&str> for Fed {
    fn from(why: &str) -> Self {
        Self(Err(Failure::overload(why)))
    }
}

fn seconds(record: &Record, index: usize) -> i64 {
    (record.measurements[index].at - noon()).num_seconds()
}

#[tokio::test]
async fn the_safest_of_several_policies_wins() {
    let mut app = two(30, HOLDS).open().await;
    for (dynos, latency, queue, after, decision) in [
        // Up over hold and over down, the larger of two ups, hold over down, the larger count of two downs.
        (4, 6.0, 0.0, 6, Decided::Up),
        (4, 6.0, 2.0, 6, Decided::Up),
        (4, 6.0, 8.0, 8, Decided::Up),
        (4, 2.0, 0.0, 4, Decided::Hold),
        (4, 0.0, 2.0, 4, Decided::Hold),
        (4, 2.0, 3.0, 3, Decided::Down),
        (4, 0.0, 0.0, 4, Decided::Hold),
    ] {
        app.pretend.platforms.set("web", dynos);
        let record = tick(&mut app, latency, queue).await;
        assert_eq!((app.dynos(), record.decision), (after, decision), "{latency} {queue}: {}", why(&record));
    }
    let held = app.records.last().unwrap();
    assert_eq!(guards(held), ["policy", "policy"]);
    assert_eq!(why(held), "latency: the decision asked for nothing; queue: the decision asked for nothing");
}

#[tokio::test]
async fn what_is_recorded_has_names() {
    let mut app = two(30, AS_MEASURED).open().await;
    let record = tick(&mut app, 2.0, 5.0).await;
    let names: Vec<&str> = record.measurements.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["latency", "queue"]);
    let wanted: Vec<_> = record.proposals.iter().map(|one| (one.name.as_str(), one.dynos)).collect();
    assert_eq!(wanted, [("latency", Some(2)), ("queue", Some(5))]);
    assert_eq!((why(&record).as_str(), record.dynos.proposed), ("queue: jobs", Some(5)));
}

#[tokio::test]
async fn a_failed_measurement_forbids_shrinking_and_lets_the_other_grow() {
    let mut app = two(30, AS_MEASURED).open().await;
    app.pretend.platforms.set("web", 4);
    let record = tick(&mut app, 2.0, "gone").await;
    assert_eq!((record.decision, app.dynos()), (Decided::Hold, 4));
    assert!(why(&record).contains("queue: the measurement failed: gone"), "{}", why(&record));
    tick(&mut app, 6.0, "gone").await;
    assert_eq!(app.dynos(), 6);
}

#[tokio::test]
async fn a_slow_measurement_is_reused_with_its_own_time_and_judged_once() {
    // Three in a row above: a queue that is measured every second tick must not be counted twice.
    let decide = "#{
        latency: |m| hold(\"\" + m.past.len()),
        queue: decide::consecutive_threshold(#{ number_of_fails_to_scale_up_after: 3, max_measurement_value: 10, \
                  min_measurement_value: 0 }),
    }";
    let mut app = two(60, decide).open().await;
    let mut found = Vec::new();
    for _ in 0..5 {
        let record = tick(&mut app, 1.0, 99.0).await;
        found.push((seconds(&record, 0), seconds(&record, 1), app.dynos()));
    }
    assert_eq!(found, [(0, 0, 1), (30, 0, 1), (60, 60, 1), (90, 60, 1), (120, 120, 2)]);
    let kept = app.pipeline.kept();
    assert_eq!((kept.named["latency"].history.len(), kept.named["queue"].history.len()), (5, 3));
    assert!(kept.history.is_empty());
}

#[tokio::test]
async fn an_interval_that_is_no_multiple_is_kept_as_near_as_ticks_allow() {
    let mut app = two(75, AS_MEASURED).open().await;
    let mut taken = Vec::new();
    for _ in 0..9 {
        let record = tick(&mut app, 1.0, 1.0).await;
        taken.push(seconds(&record, 1));
    }
    assert_eq!(taken, [0, 0, 60, 60, 120, 120, 180, 180, 240]);
}

#[tokio::test]
async fn the_last_word_of_a_slow_policy_stays_a_floor() {
    let mut app = two(300, AS_MEASURED).open().await;
    app.pretend.platforms.set("web", 8);
    // Both want fewer; the queue is content with 5, and is not asked again for ten ticks.
    let record = tick(&mut app, 6.0, 5.0).await;
    assert_eq!(app.dynos(), 6, "{}", why(&record));
    let record = tick(&mut app, 2.0, 0.0).await;
    assert_eq!(app.dynos(), 5);
    assert_eq!(why(&record), "queue: no new measurement; by the last one, 30 s ago, 5 dynos are enough");
    // At its floor it holds, and a person who scales down is not undone by an old reading.
    assert_eq!(tick(&mut app, 2.0, 0.0).await.decision, Decided::Hold);
    app.pretend.platforms.set("web", 3);
    assert_eq!(tick(&mut app, 2.0, 0.0).await.decision, Decided::Hold);
    assert_eq!(app.dynos(), 3);
}

#[tokio::test]
async fn a_policy_that_held_keeps_the_count_at_which_it_did() {
    let decide = "#{ latency: |m| to(m.value), queue: |m| hold(\"enough\") }";
    let mut app = two(300, decide).open().await;
    app.pretend.platforms.set("web", 4);
    tick(&mut app, 7.0, 1.0).await;
    assert_eq!(app.dynos(), 7);
    tick(&mut app, 2.0, 1.0).await;
    assert_eq!(app.dynos(), 4, "what came after it held may go");
}

#[tokio::test]
async fn a_slow_measurement_from_the_wait_is_not_judged() {
    let mut draft = two(60, AS_MEASURED);
    draft.wide = "min_dynos: 1, max_dynos: 20, post_scale_wait_time_seconds: 80,".into();
    let mut app = draft.open().await;
    tick(&mut app, 3.0, 2.0).await;
    assert_eq!(app.dynos(), 3);
    // 30 s and 60 s lie in the wait; the queue of 60 s would want 9.
    tick(&mut app, 3.0, 2.0).await;
    tick(&mut app, 3.0, 9.0).await;
    let record = tick(&mut app, 3.0, 9.0).await;
    assert_eq!((app.dynos(), seconds(&record, 1)), (3, 60), "{}", why(&record));
    tick(&mut app, 3.0, 9.0).await;
    assert_eq!(app.dynos(), 9);
}

#[tokio::test]
async fn failures_are_counted_when_they_happen_and_not_when_they_are_looked_at_again() {
    let mut app = two(60, AS_MEASURED).open().await;
    let mut counted = Vec::new();
    for _ in 0..5 {
        tick(&mut app, 1.0, "gone").await;
        counted.push(app.pipeline.kept().control.failures);
    }
    assert_eq!(counted, [1, 1, 2, 2, 3]);
    let events = app.pretend.audience.take();
    let told = events.iter().find(|event| event.kind.to_string() == "measurement_failed").expect("it is told");
    assert!(told.message.contains("queue: gone"), "{}", told.message);
    tick(&mut app, 1.0, 1.0).await;
    tick(&mut app, 1.0, 1.0).await;
    assert_eq!(app.pipeline.kept().control.failures, 0);
}

#[tokio::test]
async fn one_function_sees_all_by_name() {
    let decide = "|m| hold(`${m.values.latency} ${m.values.queue} ${m.measurements.queue.age_seconds} \
                  ${m.measurements.latency.history.len()} ${m.measurements.queue.past.len()} ${m.values}`)";
    let mut app = two(60, decide).open().await;
    tick(&mut app, 1.0, 5.0).await;
    let record = tick(&mut app, 2.0, 6.0).await;
    assert_eq!(why(&record), "2.0 5.0 30.0 2 1 #{latency: 2, queue: 5}");
    assert_eq!(record.proposals[0].name, "decision");
}

#[tokio::test]
async fn one_function_is_asked_when_all_is_well_or_when_it_says_so() {
    let mut app = two(30, "|m| up(1)").open().await;
    let record = tick(&mut app, 1.0, "gone").await;
    assert_eq!((record.proposals.len(), why(&record).as_str()), (0, "the measurement `queue` failed: gone"));
    let decide = "|m| if m.values.queue == () { hold(`gone: ${m.measurements.queue.error}`) } else { up(1) }";
    let mut draft = two(30, decide);
    draft.wide = "call_on_failure: true".into();
    let mut app = draft.open().await;
    assert_eq!(why(&*tick(&mut app, 1.0, "timed out").await), "gone: timed out");
}

#[tokio::test]
async fn an_unknown_name_is_an_error_where_it_is_known_too_late() {
    // Behind a call of another function `check` cannot see what `m` is.
    let text = "fn policy(m) { let name = \"quue\"; m.values[name] }\n";
    let draft = two(30, "|m| policy(m)");
    let declared = declared(&format!("{text}{}", draft.text()));
    assert!(!declared.report.has_errors(), "{}", declared.report);
    let pretend = autoscaler::world::pretend::Pretend::starting_at(noon());
    let mut app = App::open(Arc::clone(&declared.specs[0]), &pretend).await;
    let record = tick(&mut app, 1.0, 1.0).await;
    assert!(
        why(&record).contains("has no `quue`") && why(&record).contains("did you mean `queue`?"),
        "{}",
        why(&record)
    );
}

#[tokio::test]
async fn a_restart_measures_anew_and_keeps_every_history() {
    let draft = two(600, AS_MEASURED);
    let mut app = draft.open().await;
    tick(&mut app, 1.0, 4.0).await;
    let mut again = App::open(draft.spec(), &app.pretend).await;
    again.now = app.now;
    let record = tick(&mut again, 1.0, 6.0).await;
    assert_eq!((seconds(&record, 1), again.pipeline.kept().named["queue"].history.len()), (30, 2));
}

#[tokio::test]
async fn a_reload_keeps_the_histories_of_what_did_not_change() {
    let mut app = two(600, AS_MEASURED).open().await;
    tick(&mut app, 1.0, 4.0).await;
    let mut draft = two(600, AS_MEASURED);
    let mapped = "latency: measure::custom(#{}, || 0).map(|data| data * 2)";
    draft.measure = draft.measure.replace("latency: || 0", mapped);
    app.pipeline.adopt(draft.spec());
    let record = tick(&mut app, 1.0, 9.0).await;
    let named = &app.pipeline.kept().named;
    assert_eq!((named["latency"].history.len(), named["queue"].history.len()), (1, 1));
    // Nor is the queue measured before it is due.
    assert_eq!((seconds(&record, 1), record.measurements[1].value), (0, Some(4.0)));
}

#[tokio::test]
async fn a_reload_asks_nobody_twice_about_one_measurement() {
    let decide = "#{ latency: |m| hold(\"no\"), queue: |m| up(1) }";
    let mut draft = two(600, decide);
    // No mark keeps what was measured before the scale from being judged.
    draft.wide = "max_dynos: 20, post_scale_wait_time_seconds: 0, keep_history: true".into();
    let mut app = draft.open().await;
    tick(&mut app, 1.0, 4.0).await;
    assert_eq!(app.dynos(), 2);
    app.pipeline.adopt(draft.spec());
    let record = tick(&mut app, 1.0, 4.0).await;
    assert_eq!((app.dynos(), record.decision), (2, Decided::Hold), "{}", why(&record));
}

#[tokio::test]
async fn several_policies_may_judge_one_measurement() {
    let draft = Draft {
        decide: "#{ fast: |m| if m.value > 10 { up(2) }, steady: |m| if m.value > 5 { up(1) } }".into(),
        wide: "max_dynos: 20".into(),
        ..Draft::default()
    };
    let mut app = draft.open().await;
    let record = app.feed([20.0]).await;
    assert_eq!(app.dynos(), 3, "{}", why(&record));
    assert!(why(&record).starts_with("fast: "), "{}", why(&record));
}

#[tokio::test]
async fn each_policy_has_a_memory_of_its_own() {
    let decide = "#{ latency: |m| { this.n = (this.n ?? 0) + 1; }, queue: |m| { this.n = (this.n ?? 0) + 10; } }";
    let mut app = two(60, decide).open().await;
    for _ in 0..3 {
        tick(&mut app, 1.0, 1.0).await;
    }
    let memory = &app.pipeline.kept().memory;
    assert_eq!((&memory["decide.latency"]["n"], &memory["decide.queue"]["n"]), (&json!(3), &json!(20)));
}

#[tokio::test]
async fn what_was_measured_is_told_by_name_once() {
    let mut draft = two(60, AS_MEASURED);
    draft.notify = "notify::logger(#{ notify_on_every_measurement: true })".into();
    let mut app = draft.open().await;
    tick(&mut app, 1.0, 1.0).await;
    tick(&mut app, 2.0, 1.0).await;
    let events = app.pretend.audience.take();
    let told = events.iter().filter(|event| event.kind.to_string() == "measured");
    let told: Vec<&str> = told.map(|event| event.message.as_str()).collect();
    assert_eq!(told, ["latency: Measured: 1", "queue: Measured: 1", "latency: Measured: 2"]);
}

#[test]
fn what_was_kept_before_there_were_names_is_read() {
    let kept: autoscaler::state::Kept = serde_json::from_value(json!({ "source": "x" })).expect("it is read");
    assert!(kept.named.is_empty() && kept.source.as_deref() == Some("x"));
}
