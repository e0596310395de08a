//! The other forms: the flat names of version 2, the YAML of version 3, JSON from another program, and classes
//! of the user's own.

use std::fmt::Write as _;

use autoscaler::import::{Form, Options};

use super::support::{DECIDES, MEASURES, SCALES, module, python, take};

const FLAT: &str = "HEROKU_APP_NAME = 'forest'\nHEROKU_API_KEY = 'a-flat-key-in-clear'\nHEARTBEAT_URL = 'https://forest.example.com/beat'\n\
    MAX_DYNOS = {'0:00': 2, '9:00': 5}\nNOTIFY_ON_EVERY_PING = True\nNUMBER_OF_FAILS_TO_SCALE_UP_AFTER = 4\n\
    NOTIFICATION_BACKENDS = ['autoscalebot.backends.notification.ConsoleBackend']\n";

#[test]
fn the_flat_names_of_version_2_are_one_pipeline() {
    let came = python(FLAT);
    came.has(&[
        "let app = #{ app_name: \"forest\", api_key: env::secret(\"HEROKU_API_KEY\") };",
        "pipeline(\"web\", #{",
        "measurement_url: \"https://forest.example.com/beat\",",
        "decide: decide::consecutive_threshold(#{",
        "number_of_fails_to_scale_up_after: 4,",
        "max_dynos: #{ \"0:00\": 2, \"9:00\": 5 },",
        // That version's own defaults, which are not the documented ones.
        "min_measurement_value: 200,",
        "max_measurement_value: 1000,",
        "notify::console(#{",
        "notify_on_every_measurement: true,",
    ]);
    assert!(!came.script().contains("a-flat-key-in-clear"));
    // In Django each name had a prefix.
    let prefixed = FLAT.lines().map(|line| format!("AUTOSCALE_{line}\n")).collect::<Vec<_>>().concat();
    assert_eq!(python(&prefixed).script(), came.script());
    let came = python(&format!("{prefixed}AUTOSCALE_NONSENSE = 1\nAUTOSCALE_NOTIFY_ON_SCALE_FAILS = False\n"));
    came.says("settings.py:8:1: warning: ", "`AUTOSCALE_NONSENSE` is no setting of autoscalebot");
    came.says("settings.py:9:1: warning: ", "a scale that fails is always told");
}

const YAML: &str = "\
web:
    measurement:
        backend: ResponseTime
        url: /ping/
        timeout_in_seconds: 30
        seconds_between_measurement: 15
        scale_up_value: 20
    decision: &steady
        backend: Consecutive
        min_processes: 1
        max_processes: 3
        scale_down_value: 500
        scale_down_sample_size: 3
        scale_up_value: 1500
        scale_up_sample_size: 5
        post_scale_delay_seconds: 7
    scaling:
        backend: Heroku
        worker_name: web
        app_name: dancing-forest-1234
        api_key: abcdef1234567890abcdef12
    notification:
        -   backend: Logger
            notify_on: [SCALE, BELOW_MIN]
        -   backend: Console
            notify_on: [MEASUREMENT, ABOVE_MAX, TOO_RAPID]
            too_rapid_num_scales: 6
            too_rapid_period_minutes: 10
jobs:
    measurement: {backend: CeleryRedisQueueSize}
    decision: {backend: Average, scale_up_value: 10, scale_up_sample_size: 4, max_processes: {9:00: 5, 17:00: 2}}
    scaling: {backend: Heroku, worker_name: worker, app_name: dancing-forest-1234, api_key: abcdef1234567890abcdef12}
";

#[test]
fn the_yaml_of_version_3_is_read() {
    let came = take(YAML.as_bytes(), Form::Yaml, Options::default());
    came.has(&[
        "pipeline(\"web\", #{",
        "measurement_url: \"/ping/\",",
        "timeout_seconds: 30,",
        "measurement_interval_in_seconds: 15,",
        "min_dynos: 1,",
        "max_dynos: 3,",
        "min_measurement_value: 500,",
        "number_of_passes_to_scale_down_after: 3,",
        "max_measurement_value: 1500,",
        "number_of_fails_to_scale_up_after: 5,",
        "post_scale_wait_time_seconds: 7,",
        "scale: scale::heroku(app),",
        "notify::logger(#{",
        "notify_on_every_scale: true,",
        "notify_if_needs_below_min: true,",
        "notify_if_needs_exceed_max: false,",
        "notify::console(#{",
        "notify_if_scaling_is_too_rapid_num_scales: 6,",
        "notify_if_scaling_is_too_rapid_time_period_minutes: 10,",
        "pipeline(\"jobs\", #{",
        "decide: decide::average_threshold(#{",
        "max_measurement_value: 10,",
        "number_of_measurements_to_average: 4,",
        "max_dynos: #{ \"9:00\": 5, \"17:00\": 2 },",
        "scale: scale::heroku(app + #{ process_type: \"worker\" }),",
    ]);
    came.says("settings.yaml:7:9: warning: ", "stands in MEASUREMENT and in DECISION: that of DECISION counts");
    assert!(!came.script().contains("abcdef1234567890abcdef12"));
}

