//! Owns the built command as a process: a clean environment, its lines as they come, signals, its end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{SOON, eventually};

/// A command line to be run.
pub struct Autoscaler {
    arguments: Vec<OsString>,
    environment: BTreeMap<String, String>,
    folder: PathBuf,
    input: Option<Vec<u8>>,
    /// Its files may not grow beyond so many times 512 bytes.
    blocks: Option<u32>,
    /// The home of its state: its own, so that no test meets the state of another.
    states: Arc<tempfile::TempDir>,
}

/// What a command said until its end.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Autoscaler {
    /// `autoscaler ARGUMENTS…` in the folder for temporary files.
    pub fn new<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        let folder = std::env::temp_dir();
        let states = Arc::new(tempfile::tempdir().unwrap());
        Self { arguments, environment: BTreeMap::new(), folder, input: None, blocks: None, states }
    }

    /// `autoscaler COMMAND SCRIPT`.
    pub fn on(command: &str, script: &Path) -> Self {
        Self::new([OsString::from(command), script.into()])
    }

    /// Another argument.
    pub fn arg(mut self, argument: &str) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// A variable; there are no others but what a process needs to run.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Where it runs.
    pub fn folder(mut self, folder: &Path) -> Self {
        self.folder = folder.into();
        self
    }

    /// On a disk that is full: no file may grow beyond so many times 512 bytes.
    pub fn blocks(mut self, blocks: u32) -> Self {
        self.blocks = Some(blocks);
        self
    }

    /// What stands on its standard input.
    pub fn input(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.input = Some(text.into());
        self
    }

    fn command(&self) -> Command {
        let program = env!("CARGO_BIN_EXE_autoscaler");
        let mut command = match self.blocks {
            None => Command::new(program),
            Some(blocks) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("ulimit -f {blocks} && exec \"$0\" \"$@\""), program]);
                shell
            }
        };
        command.args(&self.arguments).current_dir(&self.folder).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", &self.folder).env("TZ", "UTC");
        command.env("XDG_STATE_HOME", self.states.path());
        command.envs(&self.environment).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::null() });
        command
    }

    /// Starts it.
    pub fn spawn(self) -> Worker {
        let mut child = self.command().spawn().unwrap();
        if let (Some(text), Some(mut input)) = (self.input, child.stdin.take()) {
            // It may end without reading.
            let _ = input.write_all(&text);
        }
        let lines: Arc<Mutex<Vec<Line>>> = Arc::default();
        let readers = vec![
            read(child.stdout.take().unwrap(), Stream::Out, Arc::clone(&lines)),
            read(child.stderr.take().unwrap(), Stream::Err, Arc::clone(&lines)),
        ];
        Worker { child, lines, readers, _states: self.states }
    }

    /// Runs it to its end, which must come within a minute.
    pub fn run(self) -> Said {
        self.run_within(Duration::from_secs(60))
    }

    /// Runs it to its end, which must come within `limit`: for what is known to take long.
    pub fn run_within(self, limit: Duration) -> Said {
        let mut worker = self.spawn();
        let code = worker.wait(limit).code();
        let text = |stream| worker.text_of(stream);
        Said { code, stdout: text(Stream::Out), stderr: text(Stream::Err) }
    }
}

impl Said {
    /// Fails the test, with all that was said, unless it ended with `code`.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Its standard output as JSON, all of it.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr))
    }
}

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

/// A line and when it came.
#[derive(Clone, Debug)]
pub struct Line {
    pub at: Instant,
    pub stream: Stream,
    pub text: String,
}

/// Signals that people send.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    Terminate,
    Interrupt,
    Hangup,
    Kill,
    /// Stopped as a machine that is out of breath; `Continue` ends it.
    Stop,
    Continue,
}

/// A running command, killed when dropped.
pub struct Worker {
    child: Child,
    lines: Arc<Mutex<Vec<Line>>>,
    readers: Vec<std::thread::JoinHandle<()>>,
    _states: Arc<tempfile::TempDir>,
}

impl Worker {
    /// Every line so far.
    pub fn lines(&self) -> Vec<Line> {
        self.lines.lock().unwrap().clone()
    }

    /// How many lines there are: where to look from later.
    pub fn mark(&self) -> usize {
        self.lines.lock().unwrap().len()
    }

    /// How many lines with `needle` came since `mark`.
    pub fn count(&self, mark: usize, needle: &str) -> usize {
        self.lines.lock().unwrap().iter().skip(mark).filter(|line| line.text.contains(needle)).count()
    }

    /// Waits for a line with `needle`.
    #[track_caller]
    pub fn line(&self, needle: &str) -> Line {
        self.line_after(0, needle)
    }

    /// Waits for a line with `needle` among those since `mark`.
    #[track_caller]
    pub fn line_after(&self, mark: usize, needle: &str) -> Line {
        self.line_where(mark, needle, |line| line.text.contains(needle))
    }

    /// Waits for a line since `mark` that fits.
    #[track_caller]
    pub fn line_where(&self, mark: usize, what: &str, fits: impl Fn(&Line) -> bool) -> Line {
        let mut found = None;
        eventually(SOON, || {
            found = self.lines.lock().unwrap().iter().skip(mark).find(|line| fits(line)).cloned();
            found.is_some()
        });
        found.unwrap_or_else(|| panic!("no line with `{what}` within {SOON:?} since line {mark}:\n{}", self.text()))
    }

    /// What it said, in the order in which it came, for the reader of a failed test: a line that comes at every
    /// tick is shown a few times only.
    pub fn text(&self) -> String {
        const MOST: usize = 3;
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut text = String::new();
        for line in self.lines() {
            let without_clock = line.text.get(9..).unwrap_or_default().to_owned();
            let count = seen.entry(without_clock).or_default();
            *count += 1;
            if *count <= MOST {
                text.push_str(&line.text);
                text.push('\n');
            }
        }
        text
    }

    fn text_of(&self, stream: Stream) -> String {
        let lines = self.lines();
        lines.iter().filter(|line| line.stream == stream).flat_map(|line| [&line.text, "\n"]).collect()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let name = match signal {
            Signal::Terminate => "TERM",
            Signal::Interrupt => "INT",
            Signal::Hangup => "HUP",
            Signal::Kill => "KILL",
            Signal::Stop => "STOP",
            Signal::Continue => "CONT",
        };
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status().unwrap();
        assert!(sent.success());
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end and for its last line.
    #[track_caller]
    pub fn wait(&mut self, deadline: Duration) -> ExitStatus {
        let mut status = None;
        eventually(deadline, || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let Some(status) = status else { panic!("it did not end within {deadline:?}:\n{}", self.text()) };
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        status
    }

    /// Stops it with `signal`: it must end well within the ten seconds of the contract. Says how long it took.
    #[track_caller]
    pub fn stop(&mut self, signal: Signal) -> Duration {
        let sent = Instant::now();
        self.signal(signal);
        let status = self.wait(Duration::from_secs(10));
        assert_eq!(status.code(), Some(0), "{}", self.text());
        sent.elapsed()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(from: impl Read + Send + 'static, stream: Stream, lines: Arc<Mutex<Vec<Line>>>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut bytes = Vec::new();
        while from.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned();
            lines.lock().unwrap().push(Line { at: Instant::now(), stream, text });
            bytes.clear();
        }
    })
}
