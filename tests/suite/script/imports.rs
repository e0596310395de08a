//! Imports, folders and files as they may come.

use std::path::Path;

use autoscaler::function::Returned;
use autoscaler::script::{MissingSecrets, sources};
use serde_json::json;

use super::bench::{change, files, load_path, script};

#[test]
fn the_standard_modules_are_embedded() {
    let bench = script(
        "import \"std/business_hours\" as hours;
         pipeline(\"p\", #{ decide: |m| if hours::working(m.now, 1, 9) { to(5) } else { to(1) } });",
    );
    // 9:30 UTC is 1:30 in Vancouver, a Tuesday.
    assert_eq!(change(bench.decide("p", 1.0)).movement, autoscaler::function::Movement::To(5.0));
    assert_eq!(bench.loaded.files.len(), 1);
    let said = script("import \"std/busines_hours\" as h;").report();
    assert_eq!(
        said,
        "test.rhai:1:8: error: there is no standard module `std/busines_hours` (did you mean `std/business_hours`?)"
    );
}

#[test]
fn the_files_are_reported_the_script_first_each_once() {
    let bench = files(
        &[
            ("a.rhai", "import \"lib/b\" as b; import \"./lib/b.rhai\" as c; import \"d\" as d;"),
            ("lib/b.rhai", "import \"d\" as d; fn f() { d::g() }"),
            ("d.rhai", "fn g() { 1 }"),
        ],
        &[],
        MissingSecrets::Error,
    );
    assert!(!bench.loaded.report.has_errors(), "{}", bench.report());
    let names: Vec<String> = bench
        .loaded
        .files
        .iter()
        .map(|file| file.name.strip_prefix(&format!("{}/", bench.folder.path().display())).unwrap().to_owned())
        .collect();
    assert_eq!(names, ["a.rhai", "lib/b.rhai", "d.rhai"]);
}

#[test]
fn a_circle_a_missing_file_and_a_computed_path() {
    let bench =
        files(&[("a.rhai", "import \"b\" as b;"), ("b.rhai", "import \"a\" as a;")], &[], MissingSecrets::Error);
    assert!(bench.report().contains("b.rhai:1:8: error: files import each other in a circle: "), "{}", bench.report());
    let said = script("import \"gone\" as g;").report();
    assert!(said.starts_with("test.rhai:1:8: error: the import `gone` is not found: there is no "), "{said}");
    let said = script("let n = \"b\"; import n as b;").report();
    assert!(said.contains("test.rhai:1:21: error: the path of an import is computed"), "{said}");
}

#[test]
fn an_error_in_an_imported_file_has_its_place_there_and_the_file_is_watched() {
    let bench = files(&[("a.rhai", "import \"b\" as b;"), ("b.rhai", "fn f( {\n}")], &[], MissingSecrets::Error);
    assert!(bench.report().starts_with("b.rhai:1:7: error: "), "{}", bench.report());
    assert_eq!(bench.loaded.files.len(), 2);
    let bench = files(&[("a.rhai", "import \"b\" as b;"), ("b.rhai", "")], &[], MissingSecrets::Error);
    assert!(bench.report().contains("b.rhai` is empty"), "{}", bench.report());
    assert_eq!(bench.loaded.files.len(), 2);
}

#[test]
fn a_named_function_is_the_one_of_the_file_where_it_is_named() {
    let bench = files(
        &[
            (
                "a.rhai",
                "import \"b\" as b;
                 pipeline(\"mine\", #{ decide: policy });
                 pipeline(\"theirs\", b::settings());
                 b::declare(\"declared\");
                 fn policy(m) { 1 }",
            ),
            (
                "b.rhai",
                "fn settings() { #{ decide: policy } }
                 fn declare(name) { pipeline(name, #{ decide: policy }); }
                 fn policy(m) { 2 }",
            ),
        ],
        &[],
        MissingSecrets::Error,
    );
    assert_eq!(bench.decide("mine", 1.0), Ok(Returned::Int(1)));
    assert_eq!(bench.decide("theirs", 1.0), Ok(Returned::Int(2)));
    assert_eq!(bench.decide("declared", 1.0), Ok(Returned::Int(2)));
}

#[test]
fn a_function_can_be_named_in_a_closure_and_before_it_is_written() {
    let bench = script(
        "pipeline(\"q\", #{ decide: |m| [1, 2].map(twice) });
         fn twice(x) { hidden(x) }
         private fn hidden(x) { x * 2 }",
    );
    assert_eq!(bench.decide("q", 1.0), Ok(Returned::Data(json!([2, 4]))));
}

#[test]
fn a_folder_gives_a_unit_per_script() {
    let folder = tempfile::tempdir().unwrap();
    let said = sources(folder.path()).unwrap_err().to_string();
    assert!(said.contains("has no scripts"), "{said}");
    for name in ["b.rhai", "a.rhai", "notes.txt"] {
        std::fs::write(folder.path().join(name), "pipeline(\"p\", #{});").unwrap();
    }
    std::fs::create_dir(folder.path().join("lib.rhai")).unwrap();
    let found = sources(folder.path()).unwrap();
    let units: Vec<&str> = found.iter().map(|source| source.unit.as_deref().unwrap()).collect();
    assert_eq!(units, ["a", "b"]);
    let said = sources(Path::new("/nowhere/at/all.rhai")).unwrap_err().to_string();
    assert_eq!(said, "/nowhere/at/all.rhai: error: there is no `/nowhere/at/all.rhai`");
}

#[test]
fn files_that_are_no_scripts_get_one_message_each() {
    let folder = tempfile::tempdir().unwrap();
    let said = |bytes: &[u8]| {
        let path = folder.path().join("s.rhai");
        std::fs::write(&path, bytes).unwrap();
        let report = load_path(path, &[], MissingSecrets::Error).report;
        assert_eq!(report.diagnostics().len(), 1, "{report}");
        report.to_string()
    };
    assert!(said(b"").contains("is empty"));
    assert!(said(b"\xef\xbb\xbf \n").contains("is empty"));
    assert!(said(b"let a = 1;\nlet b = \"\xff\";").contains("is not UTF-8 text: see line 2"));
    assert!(said(&vec![b' '; 1024 * 1024 + 1]).contains("is larger than 1 MiB"));
    let lines = "\n".repeat(70_000) + "let a = 1;";
    assert!(said(lines.as_bytes()).contains("more than 65000 lines"));
    let report = load_path(folder.path().join("gone.rhai"), &[], MissingSecrets::Error).report.to_string();
    assert!(report.contains("there is no `"), "{report}");
    let report = load_path(folder.path().to_owned(), &[], MissingSecrets::Error).report.to_string();
    assert!(report.contains("is a folder, not a file"), "{report}");
}

#[test]
fn a_byte_order_mark_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.rhai");
    std::fs::write(&path, "\u{feff}pipeline(\"p\", #{});").unwrap();
    let loaded = load_path(path, &[], MissingSecrets::Error);
    assert!(!loaded.report.has_errors(), "{}", loaded.report);
    assert_eq!(loaded.declarations.len(), 1);
}

#[test]
fn a_private_function_cannot_be_handed_over() {
    let said = script("pipeline(\"p\", #{ decide: policy }); private fn policy(m) { 1 }").report();
    assert_eq!(
        said,
        "test.rhai:1:18: error: `policy` is private and cannot be handed over by its name \
         (leave out `private`, or write `|…| policy(…)`)"
    );
}

#[test]
fn what_a_call_found_in_one_file_is_not_found_in_another_by_a_later_call() {
    let bench = files(
        &[
            (
                "a.rhai",
                "import \"b\" as b;
                 fn helper() { 1 }
                 pipeline(\"p\", #{ decide: |m| `${b::outer()} ${helper()} ${m.value + 1}` });",
            ),
            ("b.rhai", "fn helper() { 2 } fn outer() { helper() }"),
        ],
        &[],
        MissingSecrets::Error,
    );
    let alone = script("fn helper(x) { x + x } pipeline(\"p\", #{ decide: |m| `${helper(m.value)} ${helper(1)}` });");
    for value in [1.0, 2.0, 3.0, 4.0] {
        let said = format!("2 1 {:.1}", value + 1.0);
        assert_eq!(bench.decide("p", value), Ok(Returned::Data(said.into())));
        // The same function with other types, call after call.
        let said = format!("{:.1} 2", value * 2.0);
        assert_eq!(alone.decide("p", value), Ok(Returned::Data(said.into())));
    }
}
