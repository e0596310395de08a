//! What doctor says of everything else: measured URLs, Redis, mail, zones, state.

use super::support::{doctor, web, with};
use crate::harness::{AppServer, Autoscaler, FakeHeroku, KEY, Manner};
use crate::measure::processes::{celery, certificate, command, redis, redis_tls};
use crate::notify::smtp::Server;

#[test]
fn a_url_that_does_not_measure_is_told_with_what_to_do() {
    let (app, heroku) = (AppServer::start(), FakeHeroku::start());
    let script = web(&app, &heroku, 5);
    for (manner, part) in [
        (Manner::status(400, ""), "ALLOWED_HOSTS"),
        (Manner::status(404, ""), "see whether `measurement_url` is right"),
        (Manner::status(403, ""), "`headers`"),
        (Manner::status(500, ""), "see the log of the app"),
        (Manner::redirect("/login?next=/ping"), "/login"),
        (Manner::Close, "see whether the app is up"),
    ] {
        app.set(manner);
        let report = doctor(&script);
        report.says("url", "fail", part);
        assert_eq!(report.failing(), ["url"]);
        assert_eq!(report.code, 1);
    }
    let cached = vec![("Age", "30".to_owned())];
    app.set(Manner::Answer { after: std::time::Duration::ZERO, status: 200, headers: cached, body: "ok".into() });
    doctor(&script).says("url", "warn", "Cache-Control: no-store");
    drop(app);
    let report = doctor(&script);
    report.says("url", "fail", "refused");
}

#[test]
fn what_an_app_decides_by_is_looked_at_too() {
    let (app, heroku) = (AppServer::start(), FakeHeroku::start());
    let script = |value: &str| {
        format!(
            "pipeline(\"web\", #{{
                measure: measure::app_decision(#{{ measurement_url: \"{}/load\"{value} }}),
                decide: decide::average_threshold(), scale: {} }});",
            app.url(),
            heroku.scale()
        )
    };
    app.set(Manner::ok("{\"queue\": {\"size\": 12}}"));
    doctor(&script(", value: \"queue.size\"")).says("value", "ok", "12 is measured");
    let report = doctor(&script(", value: \"queue.length\""));
    report.says("url", "ok", "answers 200");
    assert_eq!(report.row("value")["verdict"], "fail");
}

fn queue(url: &str, heroku: &FakeHeroku) -> String {
    format!(
        "pipeline(\"worker\", #{{
            measure: measure::celery_redis_queue_size(#{{ redis_url: \"{url}\" }}),
            decide: decide::average_threshold(), scale: {} }});",
        heroku.scale()
    )
}

#[test]
fn a_queue_is_told_by_its_tasks_its_workers_and_the_way_to_it() {
    let (folder, heroku) = (tempfile::tempdir().unwrap(), FakeHeroku::start());
    let server = redis(folder.path(), &[]);
    let url = format!("redis://127.0.0.1:{}/0", server.port);
    let script = queue(&url, &heroku);
    let report = doctor(&script);
    report.says("redis", "ok", "answers");
    report.says("queue", "warn", "nothing was ever sent to it");
    report.says("workers", "warn", "no worker was ever seen");
    assert_eq!(report.code, 0);
    // A real producer leaves a binding behind.
    celery(&url, "{}", &["celery - 3"]);
    doctor(&script).says("queue", "ok", "`celery` has 3 waiting");
    doctor(&script).says("workers", "warn", "tasks wait");
    command(server.port, "DEL celery");
    doctor(&script).says("queue", "ok", "is there, and empty");
    // What a worker leaves behind.
    command(server.port, "SADD _kombu.binding.celery.pidbox worker-1");
    command(server.port, "HSET unacked tag task");
    doctor(&script).says("workers", "ok", "1 seen so far; 1 tasks are with workers");

    server.stop();
    let report = doctor(&script);
    report.says("redis", "fail", "refused");
    let report =
        with(&script.replace(&format!("redis_url: \"{url}\""), ""), |command| command.env("HEROKU_API_KEY", KEY));
    report.says("redis", "fail", "set REDIS_URL");
}

