//! What the author of a script reads of wrong settings of `measure::`.

use autoscaler::measure::Measure;
use autoscaler::settings::{Node, Value};

use super::support::{Target, declare, map, text};

fn report(name: &str, settings: &Node, max_threshold: Option<f64>) -> String {
    let (backend, report) = declare(name, settings, Target::default(), max_threshold);
    assert!(backend.is_some() || report.has_errors(), "no backend, and nobody says why");
    report.to_string()
}

fn good(name: &str, settings: &Node, max_threshold: Option<f64>) -> Box<dyn Measure> {
    let (backend, report) = declare(name, settings, Target::default(), max_threshold);
    assert_eq!(report.to_string(), "");
    backend.unwrap()
}

#[test]
fn a_path_needs_a_host() {
    let says = "test.rhai: error: `measurement_url` of `measure::response_time` is \
                \"/heroku-autoscale/measurement/\", and no host is known for it (write the whole URL, or \
                `base_url: \"https://…\"`; with `scale::heroku` the app's own address is used)";
    assert_eq!(report("response_time", &map([]), None), says);
    let says = "test.rhai:1:1: error: `measurement_url` of `measure::app_decision` is \"/m\"";
    assert!(report("app_decision", &map([("measurement_url", text("/m"))]), None).starts_with(says));
}

#[test]
fn what_is_no_web_address() {
    let help = "(an address such as \"https://example.com/measurement\")";
    for (name, value, why) in [
        ("base_url", "example.com", "relative URL without a base"),
        ("base_url", "ftp://example.com", "it begins with `ftp:`, not with `https:` or `http:`"),
        ("measurement_url", "https://", "empty host"),
        ("measurement_url", "//example.com/m", "relative URL without a base"),
    ] {
        let says = format!("test.rhai:1:1: error: `{name}` is \"{value}\", which is no web address: {why} {help}");
        assert_eq!(report("response_time", &map([(name, text(value))]), None), says);
    }
    let both = map([("measurement_url", text("https://a.test/m")), ("base_url", text("https://b.test"))]);
    let says = "test.rhai:2:1: warning: `base_url` is not used, since `measurement_url` is a whole URL";
    assert_eq!(report("response_time", &both, None), says);
}

#[test]
fn the_time_out_is_not_below_the_upper_threshold() {
    let base = ("base_url", text("https://a.test"));
    let seconds = |max| good("response_time", &map([base.clone()]), max).settings()["timeout_seconds"].clone();
    assert_eq!(seconds(Some(1200.0)), 10.0);
    assert_eq!(seconds(Some(25_000.0)), 25.0);
    let short = map([base.clone(), ("timeout_seconds", Value::Int(1))]);
    let says = "test.rhai:2:1: error: `timeout_seconds` is 1, and the upper threshold is 1200 ms: no reply that \
                slow could be measured (write at least 1.2)";
    assert_eq!(report("response_time", &short, Some(1200.0)), says);
    good("response_time", &short, Some(1000.0));
    // The number that an app decides on is no time.
    good("app_decision", &short, Some(1200.0));
}

#[test]
fn thresholds_on_the_measuring_side() {
    let base = ("base_url", text("https://a.test"));
    let (low, high) = (("min_time_ms", Value::Int(500)), ("max_time_ms", Value::Float(1000.0)));
    let backend = good("response_time", &map([base.clone(), low.clone(), high]), None);
    assert_eq!(backend.thresholds(), (Some(500.0), Some(1000.0)));
    let says = "test.rhai:2:1: error: `min_time_ms` is 500, above `max_time_ms`, 100";
    assert_eq!(report("response_time", &map([base.clone(), low, ("max_time_ms", Value::Int(100))]), None), says);
    let says = "test.rhai:2:1: error: `max_time_ms` is -1, and must not be negative";
    assert_eq!(report("response_time", &map([base, ("max_time_ms", Value::Int(-1))]), None), says);
}

