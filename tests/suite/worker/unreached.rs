//! Workers that are hard to reach: their state folder takes no socket, they say nothing, their store is damaged. Whoever
//! is called out at night is told what is the case, and a pause holds all the same.

use std::path::Path;

use autoscaler::control::{Ask, NoAnswer, Socket, ask};
use autoscaler::levers::{Levers, PipelineLevers, Pull};
use autoscaler::state::{FolderState, State};
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use super::operated::{Operated, deciding};
use super::ticking;
use crate::harness::{Autoscaler, Said, Script, Signal, Worker, wait_for};

fn run(script: &Script, state: &Path) -> Worker {
    Autoscaler::on("run", &script.path()).arg("--state").arg(&state.display().to_string()).spawn()
}

fn command(arguments: &[&str], state: &Path) -> Said {
    let state = state.display().to_string();
    Autoscaler::new(arguments.iter().copied().chain(["--state", &state])).run()
}

#[test]
fn a_folder_that_cannot_be_made_or_has_too_long_a_path_leaves_the_worker_within_reach() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let long = home.path().join("x".repeat(120));
    for (state, keeps) in [(file.join("state"), false), (long, true)] {
        let script = Script::new(&ticking("web", "measured"));
        let mut worker = run(&script, &state);
        worker.line("takes no socket: commands reach this worker by `");
        worker.line("web: measured");
        let status = command(&["status", "--json"], &state).expect(0).json();
        assert_eq!(status["worker"]["pid"], worker.id(), "{}", state.display());
        assert_eq!(status["store"]["healthy"], keeps, "{status}");
        let paused = command(&["pause", "web"], &state).expect(0);
        assert_eq!(paused.stdout.contains("it ends with this worker, since it was not kept"), !keeps, "{paused:?}");
        assert!(paused.stdout.contains("in force from the next tick"), "{paused:?}");
        // Another one of the same state stands by, wherever that is.
        let mut second = run(&script, &state);
        second.line("this worker stands by, measures and scales nothing");
        second.stop(Signal::Terminate);
        worker.stop(Signal::Terminate);
        let status = command(&["status"], &state).code;
        assert_eq!(status, Some(1), "nobody is there any more");
    }
}

#[test]
fn a_worker_that_is_stopped_is_told_at_once_and_takes_up_the_pause_when_it_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let script = Script::new(&ticking("web", "measured"));
    let mut worker = run(&script, home.path());
    worker.line("web: measured");
    // Records are written together, a while after their ticks.
    wait_for("a record", || command(&["history", "web"], home.path()).code == Some(0));
    worker.signal(Signal::Stop);
    let silent = format!("the worker (process {}) does not answer: it was stopped", worker.id());
    let status = command(&["status", "--json"], home.path()).expect(1).json();
    assert!(status["unreached"].as_str().unwrap().starts_with(&silent), "{status}");
    let paused = command(&["pause", "web", "--reason", "night"], home.path()).expect(1);
    assert!(paused.stdout.starts_with("web: paused by ") && paused.stdout.contains("night"), "{paused:?}");
    assert!(paused.stderr.contains(&silent) && paused.stderr.contains("it is written in"), "{paused:?}");
    assert!(command(&["rollback"], home.path()).expect(1).stderr.contains(&silent));
    let told = command(&["history", "web"], home.path()).expect(0).stderr;
    assert!(told.contains("the records end at ") && told.contains(&silent), "{told}");
    let mark = worker.mark();
    worker.signal(Signal::Continue);
    worker.line_after(mark, "web: paused by ");
    let status = command(&["status", "--json"], home.path()).expect(0).json();
    assert_eq!(status["pipelines"][0]["mode"], "paused", "{status}");
    worker.stop(Signal::Terminate);
}

#[tokio::test(start_paused = true)]
async fn levers_that_were_written_beside_a_worker_are_in_force_at_its_next_tick() {
    let folder = tempfile::tempdir().unwrap();
    let state: std::sync::Arc<dyn State> = std::sync::Arc::new(FolderState::only_levers(folder.path()));
    let worker = Operated::start_in(Script::new(&deciding("web", "|m| to(3)")), state);
    worker.pass(1.0).await;
    assert_eq!(worker.dynos("web"), 3);
    worker.pretend.platforms.set("web", 1);
    let pull = Pull { by: "ann@ops".into(), at: worker.start, until: None, reason: None };
    let all = PipelineLevers { pause: Some(pull), ..PipelineLevers::default() };
    let paused = Levers { all, ..Levers::default() };
    FolderState::only_levers(folder.path()).keep_levers(&paused).await.unwrap();
    worker.pass(10.0).await;
    assert_eq!((worker.dynos("web"), &*worker.why("web").await), (1, "paused by ann@ops"));
    assert_eq!(*worker.world.levers.levers(), paused);
    worker.stop().await;
}

