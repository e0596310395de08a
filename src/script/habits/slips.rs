//! Owns slips of the pen and of the editor: characters that only look right, numbers as other notations write
//! them, a dot or an equals sign in place of ours, marks that a merge left behind.

use super::tokens::{Kind, Token};
use super::{Habit, Look, ends_expression};
use crate::rules;
use crate::script::modules;

/// Characters that look like others, and what they stand for.
const LOOKALIKES: &[(&str, &str, &str)] = &[
    ("\u{a0}\u{2007}\u{202f}\u{2009}\u{3000}", "a space of another kind", "write a plain space"),
    ("\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}", "invisible", "delete it"),
    ("“”„‟«»", "a typographic quote", "write `\"`"),
    ("‘’‚‛", "a typographic quote", "write `\"`"),
    ("–—−‐‑", "a dash", "write `-`"),
    ("≥", "a sign", "write `>=`"),
    ("≤", "a sign", "write `<=`"),
    ("≠", "a sign", "write `!=`"),
    ("×", "a sign", "write `*`"),
    ("÷", "a sign", "write `/`"),
    ("…", "a sign", "write what it stands for"),
    ("；", "a wide sign", "write `;`"),
    ("，", "a wide sign", "write `,`"),
    ("：", "a wide sign", "write `:`"),
];

/// A character at the place, or right before it, that looks like another.
pub(super) fn lookalike(text: &str, line: u32, column: u32) -> Option<Habit> {
    let written = text.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    let at = usize::try_from(column).ok()?.checked_sub(1)?;
    let near = [Some(at), at.checked_sub(1), Some(at + 1)].into_iter().flatten();
    near.filter_map(|at| Some((at, written.chars().nth(at)?))).find_map(|(at, character)| {
        let (_, what, help) = LOOKALIKES.iter().find(|(all, ..)| all.contains(character))?;
        let code = u32::from(character);
        let shown = if what.starts_with("invisible") || character.is_whitespace() {
            format!("the character U+{code:04X} is {what}")
        } else {
            format!("`{character}` (U+{code:04X}) is {what}")
        };
        let message =
            format!("{shown} that this language does not know").replace("invisible that", "invisible, and one that");
        let column = u32::try_from(at + 1).unwrap_or(column);
        Some(Habit { rule: &rules::SYNTAX, at: (line, column), message, help: (*help).to_owned() })
    })
}

/// What a merge left behind.
pub(super) fn conflict(text: &str) -> Option<Habit> {
    let marks = |mark: &str| text.lines().position(|line| line.starts_with(mark));
    let (first, _) = (marks("<<<<<<< ")?, marks(">>>>>>> ")?);
    let message = "a merge left its marks here: `<<<<<<<`, `=======` and `>>>>>>>`".into();
    let help = "keep one of the two sides, and delete the lines of marks".into();
    Some(Habit { rule: &rules::SYNTAX, at: (u32::try_from(first + 1).ok()?, 1), message, help })
}

/// `m.value // 10`, whose rest is a comment: reading stops at a later line.
pub(super) fn whole_division(text: &str, line: u32) -> Option<Habit> {
    let last = usize::try_from(line).ok()?;
    let written = text.lines().enumerate().take(last).skip(last.saturating_sub(2));
    written.filter(|(_, written)| !written.trim_start().starts_with("//")).find_map(|(number, written)| {
        let (before, after) = written.split_once("//")?;
        let operand = before.trim_end().ends_with(|last: char| last.is_alphanumeric() || last == ')' || last == ']');
        let number_follows = after.trim_start().starts_with(|first: char| first.is_ascii_digit());
        if !operand || !number_follows || before.matches('"').count() % 2 == 1 {
            return None;
        }
        let column = u32::try_from(before.chars().count() + 1).ok()?;
        let at = (u32::try_from(number + 1).ok()?, column);
        let help = "divide with `/`, and cut the fraction off with `.floor()`".into();
        Some(Habit { rule: &rules::FOREIGN_OPERATOR, at, message: "`//` begins a comment".into(), help })
    })
}

/// `if m.value => 3`
pub(super) fn at_least(look: Look<'_>) -> Option<Habit> {
    let token = look.token();
    if !token.is("=>") || !look.back(1).is_some_and(|before| ends_expression(&before)) {
        return None;
    }
    let asks = look
        .line()
        .0
        .take_while(|before| !before.is_any(&["{", "#{", "}"]))
        .any(|before| before.is_any(&["if", "while"]));
    asks.then(|| look.found(&rules::FOREIGN_OPERATOR, "`=>` compares nothing", "write `>=`"))
}

