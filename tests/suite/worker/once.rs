//! `once` in full: one tick of every pipeline, its record, and no scaling unless asked for.

use serde_json::Value as Json;

use super::{KEY, eager, ticking};
use crate::harness::{Autoscaler, FakeHeroku, Script};

fn once(script: &Script) -> Autoscaler {
    Autoscaler::on("once", &script.path()).env(KEY.0, KEY.1)
}

fn keys(json: &Json) -> Vec<&str> {
    json.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_record_has_the_documented_shape() {
    let heroku = FakeHeroku::start();
    let script = Script::new(&format!("print(\"loading\");{}", eager(&heroku)));
    let said = once(&script).arg("--json").run().expect(0);
    let records = said.json();
    let record = &records[0];
    assert_eq!(records.as_array().unwrap().len(), 1);
    assert_eq!(
        keys(record),
        [
            "v",
            "pipeline",
            "generation",
            "script",
            "tick",
            "at",
            "mode",
            "measurements",
            "dynos",
            "proposals",
            "decision",
            "reasons",
            "outcome",
            "events",
            "error"
        ]
    );
    assert_eq!(
        keys(&record["measurements"][0]),
        ["name", "backend", "data", "value", "success", "error", "at", "took_ms"]
    );
    assert_eq!(keys(&record["dynos"]), ["current", "booting", "proposed", "desired", "min", "max"]);
    assert_eq!(keys(&record["proposals"][0]), ["name", "dynos", "text"]);
    assert_eq!(keys(&record["reasons"][0]), ["guard", "from", "to", "text"]);
    assert_eq!((&record["v"], &record["pipeline"], &record["tick"]), (&1.into(), &"web".into(), &1.into()));
    assert_eq!((&record["mode"], &record["outcome"]), (&"dry_run".into(), &"dry_run".into()));
    assert_eq!((&record["decision"], &record["dynos"]["desired"]), (&"up".into(), &2.into()));
    assert_eq!(record["measurements"][0]["name"], "measurement");
    assert_eq!(record["events"][0]["kind"], "would_scale");
    assert_eq!(heroku.web(), 1);
    assert_eq!(heroku.fake.count_of("PATCH /apps/{app}/formation/{process}"), 0);
}

#[test]
fn it_scales_and_tells_only_with_act_and_standard_output_is_json_alone() {
    let heroku = FakeHeroku::start();
    let script = Script::new(&eager(&heroku));
    let said = once(&script).arg("--json").arg("--act").run().expect(0);
    let record = &said.json()[0];
    assert_eq!((&record["mode"], &record["outcome"]), (&"live".into(), &"scaled".into()));
    assert_eq!(heroku.web(), 2);
    // The console of the script speaks, beside the records.
    assert!(said.stderr.contains("Scaled to (2) dynos."), "{}", said.stderr);
}

#[test]
fn people_read_what_was_seen_decided_and_done() {
    let heroku = FakeHeroku::start();
    let script = Script::new(&eager(&heroku));
    let said = once(&script).run().expect(0);
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(lines[0], "web dry_run");
    assert!(lines[1].starts_with("  measured  1  custom, took "), "{}", lines[1]);
    assert_eq!(
        lines[2..],
        [
            "  dynos     1 of 1..2",
            "  proposed  2 dynos: eager",
            "  decided   up to 2 (not scaled: dry run, --act scales)",
            ""
        ]
    );
    let said = once(&script).arg("--act").run().expect(0);
    assert!(said.stdout.contains("decided   up to 2 (scaled)"), "{}", said.stdout);
}

#[test]
fn only_some_pipelines() {
    let script = Script::new(&format!("{}{}{}", ticking("web", ""), ticking("eu/web", ""), ticking("celery", "")));
    for (only, expected) in
        [("*web", vec!["web", "eu/web"]), ("c?lery", vec!["celery"]), ("web,celery", vec!["web", "celery"])]
    {
        let said = once(&script).arg("--json").arg("--only").arg(only).run().expect(0);
        let names: Vec<Json> =
            said.json().as_array().unwrap().iter().map(|record| record["pipeline"].clone()).collect();
        assert_eq!(names, expected, "{only}");
    }
    let said = once(&script).arg("--json").arg("--only").arg("nobody").run().expect(1);
    assert_eq!(said.stdout, "");
    assert!(said.stderr.contains("`--only nobody` matches no pipeline"), "{}", said.stderr);
}

#[test]
fn in_a_folder_the_name_in_the_script_is_enough() {
    let script = Script::folder(&[("shop.rhai", &ticking("web", "")), ("mail.rhai", &ticking("jobs", ""))]);
    for only in ["web", "shop/web"] {
        let said = once(&script).arg("--json").arg("--only").arg(only).run().expect(0);
        assert_eq!(said.json()[0]["pipeline"], "shop/web", "{only}");
        assert_eq!(said.json().as_array().map(Vec::len), Some(1));
        assert!(!said.stderr.contains("matches no pipeline"), "{}", said.stderr);
    }
}

#[test]
fn a_failure_is_told_once_and_no_password_in_it() {
    let app = crate::harness::AppServer::start();
    let address = app.url().replace("http://", "http://me:pw1234@");
    let script = Script::new(&format!(
        "pipeline(\"web\", #{{
            measure: measure::app_decision(#{{ base_url: \"{address}\", measurement_url: \"/\", value: \"a.b\" }}),
            decide: |m| up(1), {} }});",
        super::NOWHERE
    ));
    let said = once(&script).run().expect(0);
    let failure = said.stdout.lines().find(|line| line.starts_with("  measured  failed: ")).expect("a failure");
    let why = failure.trim_start_matches("  measured  failed: ").split("  ").next().expect("words");
    assert_eq!(said.stdout.matches(why).count(), 1, "{}", said.stdout);
    assert!(said.stdout.contains("me:***@") && !said.stdout.contains("pw1234"), "{}", said.stdout);
}

