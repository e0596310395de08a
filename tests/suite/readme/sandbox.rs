//! Owns a scratch copy of what users copy, in which the built command runs with an empty environment.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value as Json;

use crate::harness::eventually;

/// A folder that is removed in the end.
pub struct Sandbox(tempfile::TempDir);

/// What a command said.
pub struct Said {
    pub success: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Sandbox {
    /// Holds a copy of scripts/, and the settings of the predecessor that the page on importing begins with.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let scripts = folder.path().join("scripts");
        fs::create_dir(&scripts).expect("a new folder");
        for entry in fs::read_dir(super::root().join("scripts")).expect("scripts/") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                fs::copy(&path, scripts.join(path.file_name().expect("a file has a name"))).expect("a copy");
            }
        }
        let page = super::Page::read(&super::root().join("docs/importing.md"));
        let settings = page.blocks().into_iter().find(|block| block.language == "text").expect("settings");
        fs::write(folder.path().join("settings.py"), settings.text).expect("a file");
        Self(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs the built command with `arguments`, with no variable set but the search path.
    pub fn autoscaler<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Said {
        self.autoscaler_with(arguments, &[])
    }

    /// The same, with `variables`.
    pub fn autoscaler_with<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a str>,
        variables: &[(&str, &str)],
    ) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autoscaler"));
        command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.path()).envs(variables.iter().copied());
        self.run(command)
    }

    /// The pipelines of `script` as `check` resolves them; fails the test, with all that `check` said, unless
    /// it accepts the script and finds a pipeline in it.
    pub fn accepted(&self, script: &str, what: &str) -> Json {
        let said = self.autoscaler(["check", script, "--json"]).expect_success(what);
        let json: Json =
            serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{what}: {error}: {}", said.stdout));
        let pipelines = &json["pipelines"];
        assert!(pipelines.as_array().is_some_and(|all| !all.is_empty()), "{what}: no pipeline in it: {json}");
        let said = json["diagnostics"].as_array().expect("diagnostics");
        let alarms: Vec<&Json> = said.iter().filter(|said| said["severity"] != "note").collect();
        assert!(alarms.is_empty(), "{what}: {alarms:?}");
        pipelines.clone()
    }

    /// Runs `command` here to its end, which must come within two minutes.
    pub fn run(&self, mut command: Command) -> Said {
        let (stdout, stderr) = (self.path().join("stdout"), self.path().join("stderr"));
        command.current_dir(self.path()).stdin(Stdio::null());
        command.stdout(File::create(&stdout).expect("a file")).stderr(File::create(&stderr).expect("a file"));
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut status = None;
        let ended = eventually(Duration::from_secs(120), || {
            status = child.try_wait().expect("our own child");
            status.is_some()
        });
        if !ended {
            child.kill().ok();
            child.wait().ok();
            panic!("{command:?} did not end within two minutes");
        }
        let read = |path| String::from_utf8_lossy(&fs::read(path).expect("what it said")).into_owned();
        let success = status.is_some_and(|status| status.success());
        Said { success, stdout: read(&stdout), stderr: read(&stderr) }
    }
}

impl Said {
    /// Fails the test, with all that was said, unless the command succeeded.
    pub fn expect_success(self, what: &str) -> Self {
        assert!(self.success, "{what} was refused:\n{}{}", self.stdout, self.stderr);
        self
    }
}
