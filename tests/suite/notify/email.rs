//! Mail through real servers: plain, STARTTLS and implicit TLS, with and without login, and what is
//! said where it does not arrive.

use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use autoscaler::notify::{Notify, NotifyStage, Undelivered};
use autoscaler::pipeline::{Event, EventKind, PipelineSpec};
use autoscaler::settings::{Node, Value};
use serde_json::{Value as Json, json};

use super::audience::Log;
use super::backends::{map, read, text};
use super::pretend::{event, pipeline, world};
use super::smtp::Server;

/// More than any delivery here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The environment variable that tells a test that it is its own child.
const CHILD: &str = "AUTOSCALER_TEST_SMTP_PORT";

fn email(url: &str, more: &[(&str, Value)]) -> NotifyStage {
    let to = ("to", Value::Array(vec![Node::bare(text("ops@example.com"))]));
    let mut entries = vec![("smtp_url", text(url)), ("notify_on_every_scale", Value::Bool(true))];
    if more.iter().all(|(name, _)| *name != "to") {
        entries.push(to);
    }
    entries.extend_from_slice(more);
    let (stage, report) = read("email", &map(&entries));
    stage.unwrap_or_else(|| panic!("{report}"))
}

fn plain(server: &Server) -> String {
    format!("smtp://127.0.0.1:{}", server.port)
}

fn scaled() -> Event {
    let mut event = event("web", EventKind::Scaled, "Scaled to (3) dynos.");
    (event.subject, event.from, event.to) = ("Scaled to 3 dynos".into(), Some(2), Some(3));
    (event.measurement, event.reason) = (Some(1300.0), Some("the last 3 above 1000".into()));
    event
}

async fn deliver(stage: &NotifyStage, event: Event) -> Result<(), Undelivered> {
    let (world, _deliveries, _) = world();
    stage.backend.deliver(&Arc::new(event), &Mutex::default(), &world).await
}

fn header(mail: &Json, name: &str) -> String {
    let headers = mail["headers"].as_array().unwrap();
    let found: Vec<&str> =
        headers.iter().filter(|header| header[0] == name).map(|header| header[1].as_str().unwrap()).collect();
    assert_eq!(found.len(), 1, "{name} in {mail:#}");
    found[0].into()
}

#[tokio::test]
async fn a_mail_goes_to_every_recipient_with_the_subject_and_text_of_the_predecessor() {
    let server = Server::start(&[]);
    let to = ["ops@example.com", "Night Shift <night@example.com>"].map(|to| Node::bare(text(to)));
    let stage =
        email(&plain(&server), &[("to", Value::Array(to.to_vec())), ("from", text("Autoscaler <bot@example.com>"))]);
    deliver(&stage, scaled()).await.unwrap();
    let mail = server.next();
    assert_eq!(mail["from"], "bot@example.com");
    assert_eq!(mail["recipients"], json!(["ops@example.com", "night@example.com"]));
    assert_eq!(header(&mail, "Subject"), "[autoscaler] Scaled to 3 dynos");
    assert_eq!(header(&mail, "From"), "Autoscaler <bot@example.com>");
    assert_eq!(header(&mail, "To"), "ops@example.com, Night Shift <night@example.com>");
    assert_eq!(header(&mail, "Date"), "Thu, 01 Jan 1970 00:00:00 +0000");
    assert_eq!(header(&mail, "Auto-Submitted"), "auto-generated");
    assert_eq!(
        mail["body"].as_str().unwrap().replace("\r\n", "\n").trim_end(),
        "Scaled to (3) dynos.\n\nPipeline: web\nDynos: 2 -> 3\nMeasurement: 1300\nReason: the last 3 above 1000\n\
         Time: 1970-01-01 00:00:00 UTC"
    );
    assert_eq!((&mail["tls"], &mail["login"]), (&json!(false), &json!(false)));
}

