//! What is told of a tick: the numbers, the guards, and every way to another decision, tried.

use autoscaler::explain::show;
use autoscaler::pipeline::{Decided, Failure};

use super::support::{past, ways};

const THRESHOLDS: &str = r#"
pipeline("web", #{
    measure: || 0,
    decide:  decide::consecutive_threshold(#{ min_measurement_value: 500, max_measurement_value: 1000 }),
    max_dynos: 3,
    post_scale_wait_time_seconds: 60,
    scale:   #{ current: || 0, scale_to: |n| () },
    time_zone: "America/Vancouver",
});
"#;

#[tokio::test]
async fn a_hold_tells_what_was_missing() {
    let past = past(THRESHOLDS, 2, [700.0, 1210.0, 620.0]).await;
    let told = past.told().await;
    assert_eq!(told.summary, "web at 2026-11-24 04:01:00 (America/Vancouver): held at 2 dynos");
    assert_eq!(
        ways(&told),
        [
            "up 3: 3 more measurements above 1000 in a row (04:02:30 at the earliest)",
            "up 3: a measurement above 1000 instead of 620 (380 more), and then 1 more measurement above 1000 (04:01:30 \
             at the earliest)",
            "down 1: 5 more measurements below 500 in a row (04:03:30 at the earliest)",
            "down 1: a measurement below 500 instead of 620 (120 less), and then 4 more measurements below 500 in a row \
             (04:03:00 at the earliest)",
        ]
    );
    assert_eq!((told.held.unwrap().ticks, told.last_scale), (3, None));
    assert!(told.notes.is_empty(), "{:?}", told.notes);
}

