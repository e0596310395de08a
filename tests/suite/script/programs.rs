//! Stages that run programs.

use std::time::{Duration, Instant};

use autoscaler::world::ScaleErrorKind;
use serde_json::{Value as Json, json};

use super::reaching::{
    Around, counted, measured_around, measuring, notifying, report, scaled, scaling, spec_of, told, with_programs,
};
use crate::harness::eventually;

/// A shell's line as a program: the shell is the program here.
fn sh(line: &str) -> String {
    format!("[\"sh\", \"-c\", {}]", Json::String(line.into()))
}

async fn value(settings: &str) -> Result<Json, String> {
    let measurement = measured_around(&format!("measure::command(#{{ {settings} }})"), &with_programs()).await;
    match measurement.failure {
        None => Ok(measurement.data),
        Some(failure) => Err(failure.message),
    }
}

#[tokio::test]
async fn what_a_program_writes_is_measured() {
    for (settings, data) in [
        (format!("command: {}", sh("echo 42")), json!(42)),
        (format!("command: {}, value: \"a.0\"", sh("echo '{\"a\": [7]}'")), json!(7)),
        (format!("command: {}, value: |o| o.lines().len() + o.text().len()", sh("printf 'a\\nb\\n'")), json!(6)),
        (format!("command: {}, value: |o| o.status", sh("echo no; exit 3")), json!(3)),
        // Arguments are no shell's: nothing is expanded.
        ("command: [\"echo\", \"\\\"$HOME `id` *\\\"\"], value: |o| o.text()".into(), json!("\"$HOME `id` *\"\n")),
        ("command: [\"sh\", \"-c\", \"echo $0\", 5]".into(), json!(5)),
    ] {
        assert_eq!(value(&settings).await, Ok(data), "{settings}");
    }
}

#[tokio::test]
async fn what_goes_wrong_is_told() {
    for (settings, said) in [
        (
            format!("command: {}", sh("echo broken pipe dream >&2; exit 3")),
            "`sh` ended with status 3: broken pipe dream",
        ),
        (format!("command: {}, value: |o| 5", sh("exit 3")), "`sh` ended with status 3"),
        (format!("command: {}", sh("kill -9 $$")), "`sh` ended with status 137"),
        (format!("command: {}", sh("echo many")), "`sh` answered `many`, which is no JSON"),
        ("command: [\"./no/such/program\"]".into(), "cannot run `./no/such/program`: no such file or directory"),
        (format!("command: {}", sh("yes")), "`sh` was killed: it wrote more than 1 MiB"),
        (format!("command: {}, timeout_seconds: 0.2", sh("sleep 60")), "`sh` was killed: it did not end within 0.2 s"),
    ] {
        assert_eq!(value(&settings).await, Err(said.into()), "{settings}");
    }
}

/// Whether a process with `mark` in its command line runs.
fn runs(mark: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.into_iter().any(|entry| {
        std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(mark))
    })
}

#[tokio::test]
async fn everything_it_started_is_killed_with_it() {
    let mark = format!("8{}.5", std::process::id());
    let settings = format!("command: {}, timeout_seconds: 0.3", sh(&format!("sleep {mark} & sleep {mark}")));
    assert!(value(&settings).await.is_err());
    assert!(eventually(Duration::from_secs(5), || !runs(&mark)));
    // One that leaves something behind is not waited for.
    let started = Instant::now();
    assert_eq!(value(&format!("command: {}", sh(&format!("sleep {mark} & echo 1")))).await, Ok(json!(1)));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(eventually(Duration::from_secs(5), || !runs(&mark)));
}

#[tokio::test]
async fn it_sees_few_variables_and_those_it_is_given() {
    let around = Around { variables: vec![("KEY", "key-1234567890".into())], ..with_programs() };
    let stage = "measure::command(#{ command: [\"env\"], value: |o| o.text(), environment: #{ A: \"1\", KEY: env::secret(\"KEY\") } })";
    let text = measured_around(stage, &around).await.data;
    let mut names: Vec<&str> = text.as_str().unwrap().lines().filter_map(|line| line.split('=').next()).collect();
    names.retain(|name| !matches!(*name, "PATH" | "HOME" | "LANG"));
    names.sort_unstable();
    assert_eq!(names, ["A", "KEY"]);
    assert!(text.as_str().unwrap().contains("KEY=key-1234567890\n"));
    let settings = spec_of(&measuring(stage), &around).measure[0].backend.settings();
    assert_eq!(settings["environment"], json!({ "A": "1", "KEY": "***" }));
}

