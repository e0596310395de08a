//! A script that does not load when a worker starts: its last good version runs, and everybody is told.

use std::path::Path;

use crate::harness::{Autoscaler, Script, Signal, Worker};

/// A pipeline that prints `word` at every tick, and tells people what happens.
fn ticking(word: &str) -> String {
    printing(&format!("\"{word}\""))
}

/// The same, of what the expression `text` says.
fn printing(text: &str) -> String {
    format!(
        "pipeline(\"web\", #{{
            measure: measure::custom(#{{ measurement_interval_in_seconds: 0.05 }}, || {{ print({text}); 1 }}),
            decide: |m| hold(\"nothing to do\"),
            scale: #{{ current: || 1, scale_to: |n| () }},
            notify: notify::console(), notify_repeat_minutes: 0.005,
        }});"
    )
}

fn run(script: &Path, states: &Path) -> Autoscaler {
    Autoscaler::on("run", script).arg("--state").arg(&states.display().to_string())
}

/// Runs `script` until it ticks, and ends it.
fn once(script: &Path, states: &Path, word: &str) {
    let mut worker = run(script, states).spawn();
    worker.line(&format!("web: {word}"));
    worker.stop(Signal::Terminate);
}

fn goes_on(worker: &mut Worker) {
    let mark = worker.mark();
    worker.line_after(mark, "web: ");
    worker.stop(Signal::Terminate);
}

#[test]
fn the_newest_version_that_loads_is_started_and_told_until_the_script_is_mended() {
    let states = tempfile::tempdir().unwrap();
    let script = Script::folder(&[]);
    script.write("web.rhai", &format!("import \"lib\" as lib;\n{}", printing("`lib says ${lib::word()}`")));
    script.write("lib.rhai", "fn word() { \"one\" }");
    let path = script.root().join("web.rhai");
    once(&path, states.path(), "lib says one");
    script.write("lib.rhai", "fn word() { \"two\" }");
    once(&path, states.path(), "lib says two");
    // An import that is broken, and then gone altogether: the kept text of it counts.
    script.write("lib.rhai", "fn word( { }");
    let mut worker = run(&path, states.path()).spawn();
    worker.line("web: lib says two");
    let told = worker.line("web.rhai does not load, its last good version runs, of 20");
    assert!(told.text.contains("lib.rhai:1:"), "{}", told.text);
    // Again every `notify_repeat_minutes`.
    let mark = worker.mark();
    worker.line_after(mark, "web.rhai does not load, its last good version runs");
    script.write("lib.rhai", "fn word() { \"three\" }");
    worker.line("web.rhai loads again.");
    worker.line("web: lib says three");
    goes_on(&mut worker);
    script.remove("lib.rhai");
    script.write("web.rhai", "let a = ;");
    let mut worker = run(&path, states.path()).spawn();
    worker.line("web: lib says three");
    worker.stop(Signal::Terminate);
    script.remove("web.rhai");
    let mut worker = run(&path, states.path()).spawn();
    worker.line("there is no `");
    worker.line("web: lib says three");
    worker.stop(Signal::Terminate);
}

#[test]
fn a_strict_start_refuses_and_so_does_a_script_that_never_loaded() {
    let states = tempfile::tempdir().unwrap();
    let script = Script::new(&ticking("one"));
    once(&script.path(), states.path(), "one");
    script.save("let a = ;");
    for strict in [
        run(&script.path(), states.path()).arg("--strict-start"),
        run(&script.path(), states.path()).env("AUTOSCALER_STRICT_START", "1"),
    ] {
        let said = strict.run().expect(1);
        assert!(said.stderr.contains("unexpected `;`"), "{}", said.stderr);
    }
    let fresh = tempfile::tempdir().unwrap();
    let said = run(&script.path(), fresh.path()).run().expect(1);
    assert!(said.stderr.contains("unexpected `;`"), "{}", said.stderr);
}

#[test]
fn a_broken_unit_of_a_folder_does_not_keep_the_others_from_starting() {
    let states = tempfile::tempdir().unwrap();
    let script = Script::folder(&[("a.rhai", &ticking("a1")), ("b.rhai", "let b = ;")]);
    let mut worker = run(&script.path(), states.path()).spawn();
    worker.line("a/web: a1");
    worker.line("b.rhai does not load; it runs nothing until it loads");
    script.write("units/b.rhai", &ticking("b1"));
    worker.line("b/web: b1");
    worker.stop(Signal::Terminate);
    script.write("units/b.rhai", "let b = ;");
    script.write("units/a.rhai", "let a = ;");
    let mut worker = run(&script.path(), states.path()).spawn();
    worker.line("a/web: a1");
    worker.line("b/web: b1");
    worker.stop(Signal::Terminate);
}

#[test]
fn generations_go_on_counting_over_restarts_and_records_say_which_script_it_was() {
    let states = tempfile::tempdir().unwrap();
    let script = Script::new(&ticking("one"));
    once(&script.path(), states.path(), "one");
    once(&script.path(), states.path(), "one");
    script.save(&ticking("two"));
    once(&script.path(), states.path(), "two");
    let said = Autoscaler::new(["records", "export", "--since", "1h"]).arg("--state");
    let said = said.arg(&states.path().display().to_string()).run().expect(0);
    let records = said.json();
    let records = records.as_array().unwrap();
    let mut versions: Vec<(u64, String)> = records
        .iter()
        .map(|record| (record["generation"].as_u64().unwrap(), record["script"]["hash"].as_str().unwrap().to_owned()))
        .collect();
    versions.dedup();
    let [(1, one), (2, two)] = &versions[..] else { panic!("{versions:?}") };
    assert!(one != two && one.len() == 64, "{versions:?}");
}