#[test]
fn tls_to_redis_is_told() {
    let (folder, heroku) = (tempfile::tempdir().unwrap(), FakeHeroku::start());
    certificate(folder.path());
    let server = redis_tls(folder.path());
    let url = |options: &str| format!("rediss://localhost:{}/0?{options}", server.port);
    let roots = format!("ssl_ca_certs={}", folder.path().join("ca.pem").display());
    doctor(&queue(&url(&roots), &heroku)).says("redis", "ok", "over TLS");
    doctor(&queue(&url("ssl_cert_reqs=none"), &heroku)).says("redis", "warn", "certificate unchecked");
    doctor(&queue(&url(""), &heroku)).says("redis", "fail", "certificate");
}

#[test]
fn the_mail_server_is_entered_and_a_message_is_sent_only_where_asked() {
    let (app, heroku) = (AppServer::start(), FakeHeroku::start());
    let server = Server::start(&["--login", "ops:secret-word"]);
    let notify = |login: &str| {
        let url = format!("smtp://{login}@127.0.0.1:{}?tls=none", server.port);
        let notify = format!(
            "notify: notify::email(#{{ to: [\"ann@example.com\"], from: \"a@example.com\", smtp_url: \"{url}\" }}),\n}});"
        );
        web(&app, &heroku, 5).replace("});\n", &notify)
    };
    let right = notify("ops:secret-word");
    doctor(&right).says("mail", "ok", "lets us in");
    assert_eq!(server.unread(), Vec::<serde_json::Value>::new());
    let report = with(&right, |command: Autoscaler| command.arg("--notify").env("HEROKU_API_KEY", KEY));
    report.says("message", "ok", "DjangoEmailBackend has taken a test message");
    let mail = server.next();
    assert!(mail["body"].as_str().unwrap().contains("A test message of `autoscaler doctor`"), "{mail}");
    assert_eq!(mail["recipients"][0], "ann@example.com");
    let report = doctor(&notify("ops:wrong-word-altogether"));
    report.says("mail", "fail", "535");
    assert!(!format!("{:?}{}", report.rows, report.stderr).contains("wrong-word-altogether"));
    drop(server);
    assert_eq!(doctor(&right).row("mail")["verdict"], "fail");
}

#[test]
fn the_zone_of_bounds_and_what_outlives_a_restart_are_told() {
    let (app, heroku) = (AppServer::start(), FakeHeroku::start());
    let script = web(&app, &heroku, 5);
    let table = script.replace("max_dynos: 5", "max_dynos: #{ \"0:00\": 2, \"9:00\": 5 }");
    let here = |script: &str, dyno: &str, state: &str| {
        with(script, |command| command.env("HEROKU_API_KEY", KEY).env("DYNO", dyno).env("AUTOSCALER_STATE", state))
    };
    doctor(&table).says("zone", "ok", "bounds go by UTC");
    here(&table, "autoscaler.1", "").says("zone", "warn", "unless UTC is meant");
    let zoned = table.replace("max_dynos: #{", "time_zone: \"America/Vancouver\", max_dynos: #{");
    here(&zoned, "autoscaler.1", "").says("zone", "ok", "America/Vancouver");
    assert!(doctor(&script).rows.iter().all(|row| row["check"] != "zone"));

    here(&script, "", "memory").says("state", "warn", "end with the worker");
    here(&script, "autoscaler.1", "").says("state", "warn", "the disk of a dyno ends with it");
    here(&script, "", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml/below")).says(
        "state",
        "fail",
        "cannot be written",
    );
    let folder = tempfile::tempdir().unwrap();
    here(&script, "", &folder.path().join("new").display().to_string()).says("state", "ok", "outlives the worker");
    assert!(!folder.path().join("new").exists(), "doctor only looks");
    let server = redis(folder.path(), &[]);
    let url = format!("redis://127.0.0.1:{}/0", server.port);
    here(&script, "autoscaler.1", &url).says("state", "ok", "outlives the worker");
    server.stop();
    here(&script, "autoscaler.1", &url).says("state", "fail", "refused");
}
