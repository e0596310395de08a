//! The documented dictionary: its example as printed and mended, and every key of it.

use std::fs;

use autoscaler::import::{Form, Options};

use super::support::{DECIDES, DOCUMENTED, MEASURES, SCALES, module, python, take};
use crate::harness::{Autoscaler, Script};

/// Where the example has its slips, and what of the message tells which.
const SLIPS: &[(&str, &str)] = &[
    ("settings.py:8:35: error: between a key and its value stands `:`, not `=`", "write `'MEASUREMENT_URL': …`"),
    ("settings.py:19:77: error: a comma is missing here, before 'SETTINGS'", "HerokuBackend',`"),
    ("settings.py:24:10: error: a comma is missing here, before 'NOTIFICATION'", "write `},`"),
    ("settings.py:41:77: error: a comma is missing here, before 'SETTINGS'", "HerokuBackend',`"),
    ("settings.py:46:10: error: a comma is missing here, before 'NOTIFICATION'", "write `},`"),
];

#[test]
fn the_example_as_printed_has_five_slips_each_told_with_its_mend() {
    let came = python(DOCUMENTED);
    assert_eq!(came.script, None);
    for (place, help) in SLIPS {
        came.says(place, help);
        came.says(place, "`--mend` does it");
    }
    let errors = came.said.iter().filter(|line| line.contains(": error: ")).count();
    assert_eq!(errors, SLIPS.len(), "{}", came.said.join("\n"));
}

#[test]
fn mended_the_example_is_a_script_of_two_pipelines() {
    let came = take(DOCUMENTED.as_bytes(), Form::Python, Options { mend: true, ..Options::default() });
    for (place, _) in SLIPS {
        came.says(&place.replace(": error: ", ": warning: mended: "), "");
    }
    came.has(&[
        "settings(#{ mode: \"dry_run\" });",
        "let app = #{ app_name: \"dancing-forest-1234\", api_key: env::secret(\"HEROKU_API_KEY\") };",
        "pipeline(\"web\", #{",
        "measure: measure::response_time(#{",
        "min_time_ms: 500,",
        "max_time_ms: 1000,",
        "measurement_url: \"/my-custom-measurement/\",",
        "measurement_interval_in_seconds: 30,",
        "decide: decide::consecutive_threshold(#{",
        "post_scale_wait_time_seconds: 60,",
        "scale: scale::heroku(app),",
        "notify: [",
        "notify::email(#{",
        "smtp_url: env::secret(\"SMTP_URL\"),",
        "notify::console(),",
        "pipeline(\"celery\", #{",
        "measure: measure::celery_redis_queue_size(),",
        "decide: decide::average_threshold(),",
        "scale: scale::heroku(app),",
        "notify::logger(),",
    ]);
    // The key of the documentation is nobody's, and not copied all the same.
    assert!(!came.script().contains("abcdef1234567890abcdef12"), "{}", came.script());
    came.says(
        "settings.py:22:28: warning: ",
        "is written in clear: the script reads the variable HEROKU_API_KEY instead",
    );
    came.says("settings.py:27:17: warning: ", "there is no ADMINS in this file");
}

#[test]
fn check_accepts_it_as_what_the_documentation_says() {
    let folder = Script::named("settings.py", DOCUMENTED);
    let said = Autoscaler::on("import", &folder.path()).arg("--mend").arg("--live").run().expect(0);
    let script = folder.root().join("made.rhai");
    fs::write(&script, &said.stdout).unwrap();
    let resolved = Autoscaler::on("check", &script).arg("--json").run().expect(0).json();
    let web = &resolved["pipelines"][0];
    assert_eq!((&web["name"], &web["measure"]["backend"]), (&"web".into(), &"ResponseTimeBackend".into()));
    assert_eq!(web["measure"]["settings"]["measurement_url"], "/my-custom-measurement/");
    assert_eq!(web["decide"]["backend"], "ConsecutiveThresholdBackend");
    assert_eq!(web["decide"]["settings"]["min_measurement_value"], 500.0);
    assert_eq!(web["decide"]["settings"]["max_measurement_value"], 1000.0);
    assert_eq!(web["decide"]["settings"]["post_scale_wait_time_seconds"], 60.0);
    assert_eq!(web["scale"]["settings"]["process_type"], "web");
    let names = |pipeline: &serde_json::Value| -> Vec<String> {
        let notify = pipeline["notify"].as_array().unwrap();
        notify.iter().map(|backend| backend["backend"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(web), ["DjangoEmailBackend", "ConsoleBackend"]);
    let celery = &resolved["pipelines"][1];
    assert_eq!(celery["measure"]["backend"], "CeleryRedisQueueSizeBackend");
    assert_eq!(celery["decide"]["backend"], "AverageThresholdBackend");
    assert_eq!(celery["scale"]["settings"]["app_name"], "dancing-forest-1234");
    assert_eq!(names(celery), ["LoggerBackend"]);
}

/// Every documented setting, from the page of settings: function, our name, the documented name.
fn documented_settings() -> Vec<(String, String, String)> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/settings.md")).unwrap();
    let mut function = String::new();
    let mut settings = Vec::new();
    for line in page.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [of, name, documented, _] = cells[..] else { continue };
        if !of.is_empty() {
            of.clone_into(&mut function);
        }
        let upper = documented.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        if upper && !documented.is_empty() && !["ADMINS", "TIME_ZONE"].contains(&documented) {
            settings.push((function.clone(), name.to_owned(), documented.to_owned()));
        }
    }
    settings
}

