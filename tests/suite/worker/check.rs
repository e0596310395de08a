//! `check` in full: what it prints for people, and the shape of its JSON.

use serde_json::json;

use super::NOWHERE;
use crate::harness::{Autoscaler, Script};

const TEXT: &str = r#"
let app = #{ app_name: "shop", api_key: env::secret("HEROKU_API_KEY") };
pipeline("web", #{
    measure: measure::response_time(#{ measurement_url: "/m" }),
    decide: decide::consecutive_threshold(#{ max_dynos: #{ "9:00": 5, "17:30": 2 }, time_zone: "Europe/Zurich" }),
    scale: scale::heroku(app),
    notify: [notify::console(), |event| print(event.message)],
});
"#;

#[test]
fn json_has_the_documented_shape_and_nothing_else_is_on_standard_output() {
    let script = Script::new(&format!("print(\"loading\");{TEXT}"));
    let said = Autoscaler::on("check", &script.path()).arg("--json").run().expect(0);
    let flags = json!({
        "notify_on_every_measurement": false,
        "notify_on_every_scale": false,
        "notify_if_needs_below_min": false,
        "notify_if_needs_exceed_max": true,
        "notify_if_scaling_is_too_rapid": false,
        "notify_if_scaling_is_too_rapid_num_scales": 5,
        "notify_if_scaling_is_too_rapid_time_period_minutes": 1,
    });
    let expected = json!({
        "pipelines": [{
            "name": "web",
            "measure": { "backend": "ResponseTimeBackend", "settings": {
                "measurement_url": "/m",
                "measurement_interval_in_seconds": 30,
                "timeout_seconds": 10,
                "headers": {},
                "on_measurement_failure": "too_high",
            } },
            "decide": { "backend": "ConsecutiveThresholdBackend", "settings": {
                "number_of_fails_to_scale_up_after": 3,
                "number_of_passes_to_scale_down_after": 5,
                "min_measurement_value": 400,
                "max_measurement_value": 1200,
                "min_dynos": 1,
                "max_dynos": { "9:00": 5, "17:30": 2 },
                "time_zone": "Europe/Zurich",
                "increment": 1,
                "post_scale_wait_time_seconds": 5,
                "history_length": 10,
                "keep_history": false,
                "mode": "live",
            } },
            "scale": { "backend": "HerokuBackend", "settings": {
                "app_name": "shop", "api_key": "***", "process_type": "web", "api_url": "https://api.heroku.com",
            } },
            "notify": [
                { "backend": "ConsoleBackend", "settings": flags },
                { "backend": "custom", "settings": {} },
            ],
            "reaches": [
                "https://api.heroku.com/apps/shop", "/m of that app", "https://api.heroku.com", "the process type web of shop",
            ],
        }],
        "needs": ["HEROKU_API_KEY"],
        "diagnostics": [],
    });
    assert_eq!(said.json(), expected, "{}", said.stdout);
}

#[test]
fn a_diagnostic_in_json() {
    let script = Script::new(&format!(
        "pipeline(\"web\", #{{\n  mesure: || 1, measure: || 1, decide: |m| up(1), {NOWHERE} }});"
    ));
    let said = Autoscaler::on("check", &script.path()).arg("--json").run().expect(1);
    let expected = json!({
        "pipelines": [],
        "needs": [],
        "diagnostics": [{
            "id": "unknown-setting",
            "severity": "error",
            "file": script.path().display().to_string(),
            "line": 2,
            "column": 3,
            "message": "unknown setting `mesure` of pipeline `web`",
            "help": "did you mean `measure`?",
        }],
    });
    assert_eq!(said.json(), expected);
}

#[test]
fn people_see_every_default_every_need_and_every_reach() {
    let script = Script::new(TEXT);
    let said = Autoscaler::on("check", &script.path()).run().expect(0);
    for line in [
        "web live",
        "  measure  ResponseTimeBackend",
        "           timeout_seconds = 10",
        "           max_measurement_value = 1200",
        "           max_dynos = {\"9:00\":5,\"17:30\":2}",
        "           api_key = \"***\"",
        "  notify   custom",
        "needs HEROKU_API_KEY (not set here)",
        "1 pipeline, no warnings",
    ] {
        assert!(said.stdout.lines().any(|said| said == line), "no line `{line}` in\n{}", said.stdout);
    }
    assert!(said.stdout.contains("https://api.heroku.com/apps/shop"), "{}", said.stdout);
    assert_eq!(said.stderr, "");
    let said = Autoscaler::on("check", &script.path()).env("HEROKU_API_KEY", "swordfish-4711").run().expect(0);
    assert!(said.stdout.contains("needs HEROKU_API_KEY\n"), "{}", said.stdout);
    assert!(!said.stdout.contains("swordfish"), "{}", said.stdout);
}

#[test]
fn every_error_is_told_at_once_and_counted() {
    let script = Script::new(&format!(
        "pipeline(\"a\", #{{ mesure: 1, measure: || 1, decide: |m| up(1), {NOWHERE} }});
         pipeline(\"b\", #{{ measure: || 1, decide: |m| up(1), incremnt: 2, {NOWHERE} }});
         nonsense(1);"
    ));
    let said = Autoscaler::on("check", &script.path()).run().expect(1);
    for part in ["unknown setting `mesure`", "unknown setting `incremnt`", "unknown function `nonsense`"] {
        assert_eq!(said.stderr.matches(part).count(), 1, "{part}:\n{}", said.stderr);
    }
    assert!(said.stderr.ends_with(&format!("\n3 errors in {}\n", script.path().display())), "{}", said.stderr);
    assert_eq!(said.stdout, "");
}

#[test]
fn a_folder_is_checked_unit_by_unit() {
    let unit = format!("pipeline(\"web\", #{{ measure: || 1, decide: |m| up(1), {NOWHERE} }});");
    let script = Script::folder(&[("a.rhai", &unit), ("b.rhai", &unit), ("notes.txt", "no script")]);
    let said = Autoscaler::on("check", &script.path()).arg("--json").run().expect(0);
    let names: Vec<_> = said.json()["pipelines"].as_array().unwrap().iter().map(|p| p["name"].clone()).collect();
    assert_eq!(names, ["a/web", "b/web"]);
}

#[test]
fn secrets_of_a_probe_are_masked_set_or_not() {
    let script = Script::new(&format!(
        "pipeline(\"a\", #{{
            measure: measure::app_decision(#{{
                base_url: \"https://me:pw12@a.test\", measurement_url: \"/m?key=k123\",
                headers: #{{ \"X-Token\": env::secret(\"TOKEN\"), \"X-Plain\": \"1\" }},
            }}),
            decide: |m| up(1), {NOWHERE} }});
        pipeline(\"b\", #{{
            measure: measure::response_time(#{{ base_url: env::secret(\"BURL\"), measurement_url: \"/m\" }}),
            decide: decide::consecutive_threshold(#{{}}), {NOWHERE} }});"
    ));
    let check = || Autoscaler::on("check", &script.path());
    let unset = check().run().expect(0);
    let set = check().env("TOKEN", "t123").env("BURL", "https://x:pw34@b.test").run().expect(0);
    for line in [
        r#"           base_url = "https://me:***@a.test""#,
        r#"           measurement_url = "/m?key=***""#,
        r#"           headers = {"X-Plain":"1","X-Token":"***"}"#,
        r#"           base_url = "***""#,
        "  reaches  https://me:***@a.test/m?key=***",
        "  reaches  ***/m",
    ] {
        for said in [&unset, &set] {
            assert!(said.stdout.lines().any(|said| said == line), "no line `{line}` in\n{}", said.stdout);
        }
    }
    for secret in ["pw12", "k123", "t123", "pw34", "b.test"] {
        assert!(!set.stdout.contains(secret), "{secret} in\n{}", set.stdout);
    }
    let wrong = check().env("TOKEN", "t").env("BURL", "x:pw34@b.test").run().expect(1);
    assert!(wrong.stderr.contains("`base_url` is \"***\", which is no web address"), "{}", wrong.stderr);
}

