//! Owns comparisons that can only come out one way: values of different types, which the language calls
//! unequal without a word, and values that a member never has. Ordering a number and a text is an error.

use rhai::{ASTNode, Expr, Position, Stmt};

use super::inference::Inference;
use super::operators::{operator, shown, walk};
use super::types::Types;
use super::values::{self, Values};
use super::{Examination, Finding, Scene, arms};
use crate::rules;
use crate::script::entry::Form;
use crate::script::modules;

/// Looks at every comparison of a function.
pub(super) fn look(
    examination: &mut Examination<'_>,
    inference: &Inference<'_>,
    statements: &[Stmt],
    scene: Scene<'_>,
) {
    let mut found: Vec<Finding> = Vec::new();
    let mut switches: Vec<(Expr, Position)> = Vec::new();
    walk(statements, &mut |node| match (node, operator(node)) {
        (_, Some(("==" | "!=" | "<" | "<=" | ">" | ">=", [a, b], position))) => {
            let name = operator(node).map_or("", |(name, ..)| name);
            found.extend(compared(inference, name, a, b, position));
        }
        // `a in b`
        (ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)), _)
            if call.name == "contains" && !call.is_qualified() =>
        {
            if let [of, item] = call.args.as_slice() {
                found.extend(within(inference, of, item));
            }
        }
        (ASTNode::Expr(Expr::Dot(sides, ..)), _) => {
            if let Expr::MethodCall(call, _) = &sides.rhs
                && let ("contains", [item]) = (call.name.as_str(), call.args.as_slice())
            {
                found.extend(within(inference, &sides.lhs, item));
            }
        }
        (ASTNode::Stmt(Stmt::Switch(switch, position)), _) => switches.push((switch.0.clone(), *position)),
        _ => {}
    });
    for (on, position) in switches.into_iter().filter(|(on, _)| inference.types(on).is_known()) {
        let arms = arms::arms(examination.script, position);
        found.extend(arms.iter().find_map(|arm| compared(inference, "==", &on, arm, arm.start_position())));
    }
    for finding in found {
        examination.found(finding, scene);
    }
}

/// `item in [ … ]`: the first element that it never is.
fn within(inference: &Inference<'_>, of: &Expr, item: &Expr) -> Option<Finding> {
    let Expr::Array(elements, _) = inference.traced(of) else { return None };
    elements.iter().find_map(|element| compared(inference, "==", item, element, element.start_position()))
}

fn compared(inference: &Inference<'_>, name: &str, a: &Expr, b: &Expr, position: Position) -> Option<Finding> {
    unlike(inference, name, a, b, position).or_else(|| {
        impossible(inference, name, a, b, position).or_else(|| impossible(inference, turned(name), b, a, position))
    })
}

/// The comparison with its sides changed.
pub(super) fn turned(name: &str) -> &str {
    match name {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        same => same,
    }
}

/// What compares with nothing but its own kind.
fn separate() -> Types {
    let language = [Types::NUMBER, Types::BOOL, Types::TEXT, Types::CHAR, Types::ARRAY, Types::MAP];
    let own = ["Moment", "Event", "History", "Time", "Answer", "Secret"].map(Types::named);
    language.into_iter().chain(own).fold(Types::NONE, Types::or)
}

/// A comparison of two values that are never of one type.
fn unlike(inference: &Inference<'_>, name: &str, a: &Expr, b: &Expr, position: Position) -> Option<Finding> {
    let types = |side| inference.types(side).widened().without(Types::UNIT);
    let (of_a, of_b) = (types(a), types(b));
    if !of_a.is_within(separate()) || !of_b.is_within(separate()) || of_a.meets(of_b) {
        return None;
    }
    // What has a name is spoken of, and compared with the other.
    let (side, of_side, other, of_other) =
        if is_literal(a) && !is_literal(b) { (b, of_b, a, of_a) } else { (a, of_a, b, of_b) };
    let (rule, verb) = match name {
        "==" => (&rules::NEVER_EQUAL, "never equals"),
        "!=" => (&rules::NEVER_EQUAL, "always differs from"),
        _ => (&rules::UNORDERED, "cannot be ordered with"),
    };
    let what = of_side.words();
    let subject = shown(side).map_or_else(|| what.clone(), |text| format!("`{text}` is {what}, and"));
    let message = format!("{subject} {verb} {}", described(other, of_other));
    Some(Finding { rule, position, message, help: Some(mend(inference, side, of_side, other)) })
}

