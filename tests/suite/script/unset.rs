//! Environment variables that are not set: what was in the way is named, and `check` goes on without a text
//! that must be there.

use autoscaler::pipeline::declare;
use autoscaler::script::MissingSecrets;

use super::bench::files;

const APP: &str = r#"
let app = env::get("APP");
pipeline("web", #{
    measure: || 250,
    decide: decide::average_threshold(#{ max_measurement_value: 200 }),
    scale: scale::heroku(#{ app_name: app, api_key: "k" }),
});
"#;

fn said(text: &str, variables: &[(&'static str, &'static str)], missing: MissingSecrets) -> (String, usize) {
    let bench = files(&[("test.rhai", text)], variables, missing);
    let declared = declare(&bench.loaded, None, 1, chrono_tz::UTC);
    let folder = format!("{}/", bench.folder.path().display());
    (declared.report.to_string().replace(&folder, ""), declared.specs.len())
}

#[test]
fn check_goes_on_without_the_text_of_a_variable_and_run_names_it() {
    let (report, declared) = said(APP, &[], MissingSecrets::Placeholder);
    assert_eq!((report.contains("error"), declared), (false, 1), "{report}");
    let (report, declared) = said(APP, &[], MissingSecrets::Error);
    assert_eq!(declared, 0, "{report}");
    let due = "test.rhai:6:29: error: `app_name` needs the environment variable `APP`, which is not set (set it where the \
               worker runs, or give a default: `env::get(\"APP\", \"…\")`)";
    assert!(report.contains(due), "{report}");
    let (report, declared) = said(APP, &[("APP", "calm-river-1234")], MissingSecrets::Error);
    assert_eq!((report.contains("APP"), declared), (false, 1), "{report}");
}

#[test]
fn what_may_be_left_out_is_left_out() {
    let text = APP.replace("measure: || 250,", "measure: || 250, time_zone: env::get(\"ZONE\"),");
    let (report, declared) = said(&text, &[("APP", "calm-river-1234")], MissingSecrets::Error);
    assert_eq!((report.contains("ZONE"), declared), (false, 1), "{report}");
}

#[test]
fn a_method_and_an_operator_without_a_value_name_the_variable() {
    for line in [
        r#"let n = env::get("N").to_int();"#,
        r#"let n = 2 * env::get("N");"#,
        r#"let n = parse_float(env::get("N"));"#,
    ] {
        let (report, _) = said(&format!("{line}\n{APP}"), &[("APP", "a")], MissingSecrets::Error);
        let due = "error: `env::get(\"N\")` is not set (give a default: `env::get(\"N\", \"10\")`)";
        assert!(report.contains(due), "{line}: {report}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_script_and_nobody_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.rhai");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let loaded = super::bench::load_path(pipe, &[], MissingSecrets::Placeholder);
    assert!(loaded.report.to_string().contains("is no regular file"), "{}", loaded.report);
    std::fs::write(folder.path().join("main.rhai"), "import \"pipe\" as pipe;").unwrap();
    let loaded = super::bench::load_path(folder.path().join("main.rhai"), &[], MissingSecrets::Placeholder);
    assert!(loaded.report.to_string().contains("is no regular file"), "{}", loaded.report);
}
