//! `measure::celery_redis_queue_size` on real Redis servers, filled by a real Celery producer.

use std::path::Path;

use autoscaler::pipeline::FailureKind::{NotLoad, Overload};
use autoscaler::settings::Value;

use super::processes::{celery, certificate, command, redis, redis_on, redis_tls, sentinel};
use super::support::{failed, map, measure, stage, text, world};

/// Ten jobs in `celery`, over all of its lists, and four in `mail`.
const JOBS: &[&str] =
    &["celery - 2", "celery 0 1", "celery 2 1", "celery 4 2", "celery 6 1", "celery 9 3", "mail - 1", "mail 9 3"];

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn every_priority_of_every_queue_is_counted() {
    let dir = scratch();
    let server = redis(dir.path(), &[]);
    let url = format!("redis://127.0.0.1:{}/0", server.port);
    celery(&url, "{}", JOBS);
    // The producer did use several lists: the bare one alone would be wrong.
    assert_eq!(command(server.port, "LLEN celery"), ":4\r\n");
    let world = world();
    let both = Value::Array([text("celery"), text("mail")].map(autoscaler::settings::Node::bare).to_vec());
    for (queue, jobs) in [(text("celery"), 10.0), (text("mail"), 4.0), (both, 14.0), (text("idle"), 0.0)] {
        let stage = stage("celery_redis_queue_size", &map([("redis_url", text(&url)), ("queue_name", queue)]));
        let measurement = measure(&stage, &world).await;
        assert_eq!(measurement.value, Some(jobs), "{measurement:?}");
        #[allow(clippy::cast_possible_truncation)]
        let whole = jobs as i64;
        assert_eq!(measurement.data, serde_json::json!(whole));
        assert_eq!(measurement.backend, "CeleryRedisQueueSizeBackend");
    }
}