#[tokio::test]
async fn a_socket_that_is_removed_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let worker = Operated::start(Script::new(&deciding("web", "|m| to(3)")));
    let stop = CancellationToken::new();
    let socket = Socket::bind(folder.path()).unwrap();
    let path = socket.path().to_owned();
    let serving = tokio::spawn(socket.serve(std::sync::Arc::clone(&worker.desk), stop.clone()));
    assert!(ask(folder.path(), &Ask::Health).await.is_ok());
    std::fs::remove_file(&path).unwrap();
    assert_eq!(ask(folder.path(), &Ask::Health).await, Err(NoAnswer::NoWorker));
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(3)).await;
    tokio::time::resume();
    while ask(folder.path(), &Ask::Health).await.is_err() {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    serving.await.unwrap();
    assert!(!path.exists());
    worker.stop().await;
}

#[test]
fn a_damaged_store_is_named_with_what_to_do_and_pauses_are_shown() {
    let home = tempfile::tempdir().unwrap();
    let script = Script::new(&ticking("web", "measured"));
    let mut worker = run(&script, home.path());
    worker.line("web: measured");
    command(&["pause", "web"], home.path()).expect(0);
    command(&["scale-in", "off", "--all"], home.path()).expect(0);
    worker.stop(Signal::Terminate);
    let file = home.path().join("state.db");
    std::fs::write(&file, "this is no store, and never was one\n".repeat(100)).unwrap();
    let is_told = |text: &str| {
        let named = format!("`{}` cannot be read: the file is damaged", file.display());
        assert!(text.contains(&named) && text.contains("move it away"), "{text}");
    };
    for arguments in [
        &["explain", "web"][..],
        &["history", "web"],
        &["pin", "web", "--at", "03:12", "--expect", "up"],
        &["records", "export"],
    ] {
        is_told(&command(arguments, home.path()).expect(1).stderr);
    }
    let status = command(&["status"], home.path()).expect(1).stdout;
    is_told(&status);
    assert!(
        status.contains("no worker runs") && status.contains("all pipelines: scale-in switched off by "),
        "{status}"
    );
    assert!(status.contains("  lever   paused by "), "{status}");
    // The worker that runs on it says the same.
    let mut worker = run(&script, home.path());
    worker.line("web: measured");
    let status = command(&["status", "--json"], home.path()).expect(0).json();
    is_told(status["store"]["error"].as_str().unwrap());
    assert_eq!(status["store"]["healthy"], Json::Bool(false));
    is_told(&command(&["explain", "web"], home.path()).expect(1).stderr);
    worker.stop(Signal::Terminate);
}

#[test]
fn a_worker_that_starts_on_a_full_disk_waits_once_and_what_is_recorded_is_told_to_end() {
    let home = tempfile::tempdir().unwrap();
    let text = |decide: &str| {
        format!(
            "pipeline(\"web\", #{{
                measure: measure::custom(#{{ measurement_interval_in_seconds: 0.05 }}, || {{ print(\"measured\"); 1 }}),
                decide: |m| {decide}, max_dynos: 9, post_scale_wait_time_seconds: 3600, {}
            }});",
            super::NOWHERE
        )
    };
    let script = Script::new(&text("hold(\"fine\")"));
    let mut first = run(&script, home.path());
    first.line("web: measured");
    first.stop(Signal::Terminate);
    script.save(&text("up(1)"));
    let state = home.path().display().to_string();
    // Room for who has the state, and for no tick.
    let worker = Autoscaler::on("run", &script.path()).arg("--state").arg(&state).blocks(72).spawn();
    worker.line("state cannot be written: ");
    let status = command(&["status", "--json"], home.path()).expect(0).json();
    let last = status["pipelines"][0]["last"]["reason"].as_str().unwrap();
    assert!(last.contains("nobody knows when it scaled last"), "{status}");
    assert_eq!(worker.count(0, "scaled to"), 0, "{}", worker.text());
    let told = command(&["history", "web"], home.path()).expect(0).stderr;
    assert!(told.contains("the records end at ") && told.contains("cannot keep what it records: "), "{told}");
    worker.signal(Signal::Kill);
}
