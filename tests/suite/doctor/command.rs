//! The command: a table for people, JSON for tools, exit codes, a script that does not load.

use super::support::web;
use crate::harness::{APP, AppServer, Autoscaler, FakeHeroku, KEY, Script};

#[test]
fn people_get_a_table_with_what_to_do_and_a_count() {
    let (app, heroku) = (AppServer::start(), FakeHeroku::start());
    let script = Script::new(&web(&app, &heroku, 5));
    let run = || Autoscaler::on("doctor", &script.path()).env("HEROKU_API_KEY", KEY);
    let said = run().run().expect(0);
    let first = said.stdout.lines().next().unwrap();
    assert_eq!(first, "ok    variable    HEROKU_API_KEY: is set");
    assert!(said.stdout.ends_with("\n11 checks: 11 fine, 0 warnings, 0 failures\n"), "{}", said.stdout);
    assert!(!said.stdout.contains('\u{1b}'), "colours in a pipe");
    heroku.fake.set_size(APP, "web", "Basic");
    let said = run().run().expect(1);
    let lines: Vec<&str> = said.stdout.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("FAIL  size")).unwrap();
    assert!(lines[at].ends_with("shop web: Basic: one dyno per type, and `max_dynos` of `web` is 5"), "{}", lines[at]);
    assert!(lines[at + 1].trim().starts_with("→ `heroku ps:resize`"), "{}", lines[at + 1]);
    assert!(said.stdout.ends_with("11 checks: 10 fine, 0 warnings, 1 failure\n"), "{}", said.stdout);
}

#[test]
fn functions_of_the_script_are_not_called() {
    let script = Script::new(
        "pipeline(\"web\", #{ measure: || { print(\"called\"); 1 }, decide: |m| up(1), \
         scale: #{ current: || { print(\"called\"); 1 }, scale_to: |n| print(\"called\") } });",
    );
    let said = Autoscaler::on("doctor", &script.path()).run().expect(0);
    assert!(!said.stdout.contains("called") && !said.stderr.contains("called"), "{}", said.stderr);
}

#[test]
fn a_script_that_does_not_load_is_told_and_help_teaches() {
    let script = Script::new("pipeline(\"web\", #{ mesure: 1 });");
    let said = Autoscaler::on("doctor", &script.path()).run().expect(1);
    assert!(said.stderr.contains("did you mean `measure`?"), "{}", said.stderr);
    assert!(said.stderr.contains("the script does not load"), "{}", said.stderr);
    assert_eq!(said.stdout, "");
    Autoscaler::new(["doctor"]).run().expect(2);
    let help = Autoscaler::new(["doctor", "--help"]).run().expect(0).stdout;
    for part in ["It reads only", "--notify", "--json", "Exit codes:", "AUTOSCALER_STATE"] {
        assert!(help.contains(part), "no `{part}` in\n{help}");
    }
}
