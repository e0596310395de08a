//! A saved script that does not pass its gate does not go live: the built worker, and a simulation in a process of
//! its own.

use std::fmt::Write;
use std::path::Path;

use crate::harness::{Autoscaler, Script, Signal, Worker, eventually, wait_for};

/// A worker's script with a gate: more than 1 % late is refused.
fn gated(decide: &str) -> String {
    format!(
        r#"settings(#{{ gate: #{{ trace: "load.csv", max_late_percent: 1.0, max_cost_ratio: 9 }} }});
pipeline("web", #{{
    measure: || 0,
    decide: {decide},
    scale: #{{ current: || 1, scale_to: |n| () }},
    max_dynos: 30,
    simulate: #{{ rate_per_dyno: 10, signal: "utilization" }},
}});
"#
    )
}

const GOOD: &str = "|m| to(20)";
const OTHER: &str = "|m| to(21)";
const BAD: &str = "|m| to(2)";
/// Takes far longer to simulate than a check may.
const SLOW: &str = "|m| { let n = 0; while n < 90_000 { n += 1; } to(20) }";

/// Half a day at 60 requests per second.
fn script(decide: &str) -> Script {
    let script = Script::new(&gated(decide));
    let mut text = "seconds,rate_per_s\n".to_owned();
    for minute in 0..=720 {
        writeln!(text, "{},60", minute * 60).unwrap();
    }
    script.write("load.csv", &text);
    script
}

fn on(script: &Script, command: &str) -> Autoscaler {
    let state = script.root().join("state");
    Autoscaler::on(command, &script.path()).folder(script.root()).env("AUTOSCALER_STATE", state.to_str().unwrap())
}

fn started(script: &Script) -> Worker {
    let worker = on(script, "run").spawn();
    worker.line("runs web");
    worker
}

/// What `status` says.
fn status(script: &Script) -> String {
    let state = script.root().join("state");
    let status = Autoscaler::new(["status"]).folder(script.root()).env("AUTOSCALER_STATE", state.to_str().unwrap());
    status.run().stdout
}

/// The processes that `worker` has started and that still run.
fn children(worker: &Worker) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        // After the name in brackets: the state, then the parent.
        let mut fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        let (state, parent) = (fields.next(), fields.next());
        if parent == Some(&*worker.id().to_string()) && state != Some("Z") {
            found.push(id);
        }
    }
    found
}

