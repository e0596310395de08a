//! What is shipped, put together and started as far as a machine without a container engine, Heroku or a booted
//! systemd allows: the image in a changed root, the slug as a folder, the package unpacked, the unit verified.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_autoscaler");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs `command`, which must be good; what it said.
fn good(command: &mut Command) -> String {
    let output: Output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Bytes of all files in `folder`.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let of = |entry: fs::DirEntry| {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() { size(&entry.path()) } else { entry.metadata().unwrap().len() }
    };
    entries.map(of).sum()
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    good(Command::new(PROGRAM).arg("man").arg(folder.path()));
    let pages = names(folder.path());
    let help = good(Command::new(PROGRAM).arg("help"));
    let commands = help.split_once("Commands:\n").unwrap().1.lines().take_while(|line| line.starts_with("  "));
    let mut count = 0;
    for name in commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).filter(|name| !name.is_empty()) {
        if name == "help" {
            continue;
        }
        count += 1;
        assert!(pages.contains(&format!("autoscaler-{name}.1")), "{name}: {pages:?}");
    }
    assert_eq!(pages.len(), count + 1, "{pages:?}");
    let run = fs::read_to_string(folder.path().join("autoscaler-run.1")).unwrap();
    assert!(run.contains(".TH autoscaler-run 1") && run.contains("\\-\\-listen"), "{run}");
    assert_eq!(good(Command::new(PROGRAM).arg("man")), fs::read_to_string(folder.path().join("autoscaler.1")).unwrap());
}

#[test]
fn the_image_runs_without_anything_else_as_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image");
    good(Command::new(root().join("deploy/image")).arg(PROGRAM).arg(&image));
    // With the release program, of 22 MB, it is below 30.
    let around = size(&image) - fs::metadata(PROGRAM).unwrap().len();
    assert!(around < 6_000_000, "{around} bytes beside the program");
    for part in ["state", "tmp"] {
        fs::create_dir(image.join(part)).unwrap();
    }
    // Whoever cannot change the root tries as the root of a world of its own.
    let mut entered = if rustix::process::getuid().is_root() {
        let mut chroot = Command::new("chroot");
        chroot.arg("--userspec=65534:65534");
        chroot
    } else {
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", "chroot"]);
        unshare
    };
    entered.arg(&image).env_clear().env("PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    let said = good(entered.args(["/usr/local/bin/autoscaler", "check", "/scripts/autoscale.rhai"]));
    assert!(said.contains("2 pipelines"), "{said}");
}

#[test]
fn the_slug_has_its_program_in_the_path_of_its_procfile() {
    let folder = tempfile::tempdir().unwrap();
    good(Command::new(root().join("deploy/heroku")).arg(folder.path()).arg(PROGRAM));
    let procfile = fs::read_to_string(folder.path().join("Procfile")).unwrap();
    let release = procfile.lines().find_map(|line| line.strip_prefix("release: ")).unwrap();
    // As a dyno does: the profile, then the command.
    let mut dyno = Command::new("bash");
    dyno.args(["-c", &format!(". ./.profile && {release}")]).current_dir(folder.path()).env_clear();
    dyno.env("HOME", folder.path()).env("PATH", "/usr/bin:/bin").env("DYNO", "release.1");
    for (name, value) in
        [("HEROKU_API_KEY", "key"), ("SMTP_URL", "smtps://a:b@mail.test"), ("REDIS_URL", "redis://redis.test")]
    {
        dyno.env(name, value);
    }
    assert!(good(&mut dyno).contains("2 pipelines"));
}

#[test]
fn the_unit_is_sound_and_confined() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("autoscaler.service");
    let text = fs::read_to_string(root().join("deploy/autoscaler.service")).unwrap();
    fs::write(&unit, text.replace("/usr/local/bin/autoscaler", PROGRAM)).unwrap();
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("systemd is not on this machine: left out");
        return;
    }
    let said = good(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit));
    assert!(!said.contains("autoscaler.service:"), "{said}");
    // Overall exposure, 0 to 10: "OK" ends at 4.
    good(Command::new("systemd-analyze").args(["security", "--offline=yes", "--threshold=25"]).arg(&unit));
}

/// cargo-deb, as `tests/run setup` installs it.
fn cargo_deb() -> PathBuf {
    let own = root().join("target/test-env/cargo/bin/cargo-deb");
    assert!(own.exists(), "{} is missing: `tests/run setup` installs it", own.display());
    own
}

#[test]
fn the_package_of_debian_holds_what_starts() {
    if Command::new("dpkg-deb").arg("--version").output().is_err() {
        println!("dpkg is not on this machine: left out");
        return;
    }
    good(Command::new(root().join("deploy/package")).arg(PROGRAM));
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("autoscaler.deb");
    let mut deb = Command::new(cargo_deb());
    // What it would build is there: the program of the tests.
    deb.current_dir(root()).args(["--no-build", "--no-strip", "--fast", "--profile", "dev", "--output"]).arg(&package);
    good(&mut deb);
    let unpacked = folder.path().join("unpacked");
    good(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&unpacked));
    let version = good(Command::new(unpacked.join("usr/bin/autoscaler")).arg("--version"));
    assert_eq!(version, format!("autoscaler {}\n", env!("CARGO_PKG_VERSION")));
    good(
        Command::new(unpacked.join("usr/bin/autoscaler"))
            .arg("check")
            .arg(unpacked.join("etc/autoscaler/autoscale.rhai")),
    );
    for file in [
        "usr/lib/systemd/system/autoscaler.service",
        "usr/share/bash-completion/completions/autoscaler",
        "usr/share/zsh/vendor-completions/_autoscaler",
        "usr/share/fish/vendor_completions.d/autoscaler.fish",
        "usr/share/man/man1/autoscaler.1.gz",
        "usr/share/man/man1/autoscaler-run.1.gz",
        "usr/share/doc/autoscaler/examples/celery.rhai",
        "usr/share/doc/autoscaler/copyright",
        "etc/autoscaler/environment",
    ] {
        assert!(unpacked.join(file).exists(), "{file} is not in the package");
    }
    let unit = fs::read_to_string(unpacked.join("usr/lib/systemd/system/autoscaler.service")).unwrap();
    assert!(unit.contains("ExecStart=/usr/bin/autoscaler run") && !unit.contains("/usr/local"), "{unit}");
    let listed = good(Command::new("dpkg-deb").arg("-c").arg(&package));
    let secret = listed.lines().find(|line| line.ends_with("etc/autoscaler/environment")).unwrap();
    assert!(["-rw------- root/root", "-rw------- 0/0"].iter().any(|mode| secret.starts_with(mode)), "{secret}");
    let settings = good(Command::new("dpkg-deb").arg("-I").arg(&package).arg("conffiles"));
    assert!(settings.contains("/etc/autoscaler/autoscale.rhai") && settings.contains("/etc/autoscaler/environment"));
}