#[tokio::test]
async fn a_mail_names_the_app_the_count_and_the_unit() {
    let server = Server::start(&[]);
    let stage = email(&plain(&server), &[]);
    let event = Event {
        from: None,
        to: None,
        dynos: Some(3),
        measurement: Some(1301.208),
        unit: Some("ms".into()),
        target: Some("imaginary (web)".into()),
        ..scaled()
    };
    deliver(&stage, event).await.unwrap();
    let mail = server.next();
    let body = mail["body"].as_str().unwrap().replace("\r\n", "\n");
    assert!(body.contains("\nPipeline: web\nApp: imaginary (web)\nDynos: 3\nMeasurement: 1301 ms\n"), "{body}");
}

#[tokio::test]
async fn the_subjects_of_the_predecessor_stand_unchanged_behind_the_prefix() {
    let server = Server::start(&[]);
    let stage = email(&plain(&server), &[("subject_prefix", text("[Django] "))]);
    let subjects = [
        "Scaled too fast warning",
        "Demand above max scaling.",
        "Load below min scaling.",
        "Scale to 3 dynos failed.",
        "Scaled to 3 dynos",
    ];
    for subject in subjects {
        deliver(&stage, Event { subject: subject.into(), ..scaled() }).await.unwrap();
        assert_eq!(header(&server.next(), "Subject"), format!("[Django] {subject}"));
    }
}

#[tokio::test]
async fn nothing_that_comes_from_outside_becomes_a_header() {
    let server = Server::start(&[]);
    let stage = email(&plain(&server), &[("subject_prefix", text("[a]\r\nX-Prefix: 1 "))]);
    let evil = Event {
        subject: "down\r\nBcc: evil@example.com\r\n\r\nbody\u{0}".into(),
        message: "first\r\n.\r\nMAIL FROM:<evil@example.com>\nünïcode".into(),
        reason: Some("why\r\nBcc: evil@example.com".into()),
        ..scaled()
    };
    deliver(&stage, evil).await.unwrap();
    let mail = server.next();
    assert_eq!(mail["recipients"], json!(["ops@example.com"]));
    assert_eq!(header(&mail, "Subject"), "[a]X-Prefix: 1 down Bcc: evil@example.com body");
    let names: Vec<&str> =
        mail["headers"].as_array().unwrap().iter().map(|header| header[0].as_str().unwrap()).collect();
    assert!(!names.iter().any(|name| ["Bcc", "X-Prefix"].contains(name)), "{names:?}");
    let body = mail["body"].as_str().unwrap().replace("\r\n", "\n");
    assert!(body.starts_with("first\n.\nMAIL FROM:<evil@example.com>\nünïcode\n"), "{body:?}");
    assert!(body.contains("Reason: why Bcc: evil@example.com\n"), "{body:?}");
    assert!(server.unread().is_empty());
}

#[tokio::test]
async fn a_login_is_used_and_a_wrong_one_is_told_without_the_password() {
    let server = Server::start(&["--login", "ops@example.com:p@ss/word#1"]);
    let url = |password: &str| format!("smtp://ops%40example.com:{password}@127.0.0.1:{}?tls=none", server.port);
    let stage = email(&url("p%40ss%2Fword%231"), &[]);
    deliver(&stage, scaled()).await.unwrap();
    let mail = server.next();
    assert_eq!((&mail["login"], &mail["from"]), (&json!(true), &json!("ops@example.com")));

    let wrong = deliver(&email(&url("not-the-password"), &[]), scaled()).await.unwrap_err();
    assert!(!wrong.transient);
    assert_eq!(
        wrong.message,
        format!("the mail server 127.0.0.1:{} answered 535: 5.7.8 Authentication credentials invalid", server.port)
    );
    assert!(server.unread().is_empty());
}

#[tokio::test]
async fn one_refused_recipient_does_not_keep_the_mail_from_the_others() {
    let (log, _guard) = Log::capture();
    let server = Server::start(&["--refuse", "gone@example.com"]);
    let to = ["gone@example.com", "ops@example.com"].map(|to| Node::bare(text(to)));
    let stage = email(&plain(&server), &[("to", Value::Array(to.to_vec()))]);
    deliver(&stage, scaled()).await.unwrap();
    assert_eq!(server.next()["recipients"], json!(["ops@example.com"]));
    assert!(log.text().contains("the mail to gone@example.com was not taken"), "{}", log.text());

    let alone = deliver(&email(&plain(&server), &[("to", text("gone@example.com"))]), scaled()).await.unwrap_err();
    assert!(!alone.transient && alone.message.ends_with("answered 550: 5.1.1 no such mailbox"), "{alone}");
}

