//! The command: where the script goes, what is said where, exit codes, standard input.

use std::fs;

use super::support::{DECIDES, DOCUMENTED, MEASURES, SCALES, module};
use crate::harness::{Autoscaler, Script};

fn good() -> String {
    module(&format!("{MEASURES}\n{DECIDES}\n{SCALES}"))
}

#[test]
fn the_script_goes_to_standard_output_and_all_else_to_standard_error() {
    let folder = Script::named("settings.py", &format!("AUTOSCALE_X = 1\n{}", good()));
    let said = Autoscaler::on("import", &folder.path()).run().expect(0);
    assert!(said.stdout.starts_with("// Made from settings.py by `autoscaler import`."), "{}", said.stdout);
    let folder = Script::named("settings.py", DOCUMENTED);
    let said = Autoscaler::on("import", &folder.path()).run().expect(1);
    assert_eq!(said.stdout, "");
    assert_eq!(said.stderr.matches("a comma is missing here").count(), 4, "{}", said.stderr);
    assert!(said.stderr.contains("settings.py:8:35") && said.stderr.contains("nothing is written"), "{}", said.stderr);
    // Lines of the file are shown; the key in them is not.
    let said = Autoscaler::on("import", &folder.path()).arg("--mend").run().expect(0);
    assert!(said.stderr.contains("'API_KEY': '***") && !said.stderr.contains("abcdef1234567890"), "{}", said.stderr);
}

#[test]
fn what_check_says_of_the_script_is_told_of_the_old_file() {
    let bounds = DECIDES.replace("'}", "',\n'SETTINGS': {\n'MIN_DYNOS': 5,\n'MAX_DYNOS': 2}}");
    let folder = Script::named("settings.py", &module(&format!("{MEASURES}\n{bounds}\n{SCALES}")));
    let said = Autoscaler::on("import", &folder.path()).run().expect(1);
    assert_eq!(said.stdout, "");
    assert!(said.stderr.contains("settings.py:6:1") || said.stderr.contains("settings.py:7:1"), "{}", said.stderr);
    assert!(said.stderr.contains("min_dynos"), "{}", said.stderr);
}

#[test]
fn a_file_is_written_once_unless_told_to() {
    let folder = Script::named("settings.py", &good());
    let out = folder.root().join("made.rhai");
    let command = || Autoscaler::on("import", &folder.path()).arg("-o").arg(&out.display().to_string());
    let said = command().run().expect(0);
    assert!(said.stdout.starts_with("wrote ") && said.stdout.contains("autoscaler check"), "{}", said.stdout);
    Autoscaler::on("check", &out).run().expect(0);
    fs::write(&out, "mine").unwrap();
    let said = command().run().expect(1);
    assert!(said.stderr.contains("is there already"), "{}", said.stderr);
    assert_eq!(fs::read_to_string(&out).unwrap(), "mine");
    command().arg("--force").run().expect(0);
    assert!(fs::read_to_string(&out).unwrap().starts_with("// Made from"));
}

#[test]
fn another_program_hands_over_json_and_runs_what_comes_back() {
    let json = r#"{"AUTOSCALE_SETTINGS": {"web": {"MEASUREMENT": {"BACKEND": "ResponseTimeBackend"},
        "DECISION": {"BACKEND": "ConsecutiveThresholdBackend"},
        "SCALING": {"BACKEND": "HerokuBackend", "SETTINGS": {"APP_NAME": "forest", "API_KEY": "a-key-over-a-pipe"}}}}}"#;
    let said = Autoscaler::new(["import", "-", "--format", "json", "--live"]).input(json).run().expect(0);
    assert!(said.stdout.contains("// Made from standard input") && !said.stdout.contains("dry_run"), "{}", said.stdout);
    assert!(
        !said.stdout.contains("a-key-over-a-pipe") && !said.stderr.contains("a-key-over-a-pipe"),
        "{}",
        said.stderr
    );
    let resolved = Autoscaler::new(["check", "-", "--json"]).input(said.stdout).run().expect(0).json();
    assert_eq!(resolved["pipelines"][0]["scale"]["settings"]["app_name"], "forest");
}

#[test]
fn what_cannot_be_read_and_what_cannot_be_meant() {
    let folder = Script::named("settings.py", &good());
    let said = Autoscaler::new(["import", "/no/such/settings.py"]).run().expect(1);
    assert!(said.stderr.contains("`/no/such/settings.py` cannot be read: "), "{}", said.stderr);
    let said = Autoscaler::on("import", folder.root()).run().expect(1);
    assert!(said.stderr.contains("no regular file"), "{}", said.stderr);
    Autoscaler::on("import", &folder.path()).arg("--format").arg("toml").run().expect(2);
    Autoscaler::new(["import"]).run().expect(2);
    let help = Autoscaler::new(["import", "--help"]).run().expect(0).stdout;
    for part in
        ["--mend", "--live", "--format", "A key that is written in clear is not copied", "Examples:", "Exit codes:"]
    {
        assert!(help.contains(part), "no `{part}` in\n{help}");
    }
}
