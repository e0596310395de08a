//! Owns the fenced blocks of every page: each is run, or compared with the file that it shows.

use std::path::PathBuf;
use std::process::Command;

use super::markdown::Block;
use super::sandbox::Sandbox;
use super::{pages, root};
use crate::harness::{lines_fit, sessions};

/// What runs Django views: a project of one file, in memory.
const VIEWS: &str = r#"
import inspect, sys
import django
from django.conf import settings
settings.configure(
    ALLOWED_HOSTS=["*"], SECRET_KEY="of no use",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()
from django.test import RequestFactory
block = {}
exec(sys.argv[1], block)
views = [f for f in block.values() if inspect.isfunction(f) and list(inspect.signature(f).parameters) == ["request"]]
for view in views:
    response = view(RequestFactory().get("/"))
    assert response.status_code == 200, response
    assert "no-store" in response["Cache-Control"], response.headers
print(len(views), "views")
"#;

fn blocks(language: &str) -> Vec<Block> {
    let blocks: Vec<Block> =
        pages().iter().flat_map(super::Page::blocks).filter(|block| block.language == language).collect();
    assert!(!blocks.is_empty(), "no page has a {language} block");
    blocks
}

/// The Python of the tests' virtual environment.
fn python() -> PathBuf {
    let venv =
        std::env::var_os("AUTOSCALER_TEST_VENV").map_or_else(|| root().join("target/test-env/venv"), PathBuf::from);
    let python = venv.join("bin/python");
    assert!(python.exists(), "{} is missing: `tests/run setup` makes it", python.display());
    python
}

#[test]
fn every_block_says_what_it_is() {
    let known = ["rhai", "console", "python", "sh", "text", "procfile", "ini", "dockerfile", "bash"];
    // Those of docs/heartbeat.md; the tests of heartbeat serve them.
    let served = ["python wsgi", "python asgi", "js express", "ruby rack"];
    for block in pages().iter().flat_map(super::Page::blocks) {
        // What stands around the examples of the reference; its own tests run them.
        // Files of a Django project; the group of that name builds it.
        let framed = block.language.starts_with("rhai ") || block.language.starts_with("python ");
        assert!(
            framed || served.contains(&&*block.language) || known.contains(&&*block.language),
            "{}: nothing checks a `{}` block",
            block.place,
            block.language
        );
    }
}

#[test]
fn every_script_is_accepted_by_check() {
    for block in blocks("rhai") {
        let sandbox = Sandbox::new();
        if !block.text.contains("pipeline(") {
            quotes_a_script(&block, &sandbox);
            continue;
        }
        std::fs::write(sandbox.path().join("block.rhai"), &block.text).expect("a file");
        sandbox.accepted("block.rhai", &block.place);
    }
}

/// A block without a pipeline shows parts of scripts, function by function.
fn quotes_a_script(block: &Block, sandbox: &Sandbox) {
    let scripts = std::fs::read_dir(sandbox.path().join("scripts")).expect("scripts/");
    let texts: String =
        scripts.map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).expect("a text")).collect();
    for part in block.text.split("\n\n") {
        assert!(texts.contains(part.trim()), "{}: in no script of scripts/:\n{part}", block.place);
    }
}

#[test]
fn every_shown_command_works_and_says_what_is_shown() {
    for block in blocks("console") {
        let sandbox = Sandbox::new();
        for (line, shown) in sessions(&block.text) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let said = match &words[..] {
                ["autoscaler", arguments @ ..] => sandbox.autoscaler(arguments.iter().copied()),
                // The same command, built for the tests; it would run until it is stopped.
                ["cargo", "run", "--release", "--", "demo"] => sandbox.autoscaler(["demo", "--for", "5s"]),
                // The other one of the two commands is what runs this test.
                ["tests/run", ..] => {
                    let mut command = Command::new(root().join("tests/run"));
                    command.arg("--list");
                    sandbox.run(command)
                }
                _ => panic!("{}: `{line}` is not a command that this test can run", block.place),
            };
            let said = said.expect_success(&format!("{}: `{line}`", block.place));
            let output: Vec<&str> = said.stdout.lines().collect();
            if !shown.is_empty() {
                assert!(lines_fit(&shown, &output), "{}: `{line}` says\n{}", block.place, said.stdout);
            }
        }
    }
}

#[test]
fn every_python_block_holds_views_that_answer() {
    for block in blocks("python") {
        let mut command = Command::new(python());
        command.args(["-c", VIEWS, &block.text]);
        let said = Sandbox::new().run(command).expect_success(&block.place);
        assert!(!said.stdout.starts_with("0 "), "{}: no view in it", block.place);
    }
}

#[test]
fn every_shell_block_is_sound() {
    for block in blocks("sh") {
        let mut command = Command::new("bash");
        command.args(["-n", "-c", &block.text]);
        Sandbox::new().run(command).expect_success(&block.place);
    }
}

#[test]
fn shown_output_is_compared() {
    assert!(lines_fit(&["a", "…", "d … f"], &["a", "b", "c", "d 12 f"]));
    assert!(lines_fit(&["a", "…"], &["a"]));
    assert!(!lines_fit(&["a", "…", "z"], &["a", "b"]));
    assert!(!lines_fit(&["a"], &["a", "b"]));
    assert!(!lines_fit(&["d … f"], &["d 12 g"]));
}

#[test]
fn the_explanation_in_the_readme_is_the_one_of_the_page_that_is_compared_with_real_output() {
    let explains = |block: &Block| block.language == "text" && block.text.starts_with("$ autoscaler explain");
    let readme = super::readme().blocks().into_iter().find(explains).expect("an explanation");
    let page = super::Page::read(&root().join("docs/explaining.md"));
    let real = page.blocks().into_iter().find(explains).expect("the real one");
    let (shown, real): (Vec<&str>, Vec<&str>) = (readme.text.lines().collect(), real.text.lines().collect());
    assert!(lines_fit(&shown, &real), "{}", readme.text);
}