#[test]
fn decisions_that_go_wrong_do_not_pass_for_a_policy_that_keeps_enough_dynos() {
    let script = script(GOOD);
    let mut worker = started(&script);
    let mark = worker.mark();
    let wrong = gated(r#"|m| if m.now.year > 2000 { throw "boom" } else { to(20) }"#);
    script.save(&wrong.replace("max_late_percent: 1.0", "max_late_percent: 5.0"));
    let refused = worker.line_after(mark, "decisions went wrong: ");
    assert!(refused.text.contains("boom") && !refused.text.contains("are late"), "{}", refused.text);
    worker.line("the old one runs on");
    assert_eq!(worker.count(0, "reloaded:"), 0, "{}", worker.text());
    worker.stop(Signal::Terminate);
}

#[test]
fn a_script_that_does_as_badly_as_its_gate_forbids_is_refused_and_a_better_one_goes_live() {
    let script = script(GOOD);
    let mut worker = started(&script);
    script.save(&gated(BAD));
    let refused = worker.line("`web` does not pass its gate under load.csv: ");
    assert!(refused.text.contains("script.rhai:1:22: "), "{}", refused.text);
    assert!(refused.text.contains("% of the requests are late, and at most 1 % may be"), "{}", refused.text);
    assert!(!refused.text.contains("it costs"), "{}", refused.text);
    worker.line("the old one runs on");
    assert_eq!(worker.count(0, "reloaded:"), 0, "{}", worker.text());
    let said = status(&script);
    assert!(said.contains("generation 1,") && said.contains("does not pass its gate"), "{said}");
    script.save(&gated(OTHER));
    worker.line("reloaded:");
    let said = status(&script);
    assert!(said.contains("generation 2,") && !said.contains("refused"), "{said}");
    script.save(&gated(GOOD).replace("max_cost_ratio: 9", "max_cost_ratio: 1.5"));
    let refused = worker.line("times what was needed, and may cost 1.5 times");
    assert!(!refused.text.contains("are late"), "{}", refused.text);
    worker.stop(Signal::Terminate);
}

#[test]
fn while_it_is_checked_the_old_one_runs_and_a_newer_save_ends_the_check() {
    let script = script(GOOD);
    let mut worker = started(&script);
    script.save(&gated(SLOW));
    worker.line("checking the saved script against load.csv, for 30 s at most");
    wait_for("the simulation", || !children(&worker).is_empty());
    let checking = children(&worker);
    let said = status(&script);
    assert!(said.contains("checking what is on disk against its gate") && said.contains("generation 1,"), "{said}");
    // Orders are obeyed meanwhile.
    assert_eq!(worker.count(0, "reloaded:"), 0);
    let mark = worker.mark();
    script.save(&gated(OTHER));
    worker.line_after(mark, "the check is off: there is a newer save");
    worker.line_after(mark, "reloaded:");
    let gone = || checking.iter().all(|id| !Path::new(&format!("/proc/{id}")).exists());
    wait_for("the end of the simulation", gone);
    assert!(!status(&script).contains("checking"));
    // The text that runs, saved again, ends a check as well.
    script.save(&gated(SLOW));
    worker.line_after(mark, "checking the saved script");
    wait_for("the simulation", || !children(&worker).is_empty());
    script.save(&gated(OTHER));
    wait_for("the end of the simulation", || children(&worker).is_empty());
    // And so does the end of the worker.
    script.save(&gated(SLOW));
    wait_for("the simulation", || !children(&worker).is_empty());
    let last = children(&worker);
    worker.stop(Signal::Terminate);
    let gone = || last.iter().all(|id| !Path::new(&format!("/proc/{id}")).exists());
    assert!(eventually(crate::harness::SOON, gone), "{last:?}");
}

#[test]
fn a_check_that_takes_too_long_is_stopped_and_the_old_one_runs_on() {
    let script = script(GOOD);
    let mut worker = started(&script);
    let brief = |decide: &str| gated(decide).replace("max_cost_ratio: 9", "max_seconds: 0.5");
    let mark = worker.mark();
    script.save(&brief(SLOW));
    worker.line_after(mark, "checking the saved script against load.csv, for 0.5 s at most");
    let line = worker.line_after(mark, "could not be checked against its gate").text;
    assert!(line.contains("its simulation") && line.contains("0.5 s"), "{line}");
    wait_for("the end of the simulation", || children(&worker).is_empty());
    let said = status(&script);
    assert!(said.contains("generation 1,") && !said.contains("checking what"), "{said}");
    assert_eq!(worker.count(0, "reloaded:"), 0);
    script.save(&gated(OTHER));
    worker.line_after(mark, "reloaded:");
    worker.stop(Signal::Terminate);
    script.save(&gated(GOOD).replace("max_cost_ratio: 9", "max_seconds: 31"));
    let said = on(&script, "check").run().expect(1).stderr;
    assert!(said.contains("`max_seconds` must not be more than 30"), "{said}");
}

#[test]
fn a_trace_that_is_not_there_is_an_error_of_check_and_of_a_reload() {
    let script = script(GOOD);
    on(&script, "check").run().expect(0);
    let mut worker = started(&script);
    script.save(&gated(OTHER).replace("load.csv", "lost.csv"));
    worker.line("the trace of `gate` cannot be read: ");
    worker.line("the old one runs on");
    let said = on(&script, "check").run().expect(1).stderr;
    assert!(said.contains("lost.csv") && said.contains("[gate]"), "{said}");
    worker.stop(Signal::Terminate);
}