/// `"""text"""`
pub(super) fn three_quotes(look: Look<'_>) -> Option<Habit> {
    let token = look.token();
    // The two at the end, or those at the start.
    if token.text == "\"\""
        && look.back(1).is_some_and(|text| text.kind == Kind::Text && text.offset + text.text.len() == token.offset)
    {
        let help = "write a comment `// …`; a text of several lines stands in backticks";
        return Some(look.found(&rules::SYNTAX, "a text has no three quotes", help));
    }
    let next = look.on(1)?;
    let adjacent = token.offset + token.text.len() == next.offset;
    let found = token.text == "\"\""
        && token.kind == Kind::Text
        && next.kind == Kind::Text
        && next.text.starts_with('"')
        && adjacent;
    let help = "write a comment `// …`; a text of several lines stands in backticks";
    found.then(|| look.found(&rules::SYNTAX, "a text has no three quotes", help))
}

/// `env.secret(…)`, `measure.response_time(…)`, `decide:average_threshold(…)`
pub(super) fn module_dot(look: Look<'_>) -> Option<Habit> {
    let (module, sign, member) = (look.token(), look.on(1)?, look.on(2)?);
    if module.kind != Kind::Word || !modules::NAMES.contains(&module.text) || member.kind != Kind::Word {
        return None;
    }
    let before = look.back(1);
    let key = sign.is(":") && !before.is_some_and(|before| before.is_any(&[":", "=", "(", "["]));
    let within = before.is_some_and(|before| before.is_any(&[".", "?.", "::"]));
    if !sign.is_any(&[".", ":"]) || key || within {
        return None;
    }
    let message = format!("`{}` is a module: what is in it stands behind `::`", module.text);
    let call = if look.on(3).is_some_and(|open| open.is("(")) { "(…)" } else { "" };
    Some(look.found(&rules::UNKNOWN_VARIABLE, message, format!("write `{}::{}{call}`", module.text, member.text)))
}

/// `average_threshold(max_measurement_value=5)`
pub(super) fn named_argument(look: Look<'_>) -> Option<Habit> {
    let (name, sign, value) = (look.token(), look.on(1)?, look.on(2)?);
    let open = look.bracket().filter(|&at| look.tokens[at].is("("))?;
    let called = look.tokens.get(open.checked_sub(1)?).filter(|called| called.kind == Kind::Word)?;
    let first = look.back(1).is_some_and(|before| before.is_any(&["(", ","]));
    let word = called.is_any(&["if", "while", "for", "switch", "fn", "in", "return"])
        || open > 1 && look.tokens[open - 2].is("fn");
    if name.kind != Kind::Word || !sign.is_any(&["=", ":"]) || !first || word {
        return None;
    }
    let message = "settings are handed over in a map";
    let value = if matches!(value.kind, Kind::Number | Kind::Text | Kind::Word) { value.text } else { "…" };
    let module = (open > 2 && look.tokens[open - 2].is("::")).then(|| format!("{}::", look.tokens[open - 3].text));
    let help = format!("write `{}{}(#{{ {}: {value} }})`", module.unwrap_or_default(), called.text, name.text);
    Some(look.found(&rules::SYNTAX, message, help))
}

