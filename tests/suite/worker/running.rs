//! A worker scales a real app on the fake platform, and says what it does.

use std::time::Duration;

use super::{KEY, NOWHERE, eager, run, ticking, web};
use crate::harness::{AppServer, Autoscaler, FakeHeroku, Manner, Script, Signal, wait_for};

#[test]
fn slow_responses_scale_up_and_fast_ones_down() {
    let (app, heroku) = (AppServer::start(), FakeHeroku::start());
    let script = Script::new(&web(&app, &heroku, 3));
    app.set(Manner::slow(Duration::from_millis(700)));
    let mut worker = run(&script);
    worker.line("Scaled to (2) dynos.");
    worker.line("Scaled to (3) dynos.");
    // At the maximum it is still too slow: told, and not scaled.
    worker.line("We are at the max (3) dynos, but the response is still too slow.");
    assert_eq!(heroku.web(), 3);
    let mark = worker.mark();
    app.set(Manner::ok("fast"));
    worker.line_after(mark, "Scaled to (2) dynos.");
    worker.line_after(mark, "Scaled to (1) dynos.");
    assert_eq!(heroku.web(), 1);
    // The log names version, pipeline, and every scale with its reason.
    worker.line(&format!("INFO  autoscaler {} runs web", env!("CARGO_PKG_VERSION")));
    let up = worker.line("web: scaled from 1 to 2 dynos: ");
    assert!(up.text.contains("ms"), "{}", up.text);
    worker.line("web: scaled from 3 to 2 dynos: ");
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "ERROR"), 0, "{}", worker.text());
}

#[test]
fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let heroku = FakeHeroku::start();
    let script = Script::new(&eager(&heroku));
    let mut worker =
        Autoscaler::on("run", &script.path()).arg("--dry-run").arg("--log").arg("debug").env(KEY.0, KEY.1).spawn();
    worker.line("dry run: nothing is scaled");
    worker.line("Would scale to (2) dynos.");
    // No cooldown: the next tick wants the same, which is told once.
    wait_for("five ticks that would scale", || worker.count(0, "up: eager") >= 5);
    assert_eq!(worker.count(0, "would scale from 1 to 2 dynos"), 1, "{}", worker.text());
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "Would scale to (2) dynos."), 1, "{}", worker.text());
    assert_eq!(heroku.web(), 1);
    assert_eq!(heroku.fake.count_of("PATCH /apps/{app}/formation/{process}"), 0);
}

#[test]
fn a_pipeline_that_fails_does_not_disturb_another() {
    for bad in [
        // Loops until it is stopped, again and again.
        "measure: measure::custom(#{ measurement_interval_in_seconds: 0.05 }, || { print(\"bad\"); loop {} }), decide: |m| up(1)",
        "measure: measure::custom(#{ measurement_interval_in_seconds: 0.05 }, || { print(\"bad\"); throw \"no\" }), decide: |m| up(1)",
        "measure: measure::custom(#{ measurement_interval_in_seconds: 0.05 }, || { print(\"bad\"); 1 }), decide: |m| { let a = []; a[7] }",
        "measure: measure::custom(#{ measurement_interval_in_seconds: 0.05 }, || { print(\"bad\"); 1 }), decide: |m| loop {}",
    ] {
        let text = format!("{}pipeline(\"bad\", #{{ {bad}, {NOWHERE} }});", ticking("good", "good tick"));
        let script = Script::new(&text);
        let mut worker = run(&script);
        worker.line("bad: bad");
        let mark = worker.mark();
        wait_for("ticks of the other", || worker.count(mark, "good tick") >= 10);
        wait_for("what is wrong in the log", || worker.count(0, "WARN  bad: ") >= 1);
        worker.stop(Signal::Terminate);
        assert_eq!(worker.count(0, "scaled to"), 0, "{}", worker.text());
    }
}

#[test]
fn a_lasting_fault_is_one_line_in_the_log() {
    let script = Script::new(&format!(
        "pipeline(\"bad\", #{{ measure: measure::custom(#{{ measurement_interval_in_seconds: 0.05 }}, || {{ print(\"tick\"); throw \"broken pump\" }}), decide: |m| up(1), {NOWHERE} }});"
    ));
    let mut worker = run(&script);
    wait_for("ten ticks", || worker.count(0, "bad: tick") >= 10);
    worker.stop(Signal::Interrupt);
    assert_eq!(worker.count(0, "broken pump"), 1, "{}", worker.text());
}