#[tokio::test]
async fn a_password_a_database_and_a_key_prefix() {
    let dir = scratch();
    let server = redis(dir.path(), &["--requirepass", "p@ss word"]);
    let url = format!("redis://:p%40ss%20word@127.0.0.1:{}/3", server.port);
    celery(&url, r#"{"global_keyprefix": "shop:"}"#, JOBS);
    let world = world();
    let settings = map([("redis_url", text(&url)), ("global_keyprefix", text("shop:"))]);
    let prefixed = stage("celery_redis_queue_size", &settings);
    assert_eq!(measure(&prefixed, &world).await.value, Some(10.0));
    assert_eq!(prefixed.backend.settings()["redis_url"], "***");
    let bare = stage("celery_redis_queue_size", &map([("redis_url", text(&url))]));
    assert_eq!(measure(&bare, &world).await.value, Some(0.0));
    let host = format!("redis at 127.0.0.1:{}", server.port);
    let other = |url: &str| stage("celery_redis_queue_size", &map([("redis_url", text(url))]));
    let without = measure(&other(&format!("redis://127.0.0.1:{}/3", server.port)), &world).await;
    let message =
        format!("{host} asks for a password (NOAUTH); write it into the URL: `redis://:password@host:6379/0`");
    assert_eq!(failed(&without), (NotLoad, &*message));
    let wrong = measure(&other(&format!("redis://:other-password@127.0.0.1:{}/3", server.port)), &world).await;
    let message = format!("{host} does not accept the user or the password of the URL (WRONGPASS)");
    assert_eq!(failed(&wrong), (NotLoad, &*message));
    let far = measure(&other(&format!("redis://:p%40ss%20word@127.0.0.1:{}/99", server.port)), &world).await;
    assert_eq!(failed(&far), (NotLoad, &*format!("{host} has no database 99")));
}

#[tokio::test]
async fn users_and_what_they_may_do() {
    let dir = scratch();
    let server = redis(dir.path(), &[]);
    let (port, world) = (server.port, world());
    for line in ["ACL SETUSER reader on >reader-pass ~* +llen", "ACL SETUSER other on >other-pass ~* +get"] {
        assert_eq!(command(port, line), "+OK\r\n", "{line}");
    }
    command(port, "LPUSH celery job");
    let at = |entry: &str| {
        let url = format!("redis://{entry}@127.0.0.1:{port}");
        stage("celery_redis_queue_size", &map([("redis_url", text(&url))]))
    };
    assert_eq!(measure(&at("reader:reader-pass"), &world).await.value, Some(1.0));
    let host = format!("redis at 127.0.0.1:{port}");
    let measurement = measure(&at("other:other-pass"), &world).await;
    let (kind, message) = failed(&measurement);
    let may_not = format!("the user of the URL may not do this in {host} (NOPERM ");
    assert!(kind == NotLoad && message.starts_with(&may_not), "{message}");
    let message = format!("{host} has no password, and the URL gives one");
    assert_eq!(failed(&measure(&at(":any-password"), &world).await), (NotLoad, &*message));
}

#[tokio::test]
async fn one_connection_is_shared() {
    let dir = scratch();
    let server = redis(dir.path(), &[]);
    let (url, world) = (format!("redis://127.0.0.1:{}", server.port), world());
    let queue =
        |name: &str| stage("celery_redis_queue_size", &map([("redis_url", text(&url)), ("queue_name", text(name))]));
    let (one, two) = (queue("one"), queue("two"));
    for _ in 0..3 {
        let both = tokio::join!(measure(&one, &world), measure(&two, &world));
        assert_eq!((both.0.value, both.1.value), (Some(0.0), Some(0.0)));
    }
    // Ours and the one that asks.
    let two = || command(server.port, "INFO clients").contains("connected_clients:2\r\n");
    assert!(crate::harness::eventually(std::time::Duration::from_secs(5), two));
}

#[tokio::test]
async fn a_key_that_is_no_list_and_a_server_that_goes_and_comes() {
    let dir = scratch();
    let server = redis(dir.path(), &[]);
    let url = format!("redis://127.0.0.1:{}/0", server.port);
    let world = world();
    let queue =
        |name: &str| stage("celery_redis_queue_size", &map([("redis_url", text(&url)), ("queue_name", text(name))]));
    command(server.port, "SET visits 12");
    let host = format!("redis at 127.0.0.1:{}", server.port);
    let message = format!("`visits` in {host} is no list (WRONGTYPE); is `queue_name` right, and the database?");
    assert_eq!(failed(&measure(&queue("visits"), &world).await), (NotLoad, &*message));
    assert_eq!(measure(&queue("celery"), &world).await.value, Some(0.0));
    let port = server.port;
    server.stop();
    let message = format!("connection refused by redis at 127.0.0.1:{port}");
    assert_eq!(failed(&measure(&queue("celery"), &world).await), (Overload, &*message));
    let again = redis_on(port, dir.path(), &[]);
    command(again.port, "LPUSH celery job");
    assert_eq!(measure(&queue("celery"), &world).await.value, Some(1.0));
    // A restart between two measurements is not noticed at all.
    again.stop();
    let _third = redis_on(port, dir.path(), &[]);
    assert_eq!(measure(&queue("celery"), &world).await.value, Some(0.0));
}

#[tokio::test]
async fn a_unix_socket() {
    let dir = scratch();
    let socket = dir.path().join("redis.sock");
    let server = redis(dir.path(), &["--unixsocket", socket.to_str().unwrap()]);
    celery(&format!("redis://127.0.0.1:{}/2", server.port), "{}", JOBS);
    let url = format!("redis+socket://{}?virtual_host=2", socket.display());
    let stage = stage("celery_redis_queue_size", &map([("redis_url", text(&url))]));
    assert_eq!(measure(&stage, &world()).await.value, Some(10.0));
}

#[tokio::test]
async fn tls_with_and_without_a_check_of_the_certificate() {
    let dir = scratch();
    certificate(dir.path());
    let server = redis_tls(dir.path());
    let url = |host: &str, query: &str| format!("rediss://{host}:{}/0{query}", server.port);
    celery(&url("localhost", "?ssl_cert_reqs=none"), "{}", JOBS);
    let roots = |file: &Path| format!("&ssl_ca_certs={}", file.display());
    let known = roots(&dir.path().join("ca.pem"));
    let world = world();
    let at = |url: &str| stage("celery_redis_queue_size", &map([("redis_url", text(url))]));
    for query in [
        "?ssl_cert_reqs=none".into(),
        "?ssl_cert_reqs=CERT_NONE".into(),
        format!("?ssl_cert_reqs=required{known}"),
        format!("?ssl_cert_reqs=optional{known}"),
    ] {
        let measurement = measure(&at(&url("localhost", &query)), &world).await;
        assert_eq!(measurement.value, Some(10.0), "{query}: {measurement:?}");
    }
    let mend = "; where the server signs its own certificate, as Heroku's does, add `?ssl_cert_reqs=none` to the URL";
    for query in ["", "?ssl_cert_reqs=required", "?ssl_cert_reqs=optional"] {
        let host = format!("redis at localhost:{}", server.port);
        let message =
            format!("the certificate of {host} is not accepted: invalid peer certificate: UnknownIssuer{mend}");
        assert_eq!(failed(&measure(&at(&url("localhost", query)), &world).await), (NotLoad, &*message), "{query}");
    }
    let gone = dir.path().join("gone.pem");
    let measurement =
        measure(&at(&url("localhost", &format!("?ssl_cert_reqs=required{}", roots(&gone)))), &world).await;
    let message =
        format!("`{}` of the redis URL cannot be read: No such file or directory (os error 2)", gone.display());
    assert_eq!(failed(&measurement), (NotLoad, &*message));
}

#[tokio::test]
async fn the_master_that_sentinels_name() {
    let dir = scratch();
    let master = redis(dir.path(), &["--requirepass", "sentinel-pass"]);
    let watcher = sentinel(dir.path(), master.port, "sentinel auth-pass mymaster sentinel-pass\n");
    let dead = super::web::nobody().port();
    let list = format!("sentinel://:sentinel-pass@127.0.0.1:{dead};sentinel://127.0.0.1:{}/1", watcher.port);
    celery(&format!("sentinel://:sentinel-pass@127.0.0.1:{}/1", watcher.port), r#"{"master_name": "mymaster"}"#, JOBS);
    let world = world();
    let named =
        |name: &str| stage("celery_redis_queue_size", &map([("redis_url", text(&list)), ("master_name", text(name))]));
    let measurement = measure(&named("mymaster"), &world).await;
    assert_eq!(measurement.value, Some(10.0), "{measurement:?}");
    let message = format!(
        "connection refused by the sentinel at 127.0.0.1:{dead}; the sentinel at 127.0.0.1:{} knows no master `other`; is `master_name` right?",
        watcher.port
    );
    assert_eq!(failed(&measure(&named("other"), &world).await), (NotLoad, &*message));
}
