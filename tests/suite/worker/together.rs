//! Pipelines of one worker that share something: a limit, or an app that one scales and others observe.

use super::{KEY, run};
use crate::harness::{Autoscaler, FakeHeroku, Script, Signal, wait_for};

/// A pipeline `name` that wants a dyno more at every tick, up to `max`.
fn eager(name: &str, max: u32, scale: &str) -> String {
    format!(
        "pipeline(\"{name}\", #{{
            measure: measure::custom(#{{ measurement_interval_in_seconds: 0.05 }}, || 1),
            decide: |m| up(1), max_dynos: {max}, post_scale_wait_time_seconds: 0,
            scale: {scale},
        }});\n"
    )
}

#[test]
fn pipelines_under_one_limit_never_exceed_it_together() {
    let heroku = FakeHeroku::start();
    let app = heroku.scale();
    let limits = "settings(#{ limits: [#{ pipelines: [\"web\", \"worker\"], max_dynos: 7 }] });\n";
    let script = Script::new(&format!("{limits}{}{}", eager("web", 10, &app), eager("worker", 10, &app)));
    let mut worker = Autoscaler::on("run", &script.path()).arg("--log").arg("debug").env(KEY.0, KEY.1).spawn();
    let together = || ["web", "worker"].map(|process| heroku.fake.dynos("shop", process));
    wait_for("all of it to be granted", || together().iter().sum::<u32>() == 7);
    let mark = worker.mark();
    worker.line_after(mark, "the limit of 7 dynos for web and worker leaves");
    assert_eq!(together().iter().sum::<u32>(), 7);
    worker.stop(Signal::Terminate);
}

#[test]
fn what_one_scales_others_observe() {
    let heroku = FakeHeroku::start();
    let app = heroku.scale();
    let observed = format!("scale::observe({app})").replace("})", ", process_type: \"web\" })");
    let script = Script::new(&format!("{}{}", eager("web", 2, &app), eager("beside", 10, &observed)));
    let mut worker = run(&script);
    worker.line("web: scaled from 1 to 2 dynos");
    // It sees what was scaled by the other, and what it would do.
    worker.line("beside: would scale from 2 to 3 dynos");
    worker.stop(Signal::Terminate);
    assert_eq!(heroku.web(), 2);
    assert_eq!(heroku.fake.count_of("PATCH /apps/{app}/formation/{process}"), 1);
}