/// Runs the test `name` in a process of its own whose trusted certificates are those of `server`.
fn trusting(server: &Server, name: &str) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("notify::email::{name}"), "--nocapture"])
        .env("SSL_CERT_FILE", server.certificate())
        .env(CHILD, server.port.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout) + String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

fn port_of_parent() -> Option<u16> {
    std::env::var(CHILD).ok().map(|port| port.parse().unwrap())
}

#[tokio::test]
async fn starttls_with_a_private_authority_and_a_login() {
    if let Some(port) = port_of_parent() {
        let stage = email(&format!("smtp://ops:secret-word@localhost:{port}"), &[]);
        return deliver(&stage, scaled()).await.unwrap();
    }
    let server = Server::start(&["--starttls", "--login", "ops:secret-word"]);
    trusting(&server, "starttls_with_a_private_authority_and_a_login");
    let mail = server.next();
    assert_eq!((&mail["tls"], &mail["login"]), (&json!(true), &json!(true)));

    // This process does not trust that authority.
    let stage = email(&format!("smtp://ops:secret-word@localhost:{}", server.port), &[]);
    let distrusted = deliver(&stage, scaled()).await.unwrap_err();
    assert!(!distrusted.transient && distrusted.message.contains("SSL_CERT_FILE"), "{distrusted}");
    assert!(server.unread().is_empty());
}

#[tokio::test]
async fn implicit_tls_with_a_private_authority() {
    if let Some(port) = port_of_parent() {
        let stage = email(&format!("smtps://127.0.0.1:{port}"), &[]);
        return deliver(&stage, scaled()).await.unwrap();
    }
    let server = Server::start(&["--tls"]);
    trusting(&server, "implicit_tls_with_a_private_authority");
    assert_eq!(server.next()["tls"], json!(true));

    let stage = email(&format!("smtps://127.0.0.1:{}", server.port), &[]);
    let distrusted = deliver(&stage, scaled()).await.unwrap_err();
    assert!(!distrusted.transient && distrusted.message.contains("SSL_CERT_FILE"), "{distrusted}");
    assert!(server.unread().is_empty());
}

#[tokio::test]
async fn a_password_is_not_sent_where_starttls_is_not_offered() {
    let server = Server::start(&["--login", "ops:secret-word"]);
    let stage = email(&format!("smtp://ops:secret-word@127.0.0.1:{}", server.port), &[]);
    let refused = deliver(&stage, scaled()).await.unwrap_err();
    assert_eq!(
        refused,
        Undelivered::for_good(format!(
            "the mail server 127.0.0.1:{} offers no STARTTLS (`?tls=none` at the end of `smtp_url` does without)",
            server.port
        ))
    );
    assert!(server.unread().is_empty());
}

