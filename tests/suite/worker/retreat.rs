//! Going back: asked for, by itself, and after a trial; and what stays over it.

use autoscaler::control::{Ask, Script as Trial, Status};

use super::operated::{Operated, deciding};
use crate::harness::Script;

fn rollback() -> Ask {
    Ask::Rollback { unit: None, by: "ann@ops".into() }
}

fn confirm() -> Ask {
    Ask::Confirm { unit: None, by: "ann@ops".into() }
}

fn trial(text: &str, seconds: u64) -> Ask {
    Ask::Try(Trial { unit: None, text: text.into(), name: "new.rhai".into(), seconds, by: "ann@ops".into() })
}

fn to(dynos: u32) -> String {
    deciding("web", &format!("|m| to({dynos})"))
}

fn generation(status: &Status) -> u64 {
    status.units[0].generation
}

#[tokio::test(start_paused = true)]
async fn a_rollback_brings_the_generation_before_back_until_the_file_changes() {
    let worker = Operated::start(Script::new(&to(2)));
    worker.pass(1.0).await;
    let why = worker.refused(rollback()).await;
    assert_eq!(why, "there is no generation before 1 of script.rhai that still loads");
    worker.script.save(&to(4));
    worker.pass(20.0).await;
    assert_eq!((worker.dynos("web"), generation(&worker.status().await)), (4, 2));
    worker.told();
    let said = worker.done(rollback()).await;
    assert_eq!(said[0], "script.rhai: generation 1 is in force again, in place of 2");
    assert!(
        worker.told()[0].starts_with("reloaded: script.rhai: generation 1 is in force again: rolled back by ann@ops.")
    );
    // The file is looked at every few seconds, and is passed over.
    worker.pass(60.0).await;
    let status = worker.status().await;
    assert_eq!((worker.dynos("web"), generation(&status)), (2, 1));
    assert_eq!(status.units[0].rolled_back.as_deref(), Some("by ann@ops"));
    assert!(worker.refused(rollback()).await.starts_with("the worker has gone back already (by ann@ops): save"));
    worker.script.save(&to(5));
    worker.pass(20.0).await;
    let status = worker.status().await;
    assert_eq!((worker.dynos("web"), generation(&status), &status.units[0].rolled_back), (5, 3, &None));
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_hangup_ends_a_rollback() {
    let worker = Operated::start(Script::new(&to(2)));
    worker.script.save(&to(4));
    worker.pass(20.0).await;
    worker.done(rollback()).await;
    worker.hang_up().await;
    worker.pass(20.0).await;
    assert_eq!((worker.dynos("web"), generation(&worker.status().await)), (4, 3));
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_trial_ends_by_itself() {
    let worker = Operated::start(Script::new(&to(2)));
    worker.pass(1.0).await;
    let said = worker.done(trial(&to(4), 7200)).await;
    assert_eq!(
        said[0],
        "new.rhai runs in place of script.rhai until 2026-11-24 14:00:01 UTC; then generation 1 comes back"
    );
    worker.pass(60.0).await;
    let status = worker.status().await;
    assert_eq!((worker.dynos("web"), generation(&status)), (4, 2));
    let shown = status.units[0].trial.as_ref().unwrap();
    assert_eq!((&*shown.file, &*shown.by), ("new.rhai", "ann@ops"));
    worker.pass(7200.0).await;
    let status = worker.status().await;
    assert_eq!((worker.dynos("web"), generation(&status), &status.units[0].trial), (2, 1, &None));
    assert!(
        worker.told().iter().any(|told| told.contains("the trial of new.rhai is over, nobody confirmed it in time"))
    );
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_is_confirmed_becomes_the_script() {
    let worker = Operated::start(Script::new(&to(2)));
    assert_eq!(worker.refused(confirm()).await, "nothing is being tried in place of script.rhai");
    worker.done(trial(&to(4), 60)).await;
    let said = worker.done(confirm()).await;
    assert_eq!(said[0], "new.rhai is kept: it is written over script.rhai");
    assert_eq!(std::fs::read_to_string(worker.script.path()).unwrap(), to(4));
    worker.pass(120.0).await;
    let status = worker.status().await;
    assert_eq!((worker.dynos("web"), generation(&status), &status.units[0].trial), (4, 2, &None));
    // What it replaced is what a rollback goes back to.
    worker.done(rollback()).await;
    worker.pass(20.0).await;
    assert_eq!((worker.dynos("web"), generation(&worker.status().await)), (2, 1));
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_trial_must_load_and_pass_its_tests_and_changes_nothing_otherwise() {
    let worker = Operated::start(Script::new(&to(2)));
    let why = worker.refused(trial("let a = ;", 60)).await;
    assert!(
        why.starts_with("new.rhai is refused (its places are those of script.rhai): ") && why.contains(":1:"),
        "{why}"
    );
    let failing = to(4) + "fn test_no() { assert_eq(1, 2); }";
    assert!(worker.refused(trial(&failing, 60)).await.contains("test_no"));
    worker.pass(20.0).await;
    assert_eq!((worker.dynos("web"), generation(&worker.status().await)), (2, 1));
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_save_ends_a_trial_and_so_does_whoever_wants_to() {
    let worker = Operated::start(Script::new(&to(2)));
    worker.done(trial(&to(4), 600)).await;
    worker.pass(20.0).await;
    worker.script.save(&to(3));
    worker.pass(20.0).await;
    let status = worker.status().await;
    assert_eq!((worker.dynos("web"), &status.units[0].trial), (3, &None));
    worker.done(trial(&to(4), 600)).await;
    worker.pass(20.0).await;
    // Back to what was saved, whether by name or as a rollback.
    worker.done(Ask::Revert { unit: None, by: "ann@ops".into() }).await;
    worker.pass(20.0).await;
    assert_eq!(worker.dynos("web"), 3);
    worker.done(trial(&to(4), 600)).await;
    worker.done(rollback()).await;
    worker.pass(620.0).await;
    assert_eq!(worker.dynos("web"), 3);
    worker.stop().await;
}

fn guarded(decide: &str) -> String {
    format!("settings(#{{ rollback_on_failure: 3 }});\n{}", deciding("web", decide))
}

#[tokio::test(start_paused = true)]
async fn a_saved_script_whose_function_fails_gives_way_to_the_one_before() {
    let worker = Operated::start(Script::new(&guarded("|m| to(2)")));
    worker.pass(11.0).await;
    worker.script.save(&guarded("|m| { let none = []; none[7] }"));
    worker.pass(20.0).await;
    assert_eq!(generation(&worker.status().await), 2);
    worker.told();
    worker.pass(30.0).await;
    let status = worker.status().await;
    assert_eq!(generation(&status), 1);
    let why = status.units[0].rolled_back.as_deref().unwrap();
    assert!(why.starts_with("by itself: `web` failed at 3 ticks in a row, which it did not before: "), "{why}");
    let told = worker.told();
    assert!(
        told.iter().any(|told| told.starts_with("reload_failed: script.rhai: generation 1 is in force again")),
        "{told:?}"
    );
    worker.pass(60.0).await;
    assert_eq!((generation(&worker.status().await), worker.dynos("web")), (1, 2));
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_function_that_takes_the_value_out_of_a_reply_is_the_script_s_too() {
    let script = |value: &str| {
        format!(
            "settings(#{{ rollback_on_failure: 3 }});
            pipeline(\"web\", #{{
                measure: measure::http(#{{
                    request: http::get(\"http://queue.example/\"), value: {value}, measurement_interval_in_seconds: 5,
                }}),
                decide: |m| hold(\"\"), scale: #{{ current: || 1, scale_to: |n| () }},
            }});"
        )
    };
    let worker = Operated::start(Script::new(&script("|reply| reply.text().len()")));
    worker.pass(11.0).await;
    worker.script.save(&script("|reply| reply.json().size"));
    worker.pass(60.0).await;
    let status = worker.status().await;
    let why = status.units[0].rolled_back.as_deref().unwrap_or_else(|| panic!("{status:#?}"));
    assert!(why.starts_with("by itself: `web` failed at 3 ticks in a row") && why.contains("`value`"), "{why}");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_failed_before_or_has_worked_for_long_brings_nothing_back() {
    // It failed before.
    let fails = "|m| { let none = []; none[7] }";
    let worker = Operated::start(Script::new(&guarded(fails)));
    worker.pass(11.0).await;
    worker.script.save(&guarded("|m| { let none = []; none[8] }"));
    worker.pass(120.0).await;
    assert_eq!(generation(&worker.status().await), 2);
    worker.stop().await;
    // It worked for longer than it may fail: the world has changed, not the script.
    let worker = Operated::start(Script::new(&guarded("|m| to(2)")));
    worker.pass(11.0).await;
    worker.script.save(&guarded("|m| { if m.now.minute >= 2 { throw \"late\" } to(3) }"));
    worker.pass(300.0).await;
    assert_eq!((generation(&worker.status().await), worker.dynos("web")), (2, 3));
    worker.stop().await;
    // Nobody asked for it.
    let worker = Operated::start(Script::new(&to(2)));
    worker.pass(11.0).await;
    worker.script.save(&deciding("web", fails));
    worker.pass(300.0).await;
    assert_eq!(generation(&worker.status().await), 2);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_tells_every_setting_as_it_was_and_as_it_is() {
    let script = |max: u32, rest: &str| {
        format!(
            "pipeline(\"web\", #{{
                measure: measure::custom(#{{ measurement_interval_in_seconds: {max} }}, || 5),
                decide: decide::consecutive_threshold(#{{
                    min_measurement_value: 1, max_measurement_value: {max}0, max_dynos: #{{ \"0:00\": 2, \"9:00\": {max} }},
                }}),
                scale: #{{ current: || 1, scale_to: |n| () }}, notify: notify::console(),
            }});\n{rest}"
        )
    };
    let worker = Operated::start(Script::new(&script(5, &to(3).replace("web", "old"))));
    worker.pass(1.0).await;
    worker.script.save(&script(7, &to(3).replace("web", "new")));
    worker.pass(20.0).await;
    let told = worker.told();
    assert_eq!(
        told.last().unwrap(),
        "reloaded: Reloaded script.rhai: added `new`; removed `old`; in force for `web` \
         (`measurement_interval_in_seconds` 5 → 7, `max_measurement_value` 50 → 70, `max_dynos.9:00` 5 → 7)."
    );
    // A function that is edited or moved is no setting.
    worker.script.save(&format!("\n\n{}", script(7, &to(4).replace("web", "new"))));
    worker.pass(20.0).await;
    let told = worker.told();
    assert_eq!(
        told.last().unwrap(),
        "reloaded: Reloaded script.rhai: in force for `web`, `new` (the function of `decide` was edited)."
    );
    worker.stop().await;
}
