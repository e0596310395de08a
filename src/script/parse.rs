//! Owns what is said of a file that the parser refused: the author's words, the mend, and the place of the
//! cause where that is not where reading stopped.

use rhai::{LexError, ParseErrorType};

use super::diagnose::{lower, refused, unknown_module};
use super::habits::tokens::{Kind, Token, tokens};
use super::{habits, limits, modules};
use crate::rules::{self, Rule};
use crate::settings::did_you_mean;

/// What is said of a parse error.
pub(super) struct Refusal {
    pub(super) rule: &'static Rule,
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// Line and column from 1; 0 where unknown.
    pub(super) at: (u32, u32),
}

/// What to say of `error` in `text`, where reading stopped at `at`.
pub(super) fn refusal(error: &ParseErrorType, text: &str, at: (u32, u32)) -> Refusal {
    let at = if at.0 == 0 { last_token(text) } else { at };
    let (rule, message, help) = words(error, text);
    let plain = Refusal { rule, message, help, at };
    // What is off was understood, and limits have nothing to do with habits.
    if [&rules::SWITCHED_OFF, &rules::UNKNOWN_MODULE].contains(&rule)
        || matches!(error, ParseErrorType::TooManyFunctions)
    {
        return plain;
    }
    if let Some(habit) = habits::explain(text, at.0, at.1) {
        return Refusal { rule: habit.rule, message: habit.message, help: Some(habit.help), at: habit.at };
    }
    match error {
        ParseErrorType::MissingToken(..) if tokens(text).last().is_none_or(|last| last.end() <= at) => {
            let message = "the script ends in the middle of something".into();
            unfinished(Refusal { rule: &rules::UNFINISHED, message, ..plain }, text)
        }
        ParseErrorType::MissingToken(token, _) if token == ";" || token == "," => separator(plain, token, text),
        ParseErrorType::UnexpectedEOF => unfinished(plain, text),
        ParseErrorType::VariableUndefined(name) if plain.help.is_none() => {
            let help = quotes_help(name, text, plain.at);
            Refusal { help, ..plain }
        }
        _ => plain,
    }
}

/// A word that stands for itself as the value of a key is a text without its quotes.
fn quotes_help(name: &str, text: &str, at: (u32, u32)) -> Option<String> {
    let tokens = tokens(text);
    let here = tokens.iter().position(|token| (token.line, token.column) == at && token.is(name))?;
    let value = here > 1 && tokens[here - 1].is(":") && matches!(tokens[here - 2].kind, Kind::Word | Kind::Text);
    let ends = tokens.get(here + 1).is_none_or(|next| next.is_any(&[",", "}"]));
    let variable = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let private = ["KEY", "SECRET", "TOKEN", "PASSWORD"].iter().any(|part| name.contains(part));
    match (variable, private, value && ends) {
        (true, true, _) => Some(format!("an environment variable is written `env::secret(\"{name}\")`")),
        (true, false, true) => Some(format!("write `env::get(\"{name}\")`, or a text in quotes: `\"{name}\"`")),
        (false, _, true) => Some(format!("a text stands in quotes: `\"{name}\"`")),
        _ => None,
    }
}

/// Where the last token of `text` begins: a text that is cut off in the middle has no place of its own.
fn last_token(text: &str) -> (u32, u32) {
    tokens(text).last().map_or((1, 1), |token| (token.line, token.column))
}

