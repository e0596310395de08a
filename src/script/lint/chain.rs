//! Owns reading `m.history.average(3)` from the syntax tree: a variable and the members after it.

use rhai::Expr;

/// One member of a chain.
pub(super) struct Link<'a> {
    pub(super) name: &'a str,
    /// Whether it is called.
    pub(super) call: bool,
}

/// A variable and its members.
pub(super) struct Chain<'a> {
    pub(super) root: &'a str,
    pub(super) links: Vec<Link<'a>>,
    /// Whether an element is taken at the end.
    element: bool,
}

impl<'a> Chain<'a> {
    /// The chain that `expression` is; up to the first index, if it has one.
    pub(super) fn of(expression: &'a Expr) -> Option<Self> {
        let Expr::Dot(sides, ..) = expression else { return None };
        let root = match &sides.lhs {
            Expr::Variable(variable, ..) if variable.2.is_empty() => variable.1.as_str(),
            Expr::ThisPtr(_) => "this",
            _ => return None,
        };
        let (mut links, mut element) = (Vec::new(), false);
        let mut rest = &sides.rhs;
        loop {
            match rest {
                Expr::Dot(sides, ..) => {
                    links.push(link(&sides.lhs)?);
                    rest = &sides.rhs;
                }
                Expr::Index(sides, ..) => {
                    links.extend(link(&sides.lhs));
                    element = true;
                    break;
                }
                last => {
                    links.push(link(last)?);
                    break;
                }
            }
        }
        Some(Self { root, links, element })
    }

    /// As written, but for the arguments.
    pub(super) fn text(&self) -> String {
        let called = |link: &Link<'_>| if link.call { format!("{}(…)", link.name) } else { link.name.to_owned() };
        let names: Vec<String> = self.links.iter().map(called).collect();
        let element = if self.element { "[…]" } else { "" };
        format!("{}.{}{element}", self.root, names.join("."))
    }
}

fn link(expression: &Expr) -> Option<Link<'_>> {
    match expression {
        Expr::Property(property, _) => Some(Link { name: &property.2, call: false }),
        Expr::MethodCall(call, _) => Some(Link { name: &call.name, call: true }),
        _ => None,
    }
}
