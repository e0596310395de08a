//! A worker starts whatever is down, keeps trying, and goes on when it is there again.

use std::time::Duration;

use super::{KEY, eager, run, web};
use crate::harness::{AppServer, Autoscaler, FakeHeroku, Manner, Script, Signal, wait_for};
use crate::measure::processes::{free_port, redis_on};

#[test]
fn without_the_platform() {
    let heroku = FakeHeroku::start();
    heroku.go_down();
    let script = Script::new(&eager(&heroku));
    let mut worker = run(&script);
    let down = worker.line("WARN  web: ");
    assert!(down.text.contains("refused") && down.text.contains("127.0.0.1"), "{}", down.text);
    worker.line("Nothing is scaled, for the number of dynos cannot be read: ");
    heroku.come_back();
    worker.line("Scaled to (2) dynos.");
    worker.line("the number of dynos can be read again");
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "WARN  web: the number of dynos is unknown"), 1, "{}", worker.text());
}

#[test]
fn without_the_app() {
    let (app, heroku) = (AppServer::start(), FakeHeroku::start());
    let script = Script::new(&web(&app, &heroku, 2));
    let port = app.port();
    drop(app);
    let mut worker = run(&script);
    worker.line("WARN  web: the measurement failed: ");
    worker.line("The last measurements failed: ");
    // An app that never answered is not overloaded.
    assert_eq!(heroku.web(), 1);
    let app = AppServer::start_on(port);
    app.set(Manner::slow(Duration::from_millis(700)));
    worker.line("INFO  web: measuring works again");
    worker.line("Scaled to (2) dynos.");
    worker.stop(Signal::Terminate);
}

#[test]
fn without_redis() {
    let heroku = FakeHeroku::start();
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let text = format!(
        "pipeline(\"worker\", #{{
            measure: measure::celery_redis_queue_size(#{{ measurement_interval_in_seconds: 0.05 }}),
            decide: decide::average_threshold(#{{ number_of_measurements_to_average: 2, max_dynos: 1 }}),
            scale: {}, notify: notify::console(#{{ notify_on_every_measurement: true }}),
        }});",
        heroku.scale()
    );
    let script = Script::new(&text);
    let url = format!("redis://127.0.0.1:{port}/0");
    let mut worker = Autoscaler::on("run", &script.path()).env(KEY.0, KEY.1).env("REDIS_URL", &url).spawn();
    worker.line("WARN  worker: the measurement failed: ");
    worker.line("The last measurements failed: ");
    let redis = redis_on(port, folder.path(), &[]);
    worker.line("INFO  worker: measuring works again");
    let mark = worker.mark();
    redis.stop();
    worker.line_after(mark, "Measurement failed: ");
    let redis = redis_on(port, folder.path(), &[]);
    worker.line_after(worker.mark(), "Measured: 0 tasks, low");
    worker.stop(Signal::Terminate);
    drop(redis);
}

#[test]
fn a_platform_that_answers_with_errors() {
    use autoscaler::heroku::fake::Fault;
    let heroku = FakeHeroku::start();
    heroku.fake.fail_next("GET /apps/{app}/formation", Fault::error(503, "unavailable", "Back soon."));
    heroku.fake.fail_next("PATCH /apps/{app}/formation/{process}", Fault::DoneAndReset);
    let script = Script::new(&eager(&heroku));
    let mut worker = run(&script);
    worker.line("503");
    // Nobody knows how the call ended, so it is told as failed; the next read shows that it was done.
    worker.line("Just tried to scale, and it failed.");
    wait_for("two dynos", || heroku.web() == 2);
    worker.line("scaling works again");
    worker.stop(Signal::Terminate);
    assert_eq!(heroku.fake.count_of("PATCH /apps/{app}/formation/{process}"), 1, "scaled twice:\n{}", worker.text());
}
