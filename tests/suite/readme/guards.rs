//! Owns docs/guards.md: the tests in its scripts pass, and every optional guard has a script that sets it.

use std::collections::BTreeSet;

use autoscaler::pipeline::declare::GUARDS;

use super::markdown::Page;
use super::root;
use super::sandbox::Sandbox;

fn scripts() -> Vec<String> {
    let page = Page::read(&root().join("docs/guards.md"));
    page.blocks().into_iter().filter(|block| block.language == "rhai").map(|block| block.text).collect()
}

#[test]
fn every_test_of_an_example_passes() {
    let mut tested = 0;
    for script in scripts().iter().filter(|script| script.contains("fn test_")) {
        let sandbox = Sandbox::new();
        std::fs::write(sandbox.path().join("guard.rhai"), script).expect("a file");
        sandbox.autoscaler(["test", "guard.rhai"]).expect_success(script);
        tested += 1;
    }
    assert!(tested >= 10, "{tested} examples with tests");
}

#[test]
fn every_guard_has_an_example() {
    let scripts = scripts().concat();
    let missing: BTreeSet<&str> =
        GUARDS.iter().map(|setting| setting.name).filter(|name| !scripts.contains(&format!("{name}:"))).collect();
    // Shown by its opposite, and by the one for the other direction.
    let alike = BTreeSet::from(["cooldown_up_seconds", "stabilization_up_seconds"]);
    assert_eq!(missing, alike);
}
