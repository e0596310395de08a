//! A store that cannot be used: damaged, foreign, newer, of a folder that cannot be written.

use std::path::Path;

use autoscaler::levers::{Levers, PipelineLevers, Pull};

use super::{at, batch, open};
use crate::harness::{Autoscaler, Script, Signal};

/// Writes a store with something in it, changes it by `damage`, and says what it then holds.
async fn damaged(folder: &Path, damage: impl FnOnce(&Path)) -> Vec<u8> {
    let opened = open(folder).await;
    let pull = Pull { by: "ann@ops".into(), at: at(0), until: None, reason: None };
    let all = PipelineLevers { pause: Some(pull), ..PipelineLevers::default() };
    opened.state.keep_levers(&Levers { all, ..Levers::default() }).await.unwrap();
    for tick in 1..=100 {
        opened.state.commit(&"web".into(), opened.state.fence(), batch("web", tick)).await.unwrap();
    }
    drop(opened);
    let file = folder.join("state.db");
    damage(&file);
    std::fs::read(file).unwrap()
}

/// What it is called, and what it does to the file.
type Damage = (&'static str, fn(&Path));

fn sql(file: &Path, statement: &str) {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.execute_batch(statement).unwrap();
}

#[tokio::test]
async fn a_store_that_cannot_be_used_stays_as_it_is_and_pauses_are_not_forgotten() {
    let damages: [Damage; 5] = [
        ("garbage", |file| std::fs::write(file, "this is no store, and never was one\n".repeat(100)).unwrap()),
        ("overwritten in the middle", |file| {
            let mut bytes = std::fs::read(file).unwrap();
            bytes[1024..].fill(0x55);
            std::fs::write(file, bytes).unwrap();
        }),
        ("cut off", |file| {
            let bytes = std::fs::read(file).unwrap();
            std::fs::write(file, &bytes[..bytes.len() / 20]).unwrap();
        }),
        ("newer", |file| sql(file, "PRAGMA user_version = 4711")),
        ("foreign", |file| sql(file, "PRAGMA application_id = 1")),
    ];
    for (what, damage) in damages {
        let folder = tempfile::tempdir().unwrap();
        let before = damaged(folder.path(), damage).await;
        let opened = open(folder.path()).await;
        assert!(opened.state.is_degraded(), "{what}");
        assert!(opened.state.levers().await.unwrap().active("web", at(0)).pause.is_some(), "{what}");
        // It goes on, in memory.
        opened.state.commit(&"web".into(), opened.state.fence(), batch("web", 1)).await.unwrap();
        assert_eq!(opened.state.load("web").await.unwrap().unwrap().control.tick, 1, "{what}");
        drop(opened);
        assert_eq!(std::fs::read(folder.path().join("state.db")).unwrap(), before, "{what}: it was touched");
    }
    let folder = tempfile::tempdir().unwrap();
    damaged(folder.path(), |_| {}).await;
    assert!(!open(folder.path()).await.state.is_degraded(), "a good one is good");
}

/// Lets the files of a process grow to `bytes`, or as they like.
fn limit(process: u32, bytes: Option<u64>) {
    let process = rustix::process::Pid::from_raw(process.try_into().unwrap());
    let limit = rustix::process::Rlimit { current: bytes, maximum: None };
    rustix::process::prlimit(process, rustix::process::Resource::Fsize, limit).unwrap();
}

#[test]
fn a_disk_that_is_full_for_a_while_is_told_and_nothing_is_lost() {
    let states = tempfile::tempdir().unwrap();
    let script = Script::new(
        "pipeline(\"web\", #{
            measure: measure::custom(
                #{ memory: #{ n: 0 }, measurement_interval_in_seconds: 0.02 },
                || { this.n += 1; print(this.n); this.n },
            ),
            decide: |m| up(1), max_dynos: 1000, post_scale_wait_time_seconds: 0,
            scale: scale::custom(#{ memory: #{ n: 1 } }, || this.n, |n| { this.n = n; }),
        });",
    );
    let state = states.path().display().to_string();
    let mut worker = Autoscaler::on("run", &script.path()).arg("--state").arg(&state).spawn();
    worker.line("web: 3");
    limit(worker.id(), Some(1));
    let said = worker.line("state cannot be written: ");
    assert!(said.text.contains("the worker goes on, holds it in memory and tries again"), "{}", said.text);
    let mark = worker.mark();
    // It ticks and scales.
    worker.line_after(mark, "scaled from ");
    worker.line_after(mark, "web: ");
    let status = Autoscaler::new(["status", "--json", "--state", &state]).run().expect(0).json();
    let error = status["store"]["error"].as_str().unwrap_or_default();
    assert!(status["store"]["healthy"] == false && error.ends_with(" records wait in memory"), "{status}");
    limit(worker.id(), None);
    worker.line("state is written again, and nothing is lost");
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "state cannot be written"), 1, "{}", worker.text());
    let records = Autoscaler::new(["records", "export", "--state", &state]).run().expect(0).json();
    let ticks: Vec<u64> = records.as_array().unwrap().iter().map(|record| record["tick"].as_u64().unwrap()).collect();
    assert_eq!(ticks, (1..=ticks.len() as u64).collect::<Vec<_>>());
}

#[test]
fn nothing_is_taken_away_while_the_disk_is_full() {
    let states = tempfile::tempdir().unwrap();
    let script = Script::new(
        "pipeline(\"web\", #{
            measure: measure::custom(#{ measurement_interval_in_seconds: 0.02 }, || { print(\"measured\"); 1 }),
            decide: |m| down(1), min_dynos: 1, max_dynos: 100000, post_scale_wait_time_seconds: 0,
            scale: scale::custom(#{ memory: #{ n: 100000 } }, || this.n, |n| { print(\"fewer\"); this.n = n; }),
        });",
    );
    let state = states.path().display().to_string();
    let mut worker = Autoscaler::on("run", &script.path()).arg("--state").arg(&state).spawn();
    worker.line("web: fewer");
    limit(worker.id(), Some(1));
    worker.line("state cannot be written: ");
    // The tick in which it was found out may have scaled.
    for _ in 0..2 {
        worker.line_after(worker.mark(), "web: measured");
    }
    let mark = worker.mark();
    for _ in 0..5 {
        worker.line_after(worker.mark(), "web: measured");
    }
    assert_eq!(worker.count(mark, "web: fewer"), 0, "{}", worker.text());
    let status = Autoscaler::new(["status", "--json", "--state", &state]).run().expect(0).json();
    let reason = status["pipelines"][0]["last"]["reason"].as_str().unwrap();
    assert!(reason.contains("the state cannot be used or written"), "{status}");
    limit(worker.id(), None);
    worker.line("state is written again, and nothing is lost");
    let mark = worker.mark();
    worker.line_after(mark, "web: fewer");
    worker.stop(Signal::Terminate);
}
