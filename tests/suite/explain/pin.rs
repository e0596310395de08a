//! `pin`: an incident becomes a test of the script, which fails while the script would do the same again.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use autoscaler::explain::fixture::{self, Expectation};
use autoscaler::pipeline::{Decided, Failure};
use autoscaler::world::ScaleErrorKind;

use super::support::{SCRIPT, folder, log, past};
use crate::harness::{Autoscaler, Script};

fn on(folder: &Script, arguments: &[&str]) -> Autoscaler {
    Autoscaler::new(arguments.iter().copied()).folder(folder.root())
}

const PIN: [&str; 7] = ["pin", "web", "incident.log", "--script", "autoscale.rhai", "--at", "03:12"];

fn pin(folder: &Script, expect: &str) -> String {
    on(folder, &[&PIN[..], &["--expect", expect]].concat()).run().expect(0).stdout
}

#[tokio::test]
async fn the_test_fails_until_the_script_is_mended_and_the_script_stays_as_it_was() {
    let folder = folder().await;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o640)).unwrap();
    let said = pin(&folder, ">= 4");
    assert!(said.contains("it fails now: 3 dynos, and >= 4 are expected"), "{said}");
    let text = fs::read_to_string(folder.path()).unwrap();
    assert!(text.starts_with(SCRIPT) && text.ends_with("}\n"), "{text}");
    assert_eq!(fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(folder.root()).unwrap().count(), 2, "nothing is left beside it");
    on(&folder, &["check", "autoscale.rhai"]).run().expect(0);
    let said = on(&folder, &["test", "autoscale.rhai"]).run().expect(1).stdout;
    assert!(said.contains("`test_web_2026_11_24_0312` fails: 3 dynos, and >= 4 are expected"), "{said}");
    folder.save(&text.replace("min_measurement_value", "number_of_fails_to_scale_up_after: 2, min_measurement_value"));
    let said = on(&folder, &["test", "autoscale.rhai"]).run().expect(0).stdout;
    assert!(said.contains("1 passed, 0 failed"), "{said}");
}

#[tokio::test]
async fn every_expectation_is_judged_as_it_was_recorded() {
    let folder = folder().await;
    for (expect, holds) in [("== 3", true), ("3", true), ("< 4", true), ("hold", true), ("up", false), ("> 3", false)] {
        let said = pin(&folder, expect);
        assert_eq!(said.contains("it passes already"), holds, "{expect}: {said}");
    }
    let said = on(&folder, &["test", "autoscale.rhai"]).run().expect(1).stdout;
    assert!(said.contains("4 passed, 2 failed"), "names differ, and all are run: {said}");
}

#[tokio::test]
async fn print_leaves_the_script_alone_and_line_ends_and_links_stay() {
    let folder = folder().await;
    let printed = on(&folder, &[&PIN[..], &["--expect", "up", "--print"]].concat()).run().expect(0).stdout;
    assert!(printed.contains("fn test_web_2026_11_24_0312()"), "{printed}");
    assert_eq!(fs::read_to_string(folder.path()).unwrap(), SCRIPT);
    folder.write("real/deep.rhai", &SCRIPT.replace('\n', "\r\n"));
    folder.remove("autoscale.rhai");
    std::os::unix::fs::symlink("real/deep.rhai", folder.path()).unwrap();
    pin(&folder, "up");
    assert!(fs::symlink_metadata(folder.path()).unwrap().is_symlink());
    let text = fs::read_to_string(folder.root().join("real/deep.rhai")).unwrap();
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text:?}");
    assert!(text.contains("fn test_web"));
}

#[tokio::test]
async fn a_script_that_would_not_load_is_left_as_it_is() {
    let folder = folder().await;
    // Without the semicolon no function may follow.
    let unfinished = SCRIPT.trim_end().trim_end_matches(';').to_owned();
    folder.save(&unfinished);
    let said = on(&folder, &[&PIN[..], &["--expect", "up"]].concat()).run().expect(1);
    assert!(
        said.stderr.contains("would not load with the test") && said.stderr.contains("fn test_web"),
        "{}",
        said.stderr
    );
    assert_eq!(fs::read_to_string(folder.path()).unwrap(), unfinished);
    let said = on(&folder, &["pin", "web", "incident.log", "--at", "03:12", "--expect", "up"]).run().expect(1);
    assert!(said.stderr.contains("name it with --script FILE"), "{}", said.stderr);
    let said = on(&folder, &[&PIN[..], &["--expect", "more"]].concat()).run().expect(2);
    assert!(said.stderr.contains("write \">= 6\""), "{}", said.stderr);
}

