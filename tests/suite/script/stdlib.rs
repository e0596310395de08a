//! The standard modules as users meet them: a script that imports one, and the server that it speaks to.

use std::fmt::Write as _;
use std::process::Command;
use std::sync::Arc;

use autoscaler::notify::Undelivered;
use autoscaler::pipeline::{Event, Measurement, Phase};
use autoscaler::world::ScaleErrorKind;
use base64::Engine as _;
use serde_json::{Value as Json, json};

use super::reaching::{Around, event, measuring, notifying, report, scaling, spec_of, world};
use super::server::{Answer, Server};
use crate::measure::support::{failed, measure};

/// A key of 24 bytes, as Standard Webhooks asks for.
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn with(module: &str, script: &str) -> String {
    format!("import \"std/{module}\" as {module};\n{script}")
}

fn around(variables: &[(&'static str, &str)]) -> Around {
    let variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Around { variables, ..Around::default() }
}

async fn told(module: &str, stage: &str, around: &Around, event: Event) -> Result<(), Undelivered> {
    let spec = spec_of(&with(module, &notifying(stage)), around);
    spec.notify[0].backend.deliver(&Arc::new(event), &std::sync::Mutex::default(), &world()).await
}

async fn measured(module: &str, stage: &str, around: &Around) -> Measurement {
    let spec = spec_of(&with(module, &measuring(stage)), around);
    measure(&spec.measure[0], &world()).await
}

fn body(server: &Server, at: usize) -> Json {
    serde_json::from_str(&server.seen()[at].body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_is_told_and_what_it_says_is_heard() {
    let cases: [(Answer, Result<(), &str>); 5] = [
        ((200, &[], "ok".into()), Ok(())),
        ((200, &[], r#"{"ok": true}"#.into()), Ok(())),
        ((200, &[], r#"{"ok": false, "error": "no_text"}"#.into()), Err("slack refuses the message: no_text")),
        ((404, &[], "no_service".into()), Err("answered 404 Not Found: no_service")),
        ((429, &[("retry-after", "3600")], String::new()), Err("answered 429 Too Many Requests")),
    ];
    for (answer, expected) in cases {
        let server = Server::start([answer]).await;
        let url = format!("{}/services/T0/B0/the-secret-path", server.url);
        let stage = "slack::notify(#{ url: env::secret(\"SLACK_URL\"), mention: \"<!here>\" })";
        let mut event = event();
        event.message = "1 < 2 & 3".into();
        event.severity = "error".into();
        let said = told("slack", stage, &around(&[("SLACK_URL", &url)]), event).await;
        match expected {
            Ok(()) => assert_eq!(said, Ok(())),
            Err(why) => {
                let message = said.unwrap_err().message;
                assert!(message.contains(why) && !message.contains("the-secret-path"), "{message}");
            }
        }
        assert_eq!(server.lines(), ["POST /services/T0/B0/the-secret-path"]);
        assert_eq!(body(&server, 0), json!({ "text": "<!here> :red_circle: *web* 1 &lt; 2 &amp; 3" }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_is_tried_again_when_it_says_so() {
    let server = Server::start([(429, &[("retry-after", "0")], String::new()), (200, &[], "ok".into())]).await;
    let stage = "slack::notify(#{ url: env::secret(\"SLACK_URL\") })";
    assert_eq!(told("slack", stage, &around(&[("SLACK_URL", &server.url)]), event()).await, Ok(()));
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn pagerduty_opens_and_resolves_by_the_key_of_the_event() {
    let server = Server::start([(202, &[], r#"{"status": "success"}"#.into())]).await;
    let stage = format!(
        "pagerduty::notify(#{{ routing_key: env::secret(\"KEY\"), api_url: \"{}\", source: \"shop\" }})",
        server.url
    );
    let around = around(&[("KEY", "0123456789abcdef0123456789abcdef")]);
    for phase in [Phase::Begin, Phase::Repeat, Phase::End, Phase::Once] {
        let event = Event { phase, key: "web/needs_above_max".into(), message: "x".repeat(2000), ..event() };
        assert_eq!(told("pagerduty", &stage, &around, event).await, Ok(()));
    }
    assert_eq!(server.lines(), ["POST /v2/enqueue"; 3], "news is no incident");
    for (at, action) in ["trigger", "trigger", "resolve"].iter().enumerate() {
        let body = body(&server, at);
        assert_eq!(body["event_action"], *action);
        assert_eq!(body["dedup_key"], "web/needs_above_max");
        assert_eq!(body["routing_key"], "0123456789abcdef0123456789abcdef");
        assert_eq!(body.get("payload").is_some(), *action == "trigger");
    }
    let payload = &body(&server, 0)["payload"];
    assert_eq!(payload["summary"].as_str().unwrap().len(), 1024);
    assert_eq!((&payload["source"], &payload["severity"]), (&json!("shop"), &json!("info")));
    assert_eq!(payload["timestamp"], "2026-11-24T12:00:00Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn pagerduty_refusing_an_event_is_told_once() {
    let refusal = r#"{"status": "invalid event", "errors": ["routing_key is wrong"]}"#;
    let server = Server::start([(400, &[], refusal.into())]).await;
    let stage = format!("pagerduty::notify(#{{ routing_key: env::secret(\"KEY\"), api_url: \"{}\" }})", server.url);
    let event = Event { phase: Phase::Begin, ..event() };
    let said = told("pagerduty", &stage, &around(&[("KEY", "0123456789abcdef")]), event).await.unwrap_err();
    assert!(said.message.contains("routing_key is wrong") && !said.message.contains("0123456789"), "{said}");
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_signed_so_that_another_library_verifies_it() {
    let server = Server::start([(204, &[], String::new())]).await;
    let stage = format!("webhook::notify(#{{ url: \"{}/hook\", key: env::secret(\"KEY\") }})", server.url);
    assert_eq!(told("webhook", &stage, &around(&[("KEY", KEY)]), event()).await, Ok(()));
    let seen = server.seen().remove(0);
    let sent: Json = serde_json::from_str(&seen.body).unwrap();
    assert_eq!((&sent["kind"], &sent["message"]), (&json!("scaled"), &json!("Scaled web from 1 to 2.")));
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!(seen.header("webhook-timestamp"), "1795521600");
    let signed = format!("{}.{}.{}", seen.header("webhook-id"), seen.header("webhook-timestamp"), seen.body);
    let key = base64::engine::general_purpose::STANDARD.decode(KEY.trim_start_matches("whsec_")).unwrap();
    let mut hex = String::new();
    for byte in key {
        write!(hex, "{byte:02x}").unwrap();
    }
    let mut openssl = Command::new("openssl");
    openssl.args(["dgst", "-sha256", "-mac", "HMAC", "-macopt", &format!("hexkey:{hex}"), "-binary"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signed");
    std::fs::write(&file, signed).unwrap();
    let made = openssl.arg(file).output().expect("openssl").stdout;
    let expected = format!("v1,{}", base64::engine::general_purpose::STANDARD.encode(made));
    assert_eq!(seen.header("webhook-signature"), expected);
}

#[test]
fn a_signature_goes_only_where_its_key_may_go() {
    let key = "env::secret(\"KEY\", #{ hosts: [\"ops.example.com\"] })";
    let script = format!(
        "let s = hash::webhook_signature({key}, \"text\"); http::get(\"https://other.example.com\").header(\"x-s\", s);"
    );
    let said = report(&script, &around(&[("KEY", KEY)]));
    assert!(said.contains("is bound to `ops.example.com`, and may not be sent to `other.example.com`"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_gives_one_number_or_says_why_not() {
    let vector = |result: &str| format!(r#"{{"status":"success","data":{{"resultType":"vector","result":{result}}}}}"#);
    let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[1795485735.4,"1.5"]}}"#;
    let matrix = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
    let wrong = r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
    let cases: [(u16, String, Result<f64, &str>); 11] = [
        (200, vector(r#"[{"metric":{},"value":[1795485735.4,"35"]}]"#), Ok(35.0)),
        (200, scalar.into(), Ok(1.5)),
        (200, vector("[]"), Err("the query finds no series")),
        (200, vector(r#"[{"value":[1,"1"]},{"value":[1,"2"]}]"#), Err("2 series where one is due: write `sum(…)`")),
        (200, vector(r#"[{"value":[1,"NaN"]}]"#), Err("the query gives NaN, which is no number")),
        (200, vector(r#"[{"value":[1,"+Inf"]}]"#), Err("the query gives +Inf, which is no number")),
        (200, matrix.into(), Err("the query gives a matrix where one number is due")),
        (200, wrong.into(), Err("prometheus says: parse error")),
        (400, wrong.into(), Err("answered 400 Bad Request: {\"status\":\"error\",\"errorType\":\"bad_data\"")),
        (200, "<html>".into(), Err("answered HTML where JSON is due")),
        (200, "[1]".into(), Err("")),
    ];
    for (status, answer, expected) in cases {
        let server = Server::start([(status, &[], answer.clone())]).await;
        let stage = format!(
            "prometheus::instant_query(#{{ url: \"{}/prom\", query: \"sum(a)\", bearer: env::secret(\"TOKEN\") }})",
            server.url
        );
        let measurement = measured("prometheus", &stage, &around(&[("TOKEN", "tok-1234567890")])).await;
        match expected {
            Ok(value) => assert_eq!(measurement.value, Some(value), "{answer}: {measurement:?}"),
            Err(why) => assert!(failed(&measurement).1.contains(why), "{answer}: {measurement:?}"),
        }
        assert_eq!(server.lines(), ["GET /prom/api/v1/query?query=sum%28a%29"]);
        assert_eq!(server.seen()[0].header("authorization"), "Bearer tok-1234567890");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_behind_a_password() {
    let server = Server::saying(r#"{"status":"success","data":{"resultType":"scalar","result":[1,"4"]}}"#).await;
    let settings = format!("url: \"{}\", query: \"a\", user: \"me\", password: env::secret(\"PASSWORD\")", server.url);
    let stage = format!("prometheus::instant_query(#{{ {settings} }})");
    let measurement = measured("prometheus", &stage, &around(&[("PASSWORD", "open sesame")])).await;
    assert_eq!(measurement.value, Some(4.0));
    assert_eq!(server.seen()[0].header("authorization"), "Basic bWU6b3BlbiBzZXNhbWU=");
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_counts_a_queue() {
    let queue = r#"{"name":"mail","messages":5,"messages_ready":3,"messages_unacknowledged":2}"#;
    let cases: [(u16, &str, &str, Result<f64, &str>); 5] = [
        (200, queue, "", Ok(3.0)),
        (200, queue, ", count_unacked: true", Ok(5.0)),
        (200, r#"{"name":"mail"}"#, "", Err("has not counted the queue yet")),
        (404, r#"{"error":"Object Not Found","reason":"Not Found"}"#, "", Err("answered 404 Not Found")),
        (401, r#"{"error":"not_authorized","reason":"Login failed"}"#, "", Err("Login failed")),
    ];
    for (status, answer, more, expected) in cases {
        let server = Server::start([(status, &[], answer.into())]).await;
        let stage = format!(
            "rabbitmq::queue_length(#{{ url: \"{}\", queue: \"mail/x\", user: \"me\", password: env::secret(\"P\"){more} }})",
            server.url
        );
        let measurement = measured("rabbitmq", &stage, &around(&[("P", "open sesame")])).await;
        match expected {
            Ok(value) => assert_eq!(measurement.value, Some(value), "{measurement:?}"),
            Err(why) => assert!(failed(&measurement).1.contains(why), "{measurement:?}"),
        }
        assert_eq!(server.lines(), ["GET /api/queues/%2F/mail%2Fx"]);
        assert_eq!(server.seen()[0].header("authorization"), "Basic bWU6b3BlbiBzZXNhbWU=");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn render_is_asked_and_told_how_many_instances() {
    use autoscaler::world::Freshness;
    let service = r#"{"id":"srv-1","suspended":"not_suspended","serviceDetails":{"numInstances":3}}"#;
    let open = |server: &Server| {
        let stage = format!(
            "render::service(#{{ service: \"srv-1\", api_key: env::secret(\"RENDER_API_KEY\"), api_url: \"{}\" }})",
            server.url
        );
        let spec = spec_of(&with("render", &scaling(&stage)), &around(&[("RENDER_API_KEY", "rnd_1234567890")]));
        Arc::clone(&spec.scale).open(&spec.name, &world())
    };
    let server = Server::start([(200, &[], service.into()), (202, &[], String::new())]).await;
    let platform = open(&server);
    assert_eq!(platform.observe(Freshness::Now).await.map(|supply| supply.dynos).ok(), Some(3));
    platform.scale_to(5).await.unwrap();
    assert_eq!(server.lines()[..2], ["GET /v1/services/srv-1", "POST /v1/services/srv-1/scale"]);
    assert_eq!(body(&server, 1), json!({ "numInstances": 5 }));
    assert_eq!(server.seen()[1].header("authorization"), "Bearer rnd_1234567890");
    for (status, answer, why) in [
        (401, r#"{"id":"x","message":"unauthorized"}"#, "unauthorized"),
        (200, r#"{"suspended":"suspended","serviceDetails":{"numInstances":1}}"#, "the service is suspended"),
        (200, r#"{"serviceDetails":{}}"#, "has no number of instances"),
    ] {
        let server = Server::start([(status, &[], answer.into())]).await;
        let error = open(&server).observe(Freshness::Now).await.unwrap_err();
        assert!(error.message.contains(why), "{error:?}");
        assert_eq!(error.kind, ScaleErrorKind::Refused);
    }
}

#[test]
fn settings_are_as_strict_as_those_of_native_stages() {
    for (stage, marked, said) in [
        (
            "slack::notify(#{ url: env::secret(\"U\"), mentoin: \"x\" })",
            "mentoin",
            "unknown setting `mentoin` of `slack::notify` (did you mean `mention`?)",
        ),
        (
            "slack::notify(#{ url: env::secret(\"U\"), mention: 5 })",
            "mention",
            "`mention` of `slack::notify` takes a text or a secret, not a whole number",
        ),
        (
            "slack::notify(#{ url: env::secret(\"U\"), notify_on_every_scale: 5 })",
            "notify_on_every_scale",
            "`notify_on_every_scale` takes `true` or `false`, not the number 5",
        ),
        ("slack::notify(#{})", "slack::notify(", "`slack::notify` needs the setting `url`"),
        ("slack::notify(5)", "slack::notify(", "`slack::notify` takes a map of settings `#{ … }`, not 5"),
        ("slack::notify(#{ url: \"nowhere\" })", "slack::notify(", "`http::post`: the URL is no web address"),
    ] {
        let line = notifying(stage);
        let column = line[..line.find(marked).unwrap()].chars().count() + 1;
        let found = report(&with("slack", &line), &around(&[("U", "https://hooks.slack.com/x")]));
        assert!(found.contains(&format!("test.rhai:2:{column}: error: {said}")), "{stage}: {found}");
    }
    let stage = notifying("webhook::notify(#{ url: \"https://a.example.com\", key: \"whsec_\" })");
    let found = report(&with("webhook", &stage), &Around::default());
    assert!(found.contains("the key is not `whsec_` with base64 behind it"), "{found}");
    let stage = notifying("pagerduty::notify(#{ routing_key: env::secret(\"K\"), region: \"mars\" })");
    let found = report(&with("pagerduty", &stage), &Around::default());
    assert!(found.contains("`region` of `pagerduty::notify` is \"us\" or \"eu\", not \"mars\""), "{found}");
}

#[test]
fn importing_a_module_declares_none_of_its_tests_and_needs_none_of_their_secrets() {
    let text = with("slack", &with("rabbitmq", &notifying("|event| ()")));
    let loaded = super::reaching::loaded(&text, &Around::default());
    assert_eq!((loaded.declarations.len(), loaded.needs.len()), (1, 0), "{}", loaded.report);
}

/// The built command on a folder of this repository, with no variable set.
fn command(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autoscaler"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env_clear();
    let output = command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// The scripts of `folder`.
fn scripts(folder: &str) -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| std::path::Path::new(name).extension().is_some_and(|end| end == "rhai")).collect()
}

#[test]
fn the_tests_of_every_standard_module_and_of_every_example_pass() {
    assert!(scripts("scripts").len() >= 8);
    for folder in ["stdlib", "stdlib/policy", "scripts"] {
        let said = command(&["test", folder]);
        assert!(!said.contains("no tests"), "{said}");
        for name in scripts(folder) {
            assert!(said.contains(&format!("{folder}/{name}\n  ✓")), "{name}: {said}");
        }
    }
}
