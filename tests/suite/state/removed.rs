//! A state folder that is taken away under a running worker, whole or in part: the worker notices, and there are never
//! two that act.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use autoscaler::levers::{Levers, PipelineLevers, Pull};
use autoscaler::state::{self, Intent, Keep, Query, State, StateArg};
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use super::{at, batch, kept, open};
use crate::harness::{Autoscaler, Script, Signal, Worker};

fn paused() -> Levers {
    let pull = Pull { by: "ann@ops".into(), at: at(0), until: None, reason: None };
    Levers { all: PipelineLevers { pause: Some(pull), ..PipelineLevers::default() }, ..Levers::default() }
}

async fn ticks(state: &dyn State) -> Vec<u64> {
    let records = state.records(&Query::newest("web", 1000)).await.unwrap();
    records.iter().map(|record| record.tick).collect()
}

#[tokio::test]
async fn what_is_removed_is_written_again_with_all_that_was_in_it() {
    type Removal = (&'static str, fn(&Path));
    let removals: [Removal; 4] = [
        ("the store", |folder| std::fs::remove_file(folder.join("state.db")).unwrap()),
        ("the store's log", |folder| std::fs::remove_file(folder.join("state.db-wal")).unwrap()),
        ("the lock", |folder| std::fs::remove_file(folder.join("lock")).unwrap()),
        ("everything", |folder| std::fs::remove_dir_all(folder).unwrap()),
    ];
    for (what, remove) in removals {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("state");
        let state = open(&folder).await.state;
        for tick in 1..=100 {
            state.commit(&"web".into(), state.fence(), batch("web", tick)).await.unwrap();
        }
        state.flush().await.unwrap();
        remove(&folder);
        // The next tick of it scales: what is decided is on the disk before the platform is called.
        let mut next = batch("web", 101);
        next.intent = Some(Intent { from: 1, to: 2 });
        state.commit(&"web".into(), state.fence(), next).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(!state.is_taken_over() && !state.is_degraded(), "{what}");
        let reader = state::look(&StateArg::Folder(folder.clone()), None).await.unwrap().state;
        assert_eq!(ticks(&*reader).await, (1..=101).collect::<Vec<_>>(), "{what}");
        assert_eq!(state.load("web").await.unwrap(), Some(kept(101)), "{what}");
        // The next worker finds all of it, and is kept out till then.
        let mut second = tokio::spawn({
            let arg = StateArg::Folder(folder.clone());
            async move { state::open(&arg, Path::new("web.rhai"), Keep::default(), &CancellationToken::new()).await }
        });
        let waits = tokio::time::timeout(std::time::Duration::from_millis(700), &mut second).await.is_err();
        assert!(waits, "{what}: there are two workers");
        let fence = state.fence();
        drop(state);
        let second = second.await.unwrap().unwrap().state;
        assert!(second.fence() > fence, "{what}");
        assert_eq!(ticks(&*second).await, (1..=101).collect::<Vec<_>>(), "{what}");
    }
}

#[tokio::test]
async fn another_file_in_the_place_of_the_store_is_kept_and_ours_written_again() {
    let (ours, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let backup = open(other.path()).await.state;
    backup.commit(&"web".into(), backup.fence(), batch("web", 7)).await.unwrap();
    backup.flush().await.unwrap();
    drop(backup);
    let state = open(ours.path()).await.state;
    state.commit(&"web".into(), state.fence(), batch("web", 1)).await.unwrap();
    state.flush().await.unwrap();
    std::fs::rename(other.path().join("state.db"), ours.path().join("state.db")).unwrap();
    state.commit(&"web".into(), state.fence(), batch("web", 2)).await.unwrap();
    state.flush().await.unwrap();
    assert_eq!(ticks(&*state).await, [1, 2]);
    let told = state.notices().concat();
    assert!(told.contains("state.db.replaced"), "{told}");
    assert!(state.notices().is_empty(), "told once");
    drop(state);
    std::fs::rename(ours.path().join("state.db.replaced"), other.path().join("state.db")).unwrap();
    let backup = state::look(&StateArg::Folder(other.path().to_owned()), None).await.unwrap().state;
    assert_eq!(ticks(&*backup).await, [7]);
}

#[tokio::test]
async fn a_worker_whose_folder_another_one_has_by_now_scales_nothing_and_touches_nothing() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("state");
    let first = open(&folder).await.state;
    first.commit(&"web".into(), first.fence(), batch("web", 1)).await.unwrap();
    first.flush().await.unwrap();
    first.keep_levers(&paused()).await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let second = open(&folder).await.state;
    second.commit(&"web".into(), second.fence(), batch("web", 50)).await.unwrap();
    second.flush().await.unwrap();
    let mut scale = batch("web", 2);
    scale.intent = Some(Intent { from: 1, to: 2 });
    assert!(first.commit(&"web".into(), first.fence(), scale).await.is_err());
    assert!(first.is_taken_over() && first.must_stand_by());
    let told = first.notices().concat();
    assert!(told.contains("another worker has taken the state over") && told.contains("stands by"), "{told}");
    drop(first);
    second.commit(&"web".into(), second.fence(), batch("web", 51)).await.unwrap();
    second.flush().await.unwrap();
    let reader = state::look(&StateArg::Folder(folder), None).await.unwrap().state;
    assert_eq!(ticks(&*reader).await, [50, 51]);
    assert!(!second.is_taken_over());
}

#[tokio::test]
async fn a_worker_that_writes_nothing_notices_too() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("state");
    let first = open(&folder).await.state;
    std::fs::remove_dir_all(&folder).unwrap();
    let second = open(&folder).await.state;
    assert!(!first.must_stand_by());
    first.look_after().await;
    assert!(first.must_stand_by());
    second.look_after().await;
    assert!(!second.must_stand_by());
}

