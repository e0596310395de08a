//! What doctor says of Heroku: keys, apps, types, sizes, other autoscalers, calls that are left, and answers that
//! are none.

use autoscaler::heroku::fake::Fault;

use super::support::{doctor, web, with};
use crate::harness::{APP, AppServer, FakeHeroku};

#[test]
fn what_is_right_is_said_to_be_fine() {
    let (app, heroku) = (AppServer::start(), FakeHeroku::start());
    let report = doctor(&web(&app, &heroku, 5));
    for (check, part) in [
        ("variable", "is set"),
        ("key", "valid, of fake@example.com"),
        ("scope", "the key may: global"),
        ("budget", "of 4500 calls left"),
        ("clock", "agrees with heroku's"),
        ("app", "exists, at https://"),
        ("type", "there, at 1 dyno"),
        ("size", "Standard-1X, enough for 5 dynos"),
        ("autoscaler", "nothing else scales it"),
        ("url", "/ping` answers 200 in "),
        ("state", "outlives the worker"),
    ] {
        report.says(check, "ok", part);
    }
    assert_eq!((report.code, report.failing()), (0, Vec::new()));
    // It has looked, and done nothing.
    assert!(heroku.fake.requests().iter().all(|request| request.route.starts_with("GET ")));
    assert_eq!(app.hits(), 1);
}

#[test]
fn a_key_that_is_wrong_missing_or_narrow_is_told() {
    let (app, heroku) = (AppServer::start(), FakeHeroku::start());
    let script = web(&app, &heroku, 5);
    let report = with(&script, |command| command.env("HEROKU_API_KEY", "another-key-than-that"));
    report.says("key", "fail", "`heroku authorizations:create`");
    report.says("app", "fail", "the API key is not valid");
    assert_eq!(report.code, 1);
    let told = format!("{:?}{}", report.rows, report.stderr);
    assert!(!told.contains("another-key-than-that"), "{told}");

    let report = with(&script, |command| command);
    report.says("variable", "fail", "heroku config:set HEROKU_API_KEY=…");
    report.says("key", "fail", "not set here");
    // All else is looked at.
    report.says("url", "ok", "answers 200");

    heroku.fake.set_scope(Some("read"));
    let report = doctor(&script);
    report.says("scope", "fail", "the key may only: read");
    assert_eq!(report.code, 1);
    heroku.fake.set_scope(None);
    doctor(&script).says("scope", "warn", "it is not global");
    heroku.fake.fail_next("GET /account", Fault::error(403, "forbidden", "no"));
    doctor(&script).says("key", "ok", "it may not read whose it is");
}

#[test]
fn an_app_a_type_and_a_size_that_do_not_fit_are_told() {
    let (app, heroku) = (AppServer::start(), FakeHeroku::start());
    let script = web(&app, &heroku, 5);
    let other = script.replace(&format!("app_name: \"{APP}\""), "app_name: \"shoe\"");
    let report = doctor(&other);
    report.says("app", "fail", "there is no app `shoe`");
    let report = doctor(&script.replace("\"web\", #{", "\"wob\", #{"));
    report.says("type", "fail", "no process type `wob`, but `web`, `worker`");

    heroku.fake.set_size(APP, "web", "Basic");
    let report = doctor(&script);
    report.says("size", "fail", "Basic: one dyno per type, and `max_dynos` of `web` is 5");
    assert_eq!(report.failing(), ["size"]);
    let report = doctor(&web(&app, &heroku, 1));
    report.says("size", "ok", "Basic: at most 1 dyno per type");
    heroku.fake.set_size(APP, "web", "Performance-M");
    doctor(&web(&app, &heroku, 12)).says("size", "warn", "at most 10 dynos per type");

    heroku.fake.set_dynos(APP, "web", 0);
    doctor(&script).says("type", "warn", "switched off by a person");
    heroku.fake.set_forbidden(APP, true);
    doctor(&script).says("app", "fail", "owner or collaborator");
}

#[test]
fn whoever_else_scales_the_app_is_told() {
    let (app, heroku) = (AppServer::start(), FakeHeroku::start());
    let script = web(&app, &heroku, 5);
    heroku.fake.attach(APP, "heroku-redis");
    doctor(&script).says("autoscaler", "ok", "nothing else scales it");
    heroku.fake.attach(APP, "judoscale");
    doctor(&script).says("autoscaler", "warn", "the add-on `judoscale` is attached");
    heroku.fake.set_autoscaled(APP, true);
    let report = doctor(&script);
    report.says("autoscaler", "fail", "`heroku ps:autoscale:disable -a shop`");
    assert_eq!(report.code, 1);
}

#[test]
fn few_calls_left_are_told() {
    let (app, heroku) = (AppServer::start(), FakeHeroku::start());
    heroku.fake.set_remaining(100);
    doctor(&web(&app, &heroku, 5)).says("budget", "warn", "of 4500 calls left");
    // None at all: the first call is refused.
    heroku.fake.set_remaining(0);
    let report = doctor(&web(&app, &heroku, 5));
    report.says("key", "fail", "out of API calls");
}

#[test]
fn no_answer_however_strange_ends_the_other_checks() {
    let (app, heroku) = (AppServer::start(), FakeHeroku::start());
    let script = web(&app, &heroku, 5);
    let routes = [
        "GET /account",
        "GET /oauth/authorizations",
        "GET /apps/{app}",
        "GET /apps/{app}/formation",
        "GET /apps/{app}/formation/{process}/monitors",
        "GET /apps/{app}/addons",
    ];
    let faults = [
        Fault::error(500, "internal", "oops"),
        Fault::garbage("<html>"),
        Fault::garbage("{}"),
        Fault::garbage("[1, null, {\"type\": 3}]"),
        Fault::HalfBody,
        Fault::Reset,
    ];
    for route in routes {
        for fault in &faults {
            heroku.fake.forget_faults();
            heroku.fake.fail_next(route, fault.clone());
            let report = doctor(&script);
            // What has nothing to do with Heroku is told all the same.
            report.says("url", "ok", "answers 200");
            report.says("state", "ok", "");
            assert!(report.rows.iter().any(|row| row["check"] == "key"), "{route} {fault:?}");
            assert!(report.rows.iter().any(|row| row["check"] == "app"), "{route} {fault:?}");
        }
    }
    heroku.go_down();
    let report = doctor(&script);
    report.says("key", "fail", "refused");
    report.says("app", "fail", "refused");
    report.says("url", "ok", "answers 200");
    assert_eq!(report.code, 1);
}
