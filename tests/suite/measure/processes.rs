//! Real servers and programs, started on free ports and stopped when they are dropped.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::web::nobody;
use crate::harness::eventually;

const START: Duration = Duration::from_secs(30);

/// A process that ends with the test.
pub struct Running {
    child: Child,
    pub port: u16,
}

impl Drop for Running {
    fn drop(&mut self) {
        // The whole group: gunicorn's workers outlive a master that is killed.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts `command`, which serves `port`, and waits until it is `ready`.
    pub fn start(command: &mut Command, port: u16, ready: impl Fn() -> bool) -> Self {
        let name = format!("{command:?}");
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn();
        let child = child.unwrap_or_else(|error| panic!("{name}: {error}; `tests/run` installs what the tests need"));
        let running = Self { child, port };
        assert!(eventually(START, ready), "{name} does not answer");
        running
    }

    /// Stops it now, and returns when nobody listens any more.
    pub fn stop(self) {
        let port = self.port;
        drop(self);
        let gone = || TcpStream::connect(("127.0.0.1", port)).is_err();
        assert!(eventually(START, gone), "somebody still listens on port {port}");
    }
}

pub fn free_port() -> u16 {
    nobody().port()
}

/// `redis-server` with `arguments`, in the folder `dir`.
pub fn redis(dir: &Path, arguments: &[&str]) -> Running {
    redis_on(free_port(), dir, arguments)
}

pub fn redis_on(port: u16, dir: &Path, arguments: &[&str]) -> Running {
    let mut command = Command::new("redis-server");
    let text = port.to_string();
    command.args(["--port", &text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    command.arg("--dir").arg(dir).args(arguments);
    Running::start(&mut command, port, || answers_ping(port))
}

/// `redis-server --sentinel` that watches `mymaster` on `master`.
pub fn sentinel(dir: &Path, master: u16, lines: &str) -> Running {
    let port = free_port();
    let file = dir.join(format!("sentinel-{port}.conf"));
    let text = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor mymaster 127.0.0.1 {master} 1\n{lines}",
        dir.display()
    );
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new("redis-server");
    command.arg(file).arg("--sentinel");
    Running::start(&mut command, port, || answers_ping(port))
}

/// `redis-server` on a TLS port, with the certificate of [`certificate`].
pub fn redis_tls(dir: &Path) -> Running {
    let port = free_port();
    let text = port.to_string();
    let mut command = Command::new("redis-server");
    command.args(["--port", "0", "--tls-port", &text, "--bind", "127.0.0.1", "--save", "", "--dir"]).arg(dir);
    command.args(["--tls-auth-clients", "no", "--tls-cert-file"]).arg(dir.join("cert.pem"));
    command.arg("--tls-key-file").arg(dir.join("key.pem")).arg("--tls-ca-cert-file").arg(dir.join("ca.pem"));
    Running::start(&mut command, port, || TcpStream::connect(("127.0.0.1", port)).is_ok())
}

/// Makes ca.pem, and cert.pem with key.pem for `localhost` signed by it, in `dir`.
pub fn certificate(dir: &Path) {
    let openssl = |line: &str| run(Command::new("openssl").current_dir(dir).args(line.split(' ')));
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem -days 2 -subj /CN=test-ca");
    openssl("req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=localhost");
    std::fs::write(dir.join("names"), "subjectAltName=DNS:localhost").unwrap();
    openssl(
        "x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -CAcreateserial -out cert.pem -days 2 -extfile names",
    );
}

/// An HTTPS server with the certificate of [`certificate`].
pub fn https(dir: &Path) -> Running {
    let port = free_port();
    let mut command = Command::new("openssl");
    command.current_dir(dir).args(["s_server", "-www", "-quiet", "-cert", "cert.pem", "-key", "key.pem", "-accept"]);
    command.arg(port.to_string()).stdin(Stdio::null());
    Running::start(&mut command, port, || TcpStream::connect(("127.0.0.1", port)).is_ok())
}

/// The Django project in `tests/django_app` under gunicorn, with `rows` rows in its table.
pub fn django(dir: &Path, rows: u32) -> Running {
    let port = free_port();
    let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/django_app");
    let with = |program: &str| {
        let mut command = Command::new(python(program));
        command.current_dir(&app).env("APP_DATA", dir).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    };
    run(with("python").args(["manage.py", "migrate", "--verbosity", "0"]));
    run(with("python").args(["manage.py", "fill", &rows.to_string()]));
    let mut command = with("gunicorn");
    command.args(["site_wsgi:application", "--workers", "1", "--bind", &format!("127.0.0.1:{port}")]);
    Running::start(&mut command, port, || TcpStream::connect(("127.0.0.1", port)).is_ok())
}

/// Sends jobs with a real Celery producer: "queue priority count" each.
pub fn celery(url: &str, options: &str, jobs: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/measure/celery_producer.py");
    run(Command::new(python("python")).arg(script).arg(url).arg(options).args(jobs));
}

/// Runs `command` to its end, which must be good.
pub fn run(command: &mut Command) {
    let name = format!("{command:?}");
    let output = command.output().unwrap_or_else(|error| panic!("{name}: {error}; run tests/run"));
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A program of the virtual environment.
pub fn python(program: &str) -> PathBuf {
    let root = std::env::var_os("AUTOSCALER_TEST_VENV")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-env/venv"), PathBuf::from);
    let path = root.join("bin").join(program);
    assert!(path.exists(), "{} is missing: `tests/run` installs it", path.display());
    path
}

/// Whether a Redis on `port` answers at all: with a password set, an error is an answer too.
fn answers_ping(port: u16) -> bool {
    !command(port, "PING").is_empty()
}

/// Sends inline `commands` to the Redis on `port` and returns the beginning of the answer.
pub fn command(port: u16, commands: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return String::new() };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
    let mut buffer = [0; 256];
    let read = stream.write_all(format!("{commands}\r\n").as_bytes()).and_then(|()| stream.read(&mut buffer));
    String::from_utf8_lossy(&buffer[..read.unwrap_or(0)]).into_owned()
}
