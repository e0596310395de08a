//! `autoscaler init`: scripts to begin with.

use super::bench::Scratch;

#[test]
fn every_template_is_accepted_and_its_tests_pass() {
    for template in ["heroku", "celery", "prometheus", "custom"] {
        let scratch = Scratch::new(&[]);
        let said = scratch.run(&["init", "--template", template]).expect(0);
        assert!(said.stdout.starts_with("wrote scripts/autoscale.rhai\n"), "{}", said.stdout);
        assert!(said.stdout.contains("autoscaler test scripts/autoscale.rhai"), "{}", said.stdout);
        let said = scratch.run(&["check", "scripts/autoscale.rhai"]).expect(0);
        assert!(said.stdout.contains("1 pipeline, no warnings"), "{template}: {}{}", said.stdout, said.stderr);
        assert!(said.stdout.contains("dry_run"), "{template}: {}", said.stdout);
        let said = scratch.run(&["test"]).expect(0);
        assert!(said.stdout.contains(" passed, 0 failed"), "{template}: {}", said.stdout);
        let text = scratch.read("scripts/autoscale.rhai");
        for word in ["go live", "When you trust it"] {
            assert!(text.contains(word), "{template} does not say `{word}`");
        }
    }
}

#[test]
fn nothing_is_written_over_unless_told_to() {
    let scratch = Scratch::new(&[("mine.rhai", "// mine")]);
    let said = scratch.run(&["init", "mine.rhai"]).expect(1);
    assert!(said.stderr.contains("`mine.rhai` is there already"), "{}", said.stderr);
    assert_eq!(scratch.read("mine.rhai"), "// mine");
    scratch.run(&["init", "mine.rhai", "--force"]).expect(0);
    assert!(scratch.read("mine.rhai").contains("pipeline(\"web\""));
    scratch.run(&["init", "--template", "nomad"]).expect(2);
}
