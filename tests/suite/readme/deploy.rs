//! Owns the files under deploy/: a page shows each of them word for word, and what they start exists.

use std::fs;

use super::sandbox::Sandbox;
use super::{pages, root};

fn file(name: &str) -> String {
    fs::read_to_string(root().join("deploy").join(name)).unwrap_or_else(|error| panic!("deploy/{name}: {error}"))
}

#[test]
fn the_pages_show_what_is_shipped() {
    let shipped = [
        ("procfile", "Procfile"),
        ("bash", ".profile"),
        ("ini", "autoscaler.service"),
        ("dockerfile", "Containerfile"),
    ];
    // What puts things together; the tests of shipping run these.
    let scripts = ["package", "image", "heroku"];
    assert_eq!(fs::read_dir(root().join("deploy")).expect("deploy/").count(), shipped.len() + scripts.len());
    let blocks: Vec<_> = pages().iter().flat_map(super::Page::blocks).collect();
    for (language, name) in shipped {
        let mut shown = blocks.iter().filter(|block| block.language == language).peekable();
        assert!(shown.peek().is_some(), "no page shows deploy/{name}");
        for block in shown {
            assert_eq!(block.text, file(name), "{} is not deploy/{name}", block.place);
        }
    }
}

#[test]
fn the_procfile_releases_and_starts_a_script_that_is_there() {
    let procfile = file("Procfile");
    let lines: Vec<_> = procfile.lines().filter_map(|line| line.split_once(": ")).collect();
    let command = |kind| lines.iter().find(|(name, _)| *name == kind).map(|(_, command)| *command).expect("its line");
    assert_eq!(command("autoscaler"), "autoscaler scripts/autoscale.rhai");
    let release = command("release").strip_prefix("autoscaler ").expect("our command");
    let sandbox = Sandbox::new();
    let refused = sandbox.autoscaler(release.split_whitespace());
    assert!(!refused.success, "a release without its variables");
    // The page sets every variable before the first release.
    let variables = ["HEROKU_API_KEY", "SMTP_URL", "REDIS_URL"];
    let page = fs::read_to_string(root().join("docs/deploying.md")).expect("a page");
    for name in variables {
        assert!(refused.stderr.contains(&format!("`{name}` is not set")), "{}", refused.stderr);
        assert!(page.contains(&format!(" {name}=\"")), "docs/deploying.md does not set {name}");
    }
    let set = [("HEROKU_API_KEY", "key"), ("SMTP_URL", "smtps://a:b@mail.test"), ("REDIS_URL", "redis://redis.test")];
    sandbox.autoscaler_with(release.split_whitespace(), &set).expect_success("the release");
}

#[test]
fn the_unit_checks_and_starts_the_same_script() {
    let unit = file("autoscaler.service");
    let line = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)).expect("its line");
    let start = line("ExecStart=").strip_prefix("/usr/local/bin/autoscaler run ").expect("our command");
    let before = line("ExecStartPre=").strip_prefix("-/usr/local/bin/autoscaler check --require-env ");
    let before = before.expect("our command");
    assert_eq!(start, before);
    assert!(root().join("scripts").join(start.rsplit('/').next().expect("a name")).exists());
}

#[test]
fn the_container_starts_a_script_that_it_holds() {
    let container = file("Containerfile");
    let command = container.lines().find_map(|line| line.strip_prefix("CMD ")).expect("its command");
    let command: Vec<String> = serde_json::from_str(command).expect("a list of words");
    assert_eq!(command[0], "autoscaler");
    assert!(root().join(command[1].trim_start_matches('/')).exists(), "{command:?}");
}
