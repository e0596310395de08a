//! On Heroku: one dyno acts, no worker scales itself, and the log fits Heroku's.

use super::{KEY, eager, ticking};
use crate::harness::{Autoscaler, FakeHeroku, Script, Signal};

#[test]
fn the_second_dyno_stands_by() {
    let heroku = FakeHeroku::start();
    let script = Script::new(&eager(&heroku));
    let worker = || Autoscaler::on("run", &script.path()).env(KEY.0, KEY.1);
    let mut second = worker().env("DYNO", "autoscaler.2").spawn();
    let line = second.line("stands by");
    assert_eq!(
        line.text,
        "level=warn msg=\"`autoscaler.1` acts, this dyno `autoscaler.2` stands by: scale `autoscaler` to 1\""
    );
    let mut first = worker().env("DYNO", "autoscaler.1").spawn();
    first.line("Scaled to (2) dynos.");
    first.stop(Signal::Terminate);
    // It asked the platform nothing, and ends like the other.
    let asked = heroku.fake.requests().len();
    second.stop(Signal::Terminate);
    assert_eq!(heroku.fake.requests().len(), asked);
    assert_eq!(second.count(0, "Scaled"), 0);
}

#[test]
fn a_one_off_dyno_stands_by_and_says_how_to_look() {
    let heroku = FakeHeroku::start();
    let script = Script::new(&eager(&heroku));
    let mut one_off = Autoscaler::on("run", &script.path()).env(KEY.0, KEY.1).env("DYNO", "run.4323").spawn();
    one_off.line("the one-off dyno `run.4323` stands by");
    one_off.stop(Signal::Terminate);
    assert_eq!(heroku.fake.requests(), []);
    let once = Autoscaler::on("once", &script.path()).env(KEY.0, KEY.1).env("DYNO", "run.4323").run().expect(0);
    assert!(once.stdout.starts_with("web dry_run"), "{}", once.stdout);
}

#[test]
fn a_worker_does_not_scale_its_own_process_type() {
    let heroku = FakeHeroku::start();
    let script = Script::new(&eager(&heroku));
    let worker = |dyno: &str| Autoscaler::on("run", &script.path()).env(KEY.0, KEY.1).env("DYNO", dyno);
    let said = worker("web.1").run().expect(1);
    assert!(said.stderr.contains("`web` would scale `web`, the process type this worker runs in"), "{}", said.stderr);
    assert!(said.stderr.contains("run the worker as a process type of its own"), "{}", said.stderr);
    assert_eq!(heroku.fake.requests(), []);
    // Where it is known to run in another app, it may.
    let mut other = worker("web.1").env("HEROKU_APP_NAME", "the-autoscaler").spawn();
    other.line("Scaled to (2) dynos.");
    other.stop(Signal::Terminate);
}

#[test]
fn the_log_is_logfmt_without_time_or_colour_and_no_line_is_longer_than_8_kb() {
    let long = format!("print(\"short\"); print(\"{}\")", "é".repeat(4500));
    let text = ticking("web", "short").replace("print(\"short\")", &long);
    let script = Script::new(&text);
    let mut worker = Autoscaler::on("run", &script.path()).env("DYNO", "autoscaler.1").spawn();
    let first = worker.line("runs web");
    assert!(first.text.starts_with("level=info msg=\"autoscaler "), "{}", first.text);
    worker.line("level=info pipeline=web msg=short");
    let long = worker.line("éééé");
    assert!(long.text.len() > 4000);
    // A refused script is told in lines of the log as well.
    script.save("let a = ;");
    worker.line("level=error msg=\"script.rhai was saved with an error; the old one runs on\" script=script.rhai");
    worker.stop(Signal::Terminate);
    for line in worker.lines() {
        assert!(line.text.len() <= 8000, "{} bytes", line.text.len());
        assert!(!line.text.contains('\u{1b}') && !line.text.starts_with("time="), "{}", line.text);
    }
}

#[test]
fn a_refused_start_is_told_in_lines_of_the_log() {
    let script = Script::new("let a = ;");
    let said = Autoscaler::on("run", &script.path()).env("DYNO", "autoscaler.1").run().expect(1);
    let place = format!("{}:1:9", script.path().display());
    assert_eq!(said.stderr, format!("level=error msg=\"{place}: unexpected `;`\"\n"));
}

#[test]
fn the_three_forms_of_the_log() {
    let script = Script::new(&ticking("web", "hello there"));
    for (form, expected) in [
        ("pretty", "INFO  web: hello there"),
        ("logfmt", "level=info pipeline=web msg=\"hello there\""),
        ("json", "\"level\":\"info\",\"msg\":\"hello there\",\"pipeline\":\"web\""),
    ] {
        let mut worker = Autoscaler::on("run", &script.path()).arg("--log-format").arg(form).spawn();
        let line = worker.line(expected);
        if form == "json" {
            let json: serde_json::Value = serde_json::from_str(&line.text).unwrap();
            assert!(json["time"].as_str().unwrap().ends_with('Z'), "{json}");
        }
        worker.stop(Signal::Terminate);
    }
}

#[test]
fn what_concerns_the_whole_worker_names_no_pipeline() {
    let script = Script::new(&ticking("web", "one").replace("notify::console()", "notify::logger()"));
    let mut worker = Autoscaler::on("run", &script.path()).arg("--log-format").arg("logfmt").spawn();
    worker.line("msg=one");
    script.save(&ticking("web", "two").replace("notify::console()", "notify::logger()"));
    let line = worker.line("Reloaded script.rhai");
    assert!(!line.text.contains("pipeline="), "{}", line.text);
    worker.stop(Signal::Terminate);
}
