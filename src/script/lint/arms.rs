//! Owns the arms of a `switch` as they are written: the language keeps only hashes of their values.

use rhai::{Expr, Position};

use crate::script::files::Script;
use crate::script::habits::tokens::{Kind, Token, tokens};
use crate::script::text::extent;

/// The values of the arms of the `switch` at `position`, as constants, in the order written.
pub(super) fn arms(script: &Script, position: Position) -> Vec<Expr> {
    let text = script.from(position);
    let tokens = tokens(&text[..extent(text)]);
    let open = tokens.iter().position(|token| token.is("{"));
    let mut found = Vec::new();
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open.unwrap_or(tokens.len())) {
        if token.is_any(&["{", "#{", "(", "["]) {
            depth += 1;
        } else if token.is_any(&["}", ")", "]"]) {
            depth -= 1;
            if depth == 0 {
                break;
            }
        }
        let begins = tokens[at - 1].is_any(&["{", ",", "}", "|"]);
        let arrow = tokens.get(at + 1).is_some_and(|next| next.is_any(&["=>", "|", "if"]));
        if depth == 1 && begins && arrow {
            found.extend(constant(token, position));
        }
    }
    found
}

/// `token` as a constant, in the text that begins at `start`.
fn constant(token: &Token<'_>, start: Position) -> Option<Expr> {
    let line = start.line()? + token.line as usize - 1;
    let before = if token.line == 1 { start.position()? - 1 } else { 0 };
    let column = before + token.column as usize;
    let position = Position::new(u16::try_from(line).ok()?, u16::try_from(column).ok()?);
    match token.kind {
        Kind::Number => {
            let digits = token.text.replace('_', "");
            let whole = digits.parse().ok().map(|value| Expr::IntegerConstant(value, position));
            whole.or_else(|| Some(Expr::FloatConstant(digits.parse::<f64>().ok()?.into(), position)))
        }
        Kind::Text => {
            let text = token.text.trim_matches(['"', '`']);
            Some(Expr::StringConstant(text.into(), position))
        }
        Kind::Word if ["true", "false"].contains(&token.text) => {
            Some(Expr::BoolConstant(token.text == "true", position))
        }
        _ => None,
    }
}
