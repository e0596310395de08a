//! Owns the wheel of the built command, in a virtual environment of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::measure::processes::{python, run};

/// The environment with the wheel in it: made once, for all tests.
pub fn environment() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("django-wheel");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let wheel = build(&folder);
        install(&folder, &wheel)
    })
}

/// Builds the wheel with the script that users have, and what was built for the tests.
fn build(folder: &Path) -> PathBuf {
    // The symbols of a debug build are most of it.
    let binary = folder.join("autoscaler");
    run(Command::new("strip").arg("-o").arg(&binary).arg(env!("CARGO_BIN_EXE_autoscaler")));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("integrations/django/build-wheel");
    let mut command = Command::new(script);
    run(command.arg(folder).env("AUTOSCALER_BINARY", &binary).env("PYTHON", python("python")));
    let mut wheels: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    wheels.retain(|path| path.extension().is_some_and(|extension| extension == "whl"));
    assert_eq!(wheels.len(), 1, "{wheels:?}");
    let name = wheels[0].file_name().unwrap().to_string_lossy().into_owned();
    let version = env!("CARGO_PKG_VERSION");
    assert!(name.starts_with(&format!("autoscaler_engine-{version}-py3-none-")), "{name}");
    assert!(!name.contains("-any"), "it holds a program of one platform: {name}");
    wheels.remove(0)
}

/// Installs it where there is no index and no compiler.
fn install(folder: &Path, wheel: &Path) -> PathBuf {
    let venv = folder.join("venv");
    run(Command::new(python("python")).args(["-m", "venv", "--without-pip"]).arg(&venv));
    let inside = venv.join("bin/python");
    let mut command = Command::new(python("python"));
    command.args(["-m", "pip", "--python"]).arg(&inside).args(["install", "--quiet", "--no-index", "--no-deps"]);
    run(command.arg(wheel).env("PATH", folder.join("nothing")));
    // Django and its servers are those of the tests.
    let own = "import sysconfig; print(sysconfig.get_path('purelib'))";
    let packages = |python: &Path| {
        let output = Command::new(python).args(["-c", own]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    std::fs::write(Path::new(&packages(&inside)).join("tests.pth"), packages(&python("python"))).unwrap();
    venv
}

#[test]
fn the_wheel_brings_the_command_the_apps_and_their_types() {
    let venv = environment();
    let output = Command::new(venv.join("bin/autoscaler")).arg("--version").output().unwrap();
    let version = format!("autoscaler {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), version);
    let text = "import autoscaler_django, heroku_web_autoscale, importlib.metadata as m, pathlib\n\
                files = {str(f) for f in m.files('autoscaler-engine')}\n\
                assert 'autoscaler_django/py.typed' in files and 'autoscaler_django/migrations/0001_initial.py' in files\n\
                assert not any('tests' in f for f in files), files\n\
                assert not m.requires('autoscaler-engine') or all('extra' in r for r in m.requires('autoscaler-engine'))\n\
                from autoscaler_django.binary import find\n\
                print(find())";
    let output = Command::new(venv.join("bin/python")).args(["-c", text]).env_clear().output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.trim(), venv.join("bin/autoscaler").to_str().unwrap(), "{errors}");
    let output = Command::new(venv.join("bin/heroku_web_autoscaler")).arg("--help").output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("--settings MODULE"));
}
