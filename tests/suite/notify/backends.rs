//! Each backend but mail, and what `check` says of wrong settings.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use autoscaler::function::{Argument, CallError, Returned};
use autoscaler::notify::{COMMON, CONSTRUCTORS, Custom, Flags, Notify, NotifyStage};
use autoscaler::pipeline::{Event, EventKind};
use autoscaler::settings::{Fields, Node, Place, Report, Value};
use serde_json::{Value as Json, json};

use super::audience::Log;
use super::pretend::{event, function, nothing, pipeline, stage, world};

/// A settings map whose keys stand on lines 1, 2, 3 …
pub fn map(entries: &[(&str, Value)]) -> Node {
    let place = |line: usize| Some(Place { file: "a.rhai".into(), line: u32::try_from(line).unwrap(), column: 5 });
    let entries = entries
        .iter()
        .enumerate()
        .map(|(index, (name, value))| (Arc::from(*name), Node { value: value.clone(), place: place(index + 1) }));
    Node { value: Value::Map(entries.collect()), place: place(0) }
}

/// Reads `notify::NAME(settings)` as a pipeline does.
pub fn read(name: &str, settings: &Node) -> (Option<NotifyStage>, Report) {
    let mut report = Report::default();
    let constructor = CONSTRUCTORS.iter().find(|constructor| constructor.name == name).unwrap();
    let tables = vec![constructor.settings, COMMON];
    let mut fields = Fields::open(format!("`notify::{name}`"), settings, tables, &mut report);
    let backend = (constructor.read)(&mut fields);
    let flags = Flags::read(&mut fields);
    let stage = backend.zip(flags).map(|(backend, flags)| NotifyStage {
        backend: Arc::from(backend),
        flags: Some(flags),
        memory: json!({}),
    });
    (stage, report)
}

pub fn text(text: &str) -> Value {
    Value::Text(text.into())
}

#[test]
fn the_documented_backends_have_their_names_and_the_documented_defaults() {
    let names: Vec<_> = CONSTRUCTORS.iter().map(|constructor| (constructor.name, constructor.backend)).collect();
    assert_eq!(
        names,
        [
            ("console", "ConsoleBackend"),
            ("email", "DjangoEmailBackend"),
            ("django_email", "DjangoEmailBackend"),
            ("logger", "LoggerBackend"),
            ("test", "TestBackend"),
            ("http", "HttpBackend"),
            ("command", "CommandBackend")
        ]
    );
    for name in ["console", "logger", "test"] {
        let (stage, report) = read(name, &map(&[]));
        assert_eq!(report.to_string(), "");
        assert_eq!(
            stage.unwrap().flags.unwrap().settings(),
            json!({
                "notify_on_every_measurement": false,
                "notify_on_every_scale": false,
                "notify_if_needs_below_min": false,
                "notify_if_needs_exceed_max": true,
                "notify_if_scaling_is_too_rapid": false,
                "notify_if_scaling_is_too_rapid_num_scales": 5,
                "notify_if_scaling_is_too_rapid_time_period_minutes": 1.0,
            })
        );
    }
}

#[test]
fn every_flag_can_be_written() {
    let settings = map(&[
        ("notify_on_every_measurement", Value::Bool(true)),
        ("notify_on_every_scale", Value::Bool(true)),
        ("notify_if_needs_below_min", Value::Bool(true)),
        ("notify_if_needs_exceed_max", Value::Bool(false)),
        ("notify_if_scaling_is_too_rapid", Value::Bool(true)),
        ("notify_if_scaling_is_too_rapid_num_scales", Value::Int(3)),
        ("notify_if_scaling_is_too_rapid_time_period_minutes", Value::Float(0.5)),
    ]);
    let (stage, report) = read("test", &settings);
    assert_eq!(report.to_string(), "");
    let expected = Flags {
        every_measurement: true,
        every_scale: true,
        needs_below_min: true,
        needs_exceed_max: false,
        too_rapid: true,
        too_rapid_scales: 3,
        too_rapid_period: Duration::from_secs(30),
    };
    assert_eq!(stage.unwrap().flags, Some(expected));
}

#[test]
fn wrong_settings_are_errors_with_their_place() {
    let settings = map(&[
        ("notify_on_evry_scale", Value::Bool(true)),
        ("notify_on_every_measurement", Value::Int(1)),
        ("notify_if_scaling_is_too_rapid_num_scales", Value::Int(0)),
        ("notify_if_scaling_is_too_rapid_time_period_minutes", Value::Int(0)),
    ]);
    let (_, report) = read("console", &settings);
    let said: Vec<String> = report.diagnostics().iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "a.rhai:1:5: error: unknown setting `notify_on_evry_scale` of `notify::console` \
             (did you mean `notify_on_every_scale`?)",
            "a.rhai:3:5: error: `notify_if_scaling_is_too_rapid_num_scales` is 0, and must be between 1 and 4294967295",
            "a.rhai:4:5: error: `notify_if_scaling_is_too_rapid_time_period_minutes` is 0, and must be above 0",
            "a.rhai:2:5: error: `notify_on_every_measurement` takes `true` or `false`, not the number 1",
        ]
    );
}

