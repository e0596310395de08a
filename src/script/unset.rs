//! Owns environment variables that are not set where their value was in the way: the language says only that
//! a function knows no `()`. It reads the variables' names from the text, and never a value.

use rhai::{EvalAltResult, Position};

use super::files::{Script, Surroundings};
use super::habits::tokens::{Kind, tokens};

/// The variable whose missing value made `error` at `position`, where that can be told.
pub(super) fn variable(
    error: &EvalAltResult,
    surroundings: &Surroundings,
    script: &Script,
    position: Position,
) -> Option<String> {
    let unset = |name: &str| surroundings.environment.variable(name).is_none();
    if let EvalAltResult::ErrorFunctionNotFound(signature, _) = error {
        let (name, types) = signature.split_once(" (")?;
        if !types.split([',', ')']).any(|given| given.trim().starts_with('(')) {
            return None;
        }
        let bare = name.rsplit("::").next().unwrap_or(name);
        let call = script.index.call_at(position, bare);
        let named = call.and_then(|call| call.arguments.iter().find_map(|shape| script.index.variable_read(shape)));
        if let Some(name) = named {
            return unset(name).then(|| name.to_owned());
        }
    } else if !super::diagnose::is_missing_value(error) {
        return None;
    }
    // What stands before a method or beside an operator is no argument: whatever the line reads.
    let line = position.line()?;
    let shown = u32::try_from(line.saturating_sub(script.shift)).ok()?;
    let words = tokens(&script.text);
    let words = words.iter().filter(|token| token.line == shown && token.kind == Kind::Word);
    let held = words.filter_map(|word| script.index.variable_holds(word.text, position));
    script.index.variables_read_at(line).chain(held).find(|name| unset(name)).map(str::to_owned)
}

/// What is said of it, and the mend.
pub(super) fn words(name: &str) -> (String, Option<String>) {
    let help = format!("give a default: `env::get(\"{name}\", \"10\")`");
    (format!("`env::get(\"{name}\")` is not set"), Some(help))
}
