//! State in Redis: whose it is, who takes over, what the command line shows of a password, other commands.

use autoscaler::state::{self, StateArg};

use super::{Place, batch, name_of_state, url};
use crate::harness::{Autoscaler, Script, Signal};
use crate::measure::processes;

fn ticking() -> Script {
    Script::new(
        "pipeline(\"web\", #{
            measure: measure::custom(#{ measurement_interval_in_seconds: 0.05 }, || { print(\"measured\"); 1 }),
            decide: |m| hold(\"nothing to do\"),
            scale: #{ current: || 1, scale_to: |n| () },
        });",
    )
}

#[test]
fn a_second_worker_stands_by_and_takes_over_when_the_first_is_killed() {
    let (script, folder) = (ticking(), tempfile::tempdir().unwrap());
    let server = processes::redis(folder.path(), &[]);
    let run = || Autoscaler::on("run", &script.path()).arg("--state").arg(&url(&server));
    let first = run().spawn();
    first.line("web: measured");
    let mut second = run().spawn();
    let said = second.line("this worker stands by, measures and scales nothing");
    assert!(said.text.contains("held by process ") && !said.text.contains(';'), "{}", said.text);
    let mark = first.mark();
    first.line_after(mark, "web: measured");
    assert_eq!(second.count(0, "measured"), 0, "{}", second.text());
    // Its lease has not ended, but it has.
    first.signal(Signal::Kill);
    second.line("this worker takes over");
    second.line("web: measured");
    second.stop(Signal::Terminate);
    assert_eq!(second.count(0, "stands by"), 1, "{}", second.text());
    // Who stops in peace leaves the lease free.
    let mut third = run().spawn();
    third.line("web: measured");
    third.stop(Signal::Terminate);
    assert_eq!(third.count(0, "stands by"), 0, "{}", third.text());
}

#[test]
fn a_worker_that_was_taken_over_stands_by_again() {
    let (script, folder) = (ticking(), tempfile::tempdir().unwrap());
    let server = processes::redis(folder.path(), &[]);
    let run = || Autoscaler::on("run", &script.path()).arg("--state").arg(&format!("{}?name=shop", url(&server)));
    let mut first = run().spawn();
    first.line("web: measured");
    // As if its lease had ended while it could not be reached: the first one is frozen meanwhile.
    first.signal(Signal::Stop);
    assert_eq!(processes::command(server.port, "DEL autoscaler:{shop}:lease"), ":1\r\n");
    let mut second = run().spawn();
    second.line("web: measured");
    first.signal(Signal::Continue);
    first.line("another worker has taken the state over");
    first.line("this worker stands by again");
    first.line("measures and scales nothing");
    second.stop(Signal::Terminate);
    let mark = first.mark();
    first.line("this worker takes over");
    first.line_after(mark, "web: measured");
    first.stop(Signal::Terminate);
}

#[test]
fn the_url_comes_from_the_environment_and_no_password_is_shown() {
    let (script, folder) = (ticking(), tempfile::tempdir().unwrap());
    let server = processes::redis(folder.path(), &["--requirepass", "quite-a-secret"]);
    let url = format!("redis://:quite-a-secret@127.0.0.1:{}/0", server.port);
    let started = || Autoscaler::on("run", &script.path()).env("DYNO", "autoscaler.1");
    for worker in [
        started().arg("--state").arg("redis").env("REDIS_URL", &url),
        started().env("AUTOSCALER_STATE", &url),
        started().arg("--state").arg(&url),
    ] {
        let mut worker = worker.spawn();
        worker.line("msg=measured");
        worker.stop(Signal::Terminate);
        assert_eq!(worker.count(0, "quite-a-secret"), 0, "{}", worker.text());
        assert_eq!(worker.count(0, "ends with its dyno"), 0, "it does not: {}", worker.text());
    }
    let wrong = Autoscaler::on("run", &script.path()).arg("--state").arg("redis://:quite-a-secret@a:port/0").run();
    assert!(wrong.stderr.contains("invalid port") && !wrong.stderr.contains("quite-a-secret"), "{}", wrong.stderr);
    let help = Autoscaler::new(["run", "--help"]).env("AUTOSCALER_STATE", &url).run();
    assert!(help.stdout.contains("AUTOSCALER_STATE") && !help.stdout.contains("quite-a-secret"), "{}", help.stdout);
    let none = Autoscaler::on("run", &script.path()).arg("--state").arg("redis").run().expect(1);
    assert!(none.stderr.contains("`REDIS_URL`, which is not set"), "{}", none.stderr);
}