#[test]
fn every_documented_key_arrives_under_its_name() {
    let settings = documented_settings();
    assert!(settings.len() >= 28, "{settings:?}");
    for (function, name, key) in &settings {
        let value = match &**key {
            "MEASUREMENT_URL" => "'/x/'",
            "QUEUE_NAME" => "'mail'",
            "APP_NAME" => "'forest'",
            "API_KEY" => "os.environ['THE_KEY']",
            "MAX_DYNOS" => "{'0:00': 2, '9:00': 5}",
            "MIN_DYNOS" => "1",
            "HISTORY_LENGTH" => "20",
            key if key.starts_with("NOTIFY_") && !key.contains("RAPID_") => "True",
            "MIN_TIME_MS" | "MIN_MEASUREMENT_VALUE" => "10",
            "MAX_TIME_MS" | "MAX_MEASUREMENT_VALUE" => "30",
            _ => "2",
        };
        let (section, class) = section_of(function);
        let part = match section {
            "NOTIFICATION" => format!(
                "'NOTIFICATION': {{'BACKENDS': ['x.{class}'.replace('x.', '')], 'SETTINGS': {{'{key}': {value}}}}},"
            ),
            "SCALING" => {
                let own = [("APP_NAME", "'woods'"), ("API_KEY", "os.environ['K']")];
                let others: Vec<String> = own
                    .iter()
                    .filter(|(other, _)| other != key)
                    .map(|(other, value)| format!(", '{other}': {value}"))
                    .collect();
                format!("'SCALING': {{'BACKEND': '{class}', 'SETTINGS': {{'{key}': {value}{}}}}},", others.concat())
            }
            _ => format!("'{section}': {{'BACKEND': '{class}', 'SETTINGS': {{'{key}': {value}}}}},"),
        };
        let part = part.replace(&format!("'x.{class}'.replace('x.', '')"), &format!("'{class}'"));
        let others = [("MEASUREMENT", MEASURES), ("DECISION", DECIDES), ("SCALING", SCALES)];
        let others: Vec<&str> = others.iter().filter(|(other, _)| *other != section).map(|(_, text)| *text).collect();
        let came = python(&module(&format!("{part}\n{}", others.join("\n"))));
        let script = came.script();
        assert!(script.contains(&format!("{name}: ")), "{function} {key}:\n{script}\n{}", came.said.join("\n"));
        assert!(!came.said.iter().any(|line| line.contains("left out")), "{key}: {}", came.said.join("\n"));
    }
}

/// The section of a function of the page, and a class of it.
fn section_of(function: &str) -> (&'static str, &'static str) {
    match function {
        "all of `measure::`" | "all of `measure::" | "measure::response_time" => ("MEASUREMENT", "ResponseTimeBackend"),
        "measure::heroku_service_time" => ("MEASUREMENT", "HerokuServiceTimeBackend"),
        "measure::celery_redis_queue_size" => ("MEASUREMENT", "CeleryRedisQueueSizeBackend"),
        "measure::app_decision" => ("MEASUREMENT", "AppDecisionBackend"),
        "decide::average_threshold" => ("DECISION", "AverageThresholdBackend"),
        "scale::heroku" => ("SCALING", "HerokuScaleBackend"),
        notify if notify.contains("notify") => ("NOTIFICATION", "ConsoleBackend"),
        decide if decide.contains("decide") => ("DECISION", "ConsecutiveThresholdBackend"),
        measure if measure.contains("measure") => ("MEASUREMENT", "ResponseTimeBackend"),
        other => panic!("which section has `{other}`?"),
    }
}

#[test]
fn one_shared_settings_goes_to_each_backend() {
    let notify = "'NOTIFICATION': {'BACKENDS': ['heroku_web_autoscale.backends.notification.ConsoleBackend', \
         'heroku_web_autoscale.backends.notification.LoggerBackend'], 'SETTINGS': {'NOTIFY_ON_EVERY_SCALE': True}},";
    let came = python(&module(&format!("{MEASURES}{DECIDES}{SCALES}{notify}")));
    came.has(&[
        "notify::console(#{",
        "notify_on_every_scale: true,",
        "notify::logger(#{",
        "notify_on_every_scale: true,",
    ]);
}

#[test]
fn the_modules_own_zone_and_its_admins_come_along() {
    let head = "TIME_ZONE = 'America/Vancouver'\nADMINS = (('Ann Lee', 'ann@example.com'), ('A, B', 'b@example.com'))\n\
                SERVER_EMAIL = 'root@example.com'\nEMAIL_SUBJECT_PREFIX = '[shop] '\n";
    let notify = "'NOTIFICATION': {'BACKENDS': ['heroku_web_autoscale.backends.notification.DjangoEmailBackend']},";
    let came = python(&format!("{head}{}", module(&format!("{MEASURES}{DECIDES}{SCALES}{notify}"))));
    came.has(&[
        "time_zone: \"America/Vancouver\",",
        "to: [\"Ann Lee <ann@example.com>\", \"b@example.com\"],",
        "smtp_url: env::secret(\"SMTP_URL\"),",
        "from: \"root@example.com\",",
        "subject_prefix: \"[shop] \",",
    ]);
}

#[test]
fn live_is_said_once_or_not_at_all() {
    let text = module(&format!("{MEASURES}{DECIDES}{SCALES}"));
    let live = take(text.as_bytes(), Form::Python, Options { live: true, ..Options::default() });
    assert!(!live.script().contains("dry_run"), "{}", live.script());
    assert_eq!(python(&text).script().matches("mode: \"dry_run\"").count(), 1);
}
