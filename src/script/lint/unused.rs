//! Owns functions of a script that nothing uses: policies that were replaced, and tests whose name is not that of
//! a test. It goes by the text: a name that is written once is only defined.

use std::collections::HashMap;

use rhai::{ASTNode, Expr, Stmt};

use super::operators::walk;
use crate::rules;
use crate::script::files::{Defined, Script};
use crate::script::habits::tokens::{Kind, tokens};
use crate::settings::Report;

/// What makes a pipeline for a test.
const UNDER_TEST: &str = "under_test";

/// Reports the functions of `script`, which declares pipelines, that nothing uses.
pub(in crate::script) fn unused(script: &Script, report: &mut Report) {
    let tokens = tokens(&script.text);
    let mut words: HashMap<&str, usize> = HashMap::new();
    for token in tokens.iter().filter(|token| token.kind == Kind::Word) {
        *words.entry(token.text).or_default() += 1;
    }
    // `Fn("name")` and what stands in backticks.
    let texts: Vec<&str> = tokens.iter().filter(|token| token.kind == Kind::Text).map(|token| token.text).collect();
    let named = script.functions.iter().flat_map(|(name, all)| all.iter().map(move |defined| (name, defined)));
    let mut found: Vec<(&String, &Defined)> = named
        .filter(|(name, defined)| {
            let left_out = defined.anonymous || name.starts_with("test_") || name.starts_with('_');
            !left_out && words.get(name.as_str()) == Some(&1) && !texts.iter().any(|text| text.contains(name.as_str()))
        })
        .collect();
    found.sort_by_key(|(_, defined)| defined.position);
    for (name, defined) in found {
        let place = script.place(defined.position);
        if is_test(script, defined) {
            let message = format!("`{name}` is not run: the name of a test begins with `test_`");
            let help = format!("call it `test_{}`", plain(name));
            report.say(&rules::TEST_NOT_RUN, Some(&place), message, help);
        } else {
            let message = format!("nothing uses the function `{name}`");
            let help = format!("hand it to a stage (`decide: {name}`), leave it out, or call it `_{name}`");
            report.say(&rules::UNUSED_FUNCTION, Some(&place), message, help);
        }
    }
}

/// Whether the function tries a pipeline.
fn is_test(script: &Script, defined: &Defined) -> bool {
    let mut tries = false;
    walk(&script.statements(defined), &mut |node| {
        if let ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)) = node {
            tries |= call.name == UNDER_TEST;
        }
    });
    tries
}

/// `name` without what other tools call a test by.
fn plain(name: &str) -> &str {
    let begins = ["Test_", "Test", "it_", "should_", "test"];
    let rest = begins.iter().find_map(|begin| name.strip_prefix(begin)).unwrap_or(name);
    if rest.is_empty() { name } else { rest }
}
