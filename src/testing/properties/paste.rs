//! Owns the tests that are printed: what a search found, in the language of the script. Each fails as long as the
//! case is there.

use std::fmt::Write;

use super::search::TURNS;
use super::subject::Subject;

/// What is measured, as a search has it and a test writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Load {
    /// Whatever the dynos.
    Value(f64),
    /// Its share for each dyno.
    Shared(f64),
    /// Nothing.
    Missing,
}

impl Load {
    /// What is measured with so many dynos.
    pub fn at(self, dynos: u32) -> Option<f64> {
        match self {
            Self::Value(value) => Some(value),
            Self::Shared(value) => Some(value / f64::from(dynos)),
            Self::Missing => None,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Value(value) => number(value),
            Self::Shared(value) => format!("{} / p.dynos()", number(value)),
            Self::Missing => "()".into(),
        }
    }
}

/// As a script writes it: always a fraction, as it is fed.
fn number(value: f64) -> String {
    format!("{value:?}")
}

/// What stands in `p.feed(…)`.
fn fed(subject: &Subject<'_>, loads: &[Load]) -> String {
    if let ([channel], [load]) = (&subject.channels[..], loads)
        && channel.name.is_none()
    {
        return load.text();
    }
    let entries = subject.channels.iter().zip(loads).filter_map(|(channel, load)| {
        let name = channel.name.as_ref()?;
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        let name = if plain { name.to_string() } else { format!("{:?}", &**name) };
        Some(format!("{name}: {}", load.text()))
    });
    format!("#{{ {} }}", entries.collect::<Vec<_>>().join(", "))
}

/// A function `test_…` around `body`, each line of which is one of the test.
fn test(subject: &Subject<'_>, what: &str, body: &[String]) -> String {
    let name: String =
        subject.name().chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let mut text = format!("fn test_{name}_{what}() {{\n    http::stub(\"*\", \"*\", #{{ status: 200 }});\n");
    for line in body {
        let _ = writeln!(text, "    {line}");
    }
    text.push_str("}\n");
    text
}

fn begin(subject: &Subject<'_>, variable: &str, dynos: u32) -> [String; 2] {
    [format!("let {variable} = under_test({:?});", subject.name()), format!("{variable}.dynos({dynos});")]
}

pub(super) fn constant_load(subject: &Subject<'_>, loads: &[Load], dynos: u32, ticks: usize) -> String {
    let mut body = begin(subject, "p", dynos).to_vec();
    let lines = [
        format!("let before = {dynos};"),
        "let way = \"\";".into(),
        "let turns = 0;".into(),
        format!("for tick in 0..{ticks} {{"),
        format!("    p.feed({});", fed(subject, loads)),
        "    let now = p.dynos();".into(),
        "    let goes = if now > before { \"up\" } else if now < before { \"down\" } else { way };".into(),
        "    if way != \"\" && goes != way { turns += 1; }".into(),
        "    way = goes;".into(),
        "    before = now;".into(),
        "}".into(),
        format!("assert(turns < {TURNS}, `${{turns}} turns under a constant load`);"),
    ];
    body.extend(lines);
    test(subject, "comes_to_rest", &body)
}

pub(super) fn more_load(subject: &Subject<'_>, less: &[Load], more: &[Load], dynos: u32, ticks: usize) -> String {
    let mut body = Vec::new();
    for (variable, loads) in [("less", less), ("more", more)] {
        body.extend(begin(subject, variable, dynos));
        body.push(format!("for tick in 0..{ticks} {{ {variable}.feed({}); }}", fed(subject, loads)));
    }
    body.push(
        "assert(more.dynos() >= less.dynos(), `more load gives ${more.dynos()} dynos, less gives ${less.dynos()}`);"
            .into(),
    );
    test(subject, "gives_more_for_more", &body)
}

pub(super) fn missing_value(
    subject: &Subject<'_>,
    loads: &[Load],
    channel: usize,
    dynos: u32,
    ticks: usize,
    (at, count): (usize, usize),
) -> String {
    let mut missing = loads.to_vec();
    missing[channel] = Load::Missing;
    let mut body = begin(subject, "p", dynos).to_vec();
    body.push(format!("for tick in 0..{ticks} {{"));
    let when = if count == 1 { format!("tick == {at}") } else { format!("tick >= {at} && tick < {}", at + count) };
    body.push(format!("    if {when} {{ p.feed({}); }}", fed(subject, &missing)));
    body.push(format!("    else {{ p.feed({}); }}", fed(subject, loads)));
    body.push("}".into());
    body.push(format!("assert(p.dynos() >= {dynos}, `a missing value leaves ${{p.dynos()}} of {dynos} dynos`);"));
    test(subject, "keeps_dynos_where_a_value_is_missing", &body)
}

pub(super) fn operation_limit(subject: &Subject<'_>, loads: &[Load], dynos: u32, ticks: usize) -> String {
    let mut body = begin(subject, "p", dynos).to_vec();
    body.push(format!("for tick in 0..{ticks} {{ p.feed({}); }}", fed(subject, loads)));
    body.push("assert_eq(p.last().error, ());".into());
    test(subject, "stays_within_its_operations", &body)
}
