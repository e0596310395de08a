//! Owns forms of other languages: quotes, comments, braces, operators, whole files.

use super::tokens::{Kind, Token};
use super::{Habit, Look, ends_expression};
use crate::rules;

pub(super) fn format_string(look: Look<'_>) -> Option<Habit> {
    let word = look.token();
    let text = look.on(1).filter(|text| matches!(text.kind, Kind::Text | Kind::Quoted))?;
    let letter = ["f", "r", "b", "u", "F", "R", "B", "rb", "br", "fr", "rf"].contains(&word.text);
    let found = letter && word.offset + word.text.len() == text.offset;
    let message = format!("a text has no letter such as `{}` before its quote", word.text);
    found.then(|| look.found(&rules::FORMAT_STRING, message, "write `` `${value} of it` ``, in backticks"))
}

pub(super) fn single_quotes(look: Look<'_>) -> Option<Habit> {
    let token = look.token();
    let inner = token.text.strip_prefix('\'').filter(|_| token.kind == Kind::Quoted)?.trim_end_matches('\'');
    let one = inner.chars().count() == 1 || (inner.starts_with('\\') && inner.chars().count() == 2);
    let shown: String = inner.chars().take(40).collect();
    (!one).then(|| look.found(&rules::SINGLE_QUOTES, "a text stands in double quotes", format!("write `\"{shown}\"`")))
}

pub(super) fn hash_comment(look: Look<'_>) -> Option<Habit> {
    let found = look.token().kind == Kind::Hash;
    found.then(|| look.found(&rules::HASH_COMMENT, "`#` begins no comment", "write `// …`"))
}

pub(super) fn plain_braces(look: Look<'_>) -> Option<Habit> {
    let key = look.back(1)?;
    if !look.token().is(":") || !matches!(key.kind, Kind::Word | Kind::Text | Kind::Quoted) {
        return None;
    }
    let before = look.back(2)?;
    let at = look.bracket().filter(|&at| look.tokens[at].is("{"))?;
    // In a block a key would stand first or after a comma.
    let entry = before.is_any(&["{", ","]);
    let brace = Look { at, ..look };
    entry.then(|| brace.found(&rules::PLAIN_BRACES, "a map begins with `#{`", "write `#{ … }`; `{ … }` is a block"))
}

pub(super) fn colon_block(look: Look<'_>) -> Option<Habit> {
    let token = look.token();
    let last = look.on(1).is_none_or(|next| next.line > token.line || next.kind == Kind::Hash);
    let first = look.line().0.last()?;
    let block = first.is_any(&["if", "else", "for", "while", "try", "except", "with", "class"]);
    (token.is(":") && last && block).then(|| {
        look.found(&rules::COLON_BLOCK, "a block does not begin with `:`", format!("write `{} … {{ … }}`", first.text))
    })
}

pub(super) fn conditional(look: Look<'_>) -> Option<Habit> {
    let token = look.token();
    let help = "write `if condition { a } else { b }`";
    if token.is("?") {
        return Some(look.found(&rules::CONDITIONAL_EXPRESSION, "`a ? x : y` is written with `if`", help));
    }
    let behind = look.back(1).is_some_and(|before| before.line == token.line && ends_expression(&before));
    let mut after = look.line().1;
    let otherwise = after.any(|token| token.is("else")) && look.line().1.all(|token| !token.is("{"));
    (token.is("if") && behind && otherwise)
        .then(|| look.found(&rules::CONDITIONAL_EXPRESSION, "`if` stands before what it chooses", help))
}

pub(super) fn operator(look: Look<'_>) -> Option<Habit> {
    let token = look.token();
    let right = match token.text {
        "===" => "==",
        "!==" | "<>" | "~=" => "!=",
        "++" => "+= 1",
        "--" => "-= 1",
        ":=" | "<-" => "=",
        _ => return None,
    };
    let message = format!("`{}` is no operator of this language", token.text);
    (token.kind == Kind::Symbol).then(|| look.found(&rules::FOREIGN_OPERATOR, message, format!("write `{right}`")))
}

/// A whole file of another kind.
pub(super) fn pasted(text: &str, tokens: &[Token<'_>]) -> Option<Habit> {
    let python = tokens.windows(2).position(|pair| pair[0].is("AUTOSCALE_SETTINGS") && pair[1].is_any(&["=", ":"]));
    if let Some(at) = python {
        let help = "each of its entries becomes a call: `pipeline(\"web\", #{ measure: …, decide: …, scale: … });` with the names \
                    of its settings in lower case";
        let message = "this is an AUTOSCALE_SETTINGS of Python, not a script";
        return Some(Look { tokens, at }.found(&rules::PYTHON_SETTINGS_PASTED, message, help));
    }
    let first = tokens.iter().position(|token| token.kind != Kind::Hash)?;
    let look = Look { tokens, at: first };
    let line = text.lines().nth(usize::try_from(look.token().line).ok()?.checked_sub(1)?)?.trim();
    let key = look.token().kind == Kind::Word && look.on(1).is_some_and(|next| next.is(":"));
    let list = line.starts_with("- ") && line.len() > 2;
    let declares = tokens.windows(2).any(|pair| pair[0].is("pipeline") && pair[1].is("("));
    let yaml = !declares && (line == "---" || list || key);
    let help = "a pipeline is declared by a call: `pipeline(\"web\", #{ measure: …, decide: …, scale: … });`";
    yaml.then(|| look.found(&rules::YAML_PASTED, "this looks like YAML, not like a script", help))
}
