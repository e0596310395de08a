//! Owns operators that do not do what they seem to: `/` of whole numbers, `!=` over what may be missing,
//! `switch` on a fraction.

use std::collections::HashSet;

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::chain::Chain;
use super::{Examination, Scene, members};
use crate::function::Role;
use crate::rules;

/// Looks at every operator and `switch` of a function.
pub(super) fn look(examination: &mut Examination<'_>, statements: &[Stmt], scene: Scene<'_>) {
    let look = Look { role: examination.role, subject: scene.subject };
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
            found.push(Finding::Switch(*position, shown(&switch.0)));
        }
        let Some((name, arguments, position)) = operator(node) else { return };
        match (name, arguments) {
            ("/", [a, b]) if look.divides(a, b) => found.push(Finding::Division(position)),
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
            Self::Missing(operator, text, position) => {
                let message = format!("`{operator}` holds where `{text}` is missing, `()`: is that meant?");
                let help = format!("ask first: `{text} != () && …`, or give it a value: `{text} ?? …`");
                examination.say(&rules::MISSING_COMPARED, position, message, Some(help));
            }
            Self::Switch(position, text) => {
                let Some((line, column, arm)) = whole_arm(examination, position) else { return };
                let place = crate::settings::Place { file: examination.script.name.clone(), line, column };
                let message = format!("`{text}` is a number with a fraction: the arm `{arm}` never matches it");
                let help = format!("write `{arm}.0 => …`, or use `if`");
                examination.report.say(&rules::SWITCH_ON_FRACTION, Some(&place), message, help);
            }
        }
    }
}

/// The first arm of the `switch` at `position` that is a whole number, with its place.
fn whole_arm(examination: &Examination<'_>, position: Position) -> Option<(u32, u32, String)> {
    use crate::script::habits::tokens::{Kind, tokens};
    let place = examination.script.place(position);
    let tokens = tokens(&examination.script.text);
    let at = tokens.iter().position(|token| (token.line, token.column) >= (place.line, place.column))?;
    let open = at + tokens[at..].iter().position(|token| token.is("{"))?;
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.is_any(&["{", "#{", "(", "["]) {
            depth += 1;
        } else if token.is_any(&["}", ")", "]"]) {
            depth -= 1;
            if depth == 0 {
                return None;
            }
        }
        let begins = tokens[at - 1].is_any(&["{", ",", "}", "|"]);
        let arrow = tokens.get(at + 1).is_some_and(|next| next.is_any(&["=>", "|", "if"]));
        if depth == 1 && token.kind == Kind::Number && begins && arrow {
            return Some((token.line, token.column, token.text.to_owned()));
        }
    }
    None
}

#[derive(Clone, Copy)]
struct Look<'a> {
    role: Role,
    subject: Option<&'a str>,
}

impl Look<'_> {
    /// The chain of `m` or `event` that `expression` is.
    fn chain<'e>(&self, expression: &'e Expr) -> Option<Chain<'e>> {
        Chain::of(expression).filter(|chain| Some(chain.root) == self.subject)
    }

    fn is_whole(&self, expression: &Expr) -> bool {
        match expression {
            Expr::IntegerConstant(..) => true,
            Expr::FnCall(call, _) if call.is_operator_call() && ["+", "-", "*"].contains(&call.name.as_str()) => {
                call.args.iter().all(|side| self.is_whole(side))
            }
            other => self.chain(other).is_some_and(|chain| members::is_whole(self.role, &chain)),
        }
    }

    /// Whether `a / b` divides whole numbers, and may lose something.
    fn divides(&self, a: &Expr, b: &Expr) -> bool {
        if let (Expr::IntegerConstant(a, _), Expr::IntegerConstant(b, _)) = (a, b) {
            return a.checked_rem(*b).is_some_and(|rest| rest != 0);
        }
        self.is_whole(a) && self.is_whole(b) && !matches!(b, Expr::IntegerConstant(1, _))
    }

    fn may_have_fraction(&self, expression: &Expr) -> bool {
        let Some(chain) = self.chain(expression) else { return false };
        let names: Vec<&str> = chain.links.iter().map(|link| link.name).collect();
        matches!(
            (self.role, names.as_slice()),
            (Role::Decide, ["value"] | ["values", _]) | (Role::Notify, ["measurement"])
        )
    }

    /// What may be missing in `a != b` without an error: on the left of a number it is one.
    fn silent(&self, a: &Expr, b: &Expr, asked: &HashSet<String>) -> Option<String> {
        let missing = |side: &Expr| {
            let chain = self.chain(side).filter(|chain| members::may_be_missing(self.role, chain))?;
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

fn shown(expression: &Expr) -> String {
    Chain::of(expression).map_or_else(String::new, |chain| chain.text())
}

/// An operator with its operands and its place.
fn operator<'a>(node: &ASTNode<'a>) -> Option<(&'a str, &'a [Expr], Position)> {
    let (call, position): (&FnCallExpr, Position) = match node {
        ASTNode::Expr(Expr::FnCall(call, position)) | ASTNode::Stmt(Stmt::FnCall(call, position)) => (call, *position),
        _ => return None,
    };
    call.is_operator_call().then_some((call.name.as_str(), call.args.as_slice(), position))
}

fn walk(statements: &[Stmt], visit: &mut impl FnMut(&ASTNode<'_>)) {
    for statement in statements {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
            if let Some(node) = path.last() {
                visit(node);
            }
            true
        });
    }
}
