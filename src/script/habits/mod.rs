//! Owns what other languages write where the parser stops: pure, over the text around the place. It is
//! asked only for files that were refused, so that it can be wrong about the cause and never about the fact.

pub(super) mod foreign;
mod forms;
mod slips;
pub(super) mod tokens;
mod words;

use crate::rules::Rule;
use tokens::{Kind, Token};

/// What was probably meant.
#[derive(Debug)]
pub(super) struct Habit {
    pub(super) rule: &'static Rule,
    /// Line and column from 1.
    pub(super) at: (u32, u32),
    pub(super) message: String,
    pub(super) help: String,
}

/// The tokens and the one that is looked at.
#[derive(Clone, Copy)]
struct Look<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
}

impl<'a> Look<'a> {
    fn token(self) -> Token<'a> {
        self.tokens[self.at]
    }

    /// The token `by` further on.
    fn on(self, by: usize) -> Option<Token<'a>> {
        self.tokens.get(self.at + by).copied()
    }

    /// The token `by` further back.
    fn back(self, by: usize) -> Option<Token<'a>> {
        self.tokens.get(self.at.checked_sub(by)?).copied()
    }

    /// The tokens of its line before it, nearest first, and those after it.
    fn line(self) -> (impl Iterator<Item = &'a Token<'a>>, impl Iterator<Item = &'a Token<'a>>) {
        let line = self.token().line;
        let before = self.tokens[..self.at].iter().rev().take_while(move |token| token.line == line);
        (before, self.tokens[self.at + 1..].iter().take_while(move |token| token.line == line))
    }

    /// The bracket that it stands in, and how far back that is.
    fn bracket(self) -> Option<usize> {
        let mut depth = 0_usize;
        for at in (0..self.at).rev() {
            let token = &self.tokens[at];
            if token.is_any(&["}", ")", "]"]) {
                depth += 1;
            } else if token.is_any(&["{", "#{", "(", "["]) {
                match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None => return Some(at),
                }
            }
        }
        None
    }

    fn found(self, rule: &'static Rule, message: impl Into<String>, help: impl Into<String>) -> Habit {
        let token = self.token();
        Habit { rule, at: (token.line, token.column), message: message.into(), help: help.into() }
    }
}

/// Every habit of a single place; the first that is found counts.
const HABITS: &[fn(Look<'_>) -> Option<Habit>] = &[
    slips::at_least,
    slips::three_quotes,
    slips::module_dot,
    slips::number,
    slips::or_value,
    foreign::counting_loop,
    slips::tuple,
    foreign::type_annotation,
    foreign::map_entry,
    forms::format_string,
    forms::single_quotes,
    forms::hash_comment,
    words::else_if,
    words::truth,
    words::nothing,
    words::logic,
    words::lambda,
    words::function,
    words::import,
    foreign::object,
    foreign::print,
    foreign::word,
    words::variable,
    slips::named_argument,
    forms::plain_braces,
    forms::colon_block,
    slips::colon,
    forms::conditional,
    forms::operator,
];

/// What the text has at `line` and `column`, where the parser stopped, that another language would write so.
pub(super) fn explain(text: &str, line: u32, column: u32) -> Option<Habit> {
    let tokens = tokens::tokens(text);
    let whole = slips::conflict(text).or_else(|| forms::pasted(text, &tokens));
    if let Some(said) = whole.or_else(|| slips::lookalike(text, line, column)) {
        return Some(said);
    }
    let here = tokens.iter().position(|token| token.end() > (line, column)).or(tokens.len().checked_sub(1))?;
    // The parser stops at the word, or one or two after it.
    let near = [Some(here), here.checked_sub(1), here.checked_sub(2), Some(here + 1)];
    let near = near.into_iter().flatten().filter(|&at| at < tokens.len());
    let found =
        near.map(|at| Look { tokens: &tokens, at }).find_map(|look| HABITS.iter().find_map(|habit| habit(look)));
    found.or_else(|| slips::whole_division(text, line)).or_else(|| slips::number_in_line(&tokens, line))
}

/// Whether an expression can end with it.
fn ends_expression(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Word => !token.is_any(&["return", "else", "if", "in", "while", "let", "const", "switch", "loop"]),
        Kind::Number | Kind::Text | Kind::Quoted => true,
        Kind::Hash => false,
        Kind::Symbol => token.is_any(&[")", "]"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_language_writes_is_no_habit() {
        let text = "let a = #{ k: 'x', b: `t` };\nif a.k == 'x' { 1 } else if a.b { 2 } else { 3 };\nswitch a { 1 => 2, _ => 3 }";
        for (at, line) in text.lines().enumerate() {
            for column in 1..=line.len() {
                let (line, column) = (u32::try_from(at).unwrap() + 1, u32::try_from(column).unwrap());
                let said = explain(text, line, column);
                assert!(said.is_none(), "{line}:{column}: {said:?}");
            }
        }
    }
}
