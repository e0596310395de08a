//! The page on doctor: every check has a row in its table, and its shown output is real.

use super::support::web;
use crate::harness::{AppServer, Autoscaler, FakeHeroku, KEY, Script, lines_fit};

const PAGE: &str = include_str!("../../../docs/doctor.md");

/// Every name of a check that the code has.
fn checks() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/doctor");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for maker in ["Row::ok(", "Row::warn(", "Row::fail("] {
            for rest in text.split(maker).skip(1) {
                let name = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
                names.extend(name.map(str::to_owned));
            }
        }
    }
    names.sort();
    names.dedup();
    names
}

#[test]
fn every_check_has_a_row_on_the_page() {
    let checks = checks();
    assert!(checks.len() >= 12, "{checks:?}");
    for check in checks {
        assert!(PAGE.contains(&format!("\n| `{check}` | ")), "`{check}` is not on the page");
    }
}

#[test]
fn the_shown_output_is_real() {
    let (app, heroku) = (AppServer::start(), FakeHeroku::start());
    heroku.fake.set_size("shop", "web", "Basic");
    let script = Script::new(&web(&app, &heroku, 5));
    let said = Autoscaler::on("doctor", &script.path()).env("HEROKU_API_KEY", KEY).run().expect(1);
    let shown = PAGE.split("```text\n$ autoscaler doctor script.rhai\n").nth(1).unwrap().split("```").next().unwrap();
    let (shown, real): (Vec<&str>, Vec<&str>) = (shown.lines().collect(), said.stdout.lines().collect());
    assert!(lines_fit(&shown, &real), "{}", said.stdout);
}
