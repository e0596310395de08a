//! Owns the arguments of what scripts can call: their number where a method is called, their types, and
//! numbers that a function does not take or that mean something else than they seem to.

use rhai::{Expr, FnCallExpr, Position, Stmt};

use super::compared::first_sentence;
use super::inference::Inference;
use super::types::Types;
use super::values;
use super::{Examination, Finding, Scene};
use crate::rules;
use crate::script::diagnose::parameters;
use crate::script::entry::{Entry, Form};
use crate::settings::Severity;

/// Looks at the call of a function.
pub(super) fn function(
    examination: &mut Examination<'_>,
    inference: &Inference<'_>,
    call: &FnCallExpr,
    position: Position,
    scene: Scene<'_>,
) {
    let entries = inference.entries(call);
    look(examination, inference, &entries, call, position, scene);
}

/// Looks at the methods that the chain `expression` calls.
pub(super) fn methods(
    examination: &mut Examination<'_>,
    inference: &Inference<'_>,
    expression: &Expr,
    scene: Scene<'_>,
) {
    for link in inference.links(expression) {
        let Expr::MethodCall(call, position) = link.node else { continue };
        let entries = inference.methods(&link);
        let Some(entry) = entries.first() else { continue };
        let given = call.args.len();
        if !entries.iter().any(|entry| entry.counts().contains(&given)) {
            let takes = parameters(entry.parameters.len());
            let names: Vec<&str> = entry.parameters.iter().map(|parameter| parameter.name).collect();
            let message = format!("`{}` takes {takes}, and is called with {given}", call.name);
            let of_reply =
                entry.form == Form::Method("Request") && given == 0 && ["json", "text"].contains(&&*call.name);
            let help = if of_reply {
                format!("it is a request until it is sent: write `.send().{}()` for what the reply says", call.name)
            } else {
                format!("write `{}({})`: {}", call.name, names.join(", "), first_sentence(entry.doc))
            };
            let finding = Finding { rule: &rules::WRONG_ARGUMENTS, position: *position, message, help: Some(help) };
            examination.found(finding, scene);
            continue;
        }
        look(examination, inference, &entries, call, *position, scene);
    }
}

