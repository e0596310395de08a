//! Owns what other languages call or say and this one has under another name, or not at all.

use super::tokens::{Kind, Token};
use super::words::stands_alone;
use super::{Habit, Look};
use crate::rules;

/// Words that stand for themselves, and what to write instead.
const WORDS: &[(&[&str], &str)] = &[
    (&["async", "await"], "leave it out: `.send()` waits for the reply by itself"),
    (&["pub", "export", "static"], "leave it out: whoever imports a file can call its functions"),
    (
        &["new"],
        "values are made without it: a map is `#{ … }`, the time of the tick is `m.now`, an error is `throw \"why\"`",
    ),
    (&["class", "struct", "interface"], "there are no classes: keep values in a map, `#{ … }`"),
    (&["pass"], "leave the block empty: `{ }`"),
    (&["then"], "write `if condition { … }`"),
    (&["unless"], "write `if !(condition) { … }`"),
    (&["match"], "write `switch value { 1 => …, _ => … }`"),
    (&["case", "default"], "the arms of a `switch` are written `1 => …, _ => …`"),
    (&["typeof"], "write `type_of(value)`"),
    (&["raise", "panic", "die"], "write `throw \"why\"`"),
    (&["except", "finally", "rescue"], "write `try { … } catch (error) { … }`"),
    (&["foreach"], "write `for value in values { … }`"),
    (&["until"], "write `while !(condition) { … }`"),
    (&["end"], "a block ends with `}`"),
];

pub(super) fn word(look: Look<'_>) -> Option<Habit> {
    let word = look.token();
    let named = look.back(1).is_some_and(|before| before.is_any(&["let", "const", "fn"]));
    let called = look.on(1).is_some_and(|next| next.is("(")) && !word.is_any(&["unless", "until", "match", "typeof"]);
    if !stands_alone(look) || named || called && !word.is_any(&["foreach", "await", "raise"]) {
        return None;
    }
    let (_, help) = WORDS.iter().find(|(words, _)| word.is_any(words))?;
    Some(look.found(&rules::FOREIGN_WORD, format!("`{}` is no word of this language", word.text), *help))
}

/// Members of `Math` under our names: those that differ.
const MATH: &[(&str, &str)] = &[
    ("ceil", "ceiling"),
    ("trunc", "to_int"),
    ("pow", "a ** b"),
    ("fabs", "abs"),
    ("random", "m.now.second, for example: a decision has no chance in it"),
    ("PI", "PI()"),
];

/// Objects whose members are functions elsewhere.
pub(super) fn object(look: Look<'_>) -> Option<Habit> {
    let object = look.token();
    let member = look.on(2).filter(|member| member.kind == Kind::Word)?;
    if !look.on(1).is_some_and(|dot| dot.is(".")) || !stands_alone(look) {
        return None;
    }
    let help = match object.text {
        "Math" | "math" => math(member, look),
        "console" | "logger" | "logging" => "write `print(…)`, or `log::info(…)`, `log::warn(…)`".into(),
        "JSON" | "json" => "a reply has `.json()`, and a map or an array `.to_json()`".into(),
        "Date" | "datetime" => "the time of the tick is `m.now`; in the other stages `time::now()`".into(),
        "Number" | "Integer" | "Float" => "write `parse_int(text)`, `parse_float(text)` or `value.to_int()`".into(),
        "requests" | "axios" | "urllib" => "write `http::get(\"https://…\").send()`".into(),
        _ => return None,
    };
    let message = format!("`{}.{}` is of another language", object.text, member.text);
    Some(look.found(&rules::FOREIGN_CALL, message, help))
}

/// `max(a, b)` for `Math.max(a, b)`.
fn math(member: Token<'_>, look: Look<'_>) -> String {
    let name = match MATH.iter().find(|(theirs, _)| *theirs == member.text) {
        Some((_, ours)) if ours.contains(['(', '*', ' ']) => return format!("write `{ours}`"),
        Some((_, ours)) => ours,
        None => member.text,
    };
    let arguments =
        look.tokens.get(look.at + 3).filter(|open| open.is("(")).map(|_| closed(&look.tokens[look.at + 4..]));
    format!("write `{name}({})`", arguments.map_or("…".into(), written))
}

