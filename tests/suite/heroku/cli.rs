//! The official CLI of Heroku, an independent client, against the fake API.

use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::support::{KEY, Served};

/// The CLI, where npm is on the machine.
fn cli() -> Option<PathBuf> {
    let on_path = |name: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
    };
    if !on_path("npm") || !on_path("node") {
        eprintln!("skipped: there is no npm on this machine, so the official heroku CLI cannot be installed");
        return None;
    }
    let root = std::env::var_os("AUTOSCALER_TEST_NPM")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/test-env/npm"), PathBuf::from);
    let cli = root.join("node_modules/.bin/heroku");
    assert!(cli.is_file(), "the heroku CLI is not at {}; `tests/run heroku` installs it", cli.display());
    Some(cli)
}

struct Run {
    status: Option<i32>,
    out: String,
    err: String,
}

/// Runs the CLI against `served`, with a home of its own.
async fn run(cli: &PathBuf, served: &Served, home: &std::path::Path, arguments: &[&str]) -> Run {
    let output = Command::new(cli)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("HEROKU_HOST", &served.url)
        .env("HEROKU_API_KEY", KEY)
        // It would send usage figures to its makers otherwise.
        .env("HEROKU_SKIP_ANALYTICS", "1")
        .env("DISABLE_TELEMETRY", "true")
        .env("HEROKU_SKIP_NEW_VERSION_CHECK", "1")
        .env("NO_COLOR", "1")
        .kill_on_drop(true)
        .output();
    let Output { status, stdout, stderr } = timeout(Duration::from_secs(60), output).await.unwrap().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Run { status: status.code(), out: text(stdout), err: text(stderr) }
}

#[tokio::test]
async fn the_official_cli_lists_and_scales() {
    let Some(cli) = cli() else { return };
    let served = Served::start().await;
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &'static [&'static str]| run(&cli, &served, home.path(), arguments);

    let list = run(&["ps:scale", "-a", "shop"]).await;
    assert_eq!(list.status, Some(0), "{}", list.err);
    assert_eq!(list.out.trim(), "clock=0:Standard-1X web=1:Standard-1X worker=2:Standard-1X");

    let scale = run(&["ps:scale", "web=3", "worker+1", "-a", "shop"]).await;
    assert_eq!(scale.status, Some(0), "{}", scale.err);
    assert!(scale.err.contains("now running web at 3:Standard-1X, worker at 3:Standard-1X"), "{}", scale.err);
    assert_eq!((served.fake.dynos("shop", "web"), served.fake.dynos("shop", "worker")), (3, 3));

    let dynos = run(&["ps", "-a", "shop"]).await;
    assert_eq!(dynos.status, Some(0), "{}", dynos.err);
    for expected in ["web (Standard-1X): bin/web (3)", "web.3: up", "worker.1: up"] {
        assert!(dynos.out.contains(expected), "{expected} in {}", dynos.out);
    }

    let unknown = run(&["ps:scale", "celery=1", "-a", "shop"]).await;
    assert_ne!(unknown.status, Some(0));
    assert!(unknown.err.contains("Couldn't find that process type (celery)."), "{}", unknown.err);

    let paths: Vec<String> =
        served.fake.requests().into_iter().map(|request| format!("{} {}", request.route, request.path)).collect();
    assert!(paths.iter().any(|path| path == "PATCH /apps/{app}/formation /apps/shop/formation"), "{paths:?}");
}

#[tokio::test]
async fn the_official_cli_reads_the_log() {
    let Some(cli) = cli() else { return };
    let served = Served::start().await;
    let home = tempfile::tempdir().unwrap();
    served.fake.log_request("shop", "8601b555", "/measurement", 18, 200);
    let log = run(&cli, &served, home.path(), &["logs", "-a", "shop", "-n", "5"]).await;
    assert_eq!(log.status, Some(0), "{}", log.err);
    assert!(log.out.contains("heroku[router]: at=info") && log.out.contains("service=18ms"), "{}", log.out);
}
