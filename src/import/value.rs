//! Owns settings as they were written elsewhere, each with its place: what Python, YAML and JSON have in
//! common. It knows no setting.

/// Where something stands in the file that is read; counted from 1, columns in characters. JSON keeps no places:
/// there both are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// The line, or 0.
    pub line: u32,
    /// The column, or 0.
    pub column: u32,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its first character.
    pub at: At,
    /// The value.
    pub value: Value,
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `None`, `null`.
    Nothing,
    /// A flag.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list or a tuple.
    List(Vec<Node>),
    /// A dictionary, in its order.
    Map(Vec<Entry>),
    /// An environment variable that is read there.
    Variable(Variable),
    /// What only running the file would tell: why it cannot be read.
    Code(String),
}

/// One entry of a dictionary, or one name that a file sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub at: At,
    /// Its value.
    pub value: Node,
}

/// An environment variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What counts where it is not set.
    pub default: Option<Box<Node>>,
}

impl Node {
    /// A node.
    #[must_use]
    pub fn new(at: At, value: Value) -> Self {
        Self { at, value }
    }

    /// What it is, for a message.
    #[must_use]
    pub fn is(&self) -> &'static str {
        match &self.value {
            Value::Nothing => "None",
            Value::Flag(true) => "True",
            Value::Flag(false) => "False",
            Value::Whole(_) => "a whole number",
            Value::Number(_) => "a number with a fraction",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a dictionary",
            Value::Variable(_) => "an environment variable",
            Value::Code(_) => "code",
        }
    }

    /// How many values it is made of.
    #[must_use]
    pub fn size(&self) -> usize {
        1 + match &self.value {
            Value::List(nodes) => nodes.iter().map(Self::size).sum(),
            Value::Map(entries) => entries.iter().map(|entry| entry.value.size()).sum(),
            _ => 0,
        }
    }

    /// Its entries, where it is a dictionary.
    #[must_use]
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }
}

/// The value of `key`, whatever its case; the last one where it is there twice.
#[must_use]
pub fn find<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Entry> {
    entries.iter().rev().find(|entry| entry.key.eq_ignore_ascii_case(key))
}

/// As many values as a file of settings may come to, aliases and names of constants followed: a short file can
/// name its own parts a thousand million times.
pub const MOST_VALUES: usize = 100_000;

/// As deep as values may stand within each other.
pub const DEEPEST: usize = 64;

/// Lines and columns of a text by byte.
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Counts the lines of `text`.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The place of the character that begins at `offset`, or holds it.
    #[must_use]
    pub fn at(&self, offset: usize) -> At {
        let line = self.starts.partition_point(|&start| start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        let end = offset.min(self.text.len());
        let column = self.text.get(start..end).map_or(0, |before| before.chars().count());
        At { line: u32::try_from(line).unwrap_or(u32::MAX), column: u32::try_from(column + 1).unwrap_or(u32::MAX) }
    }
}
