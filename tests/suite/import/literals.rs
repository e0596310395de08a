//! Python as people write it: constants, environment variables, arithmetic, comments; and what is never copied.

use super::support::{DECIDES, MEASURES, SCALES, module, python};

#[test]
fn constants_variables_and_sums_are_read_without_running_anything() {
    let came = python(
        r#"
import os
from os import environ, getenv

MINUTE = 60            # seconds
APP = 'dancing' '-forest'   # two texts side by side are one
HEROKU = {'APP_NAME': APP, 'API_KEY': os.environ['HEROKU_KEY']}
NIGHT = {"0:00": 1, "8:00": int(os.environ.get("DAY_DYNOS", 4))}

AUTOSCALE_SETTINGS: dict = dict(
    web={  # the site
        'MEASUREMENT': {
            'BACKEND': 'heroku_web_autoscale.backends.measurement.ResponseTimeBackend',
            'SETTINGS': {'MEASUREMENT_INTERVAL_IN_SECONDS': MINUTE / 2, 'MEASUREMENT_URL': getenv('URL', '/ping')},
        },
        'DECISION': {
            'BACKEND': 'heroku_web_autoscale.backends.decision.ConsecutiveThresholdBackend',
            'SETTINGS': {
                'POST_SCALE_WAIT_TIME_SECONDS': 2 * MINUTE,
                'MAX_DYNOS': NIGHT,
                'INCREMENT': int(environ.get('STEP')),
                'HISTORY_LENGTH': 10.,
            },
        },
        'SCALING': {'BACKEND': 'heroku_web_autoscale.backends.scaling.HerokuBackend', 'SETTINGS': {**HEROKU}},
    },
)
"#,
    );
    came.has(&[
        "let app = #{ app_name: \"dancing-forest\", api_key: env::secret(\"HEROKU_KEY\") };",
        "measurement_interval_in_seconds: 30.0,",
        "measurement_url: env::get(\"URL\", \"/ping\"),",
        "post_scale_wait_time_seconds: 120,",
        "max_dynos: #{ \"0:00\": 1, \"8:00\": parse_int(env::get(\"DAY_DYNOS\", \"4\")) },",
        "increment: parse_int(env::get(\"STEP\", \"1\")),",
        "history_length: 10,",
    ]);
    came.says("settings.py:21:30: warning: ", "STEP has no default: where it is not set, 1 counts");
    let needs = came.script().lines().find(|line| line.contains("environment of the worker")).unwrap().to_owned();
    assert!(needs.ends_with("DAY_DYNOS, HEROKU_KEY, STEP, URL."), "{needs}");
}

#[test]
fn two_keys_in_clear_become_two_variables_and_are_never_copied() {
    let of = |name: &str, key: &str| {
        let scales = format!(
            "'SCALING': {{'BACKEND': 'HerokuBackend', 'SETTINGS': {{'APP_NAME': '{name}', 'API_KEY': '{key}'}}}},"
        );
        format!("'{name}': {{{MEASURES}{DECIDES}{scales}}},\n")
    };
    let keys = ["11111111-aaaa", "22222222-bbbb"];
    let text = format!("AUTOSCALE_SETTINGS = {{\n{}{}{}}}\n", of("a", keys[0]), of("b", keys[1]), of("c", keys[0]));
    let came = python(&text);
    came.has(&[
        "let app = #{ app_name: \"a\", api_key: env::secret(\"HEROKU_API_KEY\") };",
        "let app_2 = #{ app_name: \"b\", api_key: env::secret(\"HEROKU_API_KEY_2\") };",
        "let app_3 = #{ app_name: \"c\", api_key: env::secret(\"HEROKU_API_KEY\") };",
        "scale: scale::heroku(app_2),",
    ]);
    let told = format!("{}{}", came.script(), came.said.join("\n"));
    for key in keys {
        assert!(!told.contains(key), "{told}");
    }
}

#[test]
fn a_credential_in_a_default_in_a_url_or_elsewhere_is_not_copied() {
    let scales = SCALES.replace("os.environ['KEY']", "os.environ.get('KEY', 'hidden-default-key')");
    let came = python(&module(&format!("{MEASURES}{DECIDES}{scales}")));
    came.has(&["let app = #{ app_name: \"forest\", api_key: env::secret(\"KEY\") };"]);
    came.says("settings.py:3:", "is a credential: it is left out");
    assert!(!came.script().contains("hidden-default-key"));

    let measures =
        MEASURES.replace("'}", "', 'SETTINGS': {'MEASUREMENT_URL': 'https://ann:open-sesame@example.com/x'}}");
    let came = python(&module(&format!("{measures}{DECIDES}{SCALES}")));
    assert_eq!(came.script, None);
    came.says("settings.py:3", "holds a user and a password");

    let measures = MEASURES.replace("'}", "', 'SETTINGS': {'MEASUREMENT_URL': '/x?key=a-written-key'}}");
    let scales = SCALES.replace("os.environ['KEY']", "'a-written-key'");
    for sections in [format!("{measures}{DECIDES}{scales}"), format!("{scales}{DECIDES}{measures}")] {
        let came = python(&module(&sections));
        assert_eq!(came.script, None);
        came.says("settings.py:", "holds a credential that stands elsewhere in the file");
    }
}

#[test]
fn python_2_around_the_settings_does_not_matter() {
    let text = format!("print \"loading\"\nMODE = 0755\n{}", module(&format!("{MEASURES}{DECIDES}{SCALES}")));
    let came = python(&text);
    came.has(&["pipeline(\"web\", #{"]);
    came.says("settings.py:1:", "warning: not read, since it is not Python 3");
}

#[test]
fn texts_arrive_as_they_were() {
    let measures = MEASURES.replace("'}", r#"', 'SETTINGS': {'MEASUREMENT_URL': "/caf\xe9/\"q\"\\\t" r'\n'}}"#);
    let came = python(&module(&format!("{measures}{DECIDES}{SCALES}")));
    came.has(&[r#"measurement_url: "/café/\"q\"\\\t\\n","#]);
}
