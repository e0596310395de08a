//! `measure::response_time`: what it measures, and what each failure says of load.

use std::sync::Arc;

use autoscaler::heroku::App;
use autoscaler::measure::OnFailure;
use autoscaler::pipeline::FailureKind::{NotLoad, Overload};
use autoscaler::secret::Secret;
use autoscaler::settings::Value;
use autoscaler::world::Request;

use super::processes::django;
use super::support::{Target, declare, failed, map, measure, stage, stage_of, text, world};
use super::web::{After, Web, nobody, reply};

fn app(api: &Web) -> App {
    let (name, key) = ("dancing-forest-1234".into(), Secret::new("key-of-the-forest"));
    App { api_url: api.url("").into(), name, key, process_type: "web".into() }
}

#[tokio::test]
async fn a_django_app_is_measured() {
    let dir = tempfile::tempdir().unwrap();
    let app = django(dir.path(), 5);
    let base = format!("http://127.0.0.1:{}", app.port);
    let stage = stage("response_time", &map([("base_url", text(&base))]));
    let world = world();
    let measurement = measure(&stage, &world).await;
    let value = measurement.value.expect("milliseconds");
    assert!(value > 0.0 && value < 10_000.0 && measurement.success, "{measurement:?}");
    assert_eq!(measurement.backend, "ResponseTimeBackend");
    assert_eq!(measurement.data, serde_json::json!(value));
    assert!(measurement.took_ms >= value);
    // The view went through database and cache: the value it keeps is there.
    assert!(std::fs::read_dir(dir.path().join("cache")).unwrap().count() > 0);
    app.stop();
    let measurement = measure(&stage, &world).await;
    let refused = format!("connection refused by {}", base.trim_start_matches("http://"));
    assert_eq!(failed(&measurement), (Overload, &*refused));
}

#[tokio::test]
async fn a_django_app_that_breaks_down_is_overloaded() {
    let dir = tempfile::tempdir().unwrap();
    let app = django(dir.path(), 0);
    let base = format!("http://127.0.0.1:{}", app.port);
    let stage = stage("response_time", &map([("base_url", text(&base))]));
    let measurement = measure(&stage, &world()).await;
    let message = format!("`{base}/heroku-autoscale/measurement/` answered 500 Internal Server Error");
    assert_eq!(failed(&measurement), (Overload, &*message));
    assert_eq!(stage.on_failure, OnFailure::TooHigh);
}

#[tokio::test]
async fn an_app_that_has_never_answered_is_not_overloaded() {
    let address = nobody();
    let stage = stage("response_time", &map([("base_url", text(&format!("http://{address}")))]));
    let message = format!("connection refused by {address}; it has never answered since the start");
    assert_eq!(failed(&measure(&stage, &world()).await), (NotLoad, &*message));
}

#[tokio::test]
async fn a_time_out_is_load_once_the_app_has_answered() {
    let web = Web::start(|target, stream| {
        if target == "/up" {
            return reply(stream, 200, "", b"");
        }
        // Waits for the other side to give up.
        let _ = stream.peek(&mut [0; 1]);
        After::Close
    });
    let settings = map([("measurement_url", text(&web.url("/slow"))), ("timeout_seconds", Value::Float(0.2))]);
    let (stage, world) = (stage("response_time", &settings), world());
    let measurement = measure(&stage, &world).await;
    let message = "no answer within 0.2 s; it has never answered since the start";
    assert_eq!(failed(&measurement), (NotLoad, message));
    world.http.send(Request::get(web.url("/up"), std::time::Duration::from_secs(5))).await.unwrap();
    assert_eq!(failed(&measure(&stage, &world).await), (Overload, "no answer within 0.2 s"));
}

