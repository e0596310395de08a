//! The watchdog hears of the worker only while every live pipeline ticks.

use super::operated::{Operated, deciding};
use crate::harness::Script;

fn watched(mode: &str) -> Script {
    let web = deciding("web", "|m| hold(\"fine\")");
    let jobs = deciding("jobs", "|m| hold(\"fine\")").replace("max_dynos", &format!("mode: \"{mode}\", max_dynos"));
    let settings = "settings(#{ watchdog: #{ url: env::secret(\"SNITCH_URL\"), every_seconds: 60 } });\n";
    Script::new(&format!("{settings}{web}{jobs}"))
}

/// Seconds after the start at which it was pinged.
fn pings(worker: &Operated) -> Vec<i64> {
    let asked = worker.asked.0.lock().unwrap();
    assert!(asked.iter().all(|(_, url)| url == "http://watchdog.example/abcdefgh"), "{asked:?}");
    asked.iter().map(|(at, _)| (*at - worker.start).num_seconds()).collect()
}

#[tokio::test(start_paused = true)]
async fn it_is_pinged_while_every_live_pipeline_ticks() {
    let worker = Operated::start(watched("live"));
    worker.pass(130.0).await;
    assert_eq!(pings(&worker), [0, 60, 120]);
    worker.hanging.0.lock().unwrap().push("jobs".into());
    worker.pass(300.0).await;
    assert_eq!(pings(&worker), [0, 60, 120]);
    assert!(worker.status().await.pipelines[1].late);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_that_hangs_is_no_alarm() {
    let worker = Operated::start(watched("dry_run"));
    worker.hanging.0.lock().unwrap().push("jobs".into());
    worker.pass(130.0).await;
    assert_eq!(pings(&worker), [0, 60, 120]);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_takes_another_watchdog_up() {
    let worker = Operated::start(watched("live"));
    worker.pass(30.0).await;
    worker.script.save(
        &std::fs::read_to_string(worker.script.path()).unwrap().replace("every_seconds: 60", "every_seconds: 40"),
    );
    worker.pass(100.0).await;
    // From the reload on, which came at the look after the save.
    let pings = pings(&worker);
    assert!(pings.len() == 4 && pings[1] >= 30 && pings[2] - pings[1] == 40 && pings[3] - pings[2] == 40, "{pings:?}");
    worker.stop().await;
}