#[tokio::test]
async fn one_measurement_that_broke_the_row_is_told() {
    let past = past(THRESHOLDS, 2, [1100.0, 985.0, 1340.0]).await;
    let found = ways(&past.told().await);
    assert!(
        found.contains(&"up 3: the measurement of 04:00:30 above 1000 instead of 985 (15 more)".into()),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_scale_tells_what_would_have_kept_it_from_happening() {
    let past = past(THRESHOLDS, 2, [1100.0, 1210.0, 1300.0]).await;
    let told = past.told().await;
    assert_eq!(told.summary, "web at 2026-11-24 04:01:00 (America/Vancouver): scaled up from 2 to 3 dynos");
    let found = ways(&told);
    assert!(found.contains(&"hold 2: a measurement of 1000 or less instead of 1300 (300 less)".into()), "{found:?}");
    assert_eq!(told.last_scale.map(|scale| scale.tick), Some(3));
}

#[tokio::test]
async fn the_wait_after_a_scale_is_told_with_its_end_and_what_counts_after_it() {
    let past = past(THRESHOLDS, 1, [1100.0, 1210.0, 1300.0, 1400.0]).await;
    let told = past.told().await;
    assert_eq!(told.guards[0].guard, "cooldown");
    let found = ways(&told);
    // Scaled at 04:01:00: what is measured from 04:02:00 on is judged.
    assert!(
        found.contains(&"up 3: 3 more measurements above 1000 in a row (04:03:00 at the earliest)".into()),
        "{found:?}"
    );
    assert!(
        found.iter().any(|way| way.starts_with("hold 2: no wait of 60 s after the last scale: the last 1 of 3 above")),
        "{found:?}"
    );
    assert!(
        told.notes[0].contains("nothing was decided before 04:02:00, 60 s after the last scale"),
        "{:?}",
        told.notes
    );
}

#[tokio::test]
async fn a_bound_names_itself_and_what_it_would_have_to_be() {
    let past = past(THRESHOLDS, 3, [1100.0, 1210.0, 1300.0]).await;
    let told = past.told_of(past.records(), Some(Decided::Up)).await;
    assert!(ways(&told).contains(&"up 4: `max_dynos` of 4 or more".into()), "{:?}", ways(&told));
    let mut out = Vec::new();
    show(&mut out, &told, past.spec.decide.zone).unwrap();
    let text = anstream::adapter::strip_bytes(&out).into_vec();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("guard     bounds: 4 dynos wanted, and the maximum is 3 (4 became 3)"), "{text}");
    assert!(text.contains("It would have been 4 dynos with\n  - `max_dynos` of 4 or more"), "{text}");
}

#[tokio::test]
async fn a_flip_that_a_guard_would_hold_says_so() {
    let past = past(THRESHOLDS, 3, [700.0, 1210.0, 1300.0]).await;
    let found = ways(&past.told().await);
    let expected = "hold 3: 1 more measurement above 1000 (04:01:30 at the earliest); `bounds` holds then: 4 dynos wanted, \
                    and the maximum is 3";
    assert!(found.contains(&expected.into()), "{found:?}");
}

#[tokio::test]
async fn a_failed_measurement_is_told_and_never_counts_as_a_number() {
    let mut past = past(THRESHOLDS, 2, [1100.0, 1210.0]).await;
    past.app.fail(Failure::not_load("no number in it")).await;
    let told = past.told().await;
    let found = ways(&told);
    assert!(found.contains(&"up 3: a measurement above 1000 instead of a failed one".into()), "{found:?}");
    assert!(
        found.contains(&"up 3: 3 more measurements above 1000 in a row (04:02:30 at the earliest)".into()),
        "{found:?}"
    );
}

/// A function of the script.
fn scripted(decide: &str) -> String {
    format!(
        "pipeline(\"web\", #{{ measure: || 0, decide: {decide}, max_dynos: 9, \
         scale: #{{ current: || 0, scale_to: |n| () }}, time_zone: \"UTC\" }});"
    )
}

#[tokio::test]
async fn the_border_of_a_scripted_decision_is_found_and_is_the_number_that_is_written() {
    let script = scripted("|m| if m.value > 120 { up(2) } else if m.value <= 12.5 { down(1) }");
    let past = past(&script, 3, [50.0, 60.0]).await;
    let found = ways(&past.told().await);
    assert_eq!(
        found,
        [
            "up 5: a measurement above 120 instead of 60 (60 more)",
            "down 2: a measurement of 12.5 or less instead of 60 (47.5 less)",
        ]
    );
}

#[tokio::test]
async fn a_narrow_window_is_found_by_the_numbers_of_the_script() {
    let past = past(&scripted("|m| if m.value == 77.7 { up(1) }"), 3, [60.0]).await;
    let found = ways(&past.told().await);
    assert!(found.iter().any(|way| way.starts_with("up 4: ") && way.contains("77.7")), "{found:?}");
}

#[tokio::test]
async fn further_measurements_counts_and_times_are_searched_too() {
    let script = scripted("|m| if m.history.consecutive_above(100) >= 4 { up(1) }");
    let past1 = past(&script, 3, [50.0, 160.0]).await;
    let found = ways(&past1.told().await);
    assert!(found.contains(&"up 4: 3 more measurements of 160 (12:02:00 at the earliest)".into()), "{found:?}");
    let past2 = past(&scripted("|m| if m.dynos < 3 { to(m.dynos + 3) }"), 3, [50.0]).await;
    let found = ways(&past2.told().await);
    assert!(found.contains(&"up 5: 2 dynos instead of 3".into()), "{found:?}");
    let past3 = past(&scripted("|m| if m.now.hour >= 18 { down(1) }"), 3, [50.0]).await;
    let found = ways(&past3.told().await);
    assert!(found.contains(&"down 2: the same at 18:00:00".into()), "{found:?}");
}

#[tokio::test]
async fn the_memory_of_a_script_is_told_from_the_ticks_before() {
    let script = scripted("|m| { this.n = (this.n ?? 0) + 1; if this.n >= 4 && m.value > 10 { up(1) } }");
    let past = past(&script, 3, [5.0, 5.0, 5.0, 5.0]).await;
    let told = past.told().await;
    assert!(ways(&told).contains(&"up 4: a measurement above 10 instead of 5 (5 more)".into()), "{:?}", ways(&told));
}

#[tokio::test]
async fn a_script_that_was_edited_since_is_told_of() {
    let past1 = past(&scripted("|m| if m.value > 100 { up(1) }"), 3, [160.0]).await;
    let edited = past(&scripted("|m| if m.value > 200 { up(1) }"), 3, [0.0]).await;
    let told = edited.told_of(past1.records(), None).await;
    assert!(told.notes[0].contains("does not decide this tick as it was decided (4 dynos)"), "{:?}", told.notes);
}

#[tokio::test]
async fn the_time_around_is_told_in_numbers() {
    let values = [600.0; 4].into_iter().chain([1100.0, 1200.0, 1300.0]).chain([700.0; 5]);
    let past = past(THRESHOLDS, 1, values).await;
    let around = past.told().await.around.unwrap();
    assert_eq!((around.ticks, around.up, around.down, around.held), (12, 1, 0, 11));
    let held: Vec<(&str, usize)> = around.holds.iter().map(|held| (&*held.guard, held.ticks)).collect();
    // 4 before and 4 after are alike but for their numbers; one lay in the wait; two on the way up.
    assert_eq!(held, [("policy", 8), ("policy", 2), ("cooldown", 1)]);
    assert_eq!(around.holds[0].values, Some((600.0, 700.0)));
}

#[tokio::test]
async fn each_of_several_measurements_is_varied_by_itself() {
    let script = "pipeline(\"web\", #{
        measure: #{ latency: || 0, queue: || 0 }, max_dynos: 9, time_zone: \"UTC\",
        decide: #{
            latency: decide::average_threshold(#{
                number_of_measurements_to_average: 1, min_measurement_value: 100, max_measurement_value: 500,
            }),
            queue: |m| if m.value > 40 { up(2) },
        },
        scale: #{ current: || 0, scale_to: |n| () },
    });";
    let mut past = past(script, 3, []).await;
    for (name, value) in [("latency", 300.0), ("queue", 10.0)] {
        past.app.pretend.sources.feed_named("web", name, [Ok(value.into())]);
    }
    let record = past.app.pipeline.tick(past.app.now).await;
    past.app.records.push(record);
    let found = ways(&past.told().await);
    for way in ["up 4: `latency` above 500 instead of 300 (200 more)", "up 5: `queue` above 40 instead of 10 (30 more)"]
    {
        assert!(found.contains(&way.into()), "{way}\n{found:#?}");
    }
}

#[tokio::test]
async fn a_dry_run_that_wishes_the_same_tick_after_tick_is_folded_and_a_reload_is_a_line() {
    let script = scripted("|m| to(5)").replace("measure:", "mode: \"dry_run\", measure:");
    let mut past = past(&script, 3, [50.0, 60.0]).await;
    past.app.pipeline.note_reload("generation 2 in place of 1: `max_dynos` 5 → 9");
    past.app.feed([70.0, 80.0, 90.0]).await;
    let mut out = Vec::new();
    autoscaler::explain::table::table(&mut out, past.records(), chrono_tz::UTC, None).unwrap();
    let told = anstream::adapter::strip_bytes(&out).into_vec();
    let told = String::from_utf8(told).unwrap();
    let lines: Vec<&str> = told.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "12:00:00  ▲ up from 3 to 5 dynos (dry run)  50: to(5)",
            "          … and the same at 1 more tick till 12:00:30, value 50–60",
            "12:01:00  ↻ generation 2 in place of 1: `max_dynos` 5 → 9",
            "12:01:00  ▲ up from 3 to 5 dynos (dry run)  70: to(5)",
            "          … and the same at 2 more ticks till 12:02:00, value 70–90",
        ],
        "{told}"
    );
}
