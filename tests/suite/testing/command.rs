//! `autoscaler test`: what it prints and how it ends.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use super::bench::{Scratch, WEB};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A script with a test that passes and one that fails, in which something is printed.
fn mixed() -> String {
    format!(
        "{WEB}
fn test_that_passes() {{
    assert(true);
}}

fn test_that_fails() {{
    let p = under_test(\"web\");
    p.feed([150]);
    print(\"<one> & \\\"two\\\"\");
    assert_eq(p.dynos(), 3);
}}
"
    )
}

/// Without what differs from run to run.
fn without_times(text: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for line in text.lines() {
        let end = line.rfind(" ms").or_else(|| line.rfind(" s")).filter(|end| end + 3 >= line.len());
        let line = end.map_or(line, |end| line[..end].trim_end_matches(|c: char| c.is_ascii_digit() || c == '.'));
        words.push(line.trim_end());
    }
    words.join("\n")
}

#[test]
fn a_failing_test_is_drawn_with_its_line_and_both_values() {
    let scratch = Scratch::new(&[("a.rhai", &mixed())]);
    let said = scratch.run(&["test", "a.rhai"]).expect(1);
    assert_eq!(
        without_times(&said.stdout),
        "a.rhai
  ✓ test_that_passes
  ✗ test_that_fails

error: `test_that_fails` fails: left is 2, right is 3
  --> a.rhai:19:5
   |
19 |     assert_eq(p.dynos(), 3);
   |     ^^^^^^^^^
  state   `web` after tick 1 (Mon 12:00:00), 2 dynos: up: up(1)
  printed <one> & \"two\"

1 passed, 1 failed in"
    );
    assert_eq!(said.stderr, "");
}

#[test]
fn json_has_the_same() {
    let scratch = Scratch::new(&[("a.rhai", &mixed()), ("b.rhai", "pipeline(")]);
    let said = scratch.run(&["test", "a.rhai", "b.rhai", "--json"]).expect(1);
    let json: Json = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((&json["passed"], &json["failed"]), (&1.into(), &1.into()));
    let failed = &json["files"][0]["tests"][1];
    assert_eq!(failed["name"], "test_that_fails");
    assert_eq!(failed["failure"]["message"], "left is 2, right is 3");
    assert_eq!((&failed["failure"]["line"], &failed["failure"]["column"]), (&19.into(), &5.into()));
    assert_eq!(failed["printed"][0], "<one> & \"two\"");
    assert_eq!(json["files"][1]["diagnostics"][0]["severity"], "error");
}

/// Reads the document as a build server does: well formed, counts that add up.
const READ: &str = r#"
import sys, xml.etree.ElementTree as tree
suites = tree.fromstring(sys.stdin.buffer.read())
assert suites.tag == "testsuites", suites.tag
cases = suites.findall("testsuite/testcase")
assert int(suites.get("tests")) == len(cases) == sum(int(s.get("tests")) for s in suites)
assert int(suites.get("failures")) == len(suites.findall("testsuite/testcase/failure"))
assert int(suites.get("errors")) == len(suites.findall("testsuite/testcase/error"))
for case in cases:
    assert case.get("name") and case.get("classname")
    failure = case.find("failure")
    outcome = "failed" if failure is not None else "error" if case.find("error") is not None else "passed"
    print(case.get("classname"), case.get("name"), outcome, failure.get("message") if failure is not None else "-")
print(suites.find(".//system-out").text)
"#;

#[test]
fn junit_is_read_by_an_xml_parser() {
    let scratch = Scratch::new(&[("a.rhai", &mixed()), ("b.rhai", "pipeline(")]);
    let said = scratch.run(&["test", "a.rhai", "b.rhai", "--format", "junit"]).expect(1);
    scratch.write("results.xml", &said.stdout);
    let venv =
        std::env::var_os("AUTOSCALER_TEST_VENV").map_or_else(|| root().join("target/test-env/venv"), PathBuf::from);
    let python = venv.join("bin/python");
    assert!(python.exists(), "{} is missing: `tests/run setup` makes it", python.display());
    let input = std::fs::File::open(scratch.path().join("results.xml")).unwrap();
    let read = Command::new(python).args(["-c", READ]).stdin(input).output().unwrap();
    assert!(read.status.success(), "{}\n{}", String::from_utf8_lossy(&read.stderr), said.stdout);
    assert_eq!(
        String::from_utf8_lossy(&read.stdout),
        "a.rhai test_that_passes passed -\na.rhai test_that_fails failed left is 2, right is 3\n\
         b.rhai load error -\n<one> & \"two\"\n"
    );
}

#[test]
fn only_picks_tests_by_name() {
    let scratch = Scratch::new(&[("a.rhai", &mixed())]);
    let said = scratch.run(&["test", "a.rhai", "--only", "*passes,nothing*"]).expect(0);
    assert!(said.stdout.contains("1 passed, 0 failed"), "{}", said.stdout);
    let said = scratch.run(&["test", "a.rhai", "--only", "nothing"]).expect(1);
    assert!(
        said.stdout.contains("no test of that name: there are test_that_passes, test_that_fails"),
        "{}",
        said.stdout
    );
}

#[test]
fn a_file_without_tests_is_said_and_no_test_at_all_is_a_failure_of_what_was_named() {
    let scratch = Scratch::new(&[("scripts/a.rhai", WEB)]);
    let said = scratch.run(&["test"]).expect(0);
    assert_eq!(said.stdout, "scripts/a.rhai\n  no tests\n\nno tests: write `fn test_…() { … }` in a script\n");
    scratch.run(&["test", "scripts/a.rhai"]).expect(1);
    scratch.write("scripts/b.rhai", &format!("{WEB} fn test_it() {{ assert(true); }}"));
    let said = scratch.run(&["test", "scripts"]).expect(0);
    assert!(said.stdout.contains("scripts/a.rhai\n  no tests\n\nscripts/b.rhai\n  ✓ test_it"), "{}", said.stdout);
    let empty = Scratch::new(&[]);
    assert!(empty.run(&["test"]).expect(1).stderr.contains("there is no folder `scripts` here"));
    assert!(empty.run(&["test", "a.rhai"]).expect(1).stderr.contains("there is no `a.rhai`"));
}

#[test]
fn a_file_that_is_only_imported_has_tests_too() {
    let scratch = Scratch::new(&[
        ("lib/sums.rhai", "fn double(x) { x * 2 }\nfn test_double() { assert_eq(double(2), 4); }"),
        ("a.rhai", &format!("import \"lib/sums\" as sums; {WEB} fn test_it() {{ assert_eq(sums::double(3), 6); }}")),
    ]);
    scratch.run(&["test", "lib/sums.rhai", "a.rhai"]).expect(0);
}

#[test]
fn a_script_that_does_not_load_is_drawn() {
    let scratch = Scratch::new(&[("a.rhai", &format!("{WEB}\nunder_test(\"web\");\nfn test_it() {{}}"))]);
    let said = scratch.run(&["test", "a.rhai"]).expect(1);
    assert!(said.stdout.contains("`under_test` works only in a test\n  --> a.rhai:11:1"), "{}", said.stdout);
    assert!(said.stdout.contains("0 passed, 0 failed, 1 file does not load in"), "{}", said.stdout);
}

#[test]
fn check_says_how_many_tests_there_are() {
    let scratch = Scratch::new(&[("a.rhai", &mixed())]);
    let said = scratch.run(&["check", "a.rhai"]).expect(0);
    assert!(said.stdout.contains("2 tests, run by `autoscaler test`"), "{}", said.stdout);
}

/// Every script that users copy has tests, and they pass.
#[test]
fn the_tests_of_all_examples_pass() {
    let scratch = Scratch::new(&[]);
    let folder = root().join("scripts");
    let said = scratch.run(&["test", &folder.display().to_string(), "--json"]).expect(0);
    let json: Json = serde_json::from_str(&said.stdout).unwrap();
    let files = json["files"].as_array().unwrap();
    assert_eq!(files.len(), std::fs::read_dir(&folder).unwrap().count());
    for file in files {
        assert!(file["tests"].as_array().is_some_and(|tests| tests.len() >= 2), "{file}");
    }
}
