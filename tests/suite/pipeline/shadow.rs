//! `shadow`: a policy that is only recorded. `scale::observe`: a target that is only counted.

use autoscaler::pipeline::{Decided, Mode, Outcome};
use serde_json::json;

use super::bench::{Draft, declared, why};

fn shadowed(decide: &str, shadow: &str) -> Draft {
    let wide = format!("max_dynos: 5, post_scale_wait_time_seconds: 45, shadow: {shadow}");
    Draft { wide, ..Draft::deciding(decide) }
}

#[tokio::test]
async fn a_shadow_is_recorded_with_what_the_guards_allow_it_and_acts_on_nothing() {
    let mut app = shadowed("|m| if m.value > 10 { up(1) }", "|m| to(m.value).because(\"as many\")").open().await;
    let record = app.feed([9.0]).await;
    let shadow = record.shadow.as_ref().expect("it is recorded");
    assert_eq!((shadow.dynos, shadow.decision), (Some(5), Decided::Up));
    assert_eq!(shadow.text, "as many; 9 dynos wanted, and the maximum is 5");
    assert_eq!((record.decision, record.proposals.len(), app.dynos()), (Decided::Hold, 1, 1));
    assert!(record.dynos.proposed.is_none() && record.events.is_empty());
    // It sees the real count, and is not asked in the wait after a real scale.
    let record = app.feed([20.0]).await;
    assert_eq!((app.dynos(), record.shadow.as_ref().and_then(|shadow| shadow.dynos)), (2, Some(5)));
    let record = app.feed([2.0]).await;
    assert_eq!(record.shadow.as_ref().map(|shadow| (shadow.dynos, shadow.decision)), Some((Some(2), Decided::Hold)));
    assert!(record.shadow.as_ref().is_some_and(|shadow| shadow.text.starts_with("scaled 30 s ago")));
}

#[tokio::test]
async fn a_shadow_that_throws_affects_nothing_but_its_own_text() {
    let mut app = shadowed("|m| up(1)", "|m| throw \"no idea\"").open().await;
    let record = app.feed([1.0]).await;
    assert_eq!((app.dynos(), record.error.as_deref(), record.outcome), (2, None, Outcome::Scaled));
    let shadow = record.shadow.as_ref().expect("it is recorded");
    assert!(shadow.text.contains("no idea") && shadow.decision == Decided::Hold, "{}", shadow.text);
    assert_eq!(app.pipeline.kept().control.wrong_decisions, 0);
}

#[tokio::test]
async fn a_shadow_may_be_native_and_has_a_memory_of_its_own() {
    let native = "decide::consecutive_threshold(#{ number_of_fails_to_scale_up_after: 2, min_measurement_value: 1, \
                  max_measurement_value: 10 })";
    let mut app = shadowed("|m| hold(\"no\")", native).open().await;
    let record = app.feed([50.0, 50.0]).await;
    assert_eq!(record.shadow.as_ref().and_then(|shadow| shadow.dynos), Some(2), "{:?}", record.shadow);
    let count = "|m| { this.n = (this.n ?? 0) + 1; hold(\"\" + this.n) }";
    let mut app = shadowed(count, count).open().await;
    app.feed([1.0, 1.0]).await;
    let memory = &app.pipeline.kept().memory;
    assert_eq!((&memory["decide"]["n"], &memory["shadow"]["n"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn records_without_a_shadow_do_not_name_it() {
    let record = Draft::deciding("|m| up(1)").open().await.feed([1.0]).await;
    let record = serde_json::to_value(&*record).expect("it is written");
    assert!(record.get("shadow").is_none());
}

#[tokio::test]
async fn an_observed_target_is_counted_and_never_scaled() {
    let scale = "scale::observe(#{ current: || 0, scale_to: |n| () })".into();
    let wide = "max_dynos: 5, mode: \"live\"".into();
    let mut app = Draft { scale, wide, ..Draft::deciding("|m| up(1)") }.open().await;
    let record = app.feed([1.0]).await;
    assert_eq!((record.outcome, &*record.mode, app.dynos()), (Outcome::DryRun, "dry_run", 1), "{}", why(&record));
    assert_eq!(app.platform().lock().unwrap().asked, [0_u32; 0]);
}

#[test]
fn many_may_observe_what_one_scales() {
    let target = "scale::heroku(#{ app_name: \"a\", api_key: \"k\", process_type: \"web\" })";
    let pipeline = |name: &str, scale: &str| {
        format!("pipeline(\"{name}\", #{{ measure: || 1, decide: |m| up(1), scale: {scale} }});\n")
    };
    let observed = format!("scale::observe({target})");
    let text = [pipeline("web", target), pipeline("one", &observed), pipeline("two", &observed)].concat();
    let declared = declared(&text);
    assert!(!declared.report.has_errors(), "{}", declared.report);
    let modes: Vec<Mode> = declared.specs.iter().map(|spec| spec.mode).collect();
    assert_eq!(modes, [Mode::Live, Mode::DryRun, Mode::DryRun]);
    assert_eq!(declared.specs[1].live_target(), None);
    assert_eq!(declared.specs[1].scale.target(), declared.specs[0].scale.target());
}
