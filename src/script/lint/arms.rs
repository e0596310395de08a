//! Owns the arms of a `switch` as they are written: the language keeps only hashes of their values.

use rhai::{Expr, Position};

use crate::script::files::Script;
use crate::script::habits::tokens::{Kind, Token, tokens};

/// The values of the arms of the `switch` at `position`, as constants, in the order written.
pub(super) fn arms(script: &Script, position: Position) -> Vec<Expr> {
    let place = script.place(position);
    let tokens = tokens(&script.text);
    let start = tokens.iter().position(|token| (token.line, token.column) >= (place.line, place.column));
    let open = start.and_then(|at| Some(at + tokens[at..].iter().position(|token| token.is("{"))?));
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
            found.extend(constant(token, script.shift));
        }
    }
    found
}

fn constant(token: &Token<'_>, shift: usize) -> Option<Expr> {
    let line = u16::try_from(token.line as usize + shift).ok().filter(|line| *line > 0)?;
    let position = Position::new(line, u16::try_from(token.column).ok()?);
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
