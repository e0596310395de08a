//! The page on tests says what is so: the tests in it pass, and the failure it shows is a real one.

use super::bench::Scratch;

const PAGE: &str = include_str!("../../../docs/testing.md");
const STANDARD: &str = include_str!("../../../docs/stdlib.md");

/// The fenced blocks of the page in `language`.
fn blocks(language: &str) -> Vec<&'static str> {
    blocks_of(PAGE, language)
}

fn blocks_of(page: &'static str, language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    page.split(&*fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn the_tests_on_the_page_pass() {
    let (scripts, standard) = (blocks("rhai"), blocks_of(STANDARD, "rhai"));
    assert!(scripts.len() >= 2 && standard.len() >= 3);
    for script in scripts.into_iter().chain(standard) {
        let scratch = Scratch::new(&[("a.rhai", script)]);
        let said = scratch.run(&["test", "a.rhai"]).expect(0);
        assert!(said.stdout.contains("1 passed, 0 failed"), "{}", said.stdout);
    }
}

#[test]
fn the_failure_on_the_page_is_real() {
    let script = blocks("rhai")[0].replace("post_scale_wait_time_seconds: 60", "post_scale_wait_time_seconds: 90");
    let scratch = Scratch::new(&[("scripts/web.rhai", &script)]);
    let said = scratch.run(&["test", "scripts/web.rhai"]).expect(1);
    assert!(said.stdout.contains(blocks("text")[0]), "{}", said.stdout);
}
