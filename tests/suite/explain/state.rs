//! The commands on the state of a worker: found, bounded by time, and while the worker runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use autoscaler::pipeline::{Decided, Outcome, Reason, Record};
use autoscaler::state::{self, Batch, Keep, Kept, KeptGeneration, StateArg};
use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::support::{SCRIPT, incident};
use crate::harness::{Autoscaler, Script, Signal};

/// Writes `records` as a worker does into a state folder beside `script`.
pub async fn kept(script: &Script, records: impl IntoIterator<Item = Arc<Record>>) -> PathBuf {
    let folder = script.root().join("state");
    let arg = StateArg::Folder(folder.clone());
    let opened = state::open(&arg, &script.path(), Keep::default(), &CancellationToken::new()).await.unwrap();
    let mut last_scale = None;
    for record in records {
        if record.outcome == Outcome::Scaled {
            last_scale = Some(record.at);
        }
        let pipeline = Arc::clone(&record.pipeline);
        let mut kept = Kept::default();
        kept.control.last_scale = last_scale;
        let batch = Batch { kept, intent: None, record: Some(record) };
        opened.state.commit(&pipeline, opened.state.fence(), batch).await.unwrap();
    }
    opened.state.flush().await.unwrap();
    folder
}

/// The records of the incident, moved to end a minute ago.
pub async fn lately() -> Vec<Arc<Record>> {
    let records = incident().await;
    let by = Utc::now() - TimeDelta::minutes(1) - records.last().unwrap().at;
    records.iter().map(|record| moved(record, by)).collect()
}

fn moved(record: &Record, by: TimeDelta) -> Arc<Record> {
    let mut record = record.clone();
    record.at += by;
    record.measurements.iter_mut().for_each(|measured| measured.at += by);
    Arc::new(record)
}

fn on(script: &Script, state: &Path, arguments: &[&str]) -> Autoscaler {
    let command = Autoscaler::new(arguments.iter().copied()).folder(script.root());
    command.env("AUTOSCALER_STATE", state.to_str().unwrap()).env("AUTOSCALER_SCRIPT", "autoscale.rhai")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_records_of_a_worker_are_explained_listed_and_pinned() {
    let script = Script::named("autoscale.rhai", SCRIPT);
    let state = kept(&script, lately().await).await;
    let said = on(&script, &state, &["explain"]).run().expect(0).stdout;
    assert!(said.contains("held at 3 dynos") && said.contains("It would have been 4 dynos with"), "{said}");
    assert!(said.contains("up from 2 to 3 dynos: the last 3 of 3 above 1000 ms: 1105, 1210, 1302"), "{said}");
    let said = on(&script, &state, &["history", "web"]).run().expect(0).stdout;
    assert!(said.contains("▲ up from 2 to 3 dynos") && said.contains("… 7 ticks held at 2 dynos"), "{said}");
    let said = on(&script, &state, &["history", "web", "--json", "--since", "-100s"]).run().expect(0).json();
    assert_eq!(said.as_array().unwrap().len(), 2, "bounded by time");
    let said = on(&script, &state, &["pin", "web", "--at", "now", "--expect", ">= 4"]).run().expect(0).stdout;
    assert!(said.contains("it fails now: 3 dynos, and >= 4 are expected"), "{said}");
    let said = on(&script, &state, &["explain", "web", "--at", "-2h"]).run().expect(1).stderr;
    assert!(said.contains("its records are of "), "{said}");
    let said = on(&script, &script.root().join("nowhere"), &["explain"]).run().expect(1).stderr;
    assert!(said.contains("there is no state") && said.contains("standard input"), "{said}");
}

/// Far back in a long state, the first and the last time that there is are told, and a scale of hours before.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_state_is_asked_in_stretches() {
    let script = Script::named("autoscale.rhai", SCRIPT);
    let records = lately().await;
    let (scale, quiet) = (&records[7], &records[3]);
    let start = Utc::now() - TimeDelta::hours(30);
    let at = |tick: i32| start + TimeDelta::seconds(30) * tick;
    let tick = |tick: i32| {
        let record = if tick == 5 { scale } else { quiet };
        let moved = moved(record, at(tick) - record.at);
        let mut record = (*moved).clone();
        record.tick = u64::try_from(tick).unwrap();
        if tick > 5 {
            (record.dynos.current, record.dynos.desired) = (Some(3), Some(3));
        }
        Arc::new(record)
    };
    let state = kept(&script, (1..=2_000).map(tick)).await;
    let local =
        |at: DateTime<Utc>| at.with_timezone(&chrono_tz::America::Vancouver).format("%Y-%m-%d %H:%M:%S").to_string();
    let said =
        on(&script, &state, &["explain", "web", "--at", &at(1_500).to_rfc3339(), "--json"]).run().expect(0).json();
    assert_eq!((&said["record"]["tick"], &said["last_scale"]["tick"]), (&1_500.into(), &5.into()));
    assert_eq!(said["around"]["ticks"], 240, "an hour before and less than an hour after");
    let before = (start - TimeDelta::hours(1)).to_rfc3339();
    let said = on(&script, &state, &["explain", "web", "--at", &before]).run().expect(1).stderr;
    assert!(said.contains(&local(at(1))) && said.contains(&local(at(2_000))), "{said}");
}

