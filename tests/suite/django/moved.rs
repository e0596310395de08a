//! A project with the documentation's own AUTOSCALE_SETTINGS, moved over whole.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::project::Project;
use crate::harness::{FakeHeroku, wait_for};
use crate::measure::processes::{celery, command, python, redis};
use crate::notify::smtp;

const APP: &str = "dancing-forest-1234";
const KEY: &str = "abcdef1234567890abcdef12";

/// A PostgreSQL that ends with the test.
struct Postgres {
    process: Child,
    port: String,
}

impl Postgres {
    fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("integrations/django/tests/postgres.py");
        let mut command = Command::new(python("python"));
        let mut process = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        assert!(!port.is_empty(), "PostgreSQL does not start: see above");
        Self { process, port: port.trim().to_owned() }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The end of its input is what ends it.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

#[test]
fn both_pipelines_of_the_documented_dictionary_follow_the_load_and_admins_are_mailed() {
    let heroku = FakeHeroku::of(KEY, APP, &[("web", 1), ("celery", 1)]);
    let (postgres, mail) = (Postgres::start(), smtp::Server::start(&["--login", "mailer:password-of-the-mailer"]));
    let scratch = tempfile::tempdir().unwrap();
    let queue = redis(scratch.path(), &[]);
    let redis_url = format!("redis://127.0.0.1:{}/", queue.port);
    let files = [
        ("settings.py", include_str!("settings.py")),
        ("urls.py", include_str!("urls.py")),
        ("autoscale_settings.py", include_str!("autoscale_settings.py")),
    ];
    let environment = [
        ("POSTGRES_PORT", postgres.port.clone()),
        ("REDIS_URL", redis_url.clone()),
        ("SMTP_PORT", mail.port.to_string()),
        ("FAKE_HEROKU", heroku.url()),
    ];
    let project = Project::new(&files, &environment);
    project.manage(&["migrate", "--verbosity", "0"]);
    let site = project.serve();
    heroku.fake.set_web_url(APP, Some(&format!("http://127.0.0.1:{}/", site.port)));
    let beat = get(site.port, "/heroku-autoscale/measurement/");
    assert!(beat.starts_with("HTTP/1.1 200") && beat.contains("\nBeat\n"), "{beat}");

    std::fs::write(project.path().join("busy"), "").unwrap();
    celery(&redis_url, "{}", &["celery - 50"]);
    let mut worker = project.start(&["autoscaler"]);
    let dynos = || (heroku.fake.dynos(APP, "web"), heroku.fake.dynos(APP, "celery"));
    let told = |text: &str| worker.text().contains(text);
    wait_for(&format!("3 and 3 dynos:\n{}", worker.text()), || dynos() == (3, 3));
    // Its own notifications: mail for web, Python's logger for celery.
    wait_for("celery's logger", || told("WARNING autoscaler: celery: We are at the max (3) dynos"));
    let message = mail.next();
    assert_eq!(message["from"], "shop@example.com");
    assert_eq!(message["recipients"], serde_json::json!(["ann@example.com", "bob@example.com"]));
    let headers = message["headers"].to_string();
    assert!(headers.contains("[Shop] Demand above max scaling."), "{headers}");
    assert!(message["login"] == true, "{message}");

    std::fs::remove_file(project.path().join("busy")).unwrap();
    command(queue.port, "DEL celery");
    wait_for("1 and 1 dynos again", || dynos() == (1, 1));
    assert_eq!(worker.terminate(), Some(0), "{}", worker.text());
    let said = worker.text();
    for secret in [KEY, "password-of-the-mailer"] {
        assert!(!said.contains(secret), "{said}");
    }
}

/// A GET on a raw socket: head and body.
fn get(port: u16, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