#[tokio::test]
async fn what_is_no_sign_of_load() {
    let maintenance = r#"<iframe src="//www.herokucdn.com/error-pages/maintenance-mode.html"></iframe>"#;
    let web = Web::start(move |target, stream| match target {
        "/401" => reply(stream, 401, "", b""),
        "/404?key=1" => reply(stream, 404, "", b""),
        "/429" => reply(stream, 429, "", b""),
        "/502" => reply(stream, 502, "", b""),
        _ => reply(stream, 503, "", maintenance.as_bytes()),
    });
    let world = world();
    for (path, kind, says) in [
        ("/401", NotLoad, "answered 401 Unauthorized; a URL that asks for a login can be given one in `headers`"),
        ("/404?key=1", NotLoad, "answered 404 Not Found; is `measurement_url` right?"),
        ("/429", NotLoad, "answered 429 Too Many Requests"),
        ("/502", Overload, "answered 502 Bad Gateway"),
        ("/503", NotLoad, "answered 503: the app is in Heroku's maintenance mode"),
    ] {
        let stage = stage("response_time", &map([("measurement_url", text(&web.url(path)))]));
        let message = format!("`{}` {says}", web.url(path.split('?').next().unwrap()));
        assert_eq!(failed(&measure(&stage, &world).await), (kind, &*message), "{path}");
    }
}

#[tokio::test]
async fn a_relative_url_stands_below_the_address_of_the_app() {
    let app_web = Web::saying(200, "Beat");
    let address = app_web.url("/");
    let api = Web::start(move |_, stream| {
        reply(stream, 200, "", format!(r#"{{"name":"x","web_url":"{address}"}}"#).as_bytes())
    });
    let (backend, report) = declare("response_time", &map([]), Target(Some(app(&api))), None);
    assert_eq!(report.to_string(), "");
    let stage = stage_of(Arc::from(backend.unwrap()));
    assert_eq!(
        stage.backend.reaches(),
        [api.url("/apps/dancing-forest-1234"), "/heroku-autoscale/measurement/ of that app".into()]
    );
    let world = world();
    for _ in 0..2 {
        assert!(measure(&stage, &world).await.success);
    }
    assert!(app_web.heads()[1].starts_with("GET /heroku-autoscale/measurement/ HTTP/1.1"));
    // The address is asked for once, with the key, which the app itself never sees.
    assert_eq!(api.heads().len(), 1);
    let head = api.heads().remove(0);
    assert!(head.starts_with("GET /apps/dancing-forest-1234 HTTP/1.1"), "{head}");
    assert!(head.contains("authorization: Bearer key-of-the-forest"), "{head}");
    assert!(head.contains("accept: application/vnd.heroku+json; version=3"), "{head}");
    assert!(!app_web.heads()[0].contains("key-of-the-forest"));
}

#[tokio::test]
async fn an_app_that_heroku_does_not_know() {
    let api = Web::saying(404, r#"{"id":"not_found","message":"Couldn't find that app."}"#);
    let (backend, _) = declare("response_time", &map([]), Target(Some(app(&api))), None);
    let stage = stage_of(Arc::from(backend.unwrap()));
    let message = "cannot read the web address of `dancing-forest-1234`: there is no app `dancing-forest-1234` for \
                   this API key; check `app_name` and whose key it is (heroku answers 404: `Couldn't find that app.`)";
    assert_eq!(failed(&measure(&stage, &world()).await), (NotLoad, message));
}

#[tokio::test]
async fn headers_are_sent_and_masked() {
    let web = Web::saying(200, "");
    let headers = map([
        ("X-Probe", text("1")),
        ("Authorization", text("Bearer plain-as-day")),
        ("X-Key", Value::Secret(Secret::new("secret-as-night"))),
    ]);
    let settings = map([("measurement_url", text(&web.url("/m"))), ("headers", headers.value)]);
    let stage = stage("response_time", &settings);
    assert!(measure(&stage, &world()).await.success);
    let head = web.heads().remove(0);
    for sent in ["x-probe: 1", "authorization: Bearer plain-as-day", "x-key: secret-as-night"] {
        assert!(head.contains(sent), "{sent} in {head}");
    }
    let shown = serde_json::json!({"X-Probe": "1", "Authorization": "***", "X-Key": "***"});
    assert_eq!(stage.backend.settings()["headers"], shown);
}
