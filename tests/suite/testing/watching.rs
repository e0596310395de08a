//! `autoscaler test --watch`: run again when a script is saved.

use super::bench::{Scratch, WEB};

#[test]
fn a_saved_script_is_tested_again_and_an_imported_one_too() {
    let script = |dynos: u32| {
        format!(
            "import \"lib/limit\" as limit; {WEB}
             fn test_it() {{ let p = under_test(\"web\"); p.feed([limit::high()]); assert_eq(p.dynos(), {dynos}); }}"
        )
    };
    let scratch = Scratch::new(&[("scripts/a.rhai", &script(2)), ("scripts/lib/limit.rhai", "fn high() { 150 }")]);
    let running = scratch.start(&["test", "--watch"]);
    running.says("1 passed, 0 failed", 1);
    scratch.write("scripts/a.rhai", &script(3));
    running.says("left is 2, right is 3", 1);
    scratch.write("scripts/a.rhai", &script(2));
    running.says("1 passed, 0 failed", 2);
    scratch.write("scripts/lib/limit.rhai", "fn high() { 50 }");
    running.says("left is 1, right is 2", 1);
    scratch.write("scripts/b.rhai", &format!("{WEB} fn test_new() {{}}"));
    running.says("✓ test_new", 1);
}
