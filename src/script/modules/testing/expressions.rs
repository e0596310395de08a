//! Owns what a failed assertion says of the expression that was written: its text, both sides of a comparison,
//! keys that no record has, and where two large values differ.

use std::fmt::Write;

use rhai::{Dynamic, EvalAltResult, NativeCallContext, Position, Scope};
use serde_json::Value as Json;

use super::{Answered, BenchValue, alike, shown, trial};
use crate::script::diagnose::{complaint, thrown};
use crate::script::habits::tokens::{Kind, Token, tokens};
use crate::script::node::Written;
use crate::script::text::extent;
use crate::settings::did_you_mean;

/// What may be asked of a pipeline under test a second time: it changes nothing.
const LOOKING: &[&str] = &["dynos", "last", "events", "records", "notified", "memory", "now", "len", "is_empty"];

/// The longest expression that is shown.
const LONGEST: usize = 120;

/// The error of `assert(…)` that does not hold.
pub(super) fn falsehood(native: &NativeCallContext) -> Answered<()> {
    let Some(text) = arguments(native).filter(|text| text.chars().count() <= LONGEST) else {
        return super::fail("this is false");
    };
    let sides = sides(&text).and_then(|(left, right)| {
        let (left, right) = (value(native, left)?, value(native, right)?);
        Some(format!(": left is {}, right is {}", shown(&left), shown(&right)))
    });
    if text == "false" {
        return super::fail("this is false");
    }
    let message = format!("`{text}` is false{}", sides.unwrap_or_default());
    Err(complaint(message, slip(native, &text), Position::NONE))
}

/// `error` of an assertion, with the key that no record has.
pub(super) fn explained(native: &NativeCallContext, error: Box<EvalAltResult>) -> Box<EvalAltResult> {
    let EvalAltResult::ErrorRuntime(value, position) = &*error else { return error };
    match arguments(native).and_then(|text| slip(native, &text)) {
        Some(help) => complaint(thrown(value), Some(help), *position),
        None => error,
    }
}

/// What stands in the brackets of the call.
fn arguments(native: &NativeCallContext) -> Option<String> {
    let written = Written::new(native)?;
    let text = written.script.from(native.call_position());
    let inside = text.get(text.find('(')? + 1..)?;
    let mut end = 0;
    loop {
        end += extent(&inside[end..]);
        if !inside[end..].starts_with(',') {
            break;
        }
        end += 1;
    }
    let text = inside.get(..end)?.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// The sides of a comparison.
fn sides(text: &str) -> Option<(&str, &str)> {
    let all = tokens(text);
    if all.iter().any(|token| token.is_any(&["|", "||", "&&", "{", "#{", "if"])) {
        return None;
    }
    let mut depth = 0_usize;
    for token in &all {
        if token.is_any(&["(", "["]) {
            depth += 1;
        } else if token.is_any(&[")", "]"]) {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is_any(&["==", "!=", "<", "<=", ">", ">="]) {
            return Some((text[..token.offset].trim(), text[token.offset + token.text.len()..].trim()));
        }
    }
    None
}

/// What `text` is, where asking again changes nothing.
fn value(native: &NativeCallContext, text: &str) -> Option<Dynamic> {
    let all = tokens(text);
    let calls = all.windows(2).filter(|pair| pair[0].kind == Kind::Word && pair[1].is("("));
    let harmless = calls.into_iter().all(|pair| LOOKING.contains(&pair[0].text));
    // `p.dynos(3)` sets them.
    let sets = all.windows(3).any(|part| part[0].is("dynos") && part[1].is("(") && !part[2].is(")"));
    if !harmless || sets || all.iter().any(|token| token.is("=")) {
        return None;
    }
    let mut scope = Scope::new();
    for (name, bench) in benches(native)? {
        scope.push(name, bench);
    }
    native.engine().eval_expression_with_scope::<Dynamic>(&mut scope, text).ok()
}

/// The pipelines under test by the variables that hold them, as the text before the call says.
fn benches(native: &NativeCallContext) -> Option<Vec<(String, BenchValue)>> {
    let written = Written::new(native)?;
    let rest = written.script.from(native.call_position()).len();
    let before = written.script.text.get(..written.script.text.len().checked_sub(rest)?)?;
    let start = before.rfind("\nfn ").map_or(0, |at| at + 1);
    let all = tokens(&before[start..]);
    let trial = trial("assert").ok()?;
    let declared = all.windows(6).filter_map(|part| {
        let [let_, name, set, call, open, of] = part else { return None };
        let under = let_.is("let") && set.is("=") && call.is("under_test") && open.is("(") && of.kind == Kind::Text;
        let bench = under.then(|| trial.bench(of.text.trim_matches('"')))??;
        Some((name.text.to_owned(), BenchValue(bench)))
    });
    Some(declared.collect())
}

/// A key of `p.last()` that no record has, and the one that was meant.
fn slip(native: &NativeCallContext, text: &str) -> Option<String> {
    let all = tokens(text);
    let key = |part: &[Token<'_>]| {
        let last = part[0].is("last") && part[1].is("(") && part[2].is(")") && part[3].is(".");
        (last && part[4].kind == Kind::Word).then(|| part[4].text.to_owned())
    };
    let key = all.windows(5).find_map(key)?;
    let record = benches(native)?.iter().find_map(|(_, bench)| bench.0.records(1).first().cloned())?;
    let record = serde_json::to_value(&*record).ok()?;
    let keys = record.as_object()?;
    if keys.contains_key(&key) {
        return None;
    }
    let near = did_you_mean(&key, keys.keys().map(String::as_str))?;
    Some(format!("a record has no `{key}`: {near}"))
}

/// Where two values differ first, and what stands there.
pub(super) fn difference(left: &Json, right: &Json) -> Option<String> {
    let (mut path, mut left, mut right) = (String::new(), left, right);
    loop {
        match (left, right) {
            (Json::Array(a), Json::Array(b)) => {
                let Some(at) = a.iter().zip(b).position(|(a, b)| !alike(a, b)) else {
                    let place = if path.is_empty() { String::new() } else { format!("at `{path}` ") };
                    return Some(format!("{place}in length: {} and {}", a.len(), b.len()));
                };
                let _ = write!(path, "[{at}]");
                (left, right) = (&a[at], &b[at]);
            }
            (Json::Object(a), Json::Object(b)) => {
                let key = a.keys().chain(b.keys()).find(|key| {
                    let (a, b) = (a.get(*key), b.get(*key));
                    !a.zip(b).is_some_and(|(a, b)| alike(a, b))
                })?;
                let _ = write!(path, ".{key}");
                let (Some(a), Some(b)) = (a.get(key), b.get(key)) else {
                    let side = if a.contains_key(key) { "right" } else { "left" };
                    return Some(format!("at `{path}`, which the {side} one has not"));
                };
                (left, right) = (a, b);
            }
            _ => return (!path.is_empty()).then(|| format!("at `{path}`: {left} and {right}")),
        }
    }
}
