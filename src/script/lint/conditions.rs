//! Owns conditions that come out one way: comparisons of one value with numbers that shut each other out, that
//! leave nothing over, or that an earlier branch has taken.

use std::collections::BTreeMap;

use rhai::{ASTNode, Expr, Position, Stmt};

use super::compared::turned;
use super::inference::Inference;
use super::operators::shown;
use super::types::Types;
use super::values::{self, Values};
use super::{Examination, Finding, Scene, flow};
use crate::rules;

/// A comparison of a value with a number that is written out.
#[derive(Clone, Debug)]
struct Atom {
    /// The value as written.
    text: String,
    operator: &'static str,
    number: f64,
    /// What it can be, where it is a whole number.
    whole: Option<(f64, f64)>,
}

/// Looks at every condition of a function.
pub(super) fn look(examination: &mut Examination<'_>, inference: &Inference<'_>, body: &[Stmt], scene: Scene<'_>) {
    let look = Look { inference };
    let mut found = Vec::new();
    look.branches(body, &mut found);
    for statement in body {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
            match path {
                [.., ASTNode::Expr(Expr::And(..)), ASTNode::Expr(Expr::And(..))]
                | [.., ASTNode::Expr(Expr::Or(..)), ASTNode::Expr(Expr::Or(..))] => {}
                [.., ASTNode::Expr(expression)] => found.extend(look.condition(expression)),
                [.., ASTNode::Stmt(statement)] => look.within(statement, &mut found),
                _ => {}
            }
            true
        });
    }
    for (position, message, help) in found {
        examination.found(Finding { rule: &rules::ONE_WAY_CONDITION, position, message, help: Some(help) }, scene);
    }
}

type Found = Vec<(Position, String, String)>;

#[derive(Clone, Copy)]
struct Look<'a> {
    inference: &'a Inference<'a>,
}

impl Look<'_> {
    /// `a && b` that never holds, `a || b` that always does.
    fn condition(self, expression: &Expr) -> Option<(Position, String, String)> {
        let mut atoms = Vec::new();
        let (verb, other) = match expression {
            Expr::And(..) => {
                self.all(expression, &mut atoms);
                ("never", "||")
            }
            Expr::Or(..) => {
                self.any(expression, &mut atoms);
                atoms.iter_mut().for_each(Atom::negate);
                ("always", "&&")
            }
            _ => return None,
        };
        // One that is impossible by itself is told elsewhere.
        let text = contradiction(&atoms).filter(|_| atoms.iter().all(|atom| !is_empty(&[atom])))?;
        let message = format!("this condition on `{text}` {verb} holds");
        Some((start(expression), message, format!("did you mean `{other}`?")))
    }

    /// What is in the blocks of `statement`.
    fn within(self, statement: &Stmt, found: &mut Found) {
        match statement {
            Stmt::If(flow, _) | Stmt::TryCatch(flow, _) => {
                self.branches(flow.body.statements(), found);
                // `else if` belongs to its `if`.
                if !matches!(flow.branch.statements(), [Stmt::If(..)]) {
                    self.branches(flow.branch.statements(), found);
                }
            }
            Stmt::While(flow, _) | Stmt::Do(flow, ..) => self.branches(flow.body.statements(), found),
            Stmt::For(turns, _) => self.branches(turns.2.body.statements(), found),
            Stmt::Block(block) => self.branches(block.statements(), found),
            Stmt::Expr(expression) => {
                if let Expr::Stmt(block) = &**expression {
                    self.branches(block.statements(), found);
                }
            }
            _ => {}
        }
    }

    /// The `if`s of a block: what holds at one is what those before it left over.
    fn branches(self, statements: &[Stmt], found: &mut Found) {
        let mut left: Vec<Atom> = Vec::new();
        for statement in statements {
            let mut next = Some(statement);
            let mut here = left.clone();
            while let Some(Stmt::If(flow, _)) = next {
                let mut own = Vec::new();
                self.all(&flow.expr, &mut own);
                if !own.is_empty() && contradiction(&own).is_none() {
                    let together: Vec<Atom> = here.iter().chain(&own).cloned().collect();
                    let known = here.len();
                    if let Some(text) = contradiction(&together).filter(|_| contradiction(&together[..known]).is_none())
                    {
                        let message = format!("this is never come to: an earlier condition on `{text}` takes it all");
                        let help = "ask for the narrower case first".to_owned();
                        found.push((start(&flow.expr), message, help));
                    }
                }
                let negated = self.negated(&flow.expr);
                if flow.branch.statements().is_empty() && flow::leaves(flow.body.statements()) {
                    left.extend(negated.iter().cloned());
                }
                here.extend(negated);
                next = match flow.branch.statements() {
                    [only] => Some(only),
                    _ => None,
                };
            }
            // What is set may come out otherwise from here on.
            if let Stmt::Assignment(assignment) = statement {
                let set = shown(&assignment.1.lhs);
                left.retain(|atom| set.as_deref().is_some_and(|set| !atom.text.starts_with(set)));
            } else if sets(statement) {
                left.retain(|atom| atom.text.starts_with("m."));
            }
        }
    }

    /// What holds where `condition` does not.
    fn negated(self, condition: &Expr) -> Vec<Atom> {
        let mut atoms = Vec::new();
        match condition {
            Expr::Or(..) => self.any(condition, &mut atoms),
            other => atoms.extend(self.atom(other)),
        }
        atoms.iter_mut().for_each(Atom::negate);
        atoms
    }

    /// The comparisons that all hold where `expression` does.
    fn all(self, expression: &Expr, atoms: &mut Vec<Atom>) {
        match expression {
            Expr::And(sides, _) => sides.iter().for_each(|side| self.all(side, atoms)),
            other => atoms.extend(self.atom(other)),
        }
    }

    /// The comparisons of which each is enough for `expression`.
    fn any(self, expression: &Expr, atoms: &mut Vec<Atom>) {
        match expression {
            Expr::Or(sides, _) => sides.iter().for_each(|side| self.any(side, atoms)),
            other => atoms.extend(self.atom(other)),
        }
    }

    fn atom(self, expression: &Expr) -> Option<Atom> {
        let Expr::FnCall(call, _) = expression else { return None };
        let [a, b] = call.args.as_slice() else { return None };
        if !call.is_operator_call() {
            return None;
        }
        self.compared(&call.name, a, b).or_else(|| self.compared(turned(&call.name), b, a))
    }

    fn compared(self, operator: &str, a: &Expr, b: &Expr) -> Option<Atom> {
        let operator = ["==", "!=", "<", "<=", ">", ">="].into_iter().find(|known| *known == operator)?;
        let number = values::number(self.inference.traced(b))?;
        // What is called may be something else each time, or with other arguments.
        let text = shown(a).filter(|text| !text.contains(['(', '[']))?;
        let whole = (self.inference.types(a).without(Types::UNIT) == Types::INT).then(|| {
            match Values::of(self.inference, a) {
                #[allow(clippy::cast_precision_loss)] // They are small.
                Some(Values::Range(least, most)) => (least as f64, most as f64),
                _ => (f64::NEG_INFINITY, f64::INFINITY),
            }
        });
        Some(Atom { text, operator, number, whole })
    }
}