#[test]
fn a_running_worker_is_asked_by_the_name_of_its_script() {
    let script = Script::named(
        "autoscale.rhai",
        "pipeline(\"web\", #{ measure: measure::custom(#{ measurement_interval_in_seconds: 0.05 }, || 7), \
         decide: |m| if m.value > 10 { up(1) }, scale: #{ current: || 2, scale_to: |n| () } });",
    );
    let home = script.root().join("home");
    let command = |arguments: &[&str]| {
        let command = Autoscaler::new(arguments.iter().copied()).folder(script.root());
        command.env("XDG_STATE_HOME", home.to_str().unwrap())
    };
    let mut worker = command(&["run", "autoscale.rhai", "--log=debug"]).spawn();
    worker.line("hold: the decision asked for nothing");
    crate::harness::wait_for("a record that can be read", || {
        command(&["explain", "web", "--script", "autoscale.rhai"]).run().code == Some(0)
    });
    let said = command(&["explain", "--script", "autoscale.rhai"]).run().expect(0).stdout;
    assert!(said.contains("a measurement above 10 instead of 7 (3 more)"), "{said}");
    // The only state there is needs no name, and holds the script that runs.
    let said = command(&["explain"]).run().expect(0).stdout;
    assert!(said.contains("held at 2 dynos") && said.contains("a measurement above 10 instead of 7"), "{said}");
    let said = command(&["pin", "web", "--at", "now", "--expect", "up"]).run().expect(1).stderr;
    assert!(said.contains("name it with --script FILE"), "{said}");
    worker.stop(Signal::Terminate);
}

/// Keeps `text` in the state at `folder` as a version of `unit` that a worker accepted.
async fn accepted(script: &Script, folder: &Path, unit: &str, text: &str, at: DateTime<Utc>) {
    let arg = StateArg::Folder(folder.to_owned());
    let opened = state::open(&arg, &script.path(), Keep::default(), &CancellationToken::new()).await.unwrap();
    let files = vec![(format!("{unit}.rhai"), text.to_owned())];
    let (unit, hash) = (unit.to_owned(), "a".repeat(64));
    opened
        .state
        .keep_generation(KeptGeneration { unit, id: 1, at, hash, revision: None, files, instead_of: None })
        .await
        .unwrap();
    opened.state.flush().await.unwrap();
}