/// `1,000`, `0,5`, `80%`, `1O0`, `30s`
pub(super) fn number(look: Look<'_>) -> Option<Habit> {
    let token = look.token();
    if token.kind != Kind::Number {
        return None;
    }
    let beside = |a: Token<'_>, b: &Token<'_>| a.offset + a.text.len() == b.offset;
    let say = |message: String, help: String| Some(look.found(&rules::SYNTAX, message, help));
    let (next, after) = (look.on(1), look.on(2));
    if let (Some(comma), Some(rest)) =
        (next.filter(|next| next.is(",")), after.filter(|rest| rest.kind == Kind::Number))
    {
        let list = look.bracket().is_some_and(|at| look.tokens[at].is_any(&["[", "("]));
        let digits = |token: Token<'_>| token.text.bytes().all(|byte| byte.is_ascii_digit());
        if list || !beside(token, &comma) || !beside(comma, &rest) || !digits(token) || !digits(rest) {
            return None;
        }
        let message = format!("`{},{}` is no number: a comma ends an entry", token.text, rest.text);
        if rest.text.len() == 3 && token.text != "0" {
            return say(message, format!("write `{0}{1}`, or `{0}_{1}`", token.text, rest.text));
        }
        return say(message, format!("write `{}.{}`", token.text, rest.text));
    }
    if next.is_some_and(|sign| sign.is("%") && beside(token, &sign))
        && after.is_none_or(|after| after.is_any(&["}", ")", "]", ",", ";", "{"]))
    {
        let share =
            token.text.parse::<f64>().map_or_else(|_| "0.8".to_owned(), |percent| (percent / 100.0).to_string());
        let message = format!("`{}%` is no number", token.text);
        return say(message, format!("write `{}`, or `{share}` where a share of one is meant", token.text));
    }
    let (digits, rest) = token.text.split_at(token.text.find(|c: char| c.is_alphabetic())?);
    let message = format!("`{}` is no number", token.text);
    let letter = |c: char| matches!(c, 'O' | 'o' | 'l' | 'I');
    let right: String = token
        .text
        .chars()
        .map(|c| {
            if matches!(c, 'O' | 'o') {
                '0'
            } else if letter(c) {
                '1'
            } else {
                c
            }
        })
        .collect();
    if !digits.is_empty() && digits != "0" && right.bytes().all(|byte| byte.is_ascii_digit()) {
        return say(message, format!("write `{right}`: there is a letter in it"));
    }
    let number = digits.parse::<i64>().ok()?;
    let mend = match rest {
        "s" | "sec" | "secs" => format!("write `{number}` where seconds are due: a number has no unit"),
        "m" | "min" | "mins" => {
            format!("write `{}` where seconds are due: a number has no unit", number.saturating_mul(60))
        }
        "h" => format!("write `{}` where seconds are due: a number has no unit", number.saturating_mul(3600)),
        "ms" => format!("write `{number}` where milliseconds are due: a number has no unit"),
        "k" | "K" => format!("write `{}`", number.saturating_mul(1000)),
        _ => return None,
    };
    say(message, mend)
}

/// The same anywhere in a line: after `80%` reading goes on for a while.
pub(super) fn number_in_line(tokens: &[Token<'_>], line: u32) -> Option<Habit> {
    (0..tokens.len()).filter(|&at| tokens[at].line == line).find_map(|at| number(Look { tokens, at }))
}

/// `x in (6, 7)`
pub(super) fn tuple(look: Look<'_>) -> Option<Habit> {
    let open = if look.token().is("(") { look.at } else { look.bracket()? };
    let found = look.tokens[open].is("(") && open > 0 && look.tokens[open - 1].is("in");
    let inside: Vec<&str> =
        look.tokens[open + 1..].iter().take_while(|token| !token.is(")")).map(|token| token.text).collect();
    if !found || !inside.contains(&",") || inside.len() > 24 || inside.contains(&";") {
        return None;
    }
    let list = inside.join(" ").replace(" ,", ",");
    let place = Look { at: open, ..look };
    Some(place.found(&rules::SYNTAX, "several values stand in square brackets", format!("write `[{list}]`")))
}

/// `m.value || 0`
pub(super) fn or_value(look: Look<'_>) -> Option<Habit> {
    let (bars, value) = (look.token().is("||"), look.on(1)?);
    let given = matches!(value.kind, Kind::Number | Kind::Text);
    let behind = look.back(1).is_some_and(|before| ends_expression(&before));
    let help = format!("write `?? {}` to give a value where none is", value.text);
    (bars && given && behind).then(|| look.found(&rules::FOREIGN_OPERATOR, "`||` joins `true` and `false`", help))
}

/// `if m.value > 10: up(1)`, `fn policy(m):`
pub(super) fn colon(look: Look<'_>) -> Option<Habit> {
    let token = look.token();
    if !token.is(":") {
        return None;
    }
    let before: Vec<&Token<'_>> = look.line().0.take_while(|before| !before.is_any(&["{", "#{", "}"])).collect();
    let at = before.iter().position(|word| word.is_any(&["if", "while", "for", "fn"]))?;
    let word = before[at];
    // A key of a map in a condition stands behind its bracket, which ended the look.
    let head = look.tokens.iter().filter(|head| head.offset > word.offset && head.offset < token.offset);
    let head = head.fold((String::new(), word.offset + word.text.len()), |(text, end), token| {
        let space = if token.offset > end { " " } else { "" };
        (format!("{text}{space}{}", token.text), token.offset + token.text.len())
    });
    let help = format!("write `{}{} {{ … }}`", word.text, head.0);
    Some(look.found(&rules::COLON_BLOCK, "a block does not begin with `:`", help))
}