#[test]
fn a_scale_that_failed_is_exit_code_1_and_still_a_record() {
    let heroku = FakeHeroku::start();
    heroku.fake.set_forbidden("shop", true);
    let script = Script::new(&eager(&heroku));
    let said = once(&script).arg("--json").arg("--act").run().expect(1);
    // The count is unknown, so it holds.
    assert_eq!(said.json()[0]["decision"], "hold");
    heroku.fake.set_forbidden("shop", false);
    let refused = autoscaler::heroku::fake::Fault::error(422, "invalid_params", "No.");
    heroku.fake.fail_next("PATCH /apps/{app}/formation/{process}", refused);
    let said = once(&script).arg("--json").arg("--act").run().expect(1);
    let record = &said.json()[0];
    assert_eq!(record["outcome"], "failed");
    assert!(record["error"].as_str().unwrap().contains("scaling from 1 to 2 dynos"), "{record}");
}

#[test]
fn a_missing_variable_is_an_error_and_standard_output_stays_empty() {
    let heroku = FakeHeroku::start();
    let script = Script::new(&eager(&heroku));
    let said = Autoscaler::on("once", &script.path()).arg("--json").run().expect(1);
    assert_eq!(said.stdout, "");
    assert!(said.stderr.contains("the environment variable `HEROKU_API_KEY` is not set"), "{}", said.stderr);
    assert_eq!(heroku.fake.requests(), []);
}

#[test]
fn several_measurements_are_shown_by_name_and_the_shadow_beside_them() {
    let text = r#"
pipeline("web", #{
    measure: #{ latency: || 250, queue: || throw "gone" },
    decide: #{ latency: |m| up(1).because("slow"), queue: |m| up(3) },
    shadow: #{ latency: |m| hold("calm"), queue: |m| up(2) },
    scale: #{ current: || 1, scale_to: |n| () },
    max_dynos: 5,
});
"#;
    let script = Script::new(text);
    let said = once(&script).run().expect(0);
    for line in [
        "  measured  latency: 250",
        "  measured  queue: failed: ",
        "  proposed  latency: 2 dynos: slow",
        "  shadow    1: latency: calm",
    ] {
        assert!(said.stdout.contains(line), "{line}: {}", said.stdout);
    }
}
