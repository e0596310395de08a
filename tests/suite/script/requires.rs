//! Tests of `requires("0.1")`.

use autoscaler::script::MissingSecrets;

use super::bench::{files, script};

const PIPELINE: &str = r#"pipeline("web", #{ measure: || 1, decide: |m| up(1), scale: #{} });"#;

fn report(text: &str) -> String {
    script(&format!("{text}\n{PIPELINE}")).report()
}

#[test]
fn this_version_and_older_ones_are_fine() {
    for text in [
        r#"requires("0.1");"#,
        r#"requires("0");"#,
        "// What it does.\n\n/* And why. */\nrequires(\"0.1.0\");",
        concat!("requires(\"", env!("CARGO_PKG_VERSION"), "\");"),
    ] {
        assert_eq!(report(text), "", "{text}");
    }
}

#[test]
fn a_newer_need_is_said_before_anything_else_of_the_file() {
    let ours = env!("CARGO_PKG_VERSION");
    let due = format!(
        "test.rhai:2:10: error: this file needs autoscaler 99.2, and this is {ours} (install autoscaler 99.2 or newer)"
    );
    // What follows neither parses nor exists.
    assert_eq!(report("// x\nrequires(\"99.2\");\nunknown_function(1);\nlet = =;"), due);
}

#[test]
fn bad_text_is_an_error_at_its_place() {
    for (text, column) in [
        (r#"requires(">=0.1");"#, 10),
        (r#"requires("");"#, 10),
        (r#"requires( "0.1.0.0" );"#, 11),
        (r#"requires("0." + "1");"#, 10),
        ("requires(0.1);", 10),
        ("requires();", 10),
    ] {
        let said = report(text);
        assert!(said.starts_with(&format!("test.rhai:1:{column}: error: ")), "{text}: {said}");
        assert!(said.contains(r#"requires("0.1");"#), "{text}: {said}");
    }
}

#[test]
fn it_stands_at_the_top() {
    let said = report("let a = 1;\nrequires(\"0.1\");");
    let due = "test.rhai:2:1: error: `requires` is not the first thing in its file (move it to the top of the file, before \
               everything else)";
    assert_eq!(said, due);
    assert!(report("requires(\"0.1\"); requires(\"0.1\");").contains("1:18: error: `requires` is not the first"));
}

#[test]
fn an_imported_file_has_needs_of_its_own() {
    let main = format!("requires(\"0.1\");\nimport \"lib\" as lib;\n{PIPELINE}");
    let load = |lib: &str| files(&[("main.rhai", &main), ("lib.rhai", lib)], &[], MissingSecrets::Placeholder);
    assert_eq!(load("requires(\"0.1\");\nfn f() { 1 }").report(), "");
    let said = load("requires(\"7\");\nlet = ;").report();
    assert!(said.starts_with("lib.rhai:1:10: error: this file needs autoscaler 7, and this is "), "{said}");
}
