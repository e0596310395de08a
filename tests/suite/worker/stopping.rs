//! A worker stops within ten seconds, whatever it is in the middle of, and cuts no scale call in two.

use std::time::Duration;

use autoscaler::heroku::fake::Fault;

use super::{NOWHERE, eager, run, ticking};
use crate::harness::{FakeHeroku, Script, Signal, Worker, wait_for};

const SCALE: &str = "PATCH /apps/{app}/formation/{process}";
const COUNT: &str = "GET /apps/{app}/formation";

/// A worker whose first scale call gets `fault`, at the moment when that call is under way.
fn scaling(heroku: &FakeHeroku, script: &Script, fault: Fault) -> Worker {
    heroku.fake.fail_next(SCALE, fault);
    let worker = run(script);
    wait_for("a scale call", || heroku.fake.count_of(SCALE) > 0);
    worker
}

#[test]
fn both_signals_end_an_idle_worker_at_once() {
    let script = Script::new(&ticking("web", "tick"));
    for signal in [Signal::Terminate, Signal::Interrupt] {
        let mut worker = run(&script);
        worker.line("web: tick");
        let took = worker.stop(signal);
        assert!(took < Duration::from_secs(5), "{took:?}");
        worker.line("stopping");
        worker.line("stopped");
    }
}

#[test]
fn a_scale_call_in_flight_is_awaited_and_told() {
    let heroku = FakeHeroku::start();
    let script = Script::new(&eager(&heroku));
    let mut worker = scaling(&heroku, &script, Fault::Slow(Duration::from_secs(2)));
    let mark = worker.mark();
    worker.stop(Signal::Terminate);
    // Awaited: its outcome is known, in the log and to people.
    worker.line_after(mark, "web: scaled from 1 to 2 dynos: ");
    worker.line_after(mark, "Scaled to (2) dynos.");
    assert_eq!(heroku.web(), 2);
}

#[test]
fn a_scale_call_that_hangs_is_given_up_in_time() {
    let heroku = FakeHeroku::start();
    let script = Script::new(&eager(&heroku));
    let mut worker = scaling(&heroku, &script, Fault::Hang);
    let mark = worker.mark();
    worker.stop(Signal::Interrupt);
    worker.line_after(mark, "Just tried to scale, and it failed.");
    assert_eq!(heroku.web(), 1);
}

#[test]
fn a_platform_that_hangs_does_not_hold_it_up() {
    let heroku = FakeHeroku::start();
    for _ in 0..10 {
        heroku.fake.fail_next(COUNT, Fault::Hang);
    }
    let script = Script::new(&eager(&heroku));
    let mut worker = run(&script);
    wait_for("a read of the count", || heroku.fake.count_of(COUNT) > 0);
    let took = worker.stop(Signal::Terminate);
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn functions_that_loop_do_not_hold_it_up() {
    let text = format!(
        "pipeline(\"a\", #{{ measure: || {{ print(\"measures\"); loop {{}} }}, decide: |m| up(1), {NOWHERE} }});
         pipeline(\"b\", #{{ measure: || 1, decide: |m| {{ print(\"decides\"); loop {{}} }}, {NOWHERE} }});
         pipeline(\"c\", #{{ measure: || 1, decide: |m| up(1), scale: #{{ current: || 1, scale_to: |n| {{ print(\"scales\"); loop {{}} }} }} }});"
    );
    let script = Script::new(&text);
    let mut worker = run(&script);
    worker.line("a: measures");
    worker.stop(Signal::Terminate);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let heroku = FakeHeroku::start();
    let script = Script::new(&eager(&heroku));
    let mut worker = scaling(&heroku, &script, Fault::Hang);
    worker.signal(Signal::Interrupt);
    worker.line("stopping");
    worker.signal(Signal::Interrupt);
    assert_eq!(worker.wait(Duration::from_secs(4)).code(), Some(130));
}

#[test]
fn the_scale_call_of_a_removed_pipeline_is_awaited_too() {
    let heroku = FakeHeroku::start();
    let script = Script::new(&format!("{}{}", eager(&heroku), ticking("other", "tick")));
    let mut worker = scaling(&heroku, &script, Fault::Slow(Duration::from_secs(4)));
    script.save(&ticking("other", "tick"));
    worker.line("removed `web`");
    let mark = worker.mark();
    worker.stop(Signal::Terminate);
    worker.line_after(mark, "web: scaled from 1 to 2 dynos: ");
    assert_eq!(heroku.web(), 2);
}