#[test]
fn a_variable_that_is_not_set_is_an_error_where_it_is_asked_for() {
    let script = Script::new(TEXT);
    let check = || Autoscaler::on("check", &script.path()).arg("--require-env");
    let said = check().run().expect(1);
    assert!(said.stderr.contains("the environment variable `HEROKU_API_KEY` is not set"), "{}", said.stderr);
    check().env("HEROKU_API_KEY", "key").run().expect(0);
    let script = Script::new(TEXT);
    let by_variable = Autoscaler::on("check", &script.path()).env("AUTOSCALER_REQUIRE_ENV", "1");
    by_variable.run().expect(1);
}

#[test]
fn the_app_that_is_simulated_is_shown_with_its_defaults() {
    let text = r#"
pipeline("web", #{
    measure: #{ rate: || 1, busy: || 2 },
    decide: |m| if m.values.rate > 3 { up(1) },
    scale: #{ current: || 1, scale_to: |n| () },
    simulate: #{ rate_per_dyno: 40, signals: #{ rate: "arrival_rate", busy: "utilization" } },
});
pipeline("other", #{ measure: || 1, decide: |m| up(1), scale: #{ current: || 1, scale_to: |n| () } });
"#;
    let script = Script::new(text);
    let said = Autoscaler::on("check", &script.path()).arg("--json").run().expect(0).json();
    let simulate = &said["pipelines"][0]["simulate"];
    assert_eq!(simulate["signals"], json!({ "rate": "arrival_rate", "busy": "utilization" }));
    assert_eq!([&simulate["rate_per_dyno"], &simulate["service_ms"], &simulate["boot_seconds"]], [40, 25, 60]);
    assert_eq!([&simulate["app"], &simulate["durations"]], ["web", "exponential"]);
    assert_eq!(said["pipelines"][1].get("simulate"), None);
    let people = Autoscaler::on("check", &script.path()).run().expect(0).stdout;
    assert!(people.contains("  simulate\n           rate_per_dyno = 40\n"), "{people}");
}