fn words(error: &ParseErrorType, text: &str) -> (&'static Rule, String, Option<String>) {
    use ParseErrorType as P;
    let shown = |error: &dyn std::fmt::Display| {
        let said = error.to_string().replace("items of this object map literal", "entries of this map");
        lower(&said.replace("object map literal", "map").replace('\'', "`"))
    };
    match error {
        P::VariableUndefined(name) if modules::FUNCTIONS.contains(&name.as_str()) => {
            let written = match name.as_str() {
                "up" | "down" => format!("{name}(1)"),
                "hold" => "hold(\"why\")".into(),
                _ => format!("{name}(…)"),
            };
            let message = format!("`{name}` is a function, and is written with brackets");
            (&rules::UNKNOWN_VARIABLE, message, Some(format!("write `{written}`")))
        }
        P::VariableUndefined(name) => {
            (&rules::UNKNOWN_VARIABLE, format!("unknown variable or function `{name}`"), variable_help(name, text))
        }
        P::ModuleUndefined(name) => {
            let (message, help) = unknown_module(name);
            (&rules::UNKNOWN_MODULE, message, help)
        }
        P::TooManyFunctions => (
            &rules::SYNTAX,
            format!("the file has more than {} closures and functions", limits::FILE_FUNCTIONS),
            Some("declare pipelines in a loop, or move some to a file that you `import`".into()),
        ),
        P::BadInput(LexError::ImproperSymbol(symbol, _)) | P::Reserved(symbol) if refused(symbol).1.is_some() => {
            let (message, help) = refused(symbol);
            (&rules::SWITCHED_OFF, message, help)
        }
        P::Reserved(symbol) => {
            let help = format!("choose another name; as the key of a map write it in quotes: `\"{symbol}\": …`");
            (&rules::RESERVED_WORD, format!("`{symbol}` is a word of the language"), Some(help))
        }
        P::DuplicatedProperty(key) => {
            (&rules::SYNTAX, format!("`{key}` stands twice in one map"), Some("keep one of them".into()))
        }
        P::WrongFnDefinition => (
            &rules::SYNTAX,
            "a function is defined at the top of its file, not in a block".into(),
            Some("move it out, or write a closure: `let policy = |m| …;`".into()),
        ),
        P::ExprTooDeep => (
            &rules::SYNTAX,
            "the expression is nested too deeply".into(),
            Some("take it apart: `let part = …;`".into()),
        ),
        P::UnexpectedEOF => {
            (&rules::UNFINISHED, "the script ends in the middle of something".into(), Some("is a bracket open?".into()))
        }
        P::BadInput(LexError::UnterminatedString) => {
            (&rules::UNFINISHED, "a text is not closed".into(), Some("close it with the quote it began with".into()))
        }
        P::MissingToken(token, _) if token == ";" || token == "," => (&rules::MISSING_SEPARATOR, shown(error), None),
        other => (&rules::SYNTAX, shown(other), None),
    }
}

/// Names declared anywhere in `text`: the unknown one is most often a slip.
fn variable_help(name: &str, text: &str) -> Option<String> {
    let tokens = tokens(text);
    let is_name = |token: &Token<'_>| token.kind == Kind::Word;
    let declared = |pair: &[Token<'_>]| pair[0].is_any(&["let", "const", "for", "fn", "as"]) && is_name(&pair[1]);
    let mut names: Vec<&str> = tokens.windows(2).filter(|pair| declared(pair)).map(|pair| pair[1].text).collect();
    if tokens.windows(2).any(|pair| pair[0].is_any(&["let", "const"]) && pair[1].is(name)) {
        let help = "it is not known at this place; a function written with `fn` does not see the variables of the \
                    top: hand it over as a parameter, or write a closure `|x| …`";
        return Some(help.into());
    }
    // Parameters: names between bars, and those behind `fn name(`.
    for (at, token) in tokens.iter().enumerate() {
        let opens = token.is("|") || (at > 1 && token.is("(") && tokens[at - 2].is("fn"));
        if opens {
            let within = tokens[at + 1..].iter().take_while(|token| is_name(token) || token.is(","));
            names.extend(within.filter(|token| is_name(token)).map(|token| token.text));
        }
    }
    names.retain(|known| *known != name);
    did_you_mean(name, names)
}

/// A separator that is missing is missing behind what came before, not before what comes next.
fn separator(plain: Refusal, separator: &str, text: &str) -> Refusal {
    let tokens = tokens(text);
    let Some(before) = tokens.iter().take_while(|token| (token.line, token.column) < plain.at).last() else {
        return plain;
    };
    let end = before.end();
    let at = if end.0 < plain.at.0 { end } else { plain.at };
    let what = if separator == ";" { "the statement" } else { "the entry" };
    let help = plain.help.or_else(|| Some(format!("end {what} before with `{separator}`")));
    Refusal { help, at, ..plain }
}

/// Says which bracket is still open.
fn unfinished(plain: Refusal, text: &str) -> Refusal {
    let tokens = tokens(text);
    let mut open: Vec<&Token<'_>> = Vec::new();
    for token in &tokens {
        if token.is_any(&["{", "#{", "(", "["]) {
            open.push(token);
        } else if token.is_any(&["}", ")", "]"]) {
            open.pop();
        }
    }
    let Some(last) = open.last() else { return plain };
    let help = format!("the `{}` at line {}, column {} is not closed", last.text, last.line, last.column);
    Refusal { help: Some(help), ..plain }
}
