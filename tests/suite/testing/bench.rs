//! What the tests of this group share: the verdicts on a text, and the built command in a scratch folder.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use autoscaler::pipeline::declare;
use autoscaler::script::{Environment, Loaded, MissingSecrets, Source, load};
use autoscaler::testing::{Suite, Verdict};
use chrono_tz::Tz;

use crate::harness::eventually;

/// No variable is set.
struct Bare;

impl Environment for Bare {
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }
}

/// A pipeline `web` for tests that do not care which: 30 s, 1 to 9 dynos, up above 100, down below 10.
pub const WEB: &str = r#"
pipeline("web", #{
    measure: || 50,
    decide: |m| if m.value > 100 { up(1) } else if m.value < 10 { down(1) },
    max_dynos: 9,
    post_scale_wait_time_seconds: 0,
    scale: #{ current: || 1, scale_to: |n| () },
    notify: |event| (),
});
"#;

pub fn loaded(text: &str) -> Loaded {
    let source = Source { path: PathBuf::from("/nowhere/test.rhai"), text: Some(text.into()), unit: None };
    let environment: Arc<dyn Environment> = Arc::new(Bare);
    load(&source, &environment, MissingSecrets::Placeholder)
}

/// The tests of a script without errors; `unit` as in a script folder.
pub fn suite(text: &str, unit: Option<&str>) -> Suite {
    let loaded = loaded(text);
    let declared = declare(&loaded, unit, 1, Tz::UTC);
    assert!(!declared.report.has_errors(), "{}", declared.report);
    Suite { tests: loaded.tests, specs: declared.specs, unit: unit.map(Arc::from) }
}

pub fn verdicts(text: &str) -> Vec<Verdict> {
    suite(text, None).run(|_| true, None)
}

/// Fails unless the body of a test passes, below `script`.
#[track_caller]
pub fn passes(script: &str, body: &str) {
    let verdict = one(script, body);
    assert_eq!(verdict.fault, None);
}

/// Why the body of a test fails, below `script`.
#[track_caller]
pub fn fails(script: &str, body: &str) -> String {
    one(script, body).fault.unwrap_or_else(|| panic!("passes: {body}")).message
}

#[track_caller]
fn one(script: &str, body: &str) -> Verdict {
    let mut verdicts = verdicts(&format!("{script}\nfn test_it() {{ {body} }}"));
    assert_eq!(verdicts.len(), 1);
    verdicts.remove(0)
}

/// A scratch folder in which the built command runs, with hardly a variable set.
pub struct Scratch(tempfile::TempDir);

/// What a command said until its end.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Scratch {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let scratch = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            scratch.write(name, text);
        }
        scratch
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autoscaler"));
        command.args(arguments).current_dir(self.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.path()).env("TZ", "UTC");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (out, err) = (keep(child.stdout.take().unwrap()), keep(child.stderr.take().unwrap()));
        Running { child, out, err }
    }

    /// Runs the command to its end, which must come within a minute.
    pub fn run(&self, arguments: &[&str]) -> Said {
        let mut running = self.start(arguments);
        let end = Instant::now() + Duration::from_secs(60);
        while running.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "{arguments:?} does not end");
            std::thread::park_timeout(Duration::from_millis(5));
        }
        let code = running.child.wait().unwrap().code();
        // The readers end with the process.
        eventually(Duration::from_secs(5), || running.out.1.is_finished() && running.err.1.is_finished());
        Said { code, stdout: running.stdout(), stderr: running.stderr() }
    }
}

impl Said {
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

type Kept = (Arc<Mutex<Vec<u8>>>, std::thread::JoinHandle<()>);

fn keep(mut from: impl Read + Send + 'static) -> Kept {
    let kept: Arc<Mutex<Vec<u8>>> = Arc::default();
    let into = Arc::clone(&kept);
    let reader = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            into.lock().unwrap().extend(&buffer[..count]);
        }
    });
    (kept, reader)
}

/// A command that runs; it is killed in the end.
pub struct Running {
    child: Child,
    out: Kept,
    err: Kept,
}

impl Running {
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.out.0.lock().unwrap()).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.err.0.lock().unwrap()).into_owned()
    }

    /// Waits until the command has said `text`, `times` times.
    #[track_caller]
    pub fn says(&self, text: &str, times: usize) {
        let said = || format!("{}{}", self.stdout(), self.stderr());
        let found = eventually(Duration::from_secs(30), || said().matches(text).count() >= times);
        assert!(found, "`{text}` is not said {times} times:\n{}", said());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