/// `autoscaler WORDS… --state FOLDER`, no script named.
fn bare(script: &Script, state: &Path, words: &[&str]) -> Autoscaler {
    Autoscaler::new(words.iter().copied()).folder(script.root()).env("AUTOSCALER_STATE", state.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_that_is_kept_is_found_whatever_the_folder_is_called() {
    let script = Script::named("autoscale.rhai", SCRIPT);
    let records = lately().await;
    let state = kept(&script, records.clone()).await;
    let now = Utc::now();
    accepted(&script, &state, "my-scaler", SCRIPT, now).await;
    // What the script was called before is older.
    let renamed = SCRIPT.replace("America/Vancouver", "Asia/Tokyo");
    accepted(&script, &state, "autoscale", &renamed, now - TimeDelta::days(1)).await;
    let said = bare(&script, &state, &["explain"]).run().expect(0).stdout;
    assert!(said.contains("It would have been 4 dynos with") && said.contains("America/Vancouver"), "{said}");
    assert!(!said.contains("still to come"), "{said}");
    let said = bare(&script, &state, &["explain", "--at", "2130-01-01 00:00"]).run().expect(0).stdout;
    assert!(said.contains("is still to come: this is the newest tick"), "{said}");
    // A time as the table shows it, without fractions.
    let shown = records[7].at.with_timezone(&chrono_tz::America::Vancouver).format("%Y-%m-%d %H:%M:%S").to_string();
    let said = bare(&script, &state, &["explain", "--at", &shown, "--json"]).run().expect(0).json();
    assert_eq!(said["record"]["tick"], records[7].tick);
    let said = bare(&script, &state, &["pin", "web", "--at", &shown, "--expect", "up", "--print"]).run().expect(0);
    assert!(said.stdout.contains("it was up from 2 to 3 dynos"), "{}", said.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_that_the_state_does_not_know_is_refused() {
    let script = Script::named("autoscale.rhai", SCRIPT);
    let state = kept(&script, lately().await).await;
    for words in
        [&["pause", "webb"][..], &["set", "webb", "3"], &["scale-in", "off", "webb"], &["records", "export", "webb"]]
    {
        let said = bare(&script, &state, words).run().expect(1).stderr;
        assert!(said.contains("there is no pipeline `webb`; did you mean `web`?"), "{words:?}: {said}");
    }
    let said = bare(&script, &state, &["pause", ""]).run().expect(1).stderr;
    assert!(said.contains("the name of the pipeline is empty"), "{said}");
    bare(&script, &state, &["pause", "web"]).run().expect(0);
    bare(&script, &state, &["resume", "web"]).run().expect(0);
}

/// What the others had is not in the records of one pipeline.
#[tokio::test(flavor = "multi_thread")]
async fn a_shared_limit_is_not_taken_for_an_edited_script() {
    let script = Script::named("autoscale.rhai", SCRIPT);
    let mut records = lately().await;
    records.truncate(8);
    let mut held = (*records[7]).clone();
    (held.decision, held.outcome, held.dynos.desired) = (Decided::Hold, Outcome::None, held.dynos.current);
    let text = "the limit `dynos` has no room".into();
    held.reasons.push(Reason { guard: "limit".into(), from: Some(3), to: Some(2), text });
    records[7] = Arc::new(held);
    let state = kept(&script, records).await;
    let said = on(&script, &state, &["explain", "web"]).run().expect(0).stdout;
    assert!(said.contains("a limit that it shares with other pipelines") && !said.contains("edited"), "{said}");
    let said = on(&script, &state, &["pin", "web", "--at", "now", "--expect", "up"]).run().expect(1).stderr;
    assert!(said.contains("a limit that `web` shares") && said.contains("cannot be pinned"), "{said}");
}

/// The scale went well: what failed is said in its own words.
#[tokio::test(flavor = "multi_thread")]
async fn a_scale_on_a_failed_measurement_is_no_failed_scale() {
    let script = Script::named("autoscale.rhai", SCRIPT);
    let mut records = lately().await;
    let mut scale = (*records[7]).clone();
    (scale.measurements[0].value, scale.measurements[0].success) = (None, false);
    records[7] = Arc::new(scale);
    let state = kept(&script, records).await;
    let said = on(&script, &state, &["history", "web"]).run().expect(0).stdout;
    assert!(said.contains("▲ up from 2 to 3 dynos  measurement failed: "), "{said}");
}
