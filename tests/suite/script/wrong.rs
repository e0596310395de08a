//! The registry of rules: each has a wrong script in `wrong/` and the exact words that `check` has for it.
//! `AUTOSCALER_BLESS=1` writes the words anew; read the difference before you keep it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use autoscaler::rules;
use autoscaler::settings::Severity;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/script/wrong")
}

/// `autoscaler check` as a pipe sees it, with no variable of ours set.
fn check(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autoscaler"));
    command.arg("check").args(arguments).current_dir(folder).env("TZ", "UTC").env("SLACK_TOKEN", "a-made-up-token");
    for name in
        ["HEROKU_API_KEY", "TOKEN", "NO_COLOR", "CLICOLOR_FORCE", "AUTOSCALER_JSON", "AUTOSCALER_FORMAT", "DYNO"]
    {
        command.env_remove(name);
    }
    command.output().expect("the command runs")
}

/// The wrong scripts by the rule that each is for: `RULE.rhai` or `RULE--VARIANT.rhai`.
fn scripts() -> BTreeMap<String, Vec<String>> {
    let mut scripts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder()).expect("the folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("a plain name");
        if let Some(stem) = name.strip_suffix(".rhai") {
            let rule = stem.split("--").next().unwrap_or(stem);
            scripts.entry(rule.to_owned()).or_default().push(stem.to_owned());
        }
    }
    for stems in scripts.values_mut() {
        stems.sort();
    }
    scripts
}

/// Checks the wrong script `stem`, with the flags of its first line (`// autoscaler check --allow-net a.test`).
fn check_script(stem: &str) -> Output {
    let file = format!("{stem}.rhai");
    let text = std::fs::read_to_string(folder().join(&file)).expect("the script");
    let first = text.lines().next().and_then(|line| line.strip_prefix("// autoscaler check ")).unwrap_or_default();
    let arguments: Vec<&str> = std::iter::once(file.as_str()).chain(first.split_whitespace()).collect();
    check(&folder(), &arguments)
}

fn blessing() -> bool {
    std::env::var_os("AUTOSCALER_BLESS").is_some()
}

/// Compares `text` with the file, or writes it there.
fn expect(file: &Path, text: &str) {
    if blessing() {
        std::fs::write(file, text).expect("a file that can be written");
        return;
    }
    let expected = std::fs::read_to_string(file).unwrap_or_default();
    assert_eq!(text, expected, "{} is not current: run the test with AUTOSCALER_BLESS=1", file.display());
}

#[test]
fn every_rule_has_a_wrong_script_and_every_script_a_rule() {
    let scripts = scripts();
    let ids: Vec<&str> = rules::all().map(|rule| rule.id).collect();
    for id in &ids {
        assert!(scripts.contains_key(*id), "`{id}` has no wrong script in {}", folder().display());
    }
    for rule in scripts.keys() {
        assert!(ids.contains(&rule.as_str()), "`{rule}` is no rule");
    }
}

#[test]
fn every_wrong_script_is_told_in_these_words() {
    for (rule, stems) in scripts() {
        for stem in stems {
            let output = check_script(&stem);
            let said = String::from_utf8(output.stderr).expect("text");
            assert!(said.contains(&format!("[{rule}]: ")), "{stem} is not told as `{rule}`:\n{said}");
            assert!(!said.contains('\u{1b}'), "{stem}: colours in a pipe");
            assert_speaks_the_authors_language(&said);
            let failed = said.lines().any(|line| line.starts_with("error"));
            assert_eq!(output.status.code(), Some(i32::from(failed)), "{stem}:\n{said}");
            expect(&folder().join(format!("{stem}.expected")), &said);
        }
    }
}

/// Neither made-up names of closures nor types of Rust are words of the author's.
pub fn assert_speaks_the_authors_language(said: &str) {
    for foreign in ["anon$", "i64", "f64", "&str", "ImmutableString", "rhai::", "alloc::", "core::", "Dynamic", "FnPtr"]
    {
        assert!(!said.contains(foreign), "`{foreign}` is said:\n{said}");
    }
}

