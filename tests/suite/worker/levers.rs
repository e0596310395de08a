//! Levers at a running worker: who may be meant, what is told, what is kept, and the socket itself.

use std::sync::Arc;

use autoscaler::control::{Answer, Ask, NoAnswer, Socket, ask};
use autoscaler::levers::Lever;
use tokio_util::sync::CancellationToken;

use super::operated::{Operated, deciding};
use crate::harness::Script;

fn two() -> Script {
    Script::new(&[deciding("web", "|m| to(3)"), deciding("celery", "|m| hold(\"fine\")")].concat())
}

#[tokio::test(start_paused = true)]
async fn a_lever_is_told_kept_and_in_force_from_the_next_tick() {
    let worker = Operated::start(two());
    worker.pass(1.0).await;
    assert_eq!(worker.dynos("web"), 3);
    let said = worker.done(worker.pull("web", Lever::Set { dynos: 2, beyond_bounds: false }, Some(60))).await;
    assert_eq!(
        said,
        ["web: set to 2 dynos by ann@ops until 12:01:01: a test", "in force from the next tick, within 10 s"]
    );
    assert_eq!(worker.told(), ["lever_pulled: Set to 2 dynos by ann@ops until 12:01:01: a test."]);
    worker.pass(10.0).await;
    assert_eq!(worker.dynos("web"), 2);
    assert_eq!(worker.state().levers().await.unwrap(), *worker.world.levers.levers());
    let status = worker.status().await;
    let web = &status.pipelines[0];
    assert_eq!((&*web.levers[0].lever, web.levers[0].dynos, web.dynos), ("set", Some(2), Some(2)));
    worker.pass(60.0).await;
    assert_eq!(worker.dynos("web"), 3);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_all_holds_all_and_is_let_go_of() {
    let worker = Operated::start(two());
    worker.done(worker.pull("all", Lever::Pause, None)).await;
    assert_eq!(worker.told(), ["lever_pulled: All pipelines: paused by ann@ops: a test."]);
    worker.pass(30.0).await;
    let (status, dynos) = (worker.status().await, worker.dynos("web"));
    assert!(status.pipelines.iter().all(|pipeline| pipeline.mode == "paused"), "{status:?}");
    assert_eq!(worker.why("celery").await, "paused by ann@ops: a test");
    worker.done(worker.pull("all", Lever::Resume, None)).await;
    worker.pass(10.0).await;
    assert_eq!((dynos, worker.dynos("web")), (1, 3));
    let said = worker.done(worker.pull("web", Lever::Resume, None)).await;
    assert_eq!(said, ["web: there was nothing to let go of"]);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_count_that_cannot_be_had_is_said_at_once() {
    let worker = Operated::start(two());
    let set = |dynos, beyond_bounds| worker.pull("web", Lever::Set { dynos, beyond_bounds }, None);
    let said = worker.done(set(9, false)).await;
    assert_eq!(said[1], "web is held at 5, its maximum now; `--beyond-bounds` lifts the bounds meanwhile");
    assert_eq!(worker.done(set(9, true)).await.len(), 2);
    worker.done(worker.pull("all", Lever::Pause, None)).await;
    let said = worker.done(set(4, false)).await;
    assert_eq!(said[1], "web is paused, which is stronger: `autoscaler resume web` lets go of both");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_the_worker_does_not_know_is_told() {
    let worker = Operated::start(two());
    let why = worker.refused(worker.pull("celary", Lever::Pause, None)).await;
    assert_eq!(why, "the worker runs no pipeline `celary`; did you mean `celery`?");
    let why = worker.refused(worker.pull("jobs", Lever::Pause, None)).await;
    assert_eq!(why, "the worker runs no pipeline `jobs`; there are web, celery");
    worker.stop().await;
    let folder =
        Script::folder(&[("a.rhai", &deciding("web", "|m| to(3)")), ("b.rhai", &deciding("jobs", "|m| to(3)"))]);
    let worker = Operated::start(folder);
    assert!(worker.done(worker.pull("jobs", Lever::Pause, None)).await[0].starts_with("b/jobs: paused by"));
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn levers_that_were_kept_are_taken_up() {
    let worker = Operated::start(two());
    worker.done(worker.pull("web", Lever::Pause, None)).await;
    let kept = worker.state().levers().await.unwrap();
    worker.stop().await;
    // Before its first tick.
    let worker = Operated::start_with(two(), kept).await;
    worker.pass(30.0).await;
    assert_eq!((worker.dynos("web"), &*worker.status().await.pipelines[0].mode), (1, "paused"));
    worker.stop().await;
}

#[tokio::test]
async fn the_socket_is_its_users_alone_and_answers_line_by_line() {
    use std::os::unix::fs::PermissionsExt;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(ask(folder.path(), &Ask::Status).await, Err(NoAnswer::NoWorker));
    let worker = Operated::start(two());
    let stop = CancellationToken::new();
    let path = folder.path().join("control.sock");
    // As one that was left behind by a crash.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let socket = Socket::bind(folder.path()).unwrap();
    let serving = tokio::spawn(socket.serve(Arc::clone(&worker.desk), stop.clone()));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let answer = ask(folder.path(), &worker.pull("web", Lever::Pause, None)).await.unwrap();
    assert!(matches!(answer, Answer::Done(_)), "{answer:?}");
    let Ok(Answer::Status(status)) = ask(folder.path(), &Ask::Status).await else { panic!("no status") };
    assert_eq!(status.pipelines.len(), 2);
    let mut stream = BufReader::new(tokio::net::UnixStream::connect(&path).await.unwrap());
    stream.write_all(b"\"status\"\n{\"dance\":1}\n\"status\"\n").await.unwrap();
    let mut lines = Vec::new();
    for _ in 0..3 {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        lines.push(line);
    }
    assert!(lines[0].starts_with("{\"status\":{\"v\":1,") && lines[2].starts_with("{\"status\":"), "{lines:?}");
    assert!(lines[1].starts_with("{\"refused\":\"this worker (autoscaler "), "{lines:?}");
    stop.cancel();
    serving.await.unwrap();
    assert!(!path.exists());
    worker.stop().await;
}