#[test]
fn yaml_that_is_wrong_is_told_with_its_place() {
    let wrong = |text: &str| take(text.as_bytes(), Form::Yaml, Options::default());
    wrong("web:\n\tmeasurement: 1\n").says("settings.yaml:2", "spaces, never with tabs");
    wrong("web: [1, 2\n").says("settings.yaml:", "this is not YAML");
    wrong("- a\n- b\n").says("settings.yaml:1:1: error: ", "is a list, not a map of process types");
    wrong("").says("settings.yaml", "the YAML is empty");
    wrong("web: *nowhere\n").says("settings.yaml:1:6", "error");
    wrong(&"[".repeat(5000)).says("settings.yaml:1:", "recursion limit exceeded");
    wrong(&"[".repeat(100)).says("settings.yaml:1:65: error: ", "more than 64 deep");
    // Every alias names the one above it nine times.
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = level - 1;
        let nine = vec![format!("*a{before}"); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{nine}]").unwrap();
    }
    wrong(&bomb).says("settings.yaml:", "more than 100,000 values");
}

#[test]
fn json_is_the_dictionary_or_the_names_of_the_module() {
    let web = r#"{"MEASUREMENT": {"BACKEND": "x.y.Load"}, "DECISION": {"BACKEND": "AverageThresholdBackend", "SETTINGS": {"MAX_DYNOS": 7}},
        "SCALING": {"BACKEND": "HerokuBackend", "SETTINGS": {"APP_NAME": "forest", "API_KEY": "a-key-over-a-pipe"}},
        "NOTIFICATION": {"BACKENDS": ["DjangoEmailBackend"], "SETTINGS": {"NOTIFY_ON_EVERY_SCALE": true}}}"#;
    let alone =
        take(format!("{{\"web\": {web}}}").as_bytes(), Form::Json, Options { live: true, ..Options::default() });
    alone.has(&["pipeline(\"web\", #{", "max_dynos: 7,", "notify_on_every_scale: true,"]);
    let module = format!(
        "{{\"AUTOSCALE_SETTINGS\": {{\"web\": {web}}}, \"TIME_ZONE\": \"Europe/Vienna\", \"ADMINS\": [[\"Ann\", \"ann@example.com\"]]}}"
    );
    let module = take(module.as_bytes(), Form::Json, Options::default());
    module.has(&["time_zone: \"Europe/Vienna\",", "to: [\"Ann <ann@example.com>\"],"]);
    assert!(!module.script().contains("a-key-over-a-pipe"));
    // What `manage.py` hands over: credentials stand as variables, and Django mails itself.
    let web = web.replace("\"a-key-over-a-pipe\"", "{\"$variable\": \"AUTOSCALE_WEB_API_KEY\"}");
    let django = Options { live: true, django: true, ..Options::default() };
    let under = take(format!("{{\"AUTOSCALE_SETTINGS\": {{\"web\": {web}}}}}").as_bytes(), Form::Json, django);
    under.has(&[
        "let app = #{ app_name: \"forest\", api_key: env::secret(\"AUTOSCALE_WEB_API_KEY\") };",
        "notify::django_email(#{",
        "notify_on_every_scale: true,",
    ]);
    assert!(!under.said.iter().any(|line| line.contains("SMTP_URL") || line.contains("in clear")), "{:?}", under.said);
    let wrong = |text: &str| take(text.as_bytes(), Form::Json, Options::default());
    wrong("{\n  \"web\": }").says("settings.json:2:10: error: ", "this is not JSON: expected value");
    wrong("[]").says("settings.json", "the JSON is no object");
    wrong("{}").says("settings.json", "there is no `AUTOSCALE_SETTINGS` here");
    wrong(&format!("{}1", "[".repeat(10_000))).says("settings.json:1:", "recursion limit exceeded");
}

#[test]
fn a_class_of_ones_own_becomes_a_marked_function_and_a_warning() {
    let text = module(
        "'MEASUREMENT': {'BACKEND': 'shop.scaling.Load', 'SETTINGS': {'MEASUREMENT_INTERVAL_IN_SECONDS': 9, 'TOKEN': 'a-token-of-the-shop'}},\n\
         'DECISION': {'BACKEND': 'shop.scaling.Careful', 'SETTINGS': {'MAX_DYNOS': 4}},\n\
         'SCALING': {'BACKEND': 'shop.scaling.Puppet'},\n\
         'NOTIFICATION': {'BACKENDS': ['shop.scaling.Pager'], 'SETTINGS': {'NOTIFY_ON_EVERY_SCALE': True}},",
    );
    let came = python(&text);
    for (place, function) in [
        ("settings.py:3:28", "web_measure"),
        ("settings.py:4:25", "web_decide"),
        ("settings.py:5:24", "web_scale"),
        ("settings.py:6:31", "web_notify"),
    ] {
        came.says(&format!("{place}: warning: "), &format!("write `{function}` in the script"));
    }
    came.has(&[
        "measure: measure::custom(#{",
        "measurement_interval_in_seconds: 9,",
        "}, web_measure),",
        "max_dynos: 4,",
        "}, web_decide),",
        "scale: #{ current: web_scale_current, scale_to: web_scale_to },",
        "notify::custom(#{",
        "notify_on_every_scale: true,",
        "}, web_notify),",
        "// NOT TRANSLATED: shop.scaling.Load, whose settings were TOKEN.",
        "fn web_measure() {",
    ]);
    assert!(!came.script().contains("a-token-of-the-shop"));
    assert_eq!(came.script().matches("// NOT TRANSLATED: ").count(), 4);
    let other = python(&module(&format!("{MEASURES}{DECIDES}{SCALES}")));
    assert!(!other.script().contains("NOT TRANSLATED"));
}
