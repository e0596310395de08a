//! Owns cutting script text into words, as tolerant of other languages as can be: nothing is refused.

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::script) enum Kind {
    /// A name or a word of the language.
    Word,
    /// A number.
    Number,
    /// `"…"` or `` `…` ``.
    Text,
    /// `'…'`
    Quoted,
    /// `# …` up to the end of the line.
    Hash,
    /// Anything else.
    Symbol,
}

/// One piece of text.
#[derive(Clone, Copy, Debug)]
pub(in crate::script) struct Token<'a> {
    pub(in crate::script) kind: Kind,
    pub(in crate::script) text: &'a str,
    /// Bytes before it.
    pub(in crate::script) offset: usize,
    /// From 1.
    pub(in crate::script) line: u32,
    /// From 1, in characters.
    pub(in crate::script) column: u32,
}

impl Token<'_> {
    /// Whether it is this word or symbol.
    pub(in crate::script) fn is(&self, text: &str) -> bool {
        self.text == text && matches!(self.kind, Kind::Word | Kind::Symbol)
    }

    /// Whether it is one of these words or symbols.
    pub(in crate::script) fn is_any(&self, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.is(text))
    }

    /// Where it ends; a token of several lines ends where its last line does.
    pub(in crate::script) fn end(&self) -> (u32, u32) {
        let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let breaks = u32::try_from(self.text.matches('\n').count()).unwrap_or(u32::MAX);
        match self.text.rsplit_once('\n') {
            Some((_, last)) => (self.line.saturating_add(breaks), count(last) + 1),
            None => (self.line, self.column + count(self.text)),
        }
    }
}

/// Symbols of several characters, longest first.
const SYMBOLS: &[&str] = &[
    "===", "!==", "**=", "..=", "<<=", ">>=", "=>", "->", "<-", "::", ":=", "<>", "&&", "||", "++", "--", "==", "!=",
    "<=", ">=", "??", "?.", "?[", "#{", "+=", "-=", "*=", "/=", "%=", "**", "..", "<<", ">>", "~=",
];

/// The tokens of `text`; comments of this language are left out.
pub(in crate::script) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut offset, mut line, mut column) = (0, 1, 1);
    while let Some(first) = text[offset..].chars().next() {
        let (kind, length) = next(&text[offset..], first);
        let piece = &text[offset..offset + length];
        if let Some(kind) = kind {
            tokens.push(Token { kind, text: piece, offset, line, column });
        }
        for character in piece.chars() {
            (line, column) = if character == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        offset += length;
    }
    tokens
}

/// What `rest` starts with, and how long that is in bytes; at least one character.
fn next(rest: &str, first: char) -> (Option<Kind>, usize) {
    let skipped = if first == '\'' { 0 } else { crate::script::text::skip(rest) };
    if first.is_whitespace() {
        return (None, first.len_utf8());
    }
    if skipped > 0 {
        return (rest.starts_with(['"', '`']).then_some(Kind::Text), skipped);
    }
    if first == '\'' {
        return (Some(Kind::Quoted), quoted(rest));
    }
    let line_end = rest.find('\n').unwrap_or(rest.len());
    if first == '#' && !rest.starts_with("#{") {
        return (Some(Kind::Hash), line_end);
    }
    let word = |character: char| character.is_alphanumeric() || character == '_';
    if word(first) {
        let end = rest.find(|character| !word(character)).unwrap_or(rest.len());
        return (Some(if first.is_ascii_digit() { Kind::Number } else { Kind::Word }), end);
    }
    let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
    (Some(Kind::Symbol), symbol.map_or(first.len_utf8(), |symbol| symbol.len()))
}

/// The length of `'…'`, which ends on its line: an apostrophe alone is one character.
fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            '\n' => break,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => return at + 1,
            _ => {}
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_texts_and_symbols_with_their_places() {
        let found: Vec<_> = tokens("let ä = 'ab'; // no\n  x=>\"#\" # yes\n#{")
            .into_iter()
            .map(|token| (token.kind, token.text, token.line, token.column))
            .collect();
        assert_eq!(
            found,
            [
                (Kind::Word, "let", 1, 1),
                (Kind::Word, "ä", 1, 5),
                (Kind::Symbol, "=", 1, 7),
                (Kind::Quoted, "'ab'", 1, 9),
                (Kind::Symbol, ";", 1, 13),
                (Kind::Word, "x", 2, 3),
                (Kind::Symbol, "=>", 2, 4),
                (Kind::Text, "\"#\"", 2, 6),
                (Kind::Hash, "# yes", 2, 10),
                (Kind::Symbol, "#{", 3, 1),
            ]
        );
    }
}
