//! Owns operators that do not do what they seem to: `/` of whole numbers, `^`, `!=` over what may be missing,
//! `switch` on a fraction.

use std::collections::HashSet;

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::chain::Chain;
use super::inference::Inference;
use super::types::Types;
use super::{Examination, Scene, arms, members};
use crate::function::Role;
use crate::rules;

/// Looks at every operator and `switch` of a function.
pub(super) fn look(
    examination: &mut Examination<'_>,
    inference: &Inference<'_>,
    statements: &[Stmt],
    scene: Scene<'_>,
) {
    let look = Look { inference, subject: scene.subject };
    let mut asked = HashSet::new();
    walk(statements, &mut |node| {
        if let Some((name, [a, b], _)) = operator(node)
            && ["==", "!="].contains(&name)
        {
            let compared = |side: &Expr, other: &Expr| {
                is_unit(other).then(|| look.chain(side).map(|chain| chain.text())).flatten()
            };
            asked.extend(compared(a, b).or_else(|| compared(b, a)));
        }
    });
    let mut found = Vec::new();
    walk(statements, &mut |node| {
        if let ASTNode::Stmt(Stmt::Switch(switch, position)) = node
            && look.may_have_fraction(&switch.0)
        {
            found.push(Finding::Switch(*position, shown(&switch.0).unwrap_or_default()));
        }
        if let ASTNode::Stmt(Stmt::Assignment(assignment)) = node {
            let (operator, sides) = &**assignment;
            match operator.get_op_assignment_info() {
                Some((.., "/")) if look.divides(&sides.lhs, &sides.rhs) => {
                    found.push(Finding::Division(operator.position()));
                }
                Some((.., "^")) if look.is_number(&sides.lhs) || look.is_number(&sides.rhs) => {
                    found.push(Finding::Exclusive(operator.position()));
                }
                _ => {}
            }
        }
        let Some((name, arguments, position)) = operator(node) else { return };
        match (name, arguments) {
            ("/", [a, b]) if look.divides(a, b) => found.push(Finding::Division(position)),
            ("^", [a, b]) if look.is_number(a) || look.is_number(b) => found.push(Finding::Exclusive(position)),
            ("!=", [a, b]) => {
                found.extend(look.silent(a, b, &asked).map(|text| Finding::Missing("!=", text, position)));
            }
            ("!", [inner]) => {
                if let Expr::FnCall(call, _) = inner
                    && let ("==", [a, b]) = (call.name.as_str(), call.args.as_slice())
                {
                    found.extend(look.silent(a, b, &asked).map(|text| Finding::Missing("!", text, position)));
                }
            }
            _ => {}
        }
    });
    for finding in found {
        finding.say(examination);
    }
}

enum Finding {
    Division(Position),
    Exclusive(Position),
    Missing(&'static str, String, Position),
    Switch(Position, String),
}

impl Finding {
    fn say(self, examination: &mut Examination<'_>) {
        match self {
            Self::Division(position) if examination.role == Role::Decide => {
                let message = "whole numbers divide to a whole number, 3 / 2 is 1: is that meant?";
                let help =
                    "divide by `2.0`, as a fraction rounds up; write `.floor()` behind it where it should round down";
                examination.say(&rules::INTEGER_DIVISION, position, message.into(), Some(help.into()));
            }
            Self::Division(_) => {}
            Self::Exclusive(position) => {
                let message = "`^` is the exclusive or of two numbers' bits, 2 ^ 3 is 1: is that meant?";
                examination.say(
                    &rules::EXCLUSIVE_OR,
                    position,
                    message.into(),
                    Some("`2 ** 3` is the power, 8".into()),
                );
            }
            Self::Missing(operator, text, position) => {
                let message = format!("`{operator}` holds where `{text}` is missing, `()`: is that meant?");
                let help = format!("ask first: `{text} != () && …`, or give it a value: `{text} ?? …`");
                examination.say(&rules::MISSING_COMPARED, position, message, Some(help));
            }
            Self::Switch(position, text) => {
                let arms = arms::arms(examination.script, position);
                let whole = arms.iter().find_map(|arm| match arm {
                    Expr::IntegerConstant(value, position) => Some((value, position)),
                    _ => None,
                });
                let Some((arm, position)) = whole else { return };
                let message = format!("`{text}` is a number with a fraction: the arm `{arm}` never matches it");
                let help = format!("write `{arm}.0 => …`, or use `if`");
                examination.say(&rules::SWITCH_ON_FRACTION, *position, message, Some(help));
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Look<'a> {
    inference: &'a Inference<'a>,
    subject: Option<&'a str>,
}

impl Look<'_> {
    /// The chain of `m` or `event` that `expression` is.
    fn chain<'e>(&self, expression: &'e Expr) -> Option<Chain<'e>> {
        Chain::of(expression).filter(|chain| Some(chain.root) == self.subject)
    }

    fn is_whole(&self, expression: &Expr) -> bool {
        self.inference.types(expression).without(Types::UNIT) == Types::INT
    }

    fn is_number(&self, expression: &Expr) -> bool {
        self.inference.types(expression).is_within(Types::NUMBER)
    }

    /// Whether `a / b` divides whole numbers, and may lose something.
    fn divides(&self, a: &Expr, b: &Expr) -> bool {
        if let (Expr::IntegerConstant(a, _), Expr::IntegerConstant(b, _)) =
            (self.inference.traced(a), self.inference.traced(b))
        {
            return a.checked_rem(*b).is_some_and(|rest| rest != 0);
        }
        self.is_whole(a) && self.is_whole(b) && !matches!(self.inference.traced(b), Expr::IntegerConstant(1, _))
    }

    fn may_have_fraction(&self, expression: &Expr) -> bool {
        self.inference.types(expression).without(Types::UNIT) == Types::FLOAT
    }

    /// What may be missing in `a != b` without an error: on the left of a number it is one.
    fn silent(&self, a: &Expr, b: &Expr, asked: &HashSet<String>) -> Option<String> {
        let missing = |side: &Expr| {
            let chain = self.chain(side).filter(|_| members::may_be_missing(self.inference.types(side)))?;
            Some(chain.text()).filter(|text| !asked.contains(text))
        };
        if is_unit(a) || is_unit(b) {
            return None;
        }
        let text = matches!(b, Expr::StringConstant(..) | Expr::CharConstant(..));
        missing(b).or_else(|| if text { missing(a) } else { None })
    }
}

fn is_unit(expression: &Expr) -> bool {
    matches!(expression, Expr::Unit(_))
}

/// A variable or a chain of members as it is written.
pub(super) fn shown(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Variable(variable, ..) if variable.2.is_empty() => Some(variable.1.to_string()),
        other => Chain::of(other).map(|chain| chain.text()),
    }
}

/// An operator with its operands and its place.
pub(super) fn operator<'a>(node: &ASTNode<'a>) -> Option<(&'a str, &'a [Expr], Position)> {
    let (call, position): (&FnCallExpr, Position) = match node {
        ASTNode::Expr(Expr::FnCall(call, position)) | ASTNode::Stmt(Stmt::FnCall(call, position)) => (call, *position),
        _ => return None,
    };
    call.is_operator_call().then_some((call.name.as_str(), call.args.as_slice(), position))
}

pub(super) fn walk(statements: &[Stmt], visit: &mut impl FnMut(&ASTNode<'_>)) {
    for statement in statements {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
            if let Some(node) = path.last() {
                visit(node);
            }
            true
        });
    }
}
