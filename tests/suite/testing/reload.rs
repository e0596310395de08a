//! A saved script whose own tests fail does not go live.

use super::bench::{Running, Scratch};

/// A pipeline that measures `value` twenty times a second, and a test that it is 1.
fn script(value: u32, more: &str) -> String {
    format!(
        "{more}
pipeline(\"web\", #{{
    measure: measure::custom(#{{ measurement_interval_in_seconds: 0.05 }}, || {{ print(`measures ${{value()}}`); value() }}),
    decide: |m| hold(\"always\"),
    scale: #{{ current: || 1, scale_to: |n| () }},
}});

fn value() {{ {value} }}

fn test_value() {{
    assert_eq(value(), 1);
}}
"
    )
}

fn started(scratch: &Scratch) -> Running {
    let running = scratch.start(&["run", "a.rhai"]);
    running.says("measures 1", 1);
    running
}

#[test]
fn it_is_refused_with_the_tests_name_place_and_values_and_mended_it_goes_live() {
    let scratch = Scratch::new(&[("a.rhai", &script(1, ""))]);
    let running = started(&scratch);
    scratch.write("a.rhai", &script(2, ""));
    running.says("a.rhai:11:5: `test_value` fails: left is 2, right is 1", 1);
    running.says("the old one runs on", 1);
    assert!(!running.stderr().contains("measures 2"), "{}", running.stderr());
    // It still measures.
    let before = running.stderr().matches("measures 1").count();
    running.says("measures 1", before + 2);
    scratch.write("a.rhai", &script(3, "").replace("value(), 1", "value(), 3"));
    running.says("measures 3", 1);
}

#[test]
fn the_script_may_say_that_its_tests_do_not_decide() {
    let off = "settings(#{ test_on_reload: false });";
    let scratch = Scratch::new(&[("a.rhai", &script(1, off))]);
    let running = started(&scratch);
    scratch.write("a.rhai", &script(2, off));
    running.says("measures 2", 1);
}

#[test]
fn a_worker_that_starts_warns_and_runs() {
    let scratch = Scratch::new(&[("a.rhai", &script(2, ""))]);
    let running = scratch.start(&["run", "a.rhai"]);
    running.says("measures 2", 1);
    running.says("a.rhai:11:5: test `test_value` fails: left is 2, right is 1", 1);
}