#[tokio::test]
async fn its_files_are_its_users_alone_and_halves_of_killed_commands_are_cleared_away() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("state");
    drop(open(&folder).await);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    // As an earlier version left them.
    for name in ["state.db", "lock"] {
        std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    // No process has this number; this one lives.
    let (dead, alive) =
        (folder.join("levers.json.2147483647"), folder.join(format!("levers.json.{}", std::process::id())));
    std::fs::write(&dead, "{").unwrap();
    std::fs::write(&alive, "{").unwrap();
    let state = open(&folder).await.state;
    state.keep_levers(&paused()).await.unwrap();
    state.commit(&"web".into(), state.fence(), batch("web", 1)).await.unwrap();
    state.flush().await.unwrap();
    for entry in std::fs::read_dir(&folder).unwrap().flatten().filter(|entry| entry.path() != alive) {
        assert_eq!(mode(&entry.path()), 0o600, "{}", entry.path().display());
    }
    assert!(!dead.exists(), "it is only in the way");
}

/// Counts in its own memory, or holds, and prints what it does.
fn doing(decide: &str) -> Script {
    Script::new(
        &"pipeline(\"web\", #{
            measure: measure::custom(#{ measurement_interval_in_seconds: 0.05 }, || { print(\"measured\"); 1 }),
            decide: |m| DECIDE, max_dynos: 100000, post_scale_wait_time_seconds: 0,
            scale: scale::custom(#{ memory: #{ n: 1 } }, || this.n, |n| { print(\"scaled\"); this.n = n; }),
            notify: |event| if event.kind == \"state_trouble\" { print(`told ${event.phase}: ${event.message}`) },
        });"
        .replace("DECIDE", decide),
    )
}

fn run(script: &Script, folder: &Path) -> Worker {
    Autoscaler::on("run", &script.path()).arg("--state").arg(&folder.display().to_string()).spawn()
}

fn status(folder: &Path) -> Json {
    Autoscaler::new(["status", "--json", "--state", &folder.display().to_string()]).run().expect(0).json()
}

#[test]
fn a_folder_that_is_removed_comes_back_and_commands_reach_the_worker_again() {
    let (script, home) = (doing("hold(\"fine\")"), tempfile::tempdir().unwrap());
    let folder = home.path().join("state");
    let mut worker = run(&script, &folder);
    worker.line("web: measured");
    let pause = ["scale-in", "off", "--all", "--state", &folder.display().to_string()];
    Autoscaler::new(pause).run().expect(0);
    std::fs::remove_dir_all(&folder).unwrap();
    worker.line("was removed while this worker ran: it has made it again");
    worker.line("was removed while this worker ran: it is written again, and nothing of it is lost");
    worker.line("told once: The state in ");
    let back = || ["control.sock", "levers.json"].iter().all(|name| folder.join(name).exists());
    assert!(crate::harness::eventually(crate::harness::SOON, back), "{}", worker.text());
    let status = status(&folder);
    assert_eq!(status["worker"]["pid"], worker.id());
    assert_eq!((&status["store"]["healthy"], &status["store"]["error"]), (&Json::Bool(true), &Json::Null));
    let mark = worker.mark();
    worker.line_after(mark, "web: measured");
    worker.stop(Signal::Terminate);
    let levers = std::fs::read_to_string(folder.join("levers.json")).unwrap();
    assert!(levers.contains("no_scale_in"), "{levers}");
}

#[test]
fn of_two_workers_the_one_whose_folder_is_gone_stands_by_and_takes_over_again() {
    let (script, home) = (doing("up(1)"), tempfile::tempdir().unwrap());
    let folder = home.path().join("state");
    let mut first = run(&script, &folder);
    first.line("web: scaled");
    // Stopped, so that the second one is faster for sure.
    first.signal(Signal::Stop);
    std::fs::remove_dir_all(&folder).unwrap();
    let second = run(&script, &folder);
    second.line("web: scaled");
    let mark = first.mark();
    first.signal(Signal::Continue);
    first.line_after(mark, "another worker has taken the state over (process ");
    first.line_after(mark, "this worker stands by, measures and scales nothing");
    let standing = first.mark();
    assert_eq!(status(&folder)["worker"]["pid"], second.id());
    let after = second.mark();
    for _ in 0..3 {
        second.line_after(second.mark(), "web: scaled");
    }
    assert_eq!((first.count(mark, "web: scaled"), second.count(after, "ERROR")), (0, 0), "{}", first.text());
    second.signal(Signal::Kill);
    first.line_after(standing, "this worker takes over");
    first.line_after(standing, "web: scaled");
    first.stop(Signal::Terminate);
}
