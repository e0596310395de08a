//! The command line: every flag as a variable too, help, exit codes, standard input.

use super::{KEY, NOWHERE, eager, ticking};
use crate::harness::{Autoscaler, FakeHeroku, Script, Signal};

const ALWAYS_UP: &str = "pipeline(\"web\", #{ measure: || 1, decide: |m| up(1), scale: #{ current: || 1, scale_to: |n| print(`scaled to ${n}`) } });";

#[test]
fn every_flag_has_a_variable() {
    let script = Script::new(&format!("{ALWAYS_UP}{}", ticking("celery", "tick")));
    let path = script.path().display().to_string();
    let said = Autoscaler::on("check", &script.path()).env("AUTOSCALER_JSON", "1").run().expect(0);
    assert!(said.json()["pipelines"].is_array());
    let said = Autoscaler::new(["once"])
        .env("AUTOSCALER_SCRIPT", &path)
        .env("AUTOSCALER_JSON", "true")
        .env("AUTOSCALER_ONLY", "web");
    let said = said.env("AUTOSCALER_ACT", "yes").run().expect(0);
    assert_eq!(said.json()[0]["outcome"], "scaled");
    assert_eq!(said.json().as_array().unwrap().len(), 1);
    assert!(said.stderr.contains("web: scaled to 2"), "{}", said.stderr);
    // The script alone is enough to run.
    let mut worker = Autoscaler::new::<&str>([])
        .env("AUTOSCALER_SCRIPT", &path)
        .env("AUTOSCALER_DRY_RUN", "on")
        .env("AUTOSCALER_STATE", "memory")
        .env("AUTOSCALER_LOG_FORMAT", "logfmt")
        .env("AUTOSCALER_LOG", "debug")
        .spawn();
    worker.line("level=info pipeline=web msg=\"would scale from 1 to 2 dynos: ");
    worker.stop(Signal::Terminate);
    assert_eq!(worker.count(0, "scaled to 2"), 0, "{}", worker.text());
    // 0 and an empty variable switch nothing on.
    for off in ["0", "false", ""] {
        let said = Autoscaler::on("check", &script.path()).env("AUTOSCALER_JSON", off).run().expect(0);
        assert!(said.stdout.starts_with("web live\n"), "{}", said.stdout);
    }
}

#[test]
fn wrong_usage_is_exit_code_2_with_a_hint() {
    let script = Script::new(ALWAYS_UP);
    let path = script.path().display().to_string();
    for (arguments, hint) in [
        (vec!["chekc", &path], "unrecognized subcommand 'chekc'"),
        (vec!["chekc", &path], "check"),
        (vec!["check"], "<SCRIPT>"),
        (vec!["check", &path, "--jsno"], "--json"),
        (vec!["run", &path, "--state", "ftp://x"], "memory"),
        (vec!["run", &path, "--log-format", "xml"], "pretty, json, logfmt"),
        (vec!["run", &path, "--log", "x=y=z"], "`--log x=y=z`"),
        (vec!["run", &path, "--log", "verbose"], "`error`, `warn`, `info`, `debug`"),
        (vec!["once", &path, "--log", "nonsense="], "`--log nonsense=`"),
        (vec!["demo", "--for", "99999999999999999999h"], "too long"),
        (vec!["run", &path, &path], "unexpected argument"),
        (vec!["demo", "--for", "5 parsecs"], "write 60s, 5m, 2h or 1d"),
        (vec!["completions", "tcsh"], "bash"),
        (vec![], "Usage: autoscaler <COMMAND>"),
    ] {
        let said = Autoscaler::new(arguments.clone()).run().expect(2);
        assert!(said.stderr.contains(hint), "{arguments:?}: no `{hint}` in\n{}", said.stderr);
        assert_eq!(said.stdout, "", "{arguments:?}");
    }
    let said = Autoscaler::on("run", &script.path()).env("AUTOSCALER_DRY_RUN", "maybe").run().expect(2);
    assert!(said.stderr.contains("'maybe' for '--dry-run': write true or false, 1 or 0"), "{}", said.stderr);
}

