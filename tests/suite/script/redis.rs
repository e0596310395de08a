//! `redis::`: questions of functions to a real server.

use serde_json::json;

use super::reaching::{Around, failure, measured, measured_around, measuring, report};
use crate::measure::processes::{Running, command, redis};

fn filled(dir: &std::path::Path) -> Running {
    let server = redis(dir, &[]);
    for line in [
        "SET text hello",
        "SET empty \"\"",
        "RPUSH list a b c",
        "HSET hash field value n 5",
        "SADD set a b",
        "ZADD zset 1.5 a",
        "XADD stream * f v",
        "SET soon x EX 1000",
    ] {
        assert!(!command(server.port, line).starts_with('-'), "{line}");
    }
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question() {
    let dir = tempfile::tempdir().unwrap();
    let server = filled(dir.path());
    let stage = format!(
        r#"|| {{
            let r = redis::server("redis://127.0.0.1:{}/0");
            [r.get("text"), r.get("none"), r.get("empty"), r.llen("list"), r.llen("none"), r.hlen("hash"), r.scard("set"),
             r.zcard("zset"), r.xlen("stream"), r.hget("hash", "field"), r.hget("hash", "none"), r.exists("set"), r.exists("none"),
             r.ttl("soon") in 900..1001, r.ttl("text"), r.ttl("none"), r.zscore("zset", "a"), r.zscore("zset", "b"),
             r.lindex("list", -1), r.lindex("list", 9), r.lrange("list", 0, 1), r.lrange("list", -2, -1), r.lrange("none", 0, 9)]
        }}"#,
        server.port
    );
    let measurement = measured(&stage).await;
    let expected = json!([
        "hello",
        null,
        "",
        3,
        0,
        2,
        2,
        1,
        1,
        "value",
        null,
        true,
        false,
        true,
        -1,
        null,
        1.5,
        null,
        "c",
        null,
        ["a", "b"],
        ["b", "c"],
        []
    ]);
    assert_eq!(measurement.data, expected, "{:?}", measurement.failure);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let server = filled(dir.path());
    command(server.port, "SETRANGE large 1048576 x");
    command(server.port, "SETRANGE fits 1048575 x");
    let host = format!("redis at 127.0.0.1:{}", server.port);
    for (question, said) in [
        ("llen(\"text\")", format!("`text` in {host} holds another type of value (WRONGTYPE)")),
        ("get(\"large\")", format!("`large` in {host} holds more than 1 MiB there")),
        ("lrange(\"list\", 0, 1000)", "`lrange` gives at most 1000 elements, and is asked for 0 to 1000".into()),
        ("lrange(\"list\", 0, -1)", "`lrange` gives at most 1000 elements, and is asked for 0 to -1".into()),
        ("keys(\"*\")", "unknown function `keys` for a redis server, a text".into()),
        ("set(\"a\", 1)", "unknown function `set` for a redis server, a text, a whole number".into()),
    ] {
        let found = failure(&format!("|| redis::server(\"redis://127.0.0.1:{}\").{question}", server.port)).await;
        assert!(found.starts_with(&said), "{question}: {found}");
        assert!(found.contains("(test.rhai:1:"), "{found}");
    }
    let fits = format!("|| redis::server(\"redis://127.0.0.1:{}\").get(\"fits\").len()", server.port);
    assert_eq!(measured(&fits).await.value, Some(1_048_576.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_its_url_and_a_decision_asks_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = redis(dir.path(), &["--requirepass", "pass-1234567890"]);
    let url = format!("redis://:pass-1234567890@127.0.0.1:{}/0", server.port);
    let around = Around { variables: vec![("REDIS_URL", url)], ..Around::default() };
    let stage = "|| redis::server(env::secret(\"REDIS_URL\")).llen(\"queue\")";
    assert_eq!(measured_around(stage, &around).await.value, Some(0.0));
    let shown = measured_around("|| `${redis::server(env::secret(\"REDIS_URL\"))}`", &around).await;
    assert_eq!(shown.data, json!(format!("redis at 127.0.0.1:{}", server.port)));
    let map = "measure::custom(#{}, || 1).map(|d| redis::server(\"redis://127.0.0.1\").llen(\"queue\"))";
    let said = report(&measuring(map), &Around::default());
    assert!(said.contains("`map` reaches nothing outside, and `redis::server` does"), "{said}");
    let said = report("let n = redis::server(\"redis://127.0.0.1\").llen(\"queue\");", &Around::default());
    assert!(said.contains("test.rhai:1:44: error: `llen` is called while the script loads"), "{said}");
}

#[test]
fn a_wrong_url_is_told_without_it() {
    for (url, said) in [
        ("\"redis://:pw@a:port/0\"", "test.rhai:1:9: error: the URL of `redis::server` is no URL: invalid port number"),
        ("5", "test.rhai:1:9: error: the URL of `redis::server` is no URL"),
        (
            "\"sentinel://a:1\"",
            "error: the URL of `redis::server` is a `sentinel://` URL, for which its master's name is needed (give it as the \
             second argument: `redis::server(url, \"mymaster\")`)",
        ),
    ] {
        let report = report(&format!("let s = redis::server({url});"), &Around::default());
        assert!(report.contains(said) && !report.contains("pw"), "{url}: {report}");
    }
    let around = Around { variables: vec![("R", "redis://a.test".into())], ..Around::default() };
    let said = report("let s = redis::server(env::secret(\"R\", #{ hosts: [\"b.test\"] }));", &around);
    let expected =
        "error: the secret in the URL of `redis::server` is bound to `b.test`, and may not be sent to `a.test:6379`";
    assert!(said.contains(expected), "{said}");
    let missing = report(&measuring("|| redis::server(env::secret(\"R\")).llen(\"x\")"), &Around::default());
    assert!(!missing.contains("error"), "{missing}");
}