#[test]
fn commands_that_look_back_read_it() {
    let (script, folder) = (ticking(), tempfile::tempdir().unwrap());
    let server = processes::redis(folder.path(), &[]);
    let mut worker = Autoscaler::on("run", &script.path()).arg("--state").arg(&url(&server)).spawn();
    let mark = worker.mark();
    worker.line_after(mark, "web: measured");
    worker.stop(Signal::Terminate);
    let reader = |words: &[&str]| Autoscaler::new(words).env("AUTOSCALER_STATE", &url(&server)).run().expect(0);
    assert!(!reader(&["records", "export"]).json().as_array().unwrap().is_empty());
    let history = reader(&["history", "--since", "1h"]).stdout;
    assert!(history.contains("held at 1 dyno"), "{history}");
    let told = reader(&["explain", "web"]).stdout;
    assert!(told.contains("nothing to do"), "{told}");
    let script = script.path().display().to_string();
    assert!(!reader(&["records", "export", "--script", &script]).json().as_array().unwrap().is_empty());
}

#[tokio::test]
async fn one_server_keeps_the_states_of_many() {
    let place = Place::redis();
    let url = url(place.server.as_ref().unwrap());
    let named = |name: &str| StateArg::parse(&format!("{url}?name={name}")).unwrap();
    for (arg, tick) in [(place.arg.clone(), 1), (named("shop"), 2), (named("eu.shop"), 3)] {
        let state = super::open_at(&arg, state::Keep::default()).await.state;
        state.commit(&"web".into(), state.fence(), batch("web", tick)).await.unwrap();
        state.flush().await.unwrap();
    }
    let tick = async |arg: &StateArg| {
        let found = state::look(arg, None).await?;
        Ok::<_, String>(found.state.load("web").await.unwrap().unwrap().control.tick)
    };
    assert_eq!(tick(&named("shop")).await, Ok(2));
    assert_eq!(tick(&named("eu.shop")).await, Ok(3));
    let several = tick(&place.arg).await.unwrap_err();
    assert!(
        several.contains("there are several workers' states") && several.contains("\n  eu.shop\n  shop\n"),
        "{several}"
    );
    let none = tick(&named("other")).await.unwrap_err();
    assert!(none.contains("no state called `other`") && none.contains(&name_of_state()), "{none}");
    let elsewhere = state::look(&place.arg, Some(std::path::Path::new("/app/web.rhai"))).await;
    let kept = elsewhere.unwrap().state.load("web").await.unwrap().unwrap();
    assert_eq!(kept.control.tick, 1, "the script has another path there");
}

#[tokio::test]
async fn what_a_newer_version_wrote_stays_as_it_is() {
    let place = Place::redis();
    drop(place.open().await);
    let port = place.server.as_ref().unwrap().port;
    let version = format!("autoscaler:{{{}}}:version", name_of_state());
    assert_eq!(processes::command(port, &format!("SET {version} 2")), "+OK\r\n");
    let state = place.open().await;
    assert!(state.is_degraded());
    state.commit(&"web".into(), state.fence(), batch("web", 1)).await.unwrap();
    drop(state);
    let kept = format!("EXISTS autoscaler:{{{}}}:kept", name_of_state());
    assert_eq!(processes::command(port, &kept), ":0\r\n");
}

#[test]
fn a_worker_is_asked_through_it_from_another_machine() {
    let (script, folder) = (ticking(), tempfile::tempdir().unwrap());
    let server = processes::redis(folder.path(), &[]);
    let ask = |words: &[&str]| Autoscaler::new(words).env("AUTOSCALER_STATE", &url(&server)).run();
    let mut worker = Autoscaler::on("run", &script.path()).arg("--state").arg(&url(&server)).spawn();
    worker.line("web: measured");
    let paused = ask(&["pause", "web", "--reason", "load test"]).expect(0);
    assert!(paused.stdout.contains("paused by"), "{}", paused.stdout);
    worker.line("load test");
    let status = ask(&["status", "--json"]).expect(0).json();
    assert_eq!(status["pipelines"][0]["mode"], "paused", "{status}");
    assert!(status["worker"]["pid"].is_number() && status["store"]["healthy"] == true, "{status}");
    // A script is taken from nobody who can write there.
    let other = ticking();
    let tried = ask(&["try", &other.path().display().to_string(), "--for", "1h"]).expect(1);
    assert!(tried.stderr.contains("a script is not taken from Redis"), "{}", tried.stderr);
    worker.stop(Signal::Terminate);
    // Without a worker the levers are there all the same, for the next one.
    let status = ask(&["status", "--json"]).expect(1).json();
    assert!(status["worker"].is_null() && status["pipelines"][0]["mode"] == "paused", "{status}");
    let resumed = ask(&["resume", "web"]).expect(0);
    assert!(resumed.stdout.contains("no worker runs"), "{}", resumed.stdout);
    let mut worker = Autoscaler::on("run", &script.path()).arg("--state").arg(&url(&server)).spawn();
    worker.line("web: measured");
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "paused by"), 0, "{}", worker.text());
}
