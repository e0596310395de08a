//! `autoscaler heartbeat` against real parts, and a worker that measures it.

use serde_json::Value;

use super::{JSON, ask, text};
use crate::harness::{Autoscaler, FakeHeroku, Script, Signal, wait_for};
use crate::measure::processes::{free_port, redis_on};

#[test]
fn every_request_touches_database_redis_and_disk() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("app.db");
    rusqlite::Connection::open(&database).unwrap().execute("CREATE TABLE t (a)", []).unwrap();
    let (redis_port, port) = (free_port(), free_port());
    let redis = redis_on(redis_port, folder.path(), &[]);
    let uploads = folder.path().join("uploads");
    std::fs::create_dir(&uploads).unwrap();
    let mut server = Autoscaler::new(["heartbeat", "--listen"])
        .arg(&format!("127.0.0.1:{port}"))
        .arg("--database-url")
        .arg(&format!("sqlite://{}", database.display()))
        .arg("--dir")
        .arg(uploads.to_str().unwrap())
        .env("REDIS_URL", &format!("redis://127.0.0.1:{redis_port}/0"))
        .spawn();
    server.line(&format!(
        "answers on http://127.0.0.1:{port}/heroku-autoscale/measurement/, and touches database, redis, disk"
    ));
    assert_eq!(text(port), (200, "Beat".into()));
    let (status, _, body) = ask(port, autoscaler::heartbeat::PATH, JSON);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, body.as_object().unwrap().len()), (200, 3), "{body}");
    assert_eq!(ask(port, "/other", "").0, 404);
    // A worker takes it for what it is.
    let heroku = FakeHeroku::start();
    let script = Script::new(&format!(
        r#"pipeline("web", #{{
    measure: measure::response_time(#{{ base_url: "http://127.0.0.1:{port}" }}),
    decide: decide::consecutive_threshold(#{{}}),
    scale: {},
}});"#,
        heroku.scale()
    ));
    let once =
        || Autoscaler::on("once", &script.path()).arg("--json").env("HEROKU_API_KEY", crate::harness::KEY).run().json();
    let good = once();
    assert_eq!(good[0]["measurements"][0]["success"], true, "{good}");
    // One part after the other breaks.
    redis.stop();
    let (status, said) = text(port);
    assert_eq!(status, 500);
    assert!(said.starts_with("the redis is broken: "), "{said}");
    let bad = once();
    assert_eq!(bad[0]["measurements"][0]["success"], false, "{bad}");
    let _redis = redis_on(redis_port, folder.path(), &[]);
    wait_for("it to find redis again", || text(port) == (200, "Beat".into()));
    std::fs::remove_dir(&uploads).unwrap();
    let (status, said) = text(port);
    assert_eq!(status, 500);
    assert!(said.starts_with("the disk is broken: `") && said.contains("No such file"), "{said}");
    std::fs::write(&database, "this is no database, and longer than the header of one would be: garbage".repeat(20))
        .unwrap();
    assert_eq!(text(port), (500, "the database is broken: file is not a database".into()));
    server.stop(Signal::Terminate);
}

#[test]
fn what_cannot_be_served_ends_at_once() {
    let port = free_port();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let address = format!("127.0.0.1:{port}");
    for (arguments, expected) in [
        (["--listen", &*address], "cannot be listened on: Address already in use"),
        (["--listen", "nowhere"], "cannot be listened on: "),
        (["--database-url", "mysql://db/app"], "a database `mysql:` is not known"),
    ] {
        let said = Autoscaler::new(["heartbeat"]).arg(arguments[0]).arg(arguments[1]).run().expect(1);
        assert!(said.stderr.contains(expected), "{}", said.stderr);
    }
}