const QUEUE: &str = r#"
pipeline("jobs/low", #{
    measure: || 0,
    decide:  |m| { this.n = (this.n ?? 0) + 1; if m.data.waiting > 10 { up(1) } },
    max_dynos: 9,
    scale:   #{ current: || 0, scale_to: |n| () },
    time_zone: "UTC",
});
"#;

/// What the platform did, what failed, and who else scaled is in the test: it comes to the same decisions.
#[tokio::test]
async fn a_replay_comes_to_what_was_recorded() {
    let script = QUEUE.replace("jobs/low", "web");
    let mut past = past(&script, 2, []).await;
    let app = &mut past.app;
    let waiting = |n: i64| Ok(serde_json::json!({ "waiting": n, "queue \"a\"": [1, null] }));
    app.tick(waiting(3)).await;
    app.tick(waiting(30)).await;
    app.fail(Failure::overload("timed out after 10 s")).await;
    app.fail(Failure::not_load("no \"number\"\nin it")).await;
    app.set(6);
    app.tick(waiting(1)).await;
    app.hide();
    app.tick(waiting(40)).await;
    app.refuse(ScaleErrorKind::Refused);
    app.now += chrono::TimeDelta::seconds(120);
    app.tick(waiting(50)).await;
    app.now += chrono::TimeDelta::seconds(120);
    let last = app.tick(waiting(60)).await;
    assert_eq!((last.decision, app.dynos()), (Decided::Up, 7));
    let folder = Script::named("autoscale.rhai", &script);
    for (index, record) in past.records().iter().enumerate() {
        let expectation = Expectation::Decision(record.decision);
        let test = fixture::test(&past.spec, "web", &past.records()[..=index], expectation, &[]).unwrap();
        let dynos = record.scaled().map(|(_, to)| to).or(record.dynos.current);
        let also = dynos.map_or_else(String::new, |dynos| format!("    assert_eq(p.dynos(), {dynos});\n}}\n"));
        let text = if also.is_empty() { test.text } else { format!("{}{also}", test.text.trim_end_matches("}\n")) };
        folder.save(&format!("{script}\n{text}"));
        let said = on(&folder, &["test", "autoscale.rhai"]).run();
        assert_eq!(said.code, Some(0), "{index}: {text}\n{}{}", said.stdout, said.stderr);
    }
}

/// A long quiet time: the last scale lies before what is replayed.
#[tokio::test]
async fn a_scale_from_before_is_still_known() {
    let script = r#"
pipeline("web", #{
    measure: || 0,
    decide:  |m| if m.seconds_since_scale != () && m.seconds_since_scale > 1800 && m.value > 10 { up(1) },
    max_dynos: 9,
    scale:   #{ current: || 0, scale_to: |n| () },
    time_zone: "UTC",
});
"#;
    let seed =
        script.replace("m.seconds_since_scale != () && m.seconds_since_scale > 1800 && m.value > 10", "m.value == 99");
    let mut past = past(&seed, 2, [99.0]).await;
    past.app.feed(std::iter::repeat_n(5.0, 80)).await;
    past.app.feed([20.0]).await;
    let folder = Script::named("autoscale.rhai", script);
    folder.write("incident.log", &log(past.records()));
    let at = past.records().last().unwrap().at.format("%H:%M:%S").to_string();
    let arguments = ["pin", "web", "incident.log", "--script", "autoscale.rhai", "--at", &at, "--expect", "up"];
    let said = on(&folder, &arguments).run().expect(0).stdout;
    assert!(said.contains("it passes already"), "{said}");
    assert!(fs::read_to_string(folder.path()).unwrap().contains("scaled: \"2026-11-24 12:00:00\""));
}

#[test]
fn what_a_replay_cannot_be_is_said() {
    for (tick, expected) in [
        ("#{ value: 1 }", "needs `at`"),
        ("#{ at: \"2026-11-24 03:12:00\", vale: 1 }", "did you mean `value`?"),
        ("#{ at: \"soon\", value: 1 }", "`soon` is no time"),
        ("#{ at: \"2026-11-24 03:12:00\", value: \"much\" }", "`value` of `replay` is a number"),
        ("#{ at: \"2026-11-24 03:12:00\", value: 1, measured: [] }", "not both"),
        ("#{ at: \"2026-11-24 03:10:00\", value: 1 }", "is not after the tick before it"),
        ("7", "`replay` takes ticks such as"),
    ] {
        let test = format!(
            "fn test_it() {{\n    let p = under_test(\"jobs/low\");\n    \
             p.replay([#{{ at: \"2026-11-24 03:11:00\", data: #{{ waiting: 1 }} }}, {tick}]);\n}}\n"
        );
        let script = Script::named("autoscale.rhai", &format!("{QUEUE}\n{test}"));
        let said = Autoscaler::on("test", &script.path()).run().expect(1);
        assert!(said.stdout.contains(expected), "{tick}: {}", said.stdout);
    }
}
