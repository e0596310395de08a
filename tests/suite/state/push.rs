//! Scripts that are pushed to a state, and the worker that runs them.

use super::url;
use crate::harness::{Autoscaler, Script, Signal};
use crate::measure::processes;

const KEY: &str = "a-key-of-32-characters-or-so-1234";

fn saying(word: &str) -> String {
    format!(
        "import \"lib/words\" as words;
        pipeline(\"web\", #{{
            measure: measure::custom(#{{ measurement_interval_in_seconds: 0.05 }}, || {{ print(`says ${{words::of(\"{word}\")}}`); 1 }}),
            decide: |m| hold(\"nothing to do\"),
            scale: #{{ current: || 1, scale_to: |n| () }},
            notify: notify::console(),
        }});
        fn test_words() {{ assert_eq(words::of(\"a\"), \"a!\"); }}"
    )
}

fn script(word: &str) -> Script {
    let script = Script::folder(&[]);
    std::fs::create_dir_all(script.root().join("lib")).unwrap();
    script.write("lib/words.rhai", "fn of(word) { word + \"!\" }");
    script.write("web.rhai", &saying(word));
    script
}

fn push(script: &Script, state: &str, key: &str) -> Autoscaler {
    let path = script.root().join("web.rhai");
    Autoscaler::on("push", &path).arg("--state").arg(state).env("AUTOSCALER_SCRIPT_KEY", key)
}

fn follows(state: &str) {
    let script = script("one");
    let worker = Autoscaler::new(["run", "state:", "--state", state]).env("AUTOSCALER_SCRIPT_KEY", KEY);
    let mut worker = worker.spawn();
    worker.line("nothing to run was pushed yet");
    let said = push(&script, state, KEY).run().expect(0);
    assert!(said.stdout.contains("(2 files, 1 test passed)"), "{}", said.stdout);
    worker.line("web: says one!");
    // A new version, with another import.
    script.write("lib/words.rhai", "fn of(word) { word + \"!\" } fn more() { 1 }");
    script.write("web.rhai", &saying("two"));
    push(&script, state, KEY).run().expect(0);
    worker.line("web: says two!");
    assert_eq!(worker.count(0, "reloaded: "), 1, "{}", worker.text());
    // One that is signed with another key.
    script.write("web.rhai", &saying("three"));
    push(&script, state, "another-key-that-is-long-enough").run().expect(0);
    let refused = worker.line("its signature is not that of AUTOSCALER_SCRIPT_KEY");
    assert!(refused.text.contains("ERROR") && refused.text.contains("the old one runs on"), "{}", refused.text);
    worker.line("A pushed script is not taken");
    let mark = worker.mark();
    worker.line_after(mark, "web: says two!");
    assert_eq!(worker.count(0, "three"), 0, "{}", worker.text());
    // One whose test fails is not published.
    script.write("web.rhai", &saying("four").replace("\"a!\"", "\"b\""));
    let failed = push(&script, state, KEY).run().expect(1);
    assert!(failed.stderr.contains("is not pushed"), "{}", failed.stderr);
    worker.stop(Signal::Terminate);
    // The next worker starts with the newest that is signed.
    let worker = Autoscaler::new(["run", "state:", "--state", state]).env("AUTOSCALER_SCRIPT_KEY", KEY);
    let mut worker = worker.spawn();
    worker.line("web: says two!");
    worker.stop(Signal::Terminate);
}

#[test]
fn a_worker_follows_what_is_pushed_to_redis() {
    let folder = tempfile::tempdir().unwrap();
    let server = processes::redis(folder.path(), &[]);
    follows(&url(&server));
}

#[test]
fn a_worker_follows_what_is_pushed_to_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    follows(&folder.path().join("states").display().to_string());
}

#[test]
fn neither_goes_without_a_key() {
    let (script, folder) = (script("one"), tempfile::tempdir().unwrap());
    let state = folder.path().display().to_string();
    for key in ["", "short"] {
        let said = push(&script, &state, key).run().expect(1);
        assert!(said.stderr.contains("AUTOSCALER_SCRIPT_KEY"), "{}", said.stderr);
        let run = Autoscaler::new(["run", "state:", "--state", &state]).env("AUTOSCALER_SCRIPT_KEY", key).run();
        let said = run.expect(1);
        assert!(said.stderr.contains("AUTOSCALER_SCRIPT_KEY"), "{}", said.stderr);
    }
}