#[test]
fn only_some_pipelines() {
    let script =
        Script::new(&format!("{}{}{}", ticking("web", "w"), ticking("celery-1", "c1"), ticking("celery-2", "c2")));
    let mut worker = Autoscaler::on("run", &script.path()).arg("--only").arg("celery*,nobody").spawn();
    worker.line("celery-1: c1");
    worker.line("celery-2: c2");
    worker.line("`--only nobody` matches no pipeline; the script has celery-1, celery-2, web");
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "web: w"), 0, "{}", worker.text());
    let said = Autoscaler::on("run", &script.path()).arg("--only").arg("nobody").run().expect(1);
    assert_eq!(said.stderr, "error: `--only nobody` matches no pipeline; the script has web, celery-1, celery-2\n");
}

#[test]
fn after_a_stall_there_is_no_burst() {
    let script = Script::new(&ticking("web", "tick").replace("0.05", "0.5"));
    let mut worker = run(&script);
    worker.line("web: tick");
    worker.signal(Signal::Stop);
    // Five intervals pass; a worker that made up for them would print five at once.
    let over = std::time::Instant::now() + Duration::from_millis(2600);
    wait_for("a stall", || std::time::Instant::now() >= over);
    let mark = worker.mark();
    worker.signal(Signal::Continue);
    wait_for("three ticks", || worker.count(mark, "web: tick") >= 3);
    let ticks: Vec<_> = worker.lines().into_iter().skip(mark).filter(|line| line.text.contains("web: tick")).collect();
    for pair in ticks.windows(2) {
        let apart = pair[1].at - pair[0].at;
        assert!(apart > Duration::from_millis(250), "two ticks {apart:?} apart");
    }
    worker.stop(Signal::Terminate);
}

#[test]
fn a_dry_run_logs_what_it_would_do_once() {
    let script = Script::new(
        "pipeline(\"web\", #{
            measure: measure::custom(#{ measurement_interval_in_seconds: 0.05 }, || { print(\"tick\"); 1 }),
            decide: |m| up(1).because(\"eager\"),
            scale: #{ current: || 1, scale_to: |n| () },
        });",
    );
    let mut worker = Autoscaler::on("run", &script.path()).arg("--dry-run").spawn();
    worker.line("runs web (every 0.05 s) from ");
    worker.line("INFO  web: would scale from 1 to 2 dynos: eager");
    for _ in 0..3 {
        worker.line_after(worker.mark(), "web: tick");
    }
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "would scale from"), 1, "{}", worker.text());
    assert_eq!(worker.count(0, "stopping on SIGTERM"), 1, "{}", worker.text());
}

/// A pipeline that was switched off, and tells `notify`.
fn switched_off(notify: &str) -> Script {
    Script::new(&format!(
        "pipeline(\"web\", #{{
            measure: measure::custom(#{{ measurement_interval_in_seconds: 0.05 }}, || {{ print(\"tick\"); 1 }}),
            decide: |m| hold(\"fine\"),
            scale: #{{ current: || 0, scale_to: |n| () }},
            {notify}
        }});"
    ))
}

#[test]
fn what_lasts_is_logged_once_whoever_is_told() {
    for notify in ["", "notify: notify::logger(),"] {
        let script = switched_off(notify);
        let mut worker = Autoscaler::on("run", &script.path()).spawn();
        worker.line("WARN  web: There are 0 dynos, so nothing is scaled until there is one again. ");
        for _ in 0..3 {
            worker.line_after(worker.mark(), "web: tick");
        }
        worker.stop(Signal::Terminate);
        assert_eq!(worker.count(0, "There are 0 dynos"), 1, "{}", worker.text());
    }
}

#[test]
fn a_loop_that_prints_fills_no_disk() {
    let script = Script::new(
        "pipeline(\"web\", #{
            measure: measure::custom(#{ measurement_interval_in_seconds: 60 }, || {
                for n in 0..1000 { print(`line ${n}`); }
                1
            }),
            decide: |m| hold(\"fine\"),
            scale: #{ current: || 1, scale_to: |n| () },
        });",
    );
    let mut worker = Autoscaler::on("run", &script.path()).spawn();
    worker.line("WARN  web: 900 more lines of this call were left out");
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "web: line "), 100);
}