#[tokio::test]
async fn the_console_gets_one_clean_line_per_event() {
    let (world, deliveries, console) = world();
    let (stage, _) = read("console", &map(&[("notify_on_every_scale", Value::Bool(true))]));
    let web = pipeline("web", vec![stage.unwrap()]);
    let mut scaled = event("web", EventKind::Scaled, "Scaled to (3) dynos.");
    scaled.reason = Some("the last 3 above\r\n1000 \u{1b}[2J".into());
    world.audience.tell(&web, vec![scaled, event("web", EventKind::Measured, "not asked for")]);
    world.audience.announce(&[web], event("", EventKind::Reloaded, "generation 2 is in force"));
    assert_eq!(deliveries.close(Duration::from_secs(5)).await, 0);
    let lines = console.0.lock().unwrap().clone();
    assert_eq!(lines, ["info web: Scaled to (3) dynos. (the last 3 above 1000 [2J)", "info generation 2 is in force"]);
}

#[tokio::test]
async fn the_logger_logs_at_the_level_of_the_severity() {
    let (log, _guard) = Log::capture();
    let (world, deliveries, _) = world();
    let (stage, _) = read("logger", &map(&[("notify_on_every_scale", Value::Bool(true))]));
    let web = pipeline("web", vec![stage.unwrap()]);
    let severe = |severity: &str, kind, message| Event { severity: severity.into(), ..event("web", kind, message) };
    world.audience.tell(
        &web,
        vec![
            severe("info", EventKind::Scaled, "Scaled to (3) dynos."),
            severe("warning", EventKind::NeedsAboveMax, "We are at the max (3) dynos"),
            severe("error", EventKind::ReloadFailed, "a\nb"),
        ],
    );
    assert_eq!(deliveries.close(Duration::from_secs(5)).await, 0);
    let text = log.text();
    let lines: Vec<&str> = text.lines().map(|line| line.split_once("Z ").unwrap().1.trim_start()).collect();
    assert_eq!(
        lines,
        [
            "INFO autoscaler::notify: Scaled to (3) dynos. pipeline=\"web\" kind=\"scaled\"",
            "WARN autoscaler::notify: We are at the max (3) dynos pipeline=\"web\" kind=\"needs_above_max\"",
            "ERROR autoscaler::notify: a b pipeline=\"web\" kind=\"reload_failed\"",
        ]
    );
}

#[tokio::test]
async fn two_test_backends_of_a_pipeline_both_keep_every_message() {
    let (world, deliveries, _) = world();
    let tests = [0, 1].map(|_| read("test", &map(&[("notify_on_every_scale", Value::Bool(true))])).0.unwrap());
    let web = pipeline("web", tests.to_vec());
    world.audience.tell(&web, vec![event("web", EventKind::Scaled, "Scaled to (2) dynos.")]);
    world.audience.announce(&[Arc::clone(&web)], event("", EventKind::ReloadFailed, "line 3 is wrong"));
    assert_eq!(deliveries.close(Duration::from_secs(5)).await, 0);
    for stage in &web.notify {
        let kept: Vec<String> = stage.backend.kept().iter().map(|event| event.message.clone()).collect();
        assert_eq!(kept, ["Scaled to (2) dynos.", "line 3 is wrong"]);
    }
}

#[tokio::test]
async fn a_function_hears_the_event_and_remembers_for_its_own_pipeline() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&heard);
    let tell = function(move |argument, memory: &mut Json| {
        let Argument::Event(event) = argument else { panic!("no event: {argument:?}") };
        let count = memory["n"].as_i64().unwrap_or(0) + 1;
        memory["n"] = json!(count);
        keep.lock().unwrap().push(format!("{} {count} {}", event.pipeline, event.to_json()["kind"]));
        if event.kind == EventKind::ScaleFailed {
            return Err(CallError::Script { message: "thrown".into(), place: Some(Place::file("a.rhai")) });
        }
        Ok(Returned::Nothing)
    });
    let (log, _guard) = Log::capture();
    let (world, deliveries, _) = world();
    let (web, celery) =
        (pipeline("web", vec![Custom::bare(Arc::clone(&tell))]), pipeline("celery", vec![Custom::bare(tell)]));
    assert_eq!(world.audience.memories("web"), nothing());
    world.audience.recall(&web.name, &[("notify.0".to_owned(), json!({ "n": 40 }).into())].into());
    world.audience.tell(
        &web,
        vec![
            event("web", EventKind::Measured, "not heard"),
            event("web", EventKind::Scaled, "a"),
            // Thrown: what it remembered in this call is not kept.
            event("web", EventKind::ScaleFailed, "b"),
            event("web", EventKind::Reloaded, "c"),
        ],
    );
    let held = world.clone();
    world.audience.tell(&celery, vec![event("celery", EventKind::WouldScale, "d")]);
    assert_eq!(deliveries.close(Duration::from_secs(5)).await, 0);
    let mut heard = heard.lock().unwrap().clone();
    heard.sort();
    assert_eq!(
        heard,
        ["celery 1 \"would_scale\"", "web 41 \"scaled\"", "web 42 \"reloaded\"", "web 42 \"scale_failed\""]
    );
    assert_eq!(held.audience.memories("web")["notify.0"], json!({ "n": 42 }));
    assert_eq!(held.audience.memories("celery")["notify.0"], json!({ "n": 1 }));
    assert!(log.text().contains("not notified: thrown (a.rhai)"), "{}", log.text());
}

#[test]
fn a_function_with_settings_hears_what_its_flags_say() {
    let custom = Arc::new(Custom::new(function(|_, _| Ok(Returned::Nothing))));
    let mut stage = stage(&custom);
    assert!(stage.hears(&event("web", EventKind::Measured, "")));
    assert!(!stage.hears(&event("", EventKind::Reloaded, "")));
    stage.flags = None;
    assert!(!stage.hears(&event("web", EventKind::Measured, "")));
    assert!(stage.hears(&event("", EventKind::Reloaded, "")));
    assert_eq!(custom.backend(), "custom");
}