#[test]
fn the_page_of_diagnostics_is_current() {
    let mut page = String::from(
        "# Diagnostics\n\n\
         Everything that `autoscaler check` says of a script has a name, shown in brackets. Errors keep a script from\n\
         running; warnings do not. `check --format json`, `github` or `sarif` gives them to tools.\n\n\
         This page is written by a test from the registry and from what `check` says of a wrong script.\n",
    );
    let scripts = scripts();
    for rule in rules::all() {
        let severity = if rule.severity == Severity::Error { "Error" } else { "Warning" };
        let _ = write!(page, "\n## {}\n\n{severity}: {}.\n{}\n", rule.id, rule.title, rule.doc);
        let Some(stem) = scripts.get(rule.id).and_then(|stems| stems.first()) else { continue };
        let script = std::fs::read_to_string(folder().join(format!("{stem}.rhai"))).expect("the script");
        let said = String::from_utf8(check_script(stem).stderr).expect("text");
        let mut own = said.split("\n\n").next().unwrap_or_default().trim_end().to_owned();
        if !own.starts_with("error") && !own.starts_with("warning") {
            own.clear();
        }
        let _ = write!(page, "\n```text\n{}\n```\n\n```text\n{own}\n```\n", script.trim_end());
    }
    expect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/diagnostics.md"), &page);
}

#[test]
fn tools_get_ids_places_and_the_help() {
    let json = check(&folder(), &["unknown-setting.rhai", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["diagnostics"][0]["id"], "unknown-setting");
    assert_eq!(json["diagnostics"][0]["line"], 2);
    let sarif = check(&folder(), &["unknown-setting.rhai", "--format", "sarif"]);
    assert_eq!(sarif.status.code(), Some(1));
    let sarif: serde_json::Value = serde_json::from_slice(&sarif.stdout).expect("JSON");
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "unknown-setting");
    let github = check(&folder(), &["unknown-setting.rhai", "--format", "github"]);
    let github = String::from_utf8(github.stdout).expect("text");
    assert!(
        github.starts_with(
            "::error file=unknown-setting.rhai,line=2,col=40,title=unknown-setting::unknown setting \
             `measurement_interval_in_secs` of `measure::response_time`%0Adid you mean"
        ),
        "{github}"
    );
}

