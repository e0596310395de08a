//! Owns how deep and how long what is handed to the parser may be: it is asked of the tokens, before anything
//! that calls itself meets them.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer};

use super::super::value::DEEPEST;

/// The most tokens between two commas or line ends: a chain such as `1 + 1 + …` nests one level each.
const LONGEST_CHAIN: usize = 1_000;

/// What is beyond a limit, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Beyond {
    /// The byte behind the word that is too much.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
}

/// Whether the parser may have `text`.
///
/// # Errors
/// What is beyond a limit.
pub fn check(text: &str) -> Result<(), Beyond> {
    let Some(message) = beyond(text) else { return Ok(()) };
    // The lexer does not tell where it is: the shortest beginning that is too much ends there.
    let (mut fits, mut fails) = (0, text.len());
    while fails - fits > 1 {
        let middle = text.floor_char_boundary(usize::midpoint(fits, fails));
        if middle == fits {
            break;
        }
        if beyond(&text[..middle]).is_some() {
            fails = middle;
        } else {
            fits = middle;
        }
    }
    Err(Beyond { offset: fits, message })
}

/// What is too much in `text`.
fn beyond(text: &str) -> Option<String> {
    let mut lexer = lexer::lex(text, Mode::Module);
    let mut blocks = 0_usize;
    // The length of the expression so far, for every bracket that is open.
    let mut open = vec![0_usize];
    loop {
        match lexer.next_token() {
            TokenKind::EndOfFile => return None,
            TokenKind::Newline => {
                open = vec![0];
                continue;
            }
            TokenKind::NonLogicalNewline | TokenKind::Comment => continue,
            TokenKind::Indent => blocks += 1,
            TokenKind::Dedent => blocks = blocks.saturating_sub(1),
            TokenKind::Comma | TokenKind::Semi => {
                if let Some(length) = open.last_mut() {
                    *length = 0;
                }
                continue;
            }
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => open.push(0),
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace | TokenKind::FStringEnd | TokenKind::TStringEnd
                if open.len() > 1 =>
            {
                open.pop();
            }
            _ => {}
        }
        if open.len() > DEEPEST || blocks > DEEPEST {
            return Some(format!("brackets or blocks stand more than {DEEPEST} deep within each other"));
        }
        let length = open.last_mut()?;
        *length += 1;
        if *length > LONGEST_CHAIN {
            return Some(format!("one expression is longer than {LONGEST_CHAIN} words"));
        }
    }
}
