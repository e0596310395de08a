//! Owns words of other languages.

use super::tokens::Kind;
use super::{Habit, Look};
use crate::rules;

/// Whether the token stands as a word of its own: no property, no key.
pub(super) fn stands_alone(look: Look<'_>) -> bool {
    let key = look.on(1).is_some_and(|next| next.is(":"));
    look.token().kind == Kind::Word && !key && !look.back(1).is_some_and(|before| before.is_any(&[".", "?.", "::"]))
}

pub(super) fn else_if(look: Look<'_>) -> Option<Habit> {
    let word = look.token();
    let found = word.is_any(&["elif", "elsif", "elseif", "elseIf"]) && stands_alone(look);
    found
        .then(|| look.found(&rules::ELSE_IF, format!("`{}` is no word of this language", word.text), "write `else if`"))
}

pub(super) fn truth(look: Look<'_>) -> Option<Habit> {
    let word = look.token();
    let right = match word.text {
        "True" | "TRUE" => "true",
        "False" | "FALSE" => "false",
        _ => return None,
    };
    let message = format!("`{}` is no word of this language", word.text);
    stands_alone(look).then(|| look.found(&rules::TRUTH_WORD, message, format!("write `{right}`")))
}

pub(super) fn nothing(look: Look<'_>) -> Option<Habit> {
    let word = look.token();
    let found = word.is_any(&["None", "nil", "null", "NULL", "undefined"]) && stands_alone(look);
    let message = format!("`{}` is no word of this language", word.text);
    found.then(|| look.found(&rules::NOTHING_WORD, message, "a missing value is `()`: write `x == ()`, or `x ?? 0.0`"))
}

pub(super) fn logic(look: Look<'_>) -> Option<Habit> {
    let word = look.token();
    let right = match word.text {
        "and" | "AND" => "&&",
        "or" | "OR" => "||",
        "not" | "NOT" => "!",
        _ => return None,
    };
    let message = format!("`{}` is no word of this language", word.text);
    stands_alone(look).then(|| look.found(&rules::LOGIC_WORD, message, format!("write `{right}`")))
}

pub(super) fn lambda(look: Look<'_>) -> Option<Habit> {
    let word = look.token();
    let parameter = |by| look.back(by).filter(|token| token.kind == Kind::Word).map_or("m", |token| token.text);
    if word.is("lambda") && stands_alone(look) {
        let parameter = look.on(1).filter(|token| token.kind == Kind::Word).map_or("", |token| token.text);
        let message = "`lambda` is no word of this language";
        return Some(look.found(&rules::LAMBDA, message, format!("write `|{parameter}| …`")));
    }
    if word.is_any(&["function", "func", "fn"]) && look.on(1).is_some_and(|next| next.is("(")) {
        let parameter = look.on(2).filter(|token| token.kind == Kind::Word).map_or("", |token| token.text);
        let message = "a function without a name is written with bars";
        return Some(look.found(&rules::LAMBDA, message, format!("write `|{parameter}| …`")));
    }
    let arrow = [look.on(1), look.on(2)].map(|token| token.is_some_and(|token| token.is_any(&["=>", "->"])));
    if let (Kind::Word, Some(")"), [false, true]) = (word.kind, look.on(1).map(|next| next.text), arrow) {
        let help = format!("write `|{}| …`", word.text);
        return Some(look.found(&rules::LAMBDA, "a function is not written with an arrow", help));
    }
    let arms = |at: usize| look.tokens[..at].iter().rev().take(8).any(|token| token.is("switch"));
    let within_switch = || look.bracket().is_some_and(|at| look.tokens[at].is("{") && arms(at));
    if word.is_any(&["=>", "->"]) && !within_switch() {
        let by = if look.back(1).is_some_and(|token| token.is(")")) { 2 } else { 1 };
        let help = format!("write `|{}| …`", parameter(by));
        return Some(look.found(&rules::LAMBDA, "a function is not written with an arrow", help));
    }
    None
}

pub(super) fn function(look: Look<'_>) -> Option<Habit> {
    let word = look.token();
    let name = look.on(1).filter(|name| name.kind == Kind::Word)?;
    let found = word.is_any(&["def", "function", "func", "fun"]) && stands_alone(look);
    let message = format!("`{}` is no word of this language", word.text);
    found.then(|| look.found(&rules::FUNCTION_WORD, message, format!("write `fn {}(…) {{ … }}`", name.text)))
}

pub(super) fn import(look: Look<'_>) -> Option<Habit> {
    let word = look.token();
    let next = look.on(1)?;
    let help = "imports are written `import \"lib/policies\" as policies;`";
    if word.is("import") && next.kind == Kind::Word {
        let from = look.on(2).filter(|word| word.is("from")).and(look.on(3)).filter(|path| path.kind == Kind::Text);
        let language = if from.is_some() { "JavaScript" } else { "another language" };
        let message = format!("`import {}` is an import of {language}", next.text);
        let help = match from {
            Some(path) => format!("write `import {} as {};`", path.text, next.text),
            None => format!("leave it out; {help}"),
        };
        let rule = if from.is_some() { &rules::JAVASCRIPT_IMPORT } else { &rules::PYTHON_IMPORT };
        return Some(look.found(rule, message, help));
    }
    if word.is("import") && next.is_any(&["{", "*"]) {
        return Some(look.found(&rules::JAVASCRIPT_IMPORT, "this is an import of JavaScript", help));
    }
    let environment = next.is(".") && look.on(2).is_some_and(|third| third.is_any(&["environ", "getenv", "env"]));
    if word.is_any(&["os", "process"]) && environment {
        let (rule, language) = if word.is("process") {
            (&rules::JAVASCRIPT_IMPORT, "JavaScript")
        } else {
            (&rules::PYTHON_IMPORT, "Python")
        };
        let message = format!("`{}` is of {language}", word.text);
        return Some(look.found(rule, message, "write `env::secret(\"NAME\")` or `env::get(\"NAME\")`"));
    }
    let from = word.is("from") && look.on(2).is_some_and(|third| third.is("import"));
    from.then(|| look.found(&rules::PYTHON_IMPORT, "`from … import` is an import of another language", help))
}

pub(super) fn variable(look: Look<'_>) -> Option<Habit> {
    let word = look.token();
    if word.kind != Kind::Word || !stands_alone(look) {
        return None;
    }
    let next = look.on(1);
    let name = next.filter(|name| name.kind == Kind::Word);
    if let (true, Some(name)) = (word.is_any(&["var", "mut"]), name) {
        let message = format!("`{}` is no word of this language", word.text);
        return Some(look.found(&rules::VARIABLE_WORD, message, format!("write `let {} = …`", name.text)));
    }
    let first = look.back(1).is_none_or(|before| before.is_any(&[";", "{", "}"]) || before.line < word.line);
    let set = next.is_some_and(|next| next.is_any(&["=", ":="]));
    let known =
        look.tokens[..look.at].windows(2).any(|pair| pair[0].is_any(&["let", "const"]) && pair[1].is(word.text));
    let found = first && set && !known && !word.is_any(&["let", "const", "this"]);
    let message = format!("`{}` is not declared", word.text);
    found.then(|| look.found(&rules::VARIABLE_WORD, message, format!("write `let {} = …`", word.text)))
}
