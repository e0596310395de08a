//! What the world may do to a tick, from end to end: the record says what happened, nothing is invented, and
//! a failed measurement never scales down.

use std::time::Duration;

use autoscaler::heroku::fake::Fault;
use serde_json::Value as Json;

use super::{KEY, eager};
use crate::harness::{AppServer, Autoscaler, FakeHeroku, Manner, Script};

/// The record of one tick of a pipeline that measures like `measure`, at 2 dynos, where 0 means down.
fn tick(measure: &str) -> Json {
    let script = Script::new(&format!(
        "pipeline(\"web\", #{{
            measure: {measure},
            decide: decide::average_threshold(#{{
                number_of_measurements_to_average: 1, min_measurement_value: 5, max_measurement_value: 9000, max_dynos: 3,
            }}),
            scale: #{{ current: || 2, scale_to: |n| () }},
        }});"
    ));
    Autoscaler::on("once", &script.path()).arg("--json").run().expect(0).json()[0].clone()
}

/// Fails unless the measurement failed with `error` and nothing was scaled down for it.
fn assert_failed(what: &str, record: &Json, error: &str) {
    let measurement = &record["measurements"][0];
    assert_eq!((&measurement["success"], &measurement["data"]), (&false.into(), &Json::Null), "{what}: {record}");
    assert_eq!(measurement["value"], Json::Null, "{what}: {record}");
    let said = measurement["error"].as_str().unwrap();
    assert!(said.contains(error), "{what}: no `{error}` in `{said}`");
    assert_ne!(record["decision"], "down", "{what}: {record}");
}

#[test]
fn an_app_that_misbehaves() {
    let app = AppServer::start();
    let url = app.url();
    let nobody = {
        let gone = AppServer::start();
        gone.url()
    };
    let time = |base: &str| {
        format!("measure::response_time(#{{ base_url: \"{base}\", measurement_url: \"/m\", timeout_seconds: 10 }})")
    };
    let number = |base: &str| format!("measure::app_decision(#{{ base_url: \"{base}\", timeout_seconds: 1 }})");
    let login = Manner::redirect("/login?next=/m");
    for (what, manner, measure, error) in [
        ("refused", Manner::ok(""), time(&nobody), "refused"),
        ("closed", Manner::Close, time(&url), "127.0.0.1"),
        ("404", Manner::status(404, "no"), time(&url), "404"),
        ("500", Manner::status(500, "no"), time(&url), "500"),
        ("a login page", login.clone(), time(&url), "/login"),
        ("a redirect in a loop", Manner::redirect("/m"), time(&url), "redirect"),
        ("an endless body", Manner::Endless, time(&url), "MiB"),
        ("no answer", Manner::Hang, number(&url), "1 s"),
        ("slow-loris", Manner::Drip, number(&url), "1 s"),
        ("HTML", Manner::ok("<!doctype html><p>3</p>"), number(&url), "JSON"),
        ("NaN", Manner::ok("NaN"), number(&url), "JSON"),
        ("a text", Manner::ok("\"seven\""), number(&url), "number"),
        ("null", Manner::ok("null"), number(&url), "number"),
        ("nothing", Manner::ok(""), number(&url), "JSON"),
        ("deep JSON", Manner::ok(&"[".repeat(5000)), number(&url), "JSON"),
        ("503", Manner::status(503, "1"), number(&url), "503"),
    ] {
        app.set(manner);
        assert_failed(what, &tick(&measure), error);
    }
    // The same with manners is measured, and low enough to scale down.
    app.set(Manner::ok("3"));
    let record = tick(&number(&url));
    assert_eq!((&record["decision"], &record["measurements"][0]["value"]), (&"down".into(), &3.0.into()), "{record}");
}

#[test]
fn a_script_that_measures_nonsense() {
    for (what, function, error) in [
        ("a text", "|| \"seven\"", "number"),
        ("nothing", "|| ()", ""),
        ("thrown", "|| throw \"broken pump\"", "broken pump"),
        ("failed", "|| measure::failed(\"no reading\")", "no reading"),
        ("not a number", "|| 0.0 / 0.0", "number"),
        ("endless", "|| loop {}", "used up"),
    ] {
        let record = tick(function);
        let measurement = &record["measurements"][0];
        assert_eq!(measurement["success"], false, "{what}: {record}");
        assert!(measurement["error"].as_str().unwrap().contains(error), "{what}: {record}");
        assert_eq!(record["decision"], "hold", "{what}: {record}");
    }
}