/// Where a condition begins: operators stand behind their first operand.
fn start(condition: &Expr) -> Position {
    match condition {
        Expr::And(sides, _) | Expr::Or(sides, _) => sides.first().map_or(Position::NONE, start),
        Expr::FnCall(call, position) if call.is_operator_call() => call.args.first().map_or(*position, start),
        Expr::Dot(sides, ..) | Expr::Index(sides, ..) => sides.lhs.start_position(),
        other => other.start_position(),
    }
}

/// Whether something is set within `statement`.
fn sets(statement: &Stmt) -> bool {
    let mut sets = false;
    statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
        sets |= matches!(path.last(), Some(ASTNode::Stmt(Stmt::Assignment(_) | Stmt::Var(..))));
        !sets
    });
    sets
}

impl Atom {
    fn negate(&mut self) {
        self.operator = match self.operator {
            "==" => "!=",
            "!=" => "==",
            "<" => ">=",
            "<=" => ">",
            ">" => "<=",
            _ => "<",
        };
    }
}

/// The value of which nothing is left where all of `atoms` hold.
fn contradiction(atoms: &[Atom]) -> Option<String> {
    let mut by_text: BTreeMap<&str, Vec<&Atom>> = BTreeMap::new();
    for atom in atoms {
        by_text.entry(&atom.text).or_default().push(atom);
    }
    by_text.into_iter().find(|(_, atoms)| is_empty(atoms)).map(|(text, _)| text.to_owned())
}

/// Whether no number meets all of `atoms`, which are of one value.
fn is_empty(atoms: &[&Atom]) -> bool {
    let whole = atoms.iter().find_map(|atom| atom.whole);
    let (mut least, mut most) = whole.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    // Whether the end itself is left out.
    let (mut above, mut below) = (false, false);
    let mut never: Vec<f64> = Vec::new();
    for atom in atoms {
        let n = atom.number;
        let (from, to) = match (atom.operator, whole.is_some()) {
            (">", true) => (Some((n.floor() + 1.0, false)), None),
            (">", false) => (Some((n, true)), None),
            (">=", true) => (Some((n.ceil(), false)), None),
            (">=", false) => (Some((n, false)), None),
            ("<", true) => (None, Some((n.ceil() - 1.0, false))),
            ("<", false) => (None, Some((n, true))),
            ("<=", true) => (None, Some((n.floor(), false))),
            ("<=", false) => (None, Some((n, false))),
            ("==", _) => (Some((n, false)), Some((n, false))),
            _ => {
                never.push(n);
                (None, None)
            }
        };
        if let Some((from, open)) = from.filter(|(from, open)| *from > least || *from >= least && *open) {
            (least, above) = (from, open);
        }
        if let Some((to, open)) = to.filter(|(to, open)| *to < most || *to <= most && *open) {
            (most, below) = (to, open);
        }
    }
    let is_never = |number: f64| never.iter().any(|never| never.to_bits() == number.to_bits());
    if whole.is_some() {
        // Ends that are named one by one leave less.
        while least <= most && is_never(least) {
            least += 1.0;
        }
        return least > most;
    }
    least > most || least >= most && (above || below || is_never(least))
}
