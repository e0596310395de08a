//! A folder of scripts: each file is a unit of its own, and an error in one concerns that one alone.

use super::{eager, run, ticking};
use crate::harness::{FakeHeroku, Script, Signal, wait_for};

#[test]
fn an_error_in_one_unit_keeps_the_old_version_of_that_one_alone() {
    let script = Script::folder(&[("a.rhai", &ticking("web", "a1")), ("b.rhai", &ticking("web", "b1"))]);
    let mut worker = run(&script);
    worker.line("runs a/web (every 0.05 s), b/web (every 0.05 s)");
    worker.line("a/web: a1");
    worker.line("b/web: b1");
    script.write("units/a.rhai", "let a = ;");
    script.write("units/b.rhai", &ticking("web", "b2"));
    worker.line("a.rhai was saved with an error, the old one runs on. ");
    worker.line("b/web: b2");
    worker.line_after(worker.mark(), "a/web: a1");
    script.write("units/a.rhai", &ticking("web", "a2"));
    worker.line("a.rhai loads again.");
    worker.line("a/web: a2");
    worker.stop(Signal::Terminate);
}

#[test]
fn units_come_and_go() {
    let script = Script::folder(&[("a.rhai", &ticking("web", "a1"))]);
    let mut worker = run(&script);
    worker.line("a/web: a1");
    script.write("units/b.rhai", &ticking("jobs", "b1"));
    worker.line("b/jobs: b1");
    script.write("units/c.rhai", "let a = ;");
    worker.line("c.rhai has an error, it runs nothing until it loads. ");
    script.write("units/c.rhai", &ticking("cron", "c1"));
    worker.line("c/cron: c1");
    script.remove("units/b.rhai");
    worker.line("b.rhai is gone, its pipelines stop.");
    let mark = worker.mark();
    wait_for("ticks of the others", || worker.count(mark, "a/web: a1") >= 5 && worker.count(mark, "c/cron: c1") >= 5);
    worker.stop(Signal::Terminate);
    assert!(worker.count(mark, "b/jobs: b1") <= 1, "{}", worker.text());
}

#[test]
fn two_units_may_not_scale_one_process_type() {
    let heroku = FakeHeroku::start();
    let script = Script::folder(&[("a.rhai", &eager(&heroku)), ("b.rhai", &ticking("other", "b1"))]);
    let mut worker = run(&script);
    worker.line("b/other: b1");
    script.write("units/b.rhai", &eager(&heroku));
    worker.line("`b/web` scales what `a/web` scales already");
    worker.line_after(worker.mark(), "b/other: b1");
    worker.stop(Signal::Terminate);
}