/// The record of one tick that acts, on a pipeline that wants one dyno more.
fn act(heroku: &FakeHeroku, code: i32) -> Json {
    let script = Script::new(&eager(heroku));
    let said = Autoscaler::on("once", &script.path()).arg("--json").arg("--act").env(KEY.0, KEY.1).run().expect(code);
    said.json()[0].clone()
}

#[test]
fn a_platform_whose_count_cannot_be_read() {
    let count = "GET /apps/{app}/formation";
    for (what, fault, said) in [
        ("500", Fault::error(500, "internal", "Oops."), "500"),
        ("a web page", Fault::garbage("<html>maintenance</html>"), "something else: `<html>maintenance</html>`"),
        ("half an answer", Fault::HalfBody, ""),
        ("reset", Fault::Reset, ""),
        ("another shape", Fault::garbage("{\"quantity\": 1}"), ""),
    ] {
        let heroku = FakeHeroku::start();
        heroku.fake.fail_next(count, fault.clone());
        heroku.fake.fail_next(count, fault);
        let record = act(&heroku, 1);
        assert_eq!(
            (&record["decision"], &record["dynos"]["current"]),
            (&"hold".into(), &Json::Null),
            "{what}: {record}"
        );
        let reason = &record["reasons"][0];
        assert_eq!(reason["guard"], "count_unknown", "{what}");
        assert!(reason["text"].as_str().unwrap().contains(said), "{what}: {reason}");
        assert_eq!(heroku.web(), 1, "{what}");
    }
}

#[test]
fn a_key_that_is_wrong_or_may_not() {
    let heroku = FakeHeroku::start();
    let script = Script::new(&eager(&heroku));
    let once = |key: &str| {
        Autoscaler::on("once", &script.path()).arg("--json").arg("--act").env(KEY.0, key).run().expect(1).json()[0]
            .clone()
    };
    let record = once("wrong-key-of-the-shop");
    let text = record["reasons"][0]["text"].as_str().unwrap();
    assert!(text.contains("401") && text.contains("heroku authorizations:create"), "{text}");
    assert!(!record.to_string().contains("wrong-key-of-the-shop"), "{record}");
    heroku.fake.set_forbidden("shop", true);
    let record = once(KEY.1);
    assert!(record["reasons"][0]["text"].as_str().unwrap().contains("403"), "{record}");
}

#[test]
fn a_formation_without_our_process_type() {
    let heroku = FakeHeroku::start();
    heroku.fake.add_app("shop", &[("worker", 1), ("clock", 1)]);
    let record = act(&heroku, 1);
    let text = record["reasons"][0]["text"].as_str().unwrap();
    assert!(text.contains("`web`") && text.contains("worker"), "{text}");
    assert_eq!(record["decision"], "hold");
}

#[test]
fn a_scale_that_times_out_and_was_applied() {
    let heroku = FakeHeroku::start();
    heroku.fake.fail_next("PATCH /apps/{app}/formation/{process}", Fault::DoneAndHang);
    let record = act(&heroku, 1);
    assert_eq!(record["outcome"], "unknown", "{record}");
    assert!(record["error"].as_str().unwrap().contains("5 s"), "{record}");
    assert_eq!(heroku.web(), 2);
}

#[test]
fn a_count_changed_by_hand_is_brought_back_into_the_bounds_that_are_written() {
    let heroku = FakeHeroku::start();
    heroku.fake.set_dynos("shop", "web", 7);
    let record = act(&heroku, 0);
    assert_eq!((&record["decision"], &record["outcome"]), (&"down".into(), &"scaled".into()), "{record}");
    assert_eq!(heroku.web(), 2);
    heroku.fake.set_dynos("shop", "web", 0);
    let record = act(&heroku, 0);
    assert_eq!(record["decision"], "hold", "{record}");
    assert_eq!(record["reasons"][0]["guard"], "switched_off", "{record}");
    assert_eq!(heroku.web(), 0);
}

#[test]
fn a_rate_limit_that_is_used_up() {
    let heroku = FakeHeroku::start();
    heroku.fake.set_remaining(0);
    let record = act(&heroku, 1);
    assert_eq!(record["decision"], "hold", "{record}");
    assert!(record["reasons"][0]["text"].as_str().unwrap().contains("out of API calls"), "{record}");
}

#[test]
fn a_slow_platform_is_waited_for() {
    let heroku = FakeHeroku::start();
    heroku.fake.fail_next("GET /apps/{app}/formation", Fault::Slow(Duration::from_secs(1)));
    let record = act(&heroku, 0);
    assert_eq!(record["outcome"], "scaled", "{record}");
}
