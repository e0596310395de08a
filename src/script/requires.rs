//! Owns `requires("0.1")`, which says what a file needs before anything else of it is looked at: it is
//! found in the text, since a file for a newer autoscaler may not even parse here.

use rhai::{Dynamic, EvalAltResult, NativeCallContext, Position};

use super::context;
use super::diagnose::ruled;
use super::text::after_blanks;
use crate::rules;

/// Major, minor and patch.
type Version = [u32; 3];

/// What a right call looks like.
const MEND: &str = "write the oldest version that it runs on, as in `requires(\"0.1\");`";

/// The version of this program.
const OURS: &str = env!("CARGO_PKG_VERSION");

/// What is given to the `requires` that a file starts with, and where its call stands.
struct Written<'a> {
    /// The text of the argument where it is a plain text.
    argument: Option<&'a str>,
    call: Position,
    argument_at: Position,
}

/// Looks whether this program is new enough for `text`.
///
/// # Errors
/// It is too old, or what is required cannot be read.
pub(super) fn look(text: &str) -> Result<(), Box<EvalAltResult>> {
    let Some(written) = find(text) else { return Ok(()) };
    let bad = |message: String| Err(ruled(&rules::REQUIRED_VERSION, message, Some(MEND.into()), written.argument_at));
    let Some(argument) = written.argument else { return bad("`requires` takes a version as a plain text".into()) };
    let Some(needed) = version(argument) else { return bad(format!("`{argument}` is no version")) };
    if Some(needed) > version(OURS) {
        let message = format!("this file needs autoscaler {argument}, and this is {OURS}");
        let help = format!("install autoscaler {argument} or newer");
        return Err(ruled(&rules::REQUIRED_VERSION, message, Some(help), written.argument_at));
    }
    Ok(())
}

/// Refuses a call that is not the first thing in its file: by then it would be too late.
///
/// # Errors
/// It is not.
pub(super) fn called(native: &NativeCallContext, _: Dynamic) -> Result<(), Box<EvalAltResult>> {
    let position = native.call_position();
    let script = native.call_source().and_then(|source| context::surroundings()?.files.named(source));
    let first = script.as_ref().and_then(|script| {
        let (line, column) = (position.line()?.checked_sub(script.shift)?, position.position()?);
        let call = find(&script.text)?.call;
        Some((call.line()?, call.position()?) == (line, column))
    });
    if first == Some(true) {
        return Ok(());
    }
    let help = "move it to the top of the file, before everything else";
    Err(ruled(
        &rules::REQUIRED_VERSION,
        "`requires` is not the first thing in its file",
        Some(help.into()),
        Position::NONE,
    ))
}

/// The `requires` that `text` starts with, if it does.
fn find(text: &str) -> Option<Written<'_>> {
    let call = after_blanks(text);
    let rest = after_blanks(call.strip_prefix("requires")?);
    let argument = after_blanks(rest.strip_prefix('(')?);
    let plain = argument.strip_prefix('"').and_then(|inner| inner.split_once('"')).filter(|(inner, after)| {
        // With an end, so that `requires("0." + "1")` is not taken for `requires("0.")`.
        !inner.contains(['\\', '\n']) && after_blanks(after).starts_with(')')
    });
    let position = |rest: &str| {
        let before = &text[..text.len() - rest.len()];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        // A file has at most as many lines as a position can count; a column beyond that is as good as none.
        Position::new(u16::try_from(line).unwrap_or(u16::MAX), u16::try_from(column).unwrap_or(u16::MAX))
    };
    Some(Written { argument: plain.map(|(inner, _)| inner), call: position(call), argument_at: position(argument) })
}

/// "0.1", "1" and "0.1.2" are versions.
fn version(text: &str) -> Option<Version> {
    let mut version = Version::default();
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() > version.len() {
        return None;
    }
    for (slot, part) in version.iter_mut().zip(parts) {
        // `parse` would take "+1".
        *slot = part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())??;
    }
    Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_with_dots() {
        assert_eq!(version("0.1"), Some([0, 1, 0]));
        assert_eq!(version("2"), Some([2, 0, 0]));
        assert!(version("0.10.0") > version("0.9.12"));
        for bad in ["", ".", "0.", "v1", ">=0.1", "0.1.2.3", "+1", "1.x", " 1", "99999999999"] {
            assert_eq!(version(bad), None, "{bad}");
        }
        assert!(version(OURS).is_some());
    }

    #[test]
    fn it_is_found_behind_comments_and_nowhere_else() {
        let found = |text| find(text).map(|written| written.argument.map(str::to_owned));
        assert_eq!(found("// requires(\"9\")\n/* a */ requires ( \"0.1\" );"), Some(Some("0.1".into())));
        assert_eq!(found("requires(0.1)"), Some(None));
        assert_eq!(found("requires(\"0.\" + \"1\")"), Some(None));
        assert_eq!(found("let a = 1; requires(\"9\");"), None);
        assert_eq!(found("requires_nothing(\"9\");"), None);
    }
}
