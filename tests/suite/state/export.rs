//! `autoscaler records export`: what a worker recorded, as JSON.

use std::path::Path;

use serde_json::Value as Json;

use super::{batch, open};
use crate::harness::Autoscaler;

/// Five records of each of two pipelines, in a folder under `home`.
async fn filled(home: &Path, name: &str) -> String {
    let folder = home.join("autoscaler").join(name);
    let state = open(&folder).await.state;
    for tick in 1..=5 {
        for pipeline in ["web", "celery"] {
            state.commit(&pipeline.into(), state.fence(), batch(pipeline, tick)).await.unwrap();
        }
    }
    folder.display().to_string()
}

fn ticks(records: &[Json]) -> Vec<String> {
    records.iter().map(|record| format!("{} {}", record["pipeline"].as_str().unwrap(), record["tick"])).collect()
}

#[tokio::test]
async fn records_are_exported_as_an_array_or_in_lines() {
    let home = tempfile::tempdir().unwrap();
    let states = home.path().display().to_string();
    let folder = filled(home.path(), "web.rhai-00000000").await;
    let export = |arguments: &[&str]| {
        let arguments = ["records", "export"].iter().chain(arguments).copied();
        Autoscaler::new(arguments).env("XDG_STATE_HOME", &states)
    };
    // The only folder there is.
    let all = export(&[]).run().expect(0).json();
    let all = ticks(all.as_array().unwrap());
    assert_eq!(all.len(), 10);
    assert_eq!(all[..3], ["celery 1", "web 1", "celery 2"]);
    let lines = export(&["web", "--jsonl", "--state", &folder]).run().expect(0);
    let lines: Vec<Json> = lines.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(ticks(&lines), ["web 1", "web 2", "web 3", "web 4", "web 5"]);
    for (arguments, text) in [(vec!["--since", "1h"], "[]\n"), (vec!["--since", "1h", "--jsonl"], "")] {
        assert_eq!(export(&arguments).run().expect(0).stdout, text, "{arguments:?}");
    }
    // Of several one must be named.
    let other = filled(home.path(), "other.rhai-00000000").await;
    let said = export(&[]).run().expect(1);
    assert!(said.stderr.contains("name one by --script FILE or --state DIR"), "{}", said.stderr);
    assert!(said.stderr.contains(&folder) && said.stderr.contains(&other), "{}", said.stderr);
    let said = export(&["--script", "nowhere.rhai"]).run().expect(1);
    assert!(said.stderr.contains("there is no state of `nowhere.rhai`"), "{}", said.stderr);
    let said = export(&["--state", "memory"]).run().expect(1);
    assert!(said.stderr.contains("state in memory belongs to its worker alone"), "{}", said.stderr);
}
