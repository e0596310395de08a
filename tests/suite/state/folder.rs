//! The state folder of a worker: where it is, whom it belongs to, and who waits for it.

use std::os::unix::fs::PermissionsExt;

use crate::harness::{Autoscaler, Script, Signal};

fn ticking() -> Script {
    Script::new(
        "pipeline(\"web\", #{
            measure: measure::custom(#{ measurement_interval_in_seconds: 0.05 }, || { print(\"measured\"); 1 }),
            decide: |m| hold(\"nothing to do\"),
            scale: #{ current: || 1, scale_to: |n| () },
        });",
    )
}

#[test]
fn it_is_made_under_the_home_of_states_for_this_user_alone() {
    let (script, home) = (ticking(), tempfile::tempdir().unwrap());
    let states = home.path().display().to_string();
    let mut worker = Autoscaler::on("run", &script.path()).env("XDG_STATE_HOME", &states).spawn();
    worker.line("web: measured");
    worker.stop(Signal::Terminate);
    let folders: Vec<_> = std::fs::read_dir(home.path().join("autoscaler")).unwrap().flatten().collect();
    let [folder] = &folders[..] else { panic!("{folders:?}") };
    let name = folder.file_name().into_string().unwrap();
    let file_name = script.path().file_name().unwrap().to_string_lossy().into_owned();
    let digits = name.strip_prefix(&format!("{file_name}-")).unwrap();
    assert!(digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    for file in ["state.db", "lock"] {
        assert!(folder.path().join(file).is_file(), "no {file}");
    }
}

#[test]
fn a_home_that_cannot_be_written_is_memory_and_said_once() {
    let script = ticking();
    let mut worker = Autoscaler::on("run", &script.path()).env("XDG_STATE_HOME", "/dev/null/states").spawn();
    worker.line("web: measured");
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "state is kept in memory and ends with this process"), 1, "{}", worker.text());
}

#[test]
fn on_a_dyno_it_is_said_that_its_disk_is_not_kept() {
    let script = ticking();
    let mut worker = Autoscaler::on("run", &script.path()).env("DYNO", "autoscaler.1").spawn();
    worker.line("msg=measured");
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "what this worker remembers ends with its dyno"), 1, "{}", worker.text());
}

#[test]
fn a_second_worker_stands_by_and_takes_over() {
    let (script, states) = (ticking(), tempfile::tempdir().unwrap());
    let run = || Autoscaler::on("run", &script.path()).arg("--state").arg(&states.path().display().to_string());
    let first = run().spawn();
    first.line("web: measured");
    let mut second = run().spawn();
    let said = second.line("this worker stands by, measures and scales nothing");
    assert!(said.text.contains("held by process "), "{}", said.text);
    let mark = first.mark();
    first.line_after(mark, "web: measured");
    assert_eq!(second.count(0, "measured"), 0, "{}", second.text());
    // However the first one ends.
    first.signal(Signal::Kill);
    second.line("this worker takes over");
    second.line("web: measured");
    second.stop(Signal::Terminate);
    assert_eq!(second.count(0, "stands by"), 1, "{}", second.text());
}

#[test]
fn a_worker_that_stands_by_can_be_stopped() {
    let (script, states) = (ticking(), tempfile::tempdir().unwrap());
    let run = || Autoscaler::on("run", &script.path()).env("AUTOSCALER_STATE", &states.path().display().to_string());
    let first = run().spawn();
    first.line("web: measured");
    let mut second = run().spawn();
    second.line("stands by");
    second.stop(Signal::Terminate);
}
