//! Owns the members of our types: which exist, which may be missing, and that none of them can be set.

use rhai::{Expr, Stmt};

use super::inference::{Inference, Link, NAMED};
use super::operators::shown;
use super::types::Types;
use super::{Examination, Finding, Scene};
use crate::rules;
use crate::script::check;
use crate::script::entry::Type;
use crate::script::habits::foreign;
use crate::script::modules::{self, moment, named};
use crate::settings::did_you_mean;

/// The types whose members are all in the tables; a Redis server says itself why it lacks some.
const STRICT: &[&str] =
    &["Moment", "Event", "History", "Time", "Answer", "Reply", "Request", "Values", "Measurements", "Measurement"];

/// Looks at the members of the chain `expression`: the first that does not exist is told.
pub(super) fn look(examination: &mut Examination<'_>, inference: &Inference<'_>, expression: &Expr, scene: Scene<'_>) {
    for link in inference.links(expression) {
        let Some(own) = link.base.own().filter(|own| STRICT.contains(&own.name)) else { continue };
        if let Some(finding) = unknown(examination, own, &link) {
            examination.found(finding, scene);
            return;
        }
    }
}

fn unknown(examination: &Examination<'_>, own: &Type, link: &Link<'_>) -> Option<Finding> {
    let (name, position, call) = match link.node {
        Expr::Property(property, position) => (property.2.as_str(), *position, false),
        Expr::MethodCall(call, position) => (call.name.as_str(), *position, true),
        _ => return None,
    };
    let say = |(message, help)| Finding { rule: &rules::UNKNOWN_PROPERTY, position, message, help: Some(help) };
    if !call && NAMED.contains(&own.name) {
        return unnamed(examination, own, name).map(say);
    }
    if let Some(words) = ambiguous(examination, own, name) {
        return Some(say(words));
    }
    let (properties, methods) = (check::properties(own.words), modules::methods(own.words));
    let known = if call { methods } else { properties };
    if known.contains(&name) {
        return None;
    }
    // Some functions of the language, and those of the script, can be called on anything.
    let of_all = || examination.script.functions.contains_key(name) || check::takes_all(examination.engine, name);
    let help = match (call, properties.contains(&name), methods.contains(&name)) {
        (true, true, _) => Some(format!("it is a property: write `.{name}` without brackets")),
        (false, _, true) => Some(format!("it is a function: write `.{name}(…)`")),
        (true, ..) if of_all() => return None,
        _ => foreign::instead(name).or_else(|| did_you_mean(name, properties.iter().chain(methods).copied())),
    };
    let help = help.or_else(|| {
        (own.name == "History")
            .then(|| format!("a history has {}; `to_array()` has what arrays have", methods.join(", ")))
    });
    let message = match (call, properties.contains(&name)) {
        (true, true) => format!("`{name}` of {} is no function", own.words),
        _ => format!("{} has no `{name}`", own.words),
    };
    Some(Finding { rule: &rules::UNKNOWN_PROPERTY, position, message, help })
}

/// What is wrong with the member `name` of `m.values` or `m.measurements`: it must be the name of a measurement.
fn unnamed(examination: &Examination<'_>, own: &Type, name: &str) -> Option<(String, String)> {
    // A function that no pipeline uses may be given anything.
    let names = examination.standing.names.as_ref()?;
    let known = names.iter().any(|known| **known == *name);
    (!known).then(|| named::unknown(own.words, name, names.iter().map(|known| &**known)))
}

/// What is wrong with the member `name` of `m` where it is of one measurement and there are several.
fn ambiguous(examination: &Examination<'_>, own: &Type, name: &str) -> Option<(String, String)> {
    let standing = examination.standing;
    let of_one = own.name == "Moment" && standing.judges_all && moment::OF_ONE.contains(&name);
    of_one.then(|| named::several(name, standing.names.iter().flatten().map(|known| &**known)))
}

/// Looks at an assignment to what cannot be set.
pub(super) fn assigned(
    examination: &mut Examination<'_>,
    inference: &Inference<'_>,
    statement: &Stmt,
    scene: Scene<'_>,
) {
    let Stmt::Assignment(assignment) = statement else { return };
    let (operator, sides) = &**assignment;
    let links = inference.links(&sides.lhs);
    let own = |link: &&Link<'_>| link.base.own().is_some_and(|own| STRICT.contains(&own.name));
    let Some(link) = links.iter().rfind(own) else { return };
    let Some(own) = link.base.own() else { return };
    let text = shown(&sides.lhs).unwrap_or_else(|| own.words.to_owned());
    let message = format!("`{text}` cannot be set: {} is only read", own.words);
    let dynos = own.name == "Moment" && matches!(link.node, Expr::Property(property, _) if property.2 == "dynos");
    let help = match operator.get_op_assignment_info() {
        Some((.., "+")) if dynos => "answer `up(n)` for n dynos more",
        Some((.., "-")) if dynos => "answer `down(n)` for n dynos fewer",
        _ if dynos => "answer `to(n)` for n dynos in all",
        _ => "set a variable of your own, or an entry of `this` to keep it",
    };
    let position = sides.lhs.start_position();
    examination.found(Finding { rule: &rules::READ_ONLY, position, message, help: Some(help.to_owned()) }, scene);
}

/// Whether a value of `types` may be missing.
pub(super) fn may_be_missing(types: Types) -> bool {
    types.is_known() && types.meets(Types::UNIT)
}
