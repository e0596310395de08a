//! What an operator types in an incident, each a process of its own: at a running worker, without one, and where
//! nothing can be reached.

use std::path::Path;

use super::{KEY, eager, ticking};
use crate::harness::{Autoscaler, FakeHeroku, Script, Signal, Worker, lines_fit, sessions, timeless, wait_for};

/// `autoscaler WORDS… --state FOLDER`, by ann.
fn at(folder: &Path, words: &[&str]) -> Autoscaler {
    Autoscaler::new(words.iter().copied()).env("USER", "ann").arg("--state").arg(&folder.display().to_string())
}

/// A worker on `script` whose state is in `folder`.
fn run_in(folder: &Path, script: &Script) -> Worker {
    let run = Autoscaler::on("run", &script.path()).env(KEY.0, KEY.1);
    run.arg("--state").arg(&folder.display().to_string()).spawn()
}

#[test]
fn levers_are_pulled_at_a_running_worker_and_are_in_force_after_a_restart() {
    let (heroku, folder) = (FakeHeroku::start(), tempfile::tempdir().unwrap());
    let script = Script::new(&eager(&heroku).replace("max_dynos: 2", "max_dynos: 9"));
    let mut worker = run_in(folder.path(), &script);
    wait_for("scales", || heroku.web() >= 2);
    let said = at(folder.path(), &["set", "web", "3", "--for", "1h", "--reason", "launch"]).run().expect(0);
    assert!(said.stdout.starts_with("web: set to 3 dynos by ann@"), "{}", said.stdout);
    assert!(said.stdout.ends_with(": launch\nin force from the next tick, within 0.05 s\n"), "{}", said.stdout);
    wait_for("the count that was set", || heroku.web() == 3);
    let line = worker.line("web: set to 3 dynos by ann@");
    assert!(line.text.contains("INFO"), "{}", line.text);
    worker.line("web: Set to 3 dynos by ann@");
    // A count changed by hand is told with how to keep it, and does not stay.
    heroku.fake.set_dynos("shop", "web", 6);
    worker.line("The dynos were changed by hand from 3 to 6. But it was set to 3 dynos by ann@");
    wait_for("the count that was set, again", || heroku.web() == 3);
    at(folder.path(), &["pause", "--all"]).run().expect(0);
    worker.signal(Signal::Kill);
    worker.wait(std::time::Duration::from_secs(10));
    heroku.fake.set_dynos("shop", "web", 7);
    let worker = run_in(folder.path(), &script);
    worker.line("WARN  all pipelines: paused by ann@");
    worker.line("WARN  web: set to 3 dynos by ann@");
    let said = at(folder.path(), &["resume", "web"]).run().expect(0);
    assert!(said.stdout.contains("web: resumed by ann@"), "{}", said.stdout);
    // All are paused still.
    let status = at(folder.path(), &["status", "--json"]).run().expect(0).json();
    assert_eq!(
        (&status["pipelines"][0]["mode"], &status["pipelines"][0]["levers"][0]["lever"]),
        (&"paused".into(), &"paused".into())
    );
    assert_eq!(heroku.web(), 7);
    heroku.fake.set_dynos("shop", "web", 6);
    worker.line("The dynos were changed by hand from 7 to 6. It stays while the pipeline is paused.");
    at(folder.path(), &["resume", "--all"]).run().expect(0);
    wait_for("scaling goes on", || heroku.web() > 6);
}

#[test]
fn levers_reach_the_next_worker_where_none_runs_and_fail_where_there_is_no_state() {
    let (heroku, folder) = (FakeHeroku::start(), tempfile::tempdir().unwrap());
    let script = Script::new(&eager(&heroku));
    let nothing = folder.path().join("nothing");
    let said = at(&nothing, &["pause", "web"]).run().expect(1);
    assert!(
        said.stderr.contains("there is no state") && said.stderr.contains("has a worker run here?"),
        "{}",
        said.stderr
    );
    let said = at(folder.path(), &["pause", "web", "--reason", "not yet"]).run().expect(0);
    assert!(
        said.stdout.ends_with(": not yet\nno worker runs: in force when one starts with this state\n"),
        "{}",
        said.stdout
    );
    let worker = run_in(folder.path(), &script);
    worker.line("WARN  web: paused by ann@");
    wait_for("ticks", || at(folder.path(), &["status", "--json"]).run().json()["pipelines"][0]["last"].is_object());
    assert_eq!(heroku.web(), 1);
    let said = at(folder.path(), &["pause", "webb"]).run().expect(1);
    assert!(said.stderr.contains("the worker runs no pipeline `webb`; did you mean `web`?"), "{}", said.stderr);
}