#[tokio::test]
async fn a_server_that_refuses_everybody_is_told_with_its_words() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused = deliver(&email(&format!("smtp://127.0.0.1:{gone}"), &[]), scaled()).await.unwrap_err();
    assert!(refused.transient, "{refused}");
    assert!(refused.message.starts_with(&format!("the mail server 127.0.0.1:{gone}: Connection refused")), "{refused}");

    let server = Server::start(&["--greet", "554"]);
    let away = deliver(&email(&plain(&server), &[]), scaled()).await.unwrap_err();
    assert_eq!(away, Undelivered::for_good(format!("the mail server 127.0.0.1:{} answered 554: go away", server.port)));
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up_after_twenty_seconds() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let start = tokio::time::Instant::now();
    let error = deliver(&email(&format!("smtp://127.0.0.1:{port}"), &[]), scaled()).await.unwrap_err();
    assert_eq!(
        error,
        Undelivered::for_now(format!("the mail server 127.0.0.1:{port} did not take the message within 20 s"))
    );
    assert_eq!(start.elapsed(), Duration::from_secs(20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_in_trouble_neither_delays_a_tick_nor_loses_the_mail() {
    let server = Server::start(&["--busy", "1"]);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (world, deliveries, _) = world();
    let stages = vec![
        email(&format!("smtp://127.0.0.1:{}", silent.local_addr().unwrap().port()), &[]),
        email(&plain(&server), &[]),
    ];
    let web: Arc<PipelineSpec> = pipeline("web", stages);
    let start = Instant::now();
    for _ in 0..1_000 {
        world.audience.tell(&web, vec![event("web", EventKind::Measured, "nobody asked")]);
    }
    world.audience.tell(&web, vec![scaled()]);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    // 451 at first; the second try, two seconds later, is taken.
    let mail = tokio::task::spawn_blocking(move || server.next()).await.unwrap();
    assert_eq!(header(&mail, "Subject"), "[autoscaler] Scaled to 3 dynos");
    assert!(start.elapsed() >= Duration::from_secs(2) && start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    // The silent one has had its time.
    assert_eq!(deliveries.close(Duration::from_millis(50)).await, 1);
}

#[test]
fn wrong_mail_settings_are_errors_with_their_place_and_mend() {
    let to = ["ops@example.com", "a@example.com, b@example.com", "x@y\r\nBcc: z@w"].map(|to| Node::bare(text(to)));
    let settings = map(&[
        ("to", Value::Array(to.to_vec())),
        ("from", text("nobody")),
        ("smtp_url", text("https://u:hunter2hunter2@mail.example.com")),
    ]);
    let (stage, report) = read("email", &settings);
    assert!(stage.is_none());
    let said: Vec<String> = report.diagnostics().iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "a.rhai:1:5: error: `a@example.com, b@example.com` in `to` is no mail address \
             (several recipients are an array: `[\"a@example.com\", \"b@example.com\"]`)",
            "a.rhai:1:5: error: `x@y Bcc: z@w` in `to` is no mail address \
             (it looks like \"ops@example.com\" or \"Ops <ops@example.com>\")",
            "a.rhai:2:5: error: `nobody` in `from` is no mail address \
             (it looks like \"ops@example.com\" or \"Ops <ops@example.com>\")",
            "a.rhai:3:5: error: `smtp_url` is no URL of a mail server (it looks like \
             `smtp://user:password@mail.example.com:587` (STARTTLS) or `smtps://user:password@mail.example.com:465`)",
        ]
    );

    let (stage, report) = read("email", &map(&[]));
    assert!(stage.is_none());
    let said = report.to_string();
    assert!(said.contains("needs the setting `to`") && said.contains("needs the setting `smtp_url`"), "{said}");
}

#[test]
fn a_secret_that_is_not_set_is_no_error_of_check_and_no_password_is_shown() {
    let settings = map(&[("to", text("ops@example.com")), ("smtp_url", Value::MissingSecret("SMTP_URL".into()))]);
    let (stage, report) = read("email", &settings);
    assert_eq!(report.to_string(), "");
    assert_eq!(
        stage.unwrap().backend.settings(),
        json!({
            "to": ["ops@example.com"], "smtp_url": "***", "from": "ops@example.com", "subject_prefix": "[autoscaler] ",
        })
    );
    let stage = email("smtp://ops:hunter2hunter2@mail.example.com", &[]);
    let shown =
        format!("{stage:?} {} {:?} {}", stage.backend.settings(), stage.backend.reaches(), stage.backend.recipient());
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(stage.backend.reaches(), ["mail server mail.example.com:587"]);
    let dyn_stage: &Arc<dyn Notify> = &stage.backend;
    assert!(dyn_stage.leaves_machine());

    let opportunistic = "smtp://ops:hunter2hunter2@mail.example.com?tls=opportunistic";
    let (_, report) = read("email", &map(&[("to", text("ops@example.com")), ("smtp_url", text(opportunistic))]));
    assert!(report.to_string().starts_with("a.rhai:2:5: warning: `tls=opportunistic`"), "{report}");
}