#[test]
fn headers_that_cannot_be_sent() {
    let base = ("base_url", text("https://a.test"));
    let says = |headers: Value| report("response_time", &map([base.clone(), ("headers", headers)]), None);
    let wrong = map([("X Probe", text("1")), ("X-Split", text("a\r\nb: c")), ("X-Number", Value::Int(1))]);
    let all = "test.rhai:1:1: error: `X Probe` cannot be the name of a header\n\
               test.rhai:2:1: error: the value of the header `X-Split` holds a character that no header may hold\n\
               test.rhai:3:1: error: the header `X-Number` takes a text or a secret, not the number 1";
    assert_eq!(says(wrong.value), all);
    let says = says(text("X-Probe: 1"));
    let message = "test.rhai:2:1: error: `headers` takes a map, not the text \"X-Probe: 1\" (write \
                   `headers: #{ \"X-Probe\": \"1\" }`)";
    assert_eq!(says, message);
}

#[test]
fn a_path_into_json() {
    let settings = map([("base_url", text("https://a.test")), ("value", text("queues..size"))]);
    let says = "test.rhai:2:1: error: `value` is \"queues..size\", which is no path: a step between its dots is empty";
    assert_eq!(report("app_decision", &settings, None), says);
}

#[test]
fn redis_urls() {
    let says = |url: &str| report("celery_redis_queue_size", &map([("redis_url", text(url))]), None);
    let help = "(it looks like `redis://:password@host:6379/0`, or begins with `rediss://`, `redis+socket://` or \
                `sentinel://`)";
    let error = "test.rhai:1:1: error: `redis_url`";
    assert_eq!(says("amqp://:hidden-word@host"), format!("{error} begins with `amqp:` {help}"));
    assert_eq!(says("host:6379"), format!("{error} begins with `host:` {help}"));
    let needed = "is a `sentinel://` URL, for which the setting `master_name` is needed";
    assert_eq!(says("sentinel://:hidden-word@host"), format!("{error} {needed} {help}"));
    let empty = map([("redis_url", text("redis://")), ("queue_name", text(""))]);
    let message = "test.rhai:2:1: error: `queue_name` is empty, and must name a queue";
    assert_eq!(report("celery_redis_queue_size", &empty, None), message);
}

#[test]
fn a_secret_that_is_not_set_here_is_no_error() {
    let settings = map([("redis_url", Value::MissingSecret("BROKER".into()))]);
    let backend = good("celery_redis_queue_size", &settings, None);
    assert_eq!((backend.needs(), backend.reaches()), (Vec::new(), Vec::new()));
    assert_eq!(backend.settings()["redis_url"], "***");
    // Nothing in these tests sets REDIS_URL; where the machine does, it is said to be set.
    let backend = good("celery_redis_queue_size", &map([]), None);
    let set = std::env::var("REDIS_URL").is_ok_and(|url| !url.is_empty());
    assert_eq!(backend.needs(), [("REDIS_URL".into(), set)]);
}

#[test]
fn the_variable_in_place_of_redis_url_is_needed_to_run_and_not_to_check() {
    let dir = tempfile::tempdir().unwrap();
    let script = "pipeline(\"celery\", #{\n    measure: measure::celery_redis_queue_size(#{}),\n    \
                  decide: |m| hold(\"never\"),\n    scale: #{ current: || 1, scale_to: |n| print(n) },\n});\n";
    std::fs::write(dir.path().join("queue.rhai"), script).unwrap();
    let run = |command: &str| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_autoscaler"));
        program.args([command, "queue.rhai"]).current_dir(dir.path()).env_remove("REDIS_URL");
        let output = program.output().unwrap();
        let said = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), said(output.stdout), said(output.stderr))
    };
    let (code, output, _) = run("check");
    assert!(code == Some(0) && output.contains("needs REDIS_URL (not set here)\n"), "{output}");
    let (code, _, errors) = run("once");
    assert_eq!(code, Some(1));
    assert!(
        errors.starts_with("error[variable-not-set]: the environment variable `REDIS_URL` is not set\n"),
        "{errors}"
    );
    let help = "set it where the worker runs, or write the setting of `celery` out";
    assert!(errors.contains(help), "{errors}");
}