#[test]
fn help_names_every_flag_and_its_variable() {
    let said = Autoscaler::new(["--help"]).run().expect(0);
    for part in ["run ", "check ", "once ", "demo ", "completions ", "Exit codes: 0 fine"] {
        assert!(said.stdout.contains(part), "no `{part}` in\n{}", said.stdout);
    }
    for (command, flags) in [
        ("run", vec!["dry-run", "only", "state", "log-format", "log"]),
        ("check", vec!["json", "require-env"]),
        ("once", vec!["json", "act", "only", "log-format", "log"]),
        ("demo", vec!["for", "plain"]),
    ] {
        let said = Autoscaler::new([command, "--help"]).run().expect(0);
        assert!(said.stdout.contains("SCRIPT"), "{}", said.stdout);
        for flag in flags {
            let scope = if command == "demo" { "DEMO_" } else { "" };
            // Without its value where that may be a secret.
            let ending = if flag == "state" { "]" } else { "=" };
            let variable = format!("[env: AUTOSCALER_{scope}{}{ending}", flag.to_uppercase().replace('-', "_"));
            assert!(said.stdout.contains(&format!("--{flag}")), "{command} --{flag}");
            assert!(said.stdout.contains(&variable), "{command} --{flag}: no {variable} in\n{}", said.stdout);
        }
    }
    let said = Autoscaler::new(["once", "--help"]).run().expect(0);
    assert!(said.stdout.contains("Exit codes: 0 the tick was made"), "{}", said.stdout);
    let version = Autoscaler::new(["--version"]).run().expect(0);
    assert_eq!(version.stdout, format!("autoscaler {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_variable_for_the_log_that_is_wrong_neither_ends_nor_silences_a_worker() {
    let script = Script::new(&ticking("web", "tick"));
    for (level, warns) in [("verbose", true), ("nonsense=", true), ("", false)] {
        let mut worker = Autoscaler::on("run", &script.path()).env("AUTOSCALER_LOG", level).spawn();
        worker.line("web: tick");
        worker.stop(Signal::Terminate);
        assert_eq!(worker.count(0, "it is taken for `info`"), usize::from(warns), "{}", worker.text());
    }
    let said = Autoscaler::on("once", &script.path()).arg("--log").arg("warning").run().expect(0);
    assert_eq!(said.stderr, "");
}

#[test]
fn completions_of_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let said = Autoscaler::new(["completions", shell]).run().expect(0);
        assert!(said.stdout.contains("dry-run"), "{shell}");
        assert_eq!(said.stderr, "");
    }
}

#[test]
fn a_script_on_standard_input() {
    let said = Autoscaler::new(["check", "-"]).input(ALWAYS_UP).run().expect(0);
    assert!(said.stdout.starts_with("web live\n"), "{}", said.stdout);
    let said = Autoscaler::new(["once", "-", "--json"]).input(ALWAYS_UP).run().expect(0);
    assert_eq!(said.json()[0]["pipeline"], "web");
    let said = Autoscaler::new(["check", "-"]).input("let a = ;").run().expect(1);
    assert_eq!(
        said.stderr,
        "error[syntax]: unexpected `;`\n --> stdin.rhai:1:9\n  |\n1 | let a = ;\n  |         ^\n\n1 error in standard input\n"
    );
    // It imports from the working directory.
    let folder = Script::named("lib/policy.rhai", "fn decide(m) { up(1) }");
    let text = format!(
        "import \"lib/policy\" as p; pipeline(\"web\", #{{ measure: || 1, decide: |m| p::decide(m), {NOWHERE} }});"
    );
    Autoscaler::new(["check", "-"]).folder(folder.root()).input(text).run().expect(0);
    let mut worker = Autoscaler::new(["-"]).input(ticking("web", "tick")).spawn();
    worker.line("web: tick");
    worker.stop(Signal::Terminate);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_fault() {
    let told = "notify: notify::console(#{ notify_on_every_scale: true }), scale:";
    let script = Script::new(&ALWAYS_UP.replace("scale:", told));
    for command in ["check", "once", "once --act", "completions bash"] {
        let path = if command.starts_with("completions") { String::new() } else { script.path().display().to_string() };
        // `exec 1>&-` would be an error of its own: here the reader is there, and goes.
        let line = format!("{{ {} {command} {path}; echo $? >&2; }} | true", env!("CARGO_BIN_EXE_autoscaler"));
        let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(stderr.lines().last(), Some("0"), "{command}: {stderr}");
        assert!(!stderr.contains("panicked") && !stderr.contains("Broken pipe"), "{stderr}");
    }
}

#[test]
fn state_may_be_kept_in_memory() {
    let heroku = FakeHeroku::start();
    let script = Script::new(&eager(&heroku));
    let mut worker = Autoscaler::on("run", &script.path()).arg("--state").arg("memory").env(KEY.0, KEY.1).spawn();
    worker.line("Scaled to (2) dynos.");
    worker.stop(Signal::Terminate);
}
