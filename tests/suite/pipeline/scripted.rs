//! Decisions that are functions of the script, and what a reload keeps of a pipeline.

use std::sync::Arc;

use autoscaler::pipeline::{Decided, Failure};

use super::bench::{App, Draft, guards, noon, times, why};
use autoscaler::world::pretend::Pretend;

#[tokio::test]
async fn the_documented_example_scales_up_and_down() {
    let decide = "|m| if m.value > 100 { up(2) } else if m.value == 0 { down(1) }";
    let mut app =
        Draft { wide: "max_dynos: 10, post_scale_wait_time_seconds: 0".into(), ..Draft::deciding(decide) }.open().await;
    let mut counts = Vec::new();
    for value in [150.0, 50.0, 150.0, 0.0] {
        app.feed([value]).await;
        counts.push(app.dynos());
    }
    assert_eq!(counts, [3, 3, 5, 4]);
    assert_eq!(app.records[1].decision, Decided::Hold);
}

#[tokio::test]
async fn answers_that_are_no_count_hold_with_their_reason() {
    for (answer, reason) in [
        ("up(0.0 / 0.0)", "NaN"),
        ("to([-3][0])", "never negative"),
        ("\"six\"", "six"),
        ("hold(\"too early\")", "too early"),
        ("()", "asked for nothing"),
        ("throw \"no idea\"", "no idea"),
        ("m.data.nothing_such", "nothing_such"),
    ] {
        let mut app = Draft::deciding(format!("|m| {{ {answer} }}")).open().await;
        let record = app.feed([1.0]).await;
        assert_eq!((record.decision, app.dynos()), (Decided::Hold, 1), "{answer}");
        assert!(why(&record).contains(reason), "{answer}: {}", why(&record));
    }
}

#[tokio::test]
async fn a_script_that_goes_wrong_says_so_in_the_record_with_its_place() {
    let mut app = Draft::deciding("|m| { throw \"no idea\" }").open().await;
    let record = app.feed([1.0]).await;
    let error = record.error.clone().unwrap();
    assert!(error.contains("no idea") && error.contains("test.rhai:3:"), "{error}");
}

#[tokio::test]
async fn it_is_not_called_for_a_failed_measurement_nor_in_the_wait() {
    let decide =
        "|m| { this.calls = (this.calls ?? 0) + 1; if this.calls == 1 { up(1) } else { hold(\"\" + this.calls) } }";
    let mut app = Draft { wide: "post_scale_wait_time_seconds: 45".into(), ..Draft::deciding(decide) }.open().await;
    app.fail(Failure::overload("timed out")).await;
    assert_eq!(why(app.records.last().unwrap()), "the measurement failed: timed out");
    app.feed([1.0]).await;
    assert_eq!(app.dynos(), 2);
    assert_eq!(guards(&*app.feed([1.0]).await), ["cooldown"]);
    assert_eq!(why(&*app.feed([1.0]).await), "2");
}

#[tokio::test]
async fn a_decision_that_is_made_again_starts_from_the_same_memory() {
    let decide =
        "|m| { this.calls = (this.calls ?? 0) + 1; up(1).because(\"call \" + this.calls + \" at \" + m.dynos) }";
    let mut app = Draft { wide: "max_dynos: 9".into(), ..Draft::deciding(decide) }.open().await;
    app.platform().lock().unwrap().moves = Some(4);
    let record = app.feed([1.0]).await;
    assert_eq!((why(&record).as_str(), app.dynos()), ("call 1 at 4", 5));
    assert_eq!(app.pipeline.kept().memory["decide"]["calls"], 1);
}

#[tokio::test]
async fn a_moment_knows_what_it_should() {
    let decide = "|m| hold(`${m.pipeline} ${m.dynos} ${m.min_dynos}..${m.max_dynos} ${m.history.len()} ${m.past.len()} \
                  ${m.seconds_since_scale} ${m.now.hour}`)";
    let wide = "max_dynos: 7, time_zone: \"America/Vancouver\"".into();
    let mut app = Draft { wide, ..Draft::deciding(decide) }.open().await;
    let record = app.feed([1.0, 2.0]).await;
    assert_eq!(why(&record), "web 1 1..7 2 2  4");
}

#[tokio::test]
async fn memory_settings_are_the_first_memory_and_survive_a_restart() {
    let decide = "decide::custom(#{ memory: #{ n: 40 } }, |m| { this.n += 1; hold(\"\" + this.n) })";
    let spec = Draft::deciding(decide).spec();
    let pretend = Pretend::starting_at(noon());
    let mut app = App::open(Arc::clone(&spec), &pretend).await;
    assert_eq!(why(&*app.feed([1.0]).await), "41");
    drop(app);
    let mut app = App::open(spec, &pretend).await;
    assert_eq!(why(&*app.feed([1.0]).await), "42");
}

/// History, cooldown, memory and ticks go on; the thresholds are new at once.
#[tokio::test]
async fn a_new_generation_is_adopted_between_two_ticks() {
    let first = Draft::deciding("decide::consecutive_threshold(#{ max_measurement_value: 1000 })");
    let second = Draft::deciding("decide::consecutive_threshold(#{ max_measurement_value: 600 })");
    let mut app = first.open().await;
    app.feed(times(700.0, 3)).await;
    assert_eq!(app.dynos(), 1);
    app.pipeline.adopt(second.spec());
    let record = app.feed([700.0]).await;
    assert_eq!((record.tick, app.dynos()), (4, 2));
}

#[tokio::test]
async fn a_changed_source_starts_a_new_history() {
    let of = |url: &str| Draft {
        measure: format!("measure::response_time(#{{ measurement_url: \"https://a.test/{url}\" }})"),
        ..Draft::default()
    };
    let mut app = of("a").open().await;
    app.feed(times(1500.0, 2)).await;
    app.pipeline.adopt(of("a").spec());
    assert_eq!(app.pipeline.kept().history.len(), 2);
    app.pipeline.adopt(of("b").spec());
    assert_eq!(app.pipeline.kept().history.len(), 0);
}

#[tokio::test]
async fn a_changed_target_has_no_cooldown() {
    let of = |app: &str| Draft {
        scale: format!("scale::heroku(#{{ app_name: \"{app}\", api_key: \"0123456789\" }})"),
        ..Draft::deciding("decide::consecutive_threshold(#{ post_scale_wait_time_seconds: 600, max_dynos: 9 })")
    };
    let mut app = of("one").open().await;
    app.feed(times(1500.0, 3)).await;
    assert_eq!(guards(&*app.feed([1500.0]).await), ["cooldown"]);
    app.pipeline.adopt(of("one").spec());
    assert_eq!(guards(&*app.feed([1500.0]).await), ["cooldown"]);
    app.pipeline.adopt(of("two").spec());
    let record = app.feed([1500.0]).await;
    assert_eq!(guards(&record), ["policy"]);
}