#[test]
fn nothing_outside_is_reached() {
    let app = crate::harness::AppServer::start();
    let heroku = crate::harness::FakeHeroku::start();
    let script = Script::new(&super::web(&app, &heroku, 3));
    Autoscaler::on("check", &script.path()).run().expect(0);
    assert_eq!((app.hits(), heroku.fake.requests().len()), (0, 0));
}

#[test]
fn several_stages_have_names_and_limits_are_shown() {
    let text = r#"
settings(#{ limits: [#{ pipelines: ["web"], max_dynos: 9 }] });
pipeline("web", #{
    measure: #{ latency: || 1, queue: || 2 },
    decide: #{ latency: |m| up(1), queue: decide::average_threshold(#{}) },
    shadow: |m| if m.values.queue > 3 { up(1) },
    scale: scale::observe(#{ current: || 1, scale_to: |n| () }),
    max_dynos: 5,
});
"#;
    let script = Script::new(text);
    let said = Autoscaler::on("check", &script.path()).arg("--json").run().expect(0);
    let pipeline = &said.json()["pipelines"][0];
    let names = |key: &str| {
        let stages = pipeline[key].as_array().expect("an array").iter();
        stages.map(|stage| json!([stage["name"], stage["backend"]])).collect::<Vec<_>>()
    };
    assert_eq!(names("measure"), [json!(["latency", "custom"]), json!(["queue", "custom"])]);
    assert_eq!(names("decide"), [json!(["latency", "custom"]), json!(["queue", "AverageThresholdBackend"])]);
    assert_eq!(
        (&pipeline["shadow"]["backend"], &pipeline["scale"]["backend"]),
        (&json!("custom"), &json!("ObserveBackend"))
    );
    assert_eq!(pipeline["scale"]["settings"]["target"]["backend"], "custom");
    assert_eq!(pipeline["limits"], json!(["9 dynos for web"]));
    let shown = Autoscaler::on("check", &script.path()).run().expect(0).stdout;
    for line in [
        "web dry_run",
        "  measure  queue: custom",
        "  decide   queue: AverageThresholdBackend",
        "  limit    9 dynos for web",
    ] {
        assert!(shown.lines().any(|found| found == line), "{line}: {shown}");
    }
}
