//! `measure::app_decision`: JSON as it came, the number in it, and what is said of everything else.

use autoscaler::pipeline::FailureKind::NotLoad;
use serde_json::json;

use super::processes::django;
use super::support::{failed, map, measure, stage, text, world};
use super::web::Web;

#[tokio::test]
async fn a_django_app_decides() {
    let dir = tempfile::tempdir().unwrap();
    let app = django(dir.path(), 7);
    let base = format!("http://127.0.0.1:{}", app.port);
    let world = world();
    let data = json!({"table": {"rows": 7}, "list": [1, 2.5]});
    for (value, found) in [("table.rows", 7.0), ("list.1", 2.5)] {
        let stage = stage("app_decision", &map([("base_url", text(&base)), ("value", text(value))]));
        let measurement = measure(&stage, &world).await;
        assert_eq!((measurement.value, &measurement.data), (Some(found), &data), "{value}: {measurement:?}");
        assert_eq!(measurement.backend, "AppDecisionBackend");
    }
    // Without a path the whole is for a scripted decision.
    let whole = measure(&stage("app_decision", &map([("base_url", text(&base))])), &world).await;
    assert_eq!((whole.success, whole.value, whole.data), (true, None, data));
}

#[tokio::test]
async fn a_bare_number_is_the_value() {
    let world = world();
    for (body, value) in [("42", 42.0), (" -1.5e3\n", -1500.0), ("0", 0.0)] {
        let web = Web::saying(200, body);
        let measurement =
            measure(&stage("app_decision", &map([("measurement_url", text(&web.url("/m")))])), &world).await;
        assert_eq!(measurement.value, Some(value), "{body}");
    }
}

#[tokio::test]
async fn what_is_no_number_is_named() {
    let deep: &'static str = Box::leak(format!("{}1{}", "[".repeat(65), "]".repeat(65)).into_boxed_str());
    let world = world();
    for (body, value, says) in [
        (
            "<!DOCTYPE html><html><body>Log in</body></html>",
            None,
            "answered HTML where JSON is due: `<!DOCTYPE html><html><body>Log in</body>…`",
        ),
        ("", None, "answered nothing where JSON is due"),
        ("NaN", None, "answered `NaN`, which is no JSON"),
        ("12 jobs", None, "answered `12 jobs`, which is no JSON"),
        ("\"12\"", None, "answered the text `12` where a number is due"),
        ("true", None, "answered `true` where a number is due"),
        ("null", None, "answered `null` where a number is due"),
        (deep, None, "answered JSON nested more than 64 levels deep"),
        ("1e999", None, "answered `1e999`, which is no JSON"),
        (r#"{"size":"12"}"#, Some("size"), "has the text `12` at `size`, where a number is due"),
        (r#"{"size":null}"#, Some("size"), "has `null` at `size`, where a number is due"),
        (
            r#"{"queues":[]}"#,
            Some("queues.0.size"),
            "answered JSON without `queues.0.size`: there is no `0` in a list of 0",
        ),
        (r#"{"sise":1}"#, Some("size"), "answered JSON without `size`: there is no `size` among `sise`"),
        ("7", Some("size"), "answered JSON without `size`: there is no `size` in the number 7"),
    ] {
        let web = Web::saying(200, body);
        let url = web.url("/m");
        let settings = match value {
            Some(path) => map([("measurement_url", text(&url)), ("value", text(path))]),
            None => map([("measurement_url", text(&url)), ("value", autoscaler::settings::Value::Unit)]),
        };
        let measurement = measure(&stage("app_decision", &settings), &world).await;
        assert_eq!(failed(&measurement), (NotLoad, &*format!("`{url}` {says}")));
    }
}
