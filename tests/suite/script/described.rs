//! Stages that describe their requests: the engine sends them.

use autoscaler::world::ScaleErrorKind;
use serde_json::json;

use super::reaching::{Around, counted, failure, measured, measuring, report, scaled, spec_of, told};
use super::server::Server;

fn open() -> Around {
    Around::default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_measurement_is_taken_out_of_the_reply() {
    let server = Server::saying(r#"{"queue": {"size": 12}}"#).await;
    let url = &server.url;
    for (settings, value, data) in [
        (format!("request: http::get(\"{url}/q\"), value: |r| r.json().queue.size"), Some(12.0), json!(12)),
        (format!("request: || http::get(\"{url}/q\"), value: \"queue.size\""), Some(12.0), json!(12)),
        (format!("request: http::get(\"{url}/q\")"), None, json!({ "queue": { "size": 12 } })),
        (
            format!(
                "request: || {{ this.n = (this.n ?? 0) + 1; http::get(\"{url}/q\") }}, value: |r| {{ this.n += 1; this.n }}"
            ),
            Some(2.0),
            json!(2),
        ),
    ] {
        let measurement = measured(&format!("measure::http(#{{ {settings} }})")).await;
        assert_eq!((measurement.value, measurement.data), (value, data), "{settings}: {:?}", measurement.failure);
        assert_eq!(measurement.backend, "HttpBackend");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_is_not_fine_is_a_failure_unless_the_function_looks_at_it() {
    let server = Server::start([(404, &[], r#"{"size": 0}"#.into())]).await;
    let url = &server.url;
    let said = format!("`GET {url}/q` answered 404 Not Found: {{\"size\": 0}}");
    for value in ["", ", value: \"size\"", ", value: |r| r.json().size"] {
        assert_eq!(failure(&format!("measure::http(#{{ request: http::get(\"{url}/q\"){value} }})")).await, said);
    }
    let value = "|r| if r.status == 404 { 0 } else { r.json().size }";
    let stage = format!("measure::http(#{{ request: http::get(\"{url}/q\"), value: {value} }})");
    assert_eq!(measured(&stage).await.value, Some(0.0));
    assert_eq!(server.lines().len(), 4, "a 404 is not tried again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_tried_again() {
    let server = Server::start([(429, &[("retry-after", "0")], String::new()), (200, &[], "5".into())]).await;
    let stage = format!("measure::http(#{{ request: http::get(\"{}/\") }})", server.url);
    assert_eq!(measured(&stage).await.value, Some(5.0));
    assert_eq!(server.lines().len(), 2);
    let server = Server::start([(503, &[], String::new())]).await;
    let stage = format!("measure::http(#{{ request: http::get(\"{}/\") }})", server.url);
    assert_eq!(failure(&stage).await, format!("`GET {}/` answered 503 Service Unavailable", server.url));
    assert_eq!(server.lines().len(), 2);
    // One that asks for more time than there is, is not waited for.
    let server = Server::start([(429, &[("retry-after", "3600")], String::new())]).await;
    let stage = format!("measure::http(#{{ request: http::get(\"{}/\") }})", server.url);
    assert_eq!(failure(&stage).await, format!("`GET {}/` answered 429 Too Many Requests", server.url));
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_and_no_number_is_told() {
    let server = Server::saying(r#"{"size": "12"}"#).await;
    let url = &server.url;
    let request = format!("request: http::get(\"{url}/\")");
    for (settings, said) in [
        (
            "request: || 5",
            "`request` answered the number 5, and must answer a request such as `http::get(url)` (test.rhai:1:55)",
        ),
        ("request: || ()", "`request` answered nothing, and must answer a request"),
        (&format!("{request}, value: \"size\""), "the reply has the text `12` where a number is due"),
        (&format!("{request}, value: \"length\""), "the reply has no `length`: there is no `length` among `size`"),
        (&format!("{request}, value: |r| ()"), "the function for `value` answered nothing"),
        (&format!("{request}, value: |r| r.json().size + [r][0].nothing"), "a reply has no `nothing`"),
    ] {
        let found = failure(&format!("measure::http(#{{ {settings} }})")).await;
        assert!(found.contains(said), "{settings}: {found}");
    }
}

#[test]
fn settings_are_read_with_their_places() {
    for (settings, said) in [
        ("", "error: `measure::http` needs the setting `request`"),
        (
            "request: 5",
            "error: `request` takes a request such as `http::get(url)`, or a function that returns one, not the number 5",
        ),
        (
            "request: |x| http::get(\"http://a\")",
            "error: the function for `request` takes 1 parameter, and is called with 0",
        ),
        ("request: http::get(\"http://a\"), value: 5", "error: `value` takes a function `|reply| …`, or a dotted path"),
        ("request: http::get(\"http://a\"), value: \"a..b\"", "error: `value` is \"a..b\", which is no path"),
        (
            "request: http::get(\"http://a\"), vlue: \"a\"",
            "error: unknown setting `vlue` of `measure::http` (did you mean `value`?)",
        ),
    ] {
        let said_of = report(&measuring(&format!("measure::http(#{{ {settings} }})")), &open());
        assert!(said_of.contains(said), "{settings}: {said_of}");
    }
    let request = "http::get(\"https://me:pw@a.test/q?key=1\").bearer(\"plain-token\").query(\"a\", 1)";
    let spec = spec_of(&measuring(&format!("measure::http(#{{ request: {request}, value: \"a.b\" }})")), &open());
    let settings = json!({
        "request": {
            "request": "GET https://a.test/q", "headers": { "Authorization": "***" }, "query": { "a": "1" },
            "timeout_seconds": 10.0
        },
        "value": "a.b",
    });
    assert_eq!(spec.measure[0].backend.settings(), settings);
    assert_eq!(spec.measure[0].backend.source(), "GET https://a.test/q at a.b");
    assert_eq!(spec.measure[0].backend.reaches(), ["a.test"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn dynos_are_counted_and_scaled_by_requests() {
    let server = Server::saying(r#"{"replicas": 3}"#).await;
    let url = &server.url;
    let stage = |current: &str, scale_to: &str| {
        format!("scale::http(#{{ current: #{{ {current} }}, scale_to: {scale_to}, target: \"render web\" }})")
    };
    let (request, put) =
        (format!("request: http::get(\"{url}/s\")"), format!("|n| http::put(\"{url}/s\").json(#{{ n: n }})"));
    let value = format!("{request}, value: |r| r.json().replicas");
    assert_eq!(counted(&stage(&value, &put), &open()).await, Ok(3));
    assert_eq!(counted(&stage(&format!("{request}, value: \"replicas\""), &put), &open()).await, Ok(3));
    assert_eq!(scaled(&stage(&value, &put), 5, &open()).await, Ok(5));
    let seen = server.seen().pop().unwrap();
    assert_eq!((seen.line.as_str(), seen.body.as_str()), ("PUT /s", r#"{"n":5}"#));
    let wrong = counted(&stage(&format!("{request}, value: |r| 1.5"), &put), &open()).await.unwrap_err();
    assert_eq!(wrong.message, "`current` gives 1.5, and must give a whole number of at least 0");
    let wrong = scaled(&stage(&value, "|n| ()"), 5, &open()).await.unwrap_err();
    assert_eq!(wrong.message, "`scale_to` answered nothing, and must answer a request");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_scale_says_of_the_outcome() {
    for (status, kind) in
        [(400, ScaleErrorKind::Refused), (429, ScaleErrorKind::RateLimited), (500, ScaleErrorKind::Unknown)]
    {
        let server = Server::start([(status, &[], "why not".into())]).await;
        let url = &server.url;
        let stage = format!(
            "scale::http(#{{ current: #{{ request: http::get(\"{url}\") }}, scale_to: |n| http::put(\"{url}\").retries(0) }})"
        );
        let error = scaled(&stage, 2, &open()).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.ends_with(": why not"), "{error}");
        let error = counted(&stage, &open()).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
    }
    let nobody = crate::measure::web::nobody();
    let stage = format!(
        "scale::http(#{{ current: #{{ request: http::get(\"http://{nobody}\") }}, scale_to: |n| http::put(\"http://{nobody}\").retries(0) }})"
    );
    let error = scaled(&stage, 2, &open()).await.unwrap_err();
    assert_eq!(error.kind, ScaleErrorKind::Refused);
    assert_eq!(error.message, format!("`PUT http://{nobody}/`: connection refused by {nobody}"));
}

#[test]
fn two_pipelines_of_one_target_are_refused() {
    let scale = "scale::http(#{ current: #{ request: http::get(\"http://a\") }, scale_to: |n| http::put(\"http://a\"), target: \"x\" })";
    let one = super::reaching::scaling(scale);
    let both = format!("{one}\n{}", one.replace("\"web\"", "\"two\""));
    assert!(
        report(&both, &open()).contains("error: pipelines `web` and `two` both scale x"),
        "{}",
        report(&both, &open())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_becomes_a_request() {
    let server = Server::saying("ok").await;
    let url = &server.url;
    let function = format!(
        "|event| if event.kind == \"scaled\" {{ http::post(\"{url}/hook\").json(#{{ text: event.message, event: event }}) }}"
    );
    for stage in [
        format!("notify::http({function})"),
        format!("notify::http(#{{ notify_on_every_scale: true }}, {function})"),
        format!("notify::http(#{{ request: {function} }})"),
    ] {
        told(&stage, &open()).await.unwrap();
        let seen = server.seen().pop().unwrap();
        let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
        assert_eq!((seen.line.as_str(), &body["text"]), ("POST /hook", &json!("Scaled web from 1 to 2.")), "{stage}");
        assert_eq!((&body["event"]["kind"], &body["event"]["to"]), (&json!("scaled"), &json!(2)));
    }
    assert_eq!(server.lines().len(), 3);
    told("notify::http(|event| ())", &open()).await.unwrap();
    let said = report(&super::reaching::notifying("notify::http(#{})"), &open());
    assert!(said.contains("error: `notify::http` needs the setting `request`"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_that_is_refused_is_told_once() {
    let server = Server::start([(400, &[], "invalid_payload".into())]).await;
    let error = told(&format!("notify::http(|event| http::post(\"{}/h\"))", server.url), &open()).await.unwrap_err();
    assert_eq!(error.message, format!("`POST {}/h` answered 400 Bad Request: invalid_payload", server.url));
    assert!(!error.transient);
    assert_eq!(server.lines().len(), 1);
    let server = Server::start([(502, &[], String::new()), (200, &[], String::new())]).await;
    told(&format!("notify::http(|event| http::post(\"{}/h\"))", server.url), &open()).await.unwrap();
    assert_eq!(server.lines().len(), 2);
}

#[test]
fn stubs_answer_all_of_it_in_a_test_of_the_script() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("test.rhai");
    let text = r#"
pipeline("web", #{
    measure: measure::http(#{ request: http::get("https://jobs.test/size"), value: |r| r.json().size }),
    decide: |m| to(m.value),
    max_dynos: 9,
    scale: #{ current: || 1, scale_to: |n| () },
    notify: notify::http(#{ notify_on_every_scale: true }, |event| http::post("https://hook.test/").json(#{ text: event.message })),
});
fn test_it_follows_the_queue() {
    http::stub("GET", "https://jobs.test/size", #{ json: #{ size: 4 } });
    http::stub("POST", "https://hook.test/*", #{ status: 204 });
    let p = under_test("web");
    p.tick();
    assert_eq(p.dynos(), 4);
    assert_eq(http::sent().len(), 2);
}
fn test_it_sends_nothing_itself() {
    http::get("https://jobs.test/size").send();
}
"#;
    std::fs::write(&script, text).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_autoscaler"));
    let output = command.args(["test", "--json"]).arg(&script).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{output:?}"));
    let shown = json.to_string();
    assert!(shown.contains("`send` is called in a test, which reaches nothing itself"), "{shown}");
    assert_eq!((&json["passed"], &json["failed"]), (&json!(1), &json!(1)), "{json:#}");
}