#[tokio::test]
async fn dynos_are_counted_and_scaled_by_programs() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("dynos");
    std::fs::write(&file, "3").unwrap();
    let path = file.display();
    let stage = |current: &str, scale_to: &str| {
        format!("scale::command(#{{ current: {}, scale_to: {} }})", sh(current), sh(scale_to))
    };
    let (read, write) = (format!("cat {path}"), format!("echo {{dynos}} > {path}"));
    let around = with_programs();
    assert_eq!(counted(&stage(&read, &write), &around).await, Ok(3));
    assert_eq!(scaled(&stage(&read, &write), 7, &around).await, Ok(7));
    assert_eq!(counted(&stage(&read, &write), &around).await, Ok(7));
    let error = counted(&stage("echo many", &write), &around).await.unwrap_err();
    assert_eq!(error.message, "`sh` answered `many`, which is no JSON");
    let error = scaled(&stage(&read, "echo quota {dynos} >&2; exit 1"), 7, &around).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ScaleErrorKind::Refused, "`sh` ended with status 1: quota 7"));
    let slow = stage(&read, "sleep 60 {dynos}").replace("current:", "timeout_seconds: 0.2, current:");
    let error = scaled(&slow, 7, &around).await.unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ScaleErrorKind::Unknown, "`sh` was killed: it did not end within 0.2 s")
    );
    let said = report(&scaling(&stage(&read, "true")), &around);
    assert!(said.contains("error: `scale_to` has no `{dynos}`, and could not say how many"), "{said}");
}

#[tokio::test]
async fn a_program_is_told_of_an_event() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("event");
    let around = with_programs();
    told(&format!("notify::command(#{{ command: {} }})", sh(&format!("cat > {}", file.display()))), &around)
        .await
        .unwrap();
    let event: Json = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!((&event["kind"], &event["to"]), (&json!("scaled"), &json!(2)));
    // One that does not listen is no failure.
    told("notify::command(#{ command: [\"true\"] })", &around).await.unwrap();
    let error = told("notify::command(#{ command: [\"false\"] })", &around).await.unwrap_err();
    assert_eq!((error.message.as_str(), error.transient), ("`false` ended with status 1", false));
}

#[test]
fn settings_are_read_with_their_places() {
    for (settings, said) in [
        ("", "error: `measure::command` needs the setting `command`"),
        (
            "command: \"./bin/queue --json\"",
            "not the text \"./bin/queue --json\" (no shell takes it apart: write `[\"./bin/queue\", \"--json\"]`)",
        ),
        (
            "command: []",
            "error: `command` takes an array of texts such as `[\"./bin/queue\", \"--json\"]`, not an array",
        ),
        (
            "command: [\"a\", env::secret(\"K\")]",
            "error: `command` holds a secret, and everybody on the machine sees a program's arguments",
        ),
        ("command: [\"a\", []]", "error: `command` takes texts, not an array"),
        (
            "command: [\"a\"], environment: #{ A: 5 }",
            "error: the variable `A` takes a text or a secret, not the number 5",
        ),
        ("command: [\"a\"], timeout_seconds: 0", "error: `timeout_seconds` is 0, and must be above 0"),
    ] {
        let report = report(&measuring(&format!("measure::command(#{{ {settings} }})")), &with_programs());
        assert!(report.contains(said), "{settings}: {report}");
    }
}

#[test]
fn programs_are_refused_unless_they_are_allowed() {
    for (stage, at, text) in [
        ("measure::command", "1:29", measuring("measure::command(#{ command: [\"true\"] })")),
        ("scale::command", "1:58", scaling("scale::command(#{ current: [\"true\"], scale_to: [\"a\", \"{dynos}\"] })")),
        ("notify::command", "1:104", notifying("notify::command(#{ command: [\"true\"] })")),
    ] {
        let said = report(&text, &Around::default());
        let expected = format!(
            "test.rhai:{at}: error: `{stage}` runs a program, which scripts may not do here (start with `--allow-run`, or set \
             AUTOSCALER_ALLOW_RUN=true)"
        );
        assert_eq!(said, expected);
        assert!(!report(&text, &with_programs()).contains("error"));
    }
    let spec = spec_of(&measuring("measure::command(#{ command: [\"./bin/queue\", \"--json\"] })"), &with_programs());
    assert_eq!(spec.measure[0].backend.reaches(), ["the program `./bin/queue`"]);
}