#[test]
fn a_worker_that_keeps_its_state_in_memory_is_out_of_reach() {
    let script = Script::new(&ticking("web", "tick"));
    let mut worker = Autoscaler::on("run", &script.path()).arg("--state").arg("memory").spawn();
    worker.line("web: tick");
    let said = Autoscaler::new(["pause", "web", "--state", "memory"]).run().expect(1);
    assert!(said.stderr.contains("start the worker with a folder"), "{}", said.stderr);
    worker.stop(Signal::Terminate);
}

#[test]
fn wrong_usage_says_what_is_right() {
    for (words, needle) in [
        (&["pause"][..], "<NAME|--all>"),
        (&["pause", "web", "--all"], "cannot be used with"),
        (&["set", "web"], "<DYNOS>"),
        (&["set", "web", "-3"], "'-3'"),
        (&["scale-in", "maybe", "web"], "possible values: off, on"),
        (&["scale-in", "on", "web", "--for", "1h"], "`--for` belongs to `off`"),
        (&["try"], "<SCRIPT|--confirm|--revert>"),
    ] {
        let said = Autoscaler::new(words.iter().copied()).run().expect(2);
        assert!(said.stderr.contains(needle), "{words:?}: {}", said.stderr);
    }
}

#[test]
fn status_shows_what_runs_what_was_refused_and_what_is_known_without_a_worker() {
    let (heroku, folder) = (FakeHeroku::start(), tempfile::tempdir().unwrap());
    let script = Script::new(&eager(&heroku));
    let mut worker = run_in(folder.path(), &script);
    wait_for("a scale", || heroku.web() == 2);
    worker.line("scaled from 1 to 2 dynos");
    at(folder.path(), &["scale-in", "off", "web", "--for", "2h"]).run().expect(0);
    script.save("let a = ;");
    worker.line("was saved with an error");
    let said = at(folder.path(), &["status"]).run().expect(0).stdout;
    for needle in [
        "worker  running for ",
        "script.rhai, generation 1, in force for ",
        "        not what is on disk, which was refused at ",
        "script.rhai:1:9: unexpected `;`",
        &format!("state   {}", folder.path().display()),
        "PIPELINE  MODE  DYNOS  BOUNDS  VALUE  THRESHOLDS  COOLDOWN\nweb       live  2      1..2    1      -           -\n",
        "web scales shop (web)\n  lever   scale-in switched off by ann@",
        "  last    ",
        " hold: eager; 3 dynos wanted, and the maximum is 2\n  change  ",
        " up from 1 to 2: eager\n",
    ] {
        assert!(said.contains(needle), "{needle}\nin\n{said}");
    }
    assert!(!said.contains('\u{1b}'), "colours for no terminal: {said:?}");
    let json = at(folder.path(), &["status", "--json"]).run().expect(0).json();
    assert_eq!(json["units"][0]["refused"]["errors"], 1, "{json}");
    assert_eq!(json["pipelines"][0]["last_change"]["outcome"], "scaled", "{json}");
    let said = at(folder.path(), &["status", "webb"]).run().expect(1);
    assert!(said.stderr.contains("there is no pipeline `webb`; did you mean `web`?"), "{}", said.stderr);
    worker.stop(Signal::Terminate);
    let said = at(folder.path(), &["status"]).run().expect(1).stdout;
    assert!(said.starts_with("worker  no worker runs; this is what its state knows\n"), "{said}");
    assert!(said.contains("web       live  2") && said.contains("scale-in switched off by ann@"), "{said}");
}

