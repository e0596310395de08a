//! Owns the mistakes of hand-written dictionaries that have one sure mend: a `=` for a `:`, a comma that is
//! missing, `//` for `#`. It changes no line that has none, and says every change.

use ruff_python_ast::token::{Token, TokenKind};
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use ruff_text_size::Ranged;

use super::limits::{self, Beyond};

/// A mistake and its mend.
#[derive(Debug, PartialEq, Eq)]
pub struct Mend {
    /// Where it stands, in bytes of the text as it came.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to write.
    pub help: String,
}

/// `text` with everything mended that has a sure mend, and what that was, in order.
///
/// # Errors
/// What a comment had hidden is beyond a limit.
pub fn mend(text: &str) -> Result<(String, Vec<Mend>), Beyond> {
    let mut mends = Vec::new();
    // As long as before: later places stay what they are.
    let mut mended = slashes(text, &mut mends)?;
    let tokens = significant(&mended);
    let mut inserts: Vec<usize> = Vec::new();
    let mut replaced: Vec<usize> = Vec::new();
    let mut open: Vec<TokenKind> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let behind = index.checked_sub(1).and_then(|at| tokens.get(at));
        if let (Some(behind), Some(inner)) = (behind, open.last()) {
            let next = tokens.get(index + 1).map(Token::kind);
            let word = |token: &Token| mended.get(token.start().to_usize()..token.end().to_usize()).unwrap_or_default();
            if *inner == TokenKind::Lbrace && token.kind() == TokenKind::Equal && behind.kind() == TokenKind::String {
                let key = word(behind);
                mends.push(Mend {
                    offset: token.start().to_usize(),
                    message: format!("between a key and its value stands `:`, not `=`, behind {key}"),
                    help: format!("write `{key}: …`"),
                });
                replaced.push(token.start().to_usize());
            } else if lacks_comma(&mended, *inner, behind, token, next) {
                let end = behind.end().to_usize();
                mends.push(Mend {
                    offset: end,
                    message: format!("a comma is missing here, before {}", shortened(word(token))),
                    help: format!("write `{},`", shortened(word(behind))),
                });
                inserts.push(end);
            }
        }
        match token.kind() {
            TokenKind::Lbrace | TokenKind::Lsqb | TokenKind::Lpar => open.push(token.kind()),
            TokenKind::Rbrace | TokenKind::Rsqb | TokenKind::Rpar => {
                open.pop();
            }
            _ => {}
        }
    }
    for at in replaced {
        mended.replace_range(at..=at, ":");
    }
    for at in inserts.into_iter().rev() {
        mended.insert(at, ',');
    }
    mends.sort_by_key(|mend| mend.offset);
    Ok((mended, mends))
}

/// The tokens of `text` but for line ends within brackets and comments.
fn significant(text: &str) -> Vec<Token> {
    let parsed = parse_unchecked(text, ParseOptions::from(Mode::Module));
    let trivia = [TokenKind::Comment, TokenKind::NonLogicalNewline];
    parsed.tokens().iter().filter(|token| !trivia.contains(&token.kind())).copied().collect()
}

/// Comments as other languages begin them, within brackets: as the documentation itself does.
fn slashes(text: &str, mends: &mut Vec<Mend>) -> Result<String, Beyond> {
    let mut mended = text.to_owned();
    // Each may hide a quote that everything behind it is misread by: one at a time.
    while let Some(at) = first_slashes(&mended) {
        mends.push(Mend {
            offset: at, message: "`//` begins no comment in Python".into(), help: "write `# …`".into()
        });
        mended.replace_range(at..at + 2, "# ");
        limits::check(&mended)?;
        if mends.len() >= MOST {
            break;
        }
    }
    Ok(mended)
}

/// More comments than this are not mended: such a file is no Python at all.
const MOST: usize = 100;

fn first_slashes(text: &str) -> Option<usize> {
    let tokens = significant(text);
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind() {
            TokenKind::Lbrace | TokenKind::Lsqb | TokenKind::Lpar => depth += 1,
            TokenKind::Rbrace | TokenKind::Rsqb | TokenKind::Rpar => depth = depth.saturating_sub(1),
            TokenKind::DoubleSlash if depth > 0 => {
                let behind = index.checked_sub(1).and_then(|at| tokens.get(at)).map(Token::kind);
                // A division has a number before it.
                let begins = [TokenKind::Comma, TokenKind::Lbrace, TokenKind::Lsqb, TokenKind::Rbrace, TokenKind::Rsqb];
                if behind.is_some_and(|kind| begins.contains(&kind)) {
                    return Some(token.start().to_usize());
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a comma is missing between `behind` and `token`, in a bracket that `inner` opened.
fn lacks_comma(text: &str, inner: TokenKind, behind: &Token, token: &Token, next: Option<TokenKind>) -> bool {
    let ends = [
        TokenKind::String,
        TokenKind::Int,
        TokenKind::Float,
        TokenKind::Name,
        TokenKind::True,
        TokenKind::False,
        TokenKind::None,
        TokenKind::Rbrace,
        TokenKind::Rsqb,
        TokenKind::Rpar,
    ];
    if !ends.contains(&behind.kind()) {
        return false;
    }
    let between = text.get(behind.end().to_usize()..token.start().to_usize()).unwrap_or_default();
    match inner {
        // A key follows: its colon tells.
        TokenKind::Lbrace => {
            token.kind() == TokenKind::String && matches!(next, Some(TokenKind::Colon | TokenKind::Equal))
        }
        // Two values on two lines. Two texts side by side are one text in Python: only two names of classes are
        // surely two.
        TokenKind::Lsqb if between.contains('\n') => match (behind.kind(), token.kind()) {
            (TokenKind::String, TokenKind::String) => names_class(text, behind) && names_class(text, token),
            (_, kind) => [TokenKind::String, TokenKind::Lbrace, TokenKind::Lsqb].contains(&kind),
        },
        _ => false,
    }
}

/// Whether a text is a dotted path as of a class.
fn names_class(text: &str, token: &Token) -> bool {
    let written = text.get(token.start().to_usize()..token.end().to_usize()).unwrap_or_default();
    let inner = written.trim_matches(['\'', '"']);
    inner.contains('.') && inner.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_')
}

fn shortened(word: &str) -> String {
    const MOST_SHOWN: usize = 80;
    if word.chars().count() <= MOST_SHOWN { word.to_owned() } else { "…".to_owned() }
}