fn look(
    examination: &mut Examination<'_>,
    inference: &Inference<'_>,
    entries: &[&'static Entry],
    call: &FnCallExpr,
    position: Position,
    scene: Scene<'_>,
) {
    let fitting: Vec<&Entry> =
        entries.iter().copied().filter(|entry| entry.counts().contains(&call.args.len())).collect();
    let Some(entry) = fitting.first() else { return };
    for (at, given) in call.args.iter().enumerate() {
        let takes = fitting.iter().map(|entry| Types::written(entry.parameters[at].kind)).fold(Types::NONE, Types::or);
        let types = inference.types(given);
        if types.is_within(plain()) && !types.widened().meets(takes.widened()) {
            let message = format!("`{}` takes {}, not {}", called(entry), takes.words(), types.words());
            let help = match given {
                Expr::StringConstant(text, _) => values::unquoted(takes, text),
                _ => meant(entry, types),
            };
            let position = place(given, position);
            examination.found(Finding { rule: &rules::ARGUMENT_TYPE, position, message, help }, scene);
        }
    }
    odd(examination, inference, entry, call, position, scene);
}

/// The types that are surely not taken for another.
fn plain() -> Types {
    [Types::BOOL, Types::TEXT, Types::ARRAY, Types::MAP, Types::FUNCTION].into_iter().fold(Types::NUMBER, Types::or)
}

fn called(entry: &Entry) -> String {
    match entry.form {
        Form::Member(_) => entry.title(),
        _ => entry.name.to_owned(),
    }
}

/// `hold(3)`.
fn meant(entry: &Entry, types: Types) -> Option<String> {
    let number = entry.form == Form::Function && entry.name == "hold" && types.is_within(Types::NUMBER);
    number.then(|| "`hold` takes the reason: `to(n)` asks for n dynos".to_owned())
}

fn place(given: &Expr, call: Position) -> Position {
    let start = given.start_position();
    if start.is_none() { call } else { start }
}

/// Numbers that are refused or hardly meant.
fn odd(
    examination: &mut Examination<'_>,
    inference: &Inference<'_>,
    entry: &Entry,
    call: &FnCallExpr,
    position: Position,
    scene: Scene<'_>,
) {
    let Some((first, given)) =
        call.args.first().and_then(|given| Some((values::number(inference.traced(given))?, given)))
    else {
        return;
    };
    let fails = rules::ARGUMENT_RANGE.severity;
    let name = entry.name;
    let said = match (entry.form, name) {
        (Form::Function, "up" | "down") if first < 0.0 => {
            let other = if name == "up" { "down" } else { "up" };
            let message = format!("a number of dynos is never negative: `{name}({first})` fails");
            Some((fails, message, format!("did you mean `{other}({})`?", -first)))
        }
        (Form::Function, "up" | "down") if first == 0.0 => {
            let help = "write `hold(\"why\")` for no change".to_owned();
            Some((Severity::Warning, format!("`{name}(0)` changes nothing"), help))
        }
        (Form::Function, "to") if first < 0.0 => {
            let message = format!("a number of dynos is never negative: `to({first})` fails");
            Some((fails, message, format!("write `down({})` for so many fewer, or `to(0)` for none", -first)))
        }
        (Form::Method("History"), "percentile") if !(0.0..=100.0).contains(&first) => {
            let help = "95 is the value that 95 % do not exceed".to_owned();
            Some((fails, format!("`percentile` takes 0 to 100, not {first}"), help))
        }
        (Form::Method("History"), "percentile") if first > 0.0 && first < 1.0 => {
            let message = format!("`percentile` takes 0 to 100: {first} is nearly the smallest value");
            Some((Severity::Warning, message, format!("did you mean `{}`?", percent(first))))
        }
        (Form::Method("History"), "average" | "max" | "min" | "slope") if first < 1.0 || first.fract() != 0.0 => {
            let help = format!("`{name}(3)` is that of the newest three");
            Some((fails, format!("`{name}` takes a whole number of at least 1, not {first}"), help))
        }
        _ => None,
    };
    if let Some((severity, message, help)) = said {
        let severity = if scene.surely() { severity } else { Severity::Warning };
        examination.say_as(&rules::ARGUMENT_RANGE, severity, place(given, position), message, Some(help));
    }
}

/// 0.95 as 95, 0.999 as 99.9.
fn percent(part: f64) -> f64 {
    (part * 1_000_000.0).round() / 10_000.0
}

/// Looks at an operator: answers, times, histories and truths take part in no calculation.
pub(super) fn calculated(
    examination: &mut Examination<'_>,
    inference: &Inference<'_>,
    call: &FnCallExpr,
    position: Position,
    scene: Scene<'_>,
) {
    let (name, [a, b]) = (call.name.as_str(), call.args.as_slice()) else { return };
    let own = ["Moment", "Event", "History", "Time", "Answer"].map(Types::named);
    let uncounted = own.into_iter().fold(Types::BOOL, Types::or);
    let (of_a, of_b) = (inference.types(a), inference.types(b));
    let refuses = match name {
        "-" | "*" | "/" | "%" | "**" => of_a.is_within(uncounted) || of_b.is_within(uncounted),
        // A text takes everything.
        "+" => {
            let all = uncounted.or(Types::NUMBER);
            of_a.is_within(all) && of_b.is_within(all) && (of_a.is_within(uncounted) || of_b.is_within(uncounted))
        }
        _ => false,
    };
    if refuses {
        let types = if of_a.is_within(uncounted) { of_a } else { of_b };
        let message = format!("`{name}` takes numbers, not {}", types.words());
        let answer = types == Types::named("Answer");
        let help = answer.then(|| "calculate within it: `up(1 + 2)`".to_owned());
        examination.found(Finding { rule: &rules::ARGUMENT_TYPE, position, message, help }, scene);
    }
}

/// Looks at a call that stands as a statement.
pub(super) fn statement(
    examination: &mut Examination<'_>,
    inference: &Inference<'_>,
    statement: &Stmt,
    scene: Scene<'_>,
) {
    if let Stmt::FnCall(call, position) = statement
        && !call.is_operator_call()
    {
        function(examination, inference, call, *position, scene);
    }
}
