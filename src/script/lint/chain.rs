//! Owns reading `m.history.average(3)` from the syntax tree: a variable and the members after it.

use rhai::{Expr, Position};

/// One member of a chain.
pub(super) struct Link<'a> {
    pub(super) name: &'a str,
    pub(super) position: Position,
    /// Whether it is called.
    pub(super) call: bool,
}

/// A variable and its members.
pub(super) struct Chain<'a> {
    pub(super) root: &'a str,
    pub(super) links: Vec<Link<'a>>,
}

impl<'a> Chain<'a> {
    /// The chain that `expression` is; up to the first index, if it has one.
    pub(super) fn of(expression: &'a Expr) -> Option<Self> {
        let Expr::Dot(sides, ..) = expression else { return None };
        let Expr::Variable(variable, ..) = &sides.lhs else { return None };
        if !variable.2.is_empty() {
            return None;
        }
        let mut links = Vec::new();
        let mut rest = &sides.rhs;
        loop {
            match rest {
                Expr::Dot(sides, ..) => {
                    links.push(link(&sides.lhs)?);
                    rest = &sides.rhs;
                }
                Expr::Index(sides, ..) => {
                    links.extend(link(&sides.lhs));
                    break;
                }
                last => {
                    links.push(link(last)?);
                    break;
                }
            }
        }
        Some(Self { root: &variable.1, links })
    }

    /// As written, but for the arguments.
    pub(super) fn text(&self) -> String {
        let called = |link: &Link<'_>| if link.call { format!("{}(…)", link.name) } else { link.name.to_owned() };
        let names: Vec<String> = self.links.iter().map(called).collect();
        format!("{}.{}", self.root, names.join("."))
    }
}

fn link(expression: &Expr) -> Option<Link<'_>> {
    match expression {
        Expr::Property(property, position) => Some(Link { name: &property.2, position: *position, call: false }),
        Expr::MethodCall(call, position) => Some(Link { name: &call.name, position: *position, call: true }),
        _ => None,
    }
}