#[test]
fn a_rollback_and_a_trial_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let script = Script::new(&ticking("web", "one"));
    let mut worker = run_in(folder.path(), &script);
    worker.line("web: one");
    let said = at(folder.path(), &["rollback"]).run().expect(1);
    assert!(said.stderr.contains("there is no generation before 1 of script.rhai"), "{}", said.stderr);
    script.save(&ticking("web", "two"));
    worker.line("web: two");
    let said = at(folder.path(), &["rollback"]).run().expect(0);
    assert_eq!(
        said.stdout,
        "script.rhai: generation 1 is in force again, in place of 2\nit stays until the file is saved\n"
    );
    worker.line_after(worker.mark(), "web: one");
    script.write("new.rhai", &ticking("web", "three"));
    let new = script.root().join("new.rhai").display().to_string();
    let said = at(folder.path(), &["try", &new, "--for", "2h"]).run().expect(0);
    assert!(said.stdout.contains("new.rhai runs in place of script.rhai until "), "{}", said.stdout);
    worker.line("web: three");
    let mark = worker.mark();
    at(folder.path(), &["try", "--confirm"]).run().expect(0);
    worker.line_after(mark, "keeps ");
    assert_eq!(std::fs::read_to_string(script.path()).unwrap(), ticking("web", "three"));
    // A short one ends by itself.
    script.write("new.rhai", &ticking("web", "four"));
    at(folder.path(), &["try", &new, "--for", "1s"]).run().expect(0);
    worker.line("web: four");
    worker.line("is over, nobody confirmed it in time");
    worker.line_after(worker.mark(), "web: three");
    let said = at(folder.path(), &["try", "--confirm"]).run().expect(1);
    assert!(said.stderr.contains("nothing is being tried in place of script.rhai"), "{}", said.stderr);
    worker.stop(Signal::Terminate);
    // The versions before are kept over a restart.
    let mut worker = run_in(folder.path(), &script);
    worker.line("web: three");
    at(folder.path(), &["rollback"]).run().expect(0);
    worker.line("web: two");
    worker.stop(Signal::Terminate);
    // And so is a rollback, until the file is another one.
    let mut worker = run_in(folder.path(), &script);
    worker.line("runs, not what is on disk: rolled back by ann@");
    worker.line("web: two");
    let said = at(folder.path(), &["status"]).run().expect(0).stdout;
    assert!(said.contains("not what is on disk: rolled back by ann@"), "{said}");
    script.save(&ticking("web", "five"));
    worker.line("web: five");
    worker.stop(Signal::Terminate);
    let mut worker = run_in(folder.path(), &script);
    worker.line("web: five");
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "not what is on disk"), 0, "{}", worker.text());
    let said = at(folder.path(), &["rollback"]).run().expect(1);
    assert!(said.stderr.contains("no worker runs whose state is in"), "{}", said.stderr);
}

#[test]
fn a_restart_skips_no_number_and_a_reload_is_in_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let script = Script::new(&ticking("web", "one"));
    let mut worker = run_in(folder.path(), &script);
    worker.line("web: one");
    worker.stop(Signal::Terminate);
    let mut worker = run_in(folder.path(), &script);
    worker.line("web: one");
    script.save(&ticking("web", "two").replace("decide:", "max_dynos: 7, decide:"));
    worker.line("web: two");
    let said = at(folder.path(), &["status"]).run().expect(0).stdout;
    assert!(said.contains("script.rhai, generation 2, in force for"), "{said}");
    worker.stop(Signal::Terminate);
    let told = "generation 2 in place of 1: `max_dynos` 3 → 7, the function of `measure` was edited";
    let history = at(folder.path(), &["history", "web"]).run().expect(0).stdout;
    assert!(history.contains(&format!("↻ {told}\n")), "{history}");
    let export = at(folder.path(), &["records", "export"]).run().expect(0).json();
    let reloaded = export.as_array().unwrap().iter().filter_map(|record| record["reloaded"].as_str());
    assert_eq!(reloaded.collect::<Vec<_>>(), [told]);
}

