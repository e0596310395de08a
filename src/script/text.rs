//! Owns looking at script text without parsing it: where an expression ends, which functions a file
//! defines. It knows strings and comments, and nothing else of the language.

/// The length in bytes of the expression that `text` starts with: up to the first `,` `;` or closing
/// bracket outside of all brackets, strings and comments. A block `{ … }` ends with its bracket.
pub(super) fn extent(text: &str) -> usize {
    let mut depth = 0_usize;
    let block = text.starts_with('{');
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let here = text.len() - rest.len();
        let skipped = skip(rest);
        if skipped > 0 {
            rest = &rest[skipped..];
            continue;
        }
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' | ',' | ';' if depth == 0 => return here,
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 && block {
                    return here + 1;
                }
            }
            _ => {}
        }
        rest = &rest[character.len_utf8()..];
    }
    text.len()
}

/// The length of the string or comment that `text` starts with; 0 where it starts with neither.
pub(super) fn skip(text: &str) -> usize {
    let until = |start: usize, end: &str| text[start..].find(end).map_or(text.len(), |at| start + at + end.len());
    if text.starts_with("//") {
        return until(2, "\n");
    }
    if text.starts_with("/*") {
        return until(2, "*/");
    }
    match text.chars().next() {
        Some(quote @ ('"' | '`' | '\'')) => {
            let mut escaped = false;
            for (at, character) in text.char_indices().skip(1) {
                match character {
                    _ if escaped => escaped = false,
                    '\\' if quote != '`' => escaped = true,
                    _ if character == quote => return at + 1,
                    _ => {}
                }
            }
            text.len()
        }
        _ => 0,
    }
}

/// Where a comment `/* …` begins that is not closed, in bytes: the language takes the rest of the file for it.
pub(super) fn open_comment(text: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let rest = &text[at..];
        let skipped = skip(rest);
        if rest.starts_with("/*") && (skipped < 4 || !rest[..skipped].ends_with("*/")) {
            return Some(at);
        }
        at += skipped.max(character.len_utf8());
    }
    None
}

/// `text` without the blanks and comments that it starts with.
pub(super) fn after_blanks(text: &str) -> &str {
    let mut rest = text.trim_start();
    while rest.starts_with("//") || rest.starts_with("/*") {
        rest = rest[skip(rest)..].trim_start();
    }
    rest
}

/// The names behind every `fn` in `text` (in comments too, which does no harm).
pub(super) fn functions(text: &str) -> Vec<&str> {
    let word = |character: char| character.is_alphanumeric() || character == '_';
    let mut found = Vec::new();
    for (at, _) in text.match_indices("fn ") {
        if text[..at].chars().next_back().is_some_and(word) {
            continue;
        }
        let rest = text[at + 3..].trim_start();
        let name = &rest[..rest.find(|character| !word(character)).unwrap_or(rest.len())];
        if name.chars().next().is_some_and(|first| !first.is_ascii_digit()) {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_ends_at_the_first_separator_outside_of_everything() {
        assert_eq!(&"a + f(b, \"),\") , c"[..extent("a + f(b, \"),\") , c")], "a + f(b, \"),\") ");
        assert_eq!(
            &"{ if a { 1 } /* } */ else { 2 } }, b"[..extent("{ if a { 1 } /* } */ else { 2 } }, b")].len(),
            &33
        );
        assert_eq!(extent("x"), 1);
    }

    #[test]
    fn function_names_are_found() {
        assert_eq!(functions("fn a(x) {} private fn b2() {} let defn = 1; // fn c"), ["a", "b2", "c"]);
    }
}