#[test]
fn a_slip_of_the_command_is_told() {
    let output = Command::new(env!("CARGO_BIN_EXE_autoscaler")).args(["chek", "a.rhai"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("check"), "{said}");
}

/// Runs `check` on `text` alone and gives what it says on standard error.
fn said_of(text: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.rhai"), text).expect("a file");
    String::from_utf8(check(folder.path(), &["a.rhai"]).stderr).expect("text")
}

fn pipeline(decide: &str, notify: &str) -> String {
    format!(
        "pipeline(\"web\", #{{ measure: || 1, decide: {decide}, scale: #{{ current: || 1, scale_to: |n| () }}, \
         notify: {notify} }});\n"
    )
}

#[test]
fn what_is_right_raises_no_alarm() {
    for decide in [
        "|m| if m.value > 100 { up(1) } else if m.value == 0 { down(1) }",
        "|m| { if m.value > 100 { return up(2).because(\"busy\"); } if m.value < 1 { return down(1); } hold(\"calm\") }",
        "|m| switch m.dynos { 1 => up(1), 2 | 3 => hold(\"\"), _ => down(1) }",
        "|m| switch m.value { 0.0 => down(1), _ => up(1) }",
        // The data of a measurement is not known before it is taken.
        "|m| if m.data.queue.waiting > 5 { up(1) }",
        "|m| { let least = this.least ?? 0; [1, 2].filter(|n| n > least); up(1) }",
        "|m| [3, 1].for_each(|| this += 1)",
        "|m| { let high = 0; if m.value > 3 { high = 1; } up(high) }",
        "|m| m.history.to_array().filter(|v| v != ()).len() / 2.0",
        "|m| if m.seconds_since_scale != () && 60.0 != m.seconds_since_scale { up(1) }",
        "|m| if m.history.average(3) ?? 0.0 > 10.0 { up(1) }",
        "|m| (m.value / 20).ceiling()",
        "|m| if m.now.hour < 9 { to(1) } else { to(3) }",
        "|m| if m.dynos < 5 { m.dynos + 1 } else { 5 }",
        "|m| { try { up(1) } catch { hold(\"\") } }",
        "|m| m.dynos * 2",
    ] {
        let said = said_of(&pipeline(decide, "|event| print(`${event.kind}: ${event.message}`)"));
        assert_eq!(said, "", "{decide}");
    }
}

#[test]
fn a_trial_says_when_it_fails_and_only_what_always_fails_is_an_error() {
    let said_of_decide = |decide: &str| said_of(&pipeline(decide, "|event| ()"));
    for (decide, when) in [
        ("|m| if m.dynos > 9 { throw \"x\" }", "at 10 dynos, a measurement of 50"),
        ("|m| if m.value == 0.0 { throw \"x\" }", "at 2 dynos, a measurement of 0"),
        ("|m| if m.value > 4000 { throw \"x\" }", "at 2 dynos, a measurement of 5000"),
        ("|m| if m.now.hour < 6 { throw \"x\" }", "in the night of a Sunday"),
        ("|m| if m.past.len() == 1 { throw \"x\" }", "at the first tick after a start"),
        ("|m| if m.past.len() > 1 && m.history.slope(3) > 1 { up(1) }", "at the first tick after a scale"),
        ("|m| if m.seconds_since_scale > 60 { up(1) }", "at the first tick after a start"),
        ("|m| m.dynos - 5", "at 2 dynos, a measurement of 50: the decision answered to(-3)"),
    ] {
        let said = said_of_decide(decide);
        assert!(said.starts_with("warning[trial-failed]: `decide` fails ") && said.contains(when), "{decide}:\n{said}");
    }
    // Only those that are called where nothing was measured must expect it.
    assert_eq!(said_of_decide("|m| if m.value > 5 { up(1) }"), "");
    let called = "decide::custom(#{ call_on_failure: true }, |m| if m.value > 5 { up(1) })";
    assert!(said_of_decide(called).contains("fails where the measurement failed"), "{}", said_of_decide(called));
    // What the environment lacks here may be there where the worker runs.
    assert_eq!(said_of_decide("|m| up(parse_int(env::get(\"STEP\")))"), "");
}

#[test]
fn check_refuses_what_always_fails_and_run_starts_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.rhai"), pipeline("|m| m.value - ()", "|event| ()")).expect("a file");
    let output = check(folder.path(), &["a.rhai"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error[always-fails]: `decide` fails on every tick: `-` calculates"), "{said}");
    let mut once = Command::new(env!("CARGO_BIN_EXE_autoscaler"));
    let once = once.args(["once", "a.rhai"]).current_dir(folder.path()).output().expect("it runs");
    let said = String::from_utf8_lossy(&once.stdout);
    assert!(said.contains("the decision went wrong: `-` calculates"), "{once:?}");
}

#[test]
fn a_trial_reaches_nothing_and_says_nothing() {
    let notify = "|event| { print(\"loud\"); http::post(\"http://127.0.0.1:9/\").json(event.to_json()).send(); throw \"after\" }";
    assert_eq!(said_of(&pipeline("|m| hold(\"\")", notify)), "");
    assert_eq!(said_of(&pipeline("|m| hold(\"\")", "|event| log::info(`at ${time::now().hour}`)")), "");
    let said = said_of(&pipeline("|m| hold(\"\")", "|event| throw `no ${event.kind}`"));
    assert!(said.contains("error[always-fails]: `notify` fails at every event: no scaled"), "{said}");
    let said = said_of(&pipeline("|m| \"up\"", "|event| ()"));
    assert!(said.contains("the decision answered \"up\""), "{said}");
}