#[test]
fn status_tells_whose_clock_it_goes_by_and_of_an_error_until_when() {
    let folder = tempfile::tempdir().unwrap();
    let script = Script::new(
        "pipeline(\"web\", #{
            measure: measure::custom(#{ measurement_interval_in_seconds: 0.05 }, || {
                this.n = (this.n ?? 0) + 1;
                if this.n == 3 { return measure::failed(\"lost\") }
                if this.n > 4 { print(\"well\") }
                1
            }),
            decide: |m| hold(\"nothing to do\"), time_zone: \"Asia/Tokyo\",
            scale: #{ current: || 1, scale_to: |n| () },
        });",
    );
    let mut worker = run_in(folder.path(), &script);
    worker.line("web: well");
    let said = at(folder.path(), &["status"]).env("TZ", "America/Vancouver").run().expect(0).stdout;
    assert!(said.lines().any(|line| line.starts_with("times   20") && line.ends_with(" (Asia/Tokyo)")), "{said}");
    let was = said.lines().find(|line| line.starts_with("  was     ")).unwrap_or_else(|| panic!("{said}"));
    assert!(was.contains(" an error, over since ") && was.contains("lost"), "{was}");
    assert!(!said.contains("  error   "), "{said}");
    worker.stop(Signal::Terminate);
}

#[test]
fn the_night_of_the_readme() {
    const README: &str = include_str!("../../../README.md");
    let (heroku, folder) = (FakeHeroku::start(), tempfile::tempdir().unwrap());
    heroku.fake.set_dynos("shop", "web", 5);
    heroku.fake.add_app("queue", &[("celery", 1)]);
    let text = format!(
        "pipeline(\"web\", #{{
            measure: measure::custom(#{{ measurement_interval_in_seconds: 0.2 }}, || 1340), max_dynos: 5,
            decide: decide::consecutive_threshold(#{{ min_measurement_value: 500, max_measurement_value: 1000 }}),
            post_scale_wait_time_seconds: 60, min_dynos: 1, scale: {},
        }});
        pipeline(\"celery\", #{{
            measure: measure::custom(#{{ measurement_interval_in_seconds: 0.2 }}, || 12), min_dynos: 1, max_dynos: 8,
            decide: decide::average_threshold(#{{ min_measurement_value: 1, max_measurement_value: 50 }}), scale: {},
        }});",
        heroku.scale(),
        heroku.scale().replace("shop", "queue"),
    );
    let script = Script::named("autoscale.rhai", &text);
    let worker = run_in(folder.path(), &script);
    let both = |status: &serde_json::Value| {
        let all = status["pipelines"].as_array().unwrap();
        all.len() == 2 && all.iter().all(|one| one["last"].is_object())
    };
    worker.line("autoscaler ");
    wait_for("a tick of both", || both(&at(folder.path(), &["status", "--json"]).run().json()));
    // From elsewhere, so that what was set has something to do: it waits from then on.
    let block = README.split("```text\n").find(|block| block.starts_with("$ autoscaler pause")).unwrap();
    for (command, shown) in sessions(block.split("```").next().unwrap()) {
        let quoted: Vec<&str> = command.split('"').collect();
        let words = quoted.iter().enumerate().flat_map(|(index, part)| {
            let one = (index % 2 == 1).then_some(*part);
            one.into_iter().chain(part.split_whitespace().filter(move |_| index % 2 == 0))
        });
        let words: Vec<&str> = words.skip(1).collect();
        match words[0] {
            "status" => {
                heroku.fake.set_dynos("shop", "web", 3);
                wait_for("the count that was set", || heroku.web() == 5);
                let scaled = || at(folder.path(), &["status", "web"]).run().stdout.contains("up from 3 to 5");
                wait_for("the tick that scaled", scaled);
            }
            "rollback" => {
                let mark = worker.mark();
                script.save(&text.replace("max_dynos: 5", "max_dynos: 6"));
                worker.line_after(mark, "`max_dynos` 5 → 6");
            }
            _ => {}
        }
        let said = timeless(&at(folder.path(), &words).run().expect(0).stdout);
        let shown: Vec<String> = shown.into_iter().map(timeless).collect();
        let (shown, said_lines): (Vec<&str>, Vec<&str>) =
            (shown.iter().map(String::as_str).collect(), said.lines().collect());
        assert!(lines_fit(&shown, &said_lines), "{command} says\n{said}\nand the README\n{}", shown.join("\n"));
    }
}