/// `tokens` up to the bracket that closes the one before them.
fn closed<'a>(tokens: &'a [Token<'a>]) -> &'a [Token<'a>] {
    let mut depth = 0_usize;
    let end = tokens.iter().position(|token| {
        if token.is_any(&["(", "[", "{", "#{"]) {
            depth += 1;
        }
        let closes = token.is_any(&[")", "]", "}"]);
        let end = closes && depth == 0;
        depth -= usize::from(closes && depth > 0);
        end
    });
    &tokens[..end.unwrap_or(tokens.len())]
}

/// `tokens` as they are written on one line; `…` where they are many.
fn written(tokens: &[Token<'_>]) -> String {
    if tokens.is_empty() || tokens.len() > 16 {
        return "…".into();
    }
    let mut text = String::new();
    for token in tokens {
        let spaced = token.kind == Kind::Symbol && !token.is_any(&["(", ")", "[", "]", ".", ",", "::", "!"]);
        if spaced {
            text.push(' ');
        }
        text.push_str(token.text);
        if spaced || token.is(",") {
            text.push(' ');
        }
    }
    text.trim().to_owned()
}

/// `print x`, as a statement.
pub(super) fn print(look: Look<'_>) -> Option<Habit> {
    let word = look.token();
    let what = look.on(1).filter(|what| matches!(what.kind, Kind::Word | Kind::Number | Kind::Text | Kind::Quoted))?;
    let statement = look.back(1).is_none_or(|before| before.is_any(&[";", "{", "}"]) || before.line < word.line);
    let found = word.is_any(&["print", "puts", "echo", "println", "say"]) && statement && what.line == word.line;
    let message = format!("`{} …` is written with brackets", word.text);
    found.then(|| look.found(&rules::FOREIGN_CALL, message, format!("write `print({})`", what.text)))
}

/// `for (i = 0; i < n; i++)`, `for (let x of list)`.
pub(super) fn counting_loop(look: Look<'_>) -> Option<Habit> {
    let open = if look.token().is("(") { look.at } else { look.bracket()? };
    let at = open.checked_sub(1).filter(|&at| look.tokens[at].is("for") && look.tokens[open].is("("))?;
    let inside = closed(&look.tokens[open + 1..]);
    let declared = inside.iter().find(|token| token.kind == Kind::Word && !is_declaring(token))?.text;
    let of = inside.iter().position(|token| token.is("of") || token.is("in") && is_declaring(&inside[0]));
    let help = if let Some(of) = of {
        let list = written(&inside[of + 1..]);
        format!("write `for {declared} in {list} {{ … }}`")
    } else if inside.iter().any(|token| token.is(";")) {
        let bound = inside.iter().position(|token| token.is_any(&["<", "<="]));
        let rest = bound.map_or(&[][..], |bound| &inside[bound + 1..]);
        let to = written(&rest[..rest.iter().position(|token| token.is(";")).unwrap_or(rest.len())]);
        let dots = if bound.is_some_and(|bound| inside[bound].is("<=")) { "..=" } else { ".." };
        format!("write `for {declared} in 0{dots}{to} {{ … }}`")
    } else {
        return None;
    };
    let word = Look { at, ..look };
    Some(word.found(&rules::COUNTING_LOOP, "`for` goes through a range or an array", help))
}

fn is_declaring(token: &Token<'_>) -> bool {
    token.is_any(&["let", "const", "var", "int", "auto", "mut"])
}

/// `let x: int`, `|x: int|`, `fn f(x: int) -> int`.
pub(super) fn type_annotation(look: Look<'_>) -> Option<Habit> {
    let token = look.token();
    let kind = look.on(1).filter(|kind| kind.kind == Kind::Word)?;
    let message = "types are not written: a variable holds what it is given";
    let leave_out = format!("leave `{} {}` out", token.text, kind.text);
    if token.is(":") {
        let declares = |by| look.back(by).is_some_and(|before| before.is_any(&["let", "const", "|", "mut"]));
        let parameter = look.back(2).is_some_and(|open| open.is_any(&["(", ","]))
            && look.on(2).is_some_and(|after| after.is_any(&[",", ")"]))
            && look.line().0.any(|before| before.is("fn"));
        let found = look.back(1).is_some_and(|name| name.kind == Kind::Word) && (declares(2) || parameter);
        return found.then(|| look.found(&rules::TYPE_ANNOTATION, message, leave_out));
    }
    let of_function = token.is("->") && look.on(2).is_some_and(|after| after.is("{"));
    let found = of_function && look.line().0.any(|before| before.is("fn"));
    found.then(|| look.found(&rules::TYPE_ANNOTATION, message, leave_out))
}

/// `#{ key = value }`, `#{ "key" => value }`.
pub(super) fn map_entry(look: Look<'_>) -> Option<Habit> {
    let token = look.token();
    let key = look.back(1).filter(|key| matches!(key.kind, Kind::Word | Kind::Text))?;
    let entry = look.back(2).is_some_and(|before| before.is_any(&["#{", ","]));
    let within = look.bracket().is_some_and(|at| look.tokens[at].is("#{"));
    let found = token.is_any(&["=", "=>", "->"]) && entry && within;
    let message = "an entry of a map is written with `:`";
    found.then(|| look.found(&rules::FOREIGN_OPERATOR, message, format!("write `{}: …`", key.text)))
}

/// Functions and methods of other languages, and ours in their place.
const NAMES: &[(&[&str], &str)] = &[
    (&["length", "size", "count", "Len"], "write `.len()`"),
    (
        &["includes", "has", "include", "hasOwnProperty", "has_key", "contains_key"],
        "write `.contains(…)`, or `x in values`",
    ),
    (&["indexOf", "find_index", "findIndex"], "write `.index_of(…)`"),
    (&["forEach", "each"], "write `for value in values { … }`, or `.for_each(|| …)`"),
    (&["append", "add", "push_back"], "write `.push(…)`; `+=` joins two arrays"),
    (&["toLowerCase", "lower", "to_lowercase", "downcase"], "write `.to_lower()`"),
    (&["toUpperCase", "upper", "to_uppercase", "upcase"], "write `.to_upper()`"),
    (&["startsWith", "startswith"], "write `.starts_with(…)`"),
    (&["endsWith", "endswith"], "write `.ends_with(…)`"),
    (&["isEmpty", "empty"], "write `.is_empty()`"),
    (&["toString", "str", "String", "to_s"], "write `.to_string()`, or `` `${value}` `` in backticks"),
    (&["int", "to_i", "Number", "Int"], "write `.to_int()`, or `parse_int(text)`"),
    (&["parseInt"], "write `parse_int(text)`"),
    (&["float", "to_f"], "write `.to_float()`, or `parse_float(text)`"),
    (&["parseFloat"], "write `parse_float(text)`"),
    (&["unwrap_or", "unwrap", "or_else", "getOrElse", "orElse"], "write `x ?? 0.0` to give a value where none is"),
    (&["get"], "write the name behind a dot: `m.value`"),
    (&["msg", "body"], "write `.message`"),
    (&["last"], "write `[-1]` behind it, as in `m.history[-1]`"),
    (&["first"], "write `[0]` behind it"),
    (&["status_code", "statusCode"], "write `.status`"),
    (&["day_of_week", "dayOfWeek", "isoweekday", "dow"], "write `.weekday`"),
    (&["wait_minutes"], "write `.wait_seconds(…)`"),
    (&["ceil"], "write `ceiling(x)`"),
    (&["pow"], "write `a ** b`"),
    (&["println", "printf", "echo", "puts"], "write `print(…)`"),
    (
        &["slice", "substring", "substr"],
        "write `.extract(from, count)` of an array, `.sub_string(from, count)` of a text",
    ),
    (&["avg", "mean"], "write `stats::mean(values)`, or `m.history.average(n)`"),
    (
        &["require", "include_once", "load"],
        "write `import \"lib/policies\" as policies;` (`requires(\"0.1\")` asks for a version of autoscaler)",
    ),
];

/// What to write in place of the function or the property `name` of another language.
pub(in crate::script) fn instead(name: &str) -> Option<String> {
    NAMES.iter().find(|(names, _)| names.contains(&name)).map(|(_, help)| (*help).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_instead_exists() {
        let mut engine = rhai::Engine::new();
        crate::script::modules::register(&mut engine);
        let all = NAMES.iter().map(|(_, help)| *help).chain(MATH.iter().map(|(_, help)| *help));
        for help in all {
            let whole = if help.contains([' ', '(', '.']) { help.to_owned() } else { format!("{help}(") };
            for call in whole.match_indices('(') {
                let before = &whole[..call.0];
                let name = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
                let ours = before.ends_with("::mean") || name == "requires" || name == "average" || name.is_empty();
                assert!(ours || crate::script::check::is_function(&engine, name), "there is no `{name}`: {help}");
            }
        }
    }
}