fn is_literal(expression: &Expr) -> bool {
    matches!(
        expression,
        Expr::StringConstant(..) | Expr::IntegerConstant(..) | Expr::FloatConstant(..) | Expr::BoolConstant(..)
    )
}

/// As messages name it: `the text "high"`, `a number`, `m.value`, a number.
fn described(expression: &Expr, types: Types) -> String {
    match expression {
        Expr::StringConstant(text, _) => format!("the text \"{text}\""),
        Expr::IntegerConstant(value, _) => format!("the number {value}"),
        Expr::FloatConstant(value, _) => format!("the number {value}"),
        Expr::BoolConstant(value, _) => format!("`{value}`"),
        other => shown(other).map_or_else(|| types.words(), |text| format!("`{text}`, which is {}", types.words())),
    }
}

fn mend(inference: &Inference<'_>, side: &Expr, types: Types, other: &Expr) -> String {
    let member = values::member(inference, side);
    if let Expr::StringConstant(text, _) = other {
        if let (Some(("Time", name)), Some((number, day))) = (&member, values::weekday(text))
            && name == "weekday"
        {
            let named = day[..1].to_uppercase() + &day[1..];
            return format!("{named} is {number}: write `{number}`, or use `weekday_name`, which is \"{day}\"");
        }
        if let Some(help) = values::unquoted(types, text) {
            return help;
        }
    }
    let documented = member.and_then(|(of, name)| {
        let entry = modules::entries().find(|entry| entry.name == name && entry.form == Form::Property(of))?;
        Some(format!("the reference says of `{name}`: {}", first_sentence(entry.doc)))
    });
    documented.unwrap_or_else(|| format!("compare it with {}", types.words()))
}

/// The first sentence of a description.
pub(super) fn first_sentence(doc: &str) -> &str {
    doc.find(". ").map_or(doc, |at| &doc[..=at])
}

/// A comparison of a member, `a`, with what it never is.
fn impossible(inference: &Inference<'_>, name: &str, a: &Expr, b: &Expr, position: Position) -> Option<Finding> {
    let values = Values::of(inference, a)?;
    let text = shown(a)?;
    let rule = &rules::IMPOSSIBLE_VALUE;
    let (message, help) = match (&values, b) {
        (Values::Words(words), Expr::StringConstant(written, _)) => {
            let verb = match name {
                "==" => "is never",
                "!=" => "is always other than",
                _ => return None,
            };
            if words.contains(&written.as_str()) {
                return None;
            }
            let help = values.meant(written).unwrap_or_else(|| format!("it is one of {}", values.words()));
            (format!("`{text}` {verb} \"{written}\""), help)
        }
        (Values::Range(least, most), _) => {
            #[allow(clippy::cast_precision_loss)] // They are small.
            let (least, most) = (*least as f64, *most as f64);
            let number = values::number(inference.traced(b))?;
            let outside = number < least || number > most || number.fract() != 0.0;
            let one_way = match name {
                "==" | "!=" => outside,
                ">" => number >= most,
                ">=" => number > most,
                "<" => number <= least,
                "<=" => number < least,
                _ => false,
            };
            if !one_way {
                return None;
            }
            let holds = if name == "!=" { "always" } else { "never" };
            let member = values::member(inference, a)?.1;
            let help = match (member.as_str(), number) {
                ("weekday", _) => "1 is Monday and 7 is Sunday".to_owned(),
                ("hour", 24.0..) => "midnight is 0, and 23 the last hour of a day".to_owned(),
                _ => format!("compare it with {}", values.words()),
            };
            (format!("`{text} {name} {number}` {holds} holds: it is {}", values.words()), help)
        }
        _ => return None,
    };
    Some(Finding { rule, position, message, help: Some(help) })
}
