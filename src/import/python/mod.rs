//! Owns reading a Python file of settings: what its names are set to, as far as that can be told without running
//! it. Nothing is executed and nothing is imported; the grammar is that of a real parser.

mod expression;
mod limits;
mod mend;

use ruff_python_ast::{Expr, Stmt};
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use ruff_text_size::Ranged;

use super::said::Said;
use super::value::{Entry, Lines, Node, Value};
use expression::Reader;

/// The names that hold what is imported: mistakes in other statements of the file are not in the way.
const WANTED: &[&str] = &["AUTOSCALE_SETTINGS"];

/// What the file sets, first to last; what is wrong with it goes to `said`. `mend` applies the mends that are
/// known, instead of telling them as errors.
pub fn read(text: &str, mend: bool, said: &mut Said) -> Vec<Entry> {
    let lines = Lines::of(text);
    let (mended, mends) = match limits::check(text).and_then(|()| mend::mend(text)) {
        Ok(mended) => mended,
        Err(beyond) => {
            said.error(lines.at(beyond.offset), beyond.message, "name the file that holds AUTOSCALE_SETTINGS");
            return Vec::new();
        }
    };
    for found in &mends {
        let at = lines.at(found.offset);
        if mend {
            said.warning(at, format!("mended: {}", found.message), found.help.clone());
        } else {
            said.error(at, found.message.clone(), format!("{}; `--mend` does it", found.help));
        }
    }
    // What else is wrong is told of the mended text: the parser would tell the same mistakes once more.
    let lines = Lines::of(&mended);
    let parsed = parse_unchecked(&mended, ParseOptions::from(Mode::Module));
    let errors: Vec<(usize, String)> =
        parsed.errors().iter().map(|error| (error.location.start().to_usize(), error.error.to_string())).collect();
    let Some(module) = parsed.try_into_module() else { return Vec::new() };
    let statements = &module.syntax().body;
    tell(&errors, statements, &lines, said);
    let mut reader = Reader::new(&mended, &lines);
    for statement in statements {
        take(statement, &mut reader, said);
    }
    if reader.is_full() {
        said.error(lines.at(0), "the settings come to more than 100,000 values", "write them out, without repetition");
        return Vec::new();
    }
    reader.names
}

/// Tells what the parser found. What lies outside of the settings does not matter to them: files of Python 2
/// are read too.
fn tell(errors: &[(usize, String)], statements: &[Stmt], lines: &Lines<'_>, said: &mut Said) {
    let wanted = statements.iter().filter(|statement| set_by(statement).is_some_and(|name| WANTED.contains(&name)));
    let spans: Vec<(usize, usize)> =
        wanted.map(|statement| (statement.start().to_usize(), statement.end().to_usize())).collect();
    for (offset, message) in errors {
        let at = lines.at(*offset);
        let inside = spans.iter().any(|(start, end)| (*start..=end + 1).contains(offset));
        if inside || spans.is_empty() {
            said.error(at, format!("this is not Python: {}", lowered(message)), "");
        } else {
            said.warning(at, format!("not read, since it is not Python 3: {}", lowered(message)), "");
        }
    }
}

/// A message as ours begin: in lower case.
fn lowered(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// The name that a statement sets.
fn set_by(statement: &Stmt) -> Option<&str> {
    let target = match statement {
        Stmt::Assign(assign) => match &assign.targets[..] {
            [target] => target,
            _ => return None,
        },
        Stmt::AnnAssign(assign) => &assign.target,
        _ => return None,
    };
    target.as_name_expr().map(|name| name.id.as_str())
}

fn take(statement: &Stmt, reader: &mut Reader<'_>, said: &mut Said) {
    let value = match statement {
        Stmt::Assign(assign) => Some(&*assign.value),
        Stmt::AnnAssign(assign) => assign.value.as_deref(),
        _ => None,
    };
    let at = reader.at(statement.start().to_usize());
    if let (Some(name), Some(value)) = (set_by(statement), value) {
        let value = reader.read(value);
        reader.names.push(Entry { key: name.to_owned(), at, value });
        return;
    }
    if let Some(name) = changed_by(statement).filter(|name| WANTED.contains(&name.as_str())) {
        let message = format!("`{name}` is changed here, which only running the file would do: it is not read");
        said.warning(at, message, "write it into the dictionary");
    }
    unknown_from(statement, reader);
}

/// The name whose value a statement changes in place: `NAME["x"] = …`, `NAME.update(…)`, `NAME += …`.
fn changed_by(statement: &Stmt) -> Option<String> {
    let target = match statement {
        Stmt::Assign(assign) => assign.targets.first()?,
        Stmt::AugAssign(assign) => &assign.target,
        Stmt::Expr(alone) => &alone.value.as_call_expr()?.func,
        Stmt::Delete(delete) => delete.targets.first()?,
        _ => return None,
    };
    root(target)
}

/// The name that `a["b"].c` begins with.
fn root(mut target: &Expr) -> Option<String> {
    loop {
        target = match target {
            Expr::Name(name) => return Some(name.id.to_string()),
            Expr::Subscript(subscript) => &subscript.value,
            Expr::Attribute(attribute) => &attribute.value,
            Expr::Call(call) => &call.func,
            _ => return None,
        };
    }
}

/// Names that a statement sets in a way that only running it would tell: in a branch, a loop, a `try`.
fn unknown_from(statement: &Stmt, reader: &mut Reader<'_>) {
    let inner: Vec<&Stmt> = match statement {
        Stmt::If(branch) => {
            branch.body.iter().chain(branch.elif_else_clauses.iter().flat_map(|clause| &clause.body)).collect()
        }
        Stmt::Try(attempt) => attempt.body.iter().chain(&attempt.orelse).chain(&attempt.finalbody).collect(),
        Stmt::With(with) => with.body.iter().collect(),
        Stmt::For(repeat) => repeat.body.iter().collect(),
        _ => return,
    };
    for statement in inner {
        if let Some(name) = set_by(statement) {
            let at = reader.at(statement.start().to_usize());
            let why = format!("`{name}` is set in a branch, and only running the file would tell to what");
            reader.names.push(Entry { key: name.to_owned(), at, value: Node::new(at, Value::Code(why)) });
        }
    }
}
