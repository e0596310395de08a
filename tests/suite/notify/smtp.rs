//! Starts real mail servers: `smtp_server.py` on a free port, stopped when dropped.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::Value as Json;

/// How long the server may take for anything: far more than it needs.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Server {
    process: Child,
    /// The server stops when this closes, also when the tests are killed.
    _alive: ChildStdin,
    said: Receiver<Json>,
    pub port: u16,
    pub folder: tempfile::TempDir,
}

fn python() -> PathBuf {
    let venv = std::env::var_os("AUTOSCALER_TEST_VENV")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-env/venv"), PathBuf::from);
    let python = venv.join("bin/python");
    assert!(python.exists(), "{} is missing: tests/run makes it", python.display());
    python
}

impl Server {
    pub fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/notify/smtp_server.py");
        let mut process = Command::new(python())
            .arg(script)
            .args(options)
            .arg("--folder")
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (sender, said) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str::<Json>(&line).unwrap());
            }
        });
        let alive = process.stdin.take().unwrap();
        let mut server = Self { process, _alive: alive, said, port: 0, folder };
        server.port = u16::try_from(server.next()["port"].as_u64().unwrap()).unwrap();
        server
    }

    /// The next thing it said; waits for it.
    pub fn next(&self) -> Json {
        match self.said.recv_timeout(PATIENCE) {
            Ok(said) => said,
            Err(RecvTimeoutError::Timeout) => panic!("the mail server took no message"),
            Err(RecvTimeoutError::Disconnected) => panic!("the mail server stopped: see its error above"),
        }
    }

    /// What it said and nobody has read.
    pub fn unread(&self) -> Vec<Json> {
        self.said.try_iter().collect()
    }

    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
