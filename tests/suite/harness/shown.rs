//! Owns the comparison of what a page shows with what a command says.

/// A line that stands for any lines, or within a line for any text.
const ANYTHING: &str = "…";

/// Whether `actual` is what `shown` shows.
pub fn lines_fit(shown: &[&str], actual: &[&str]) -> bool {
    match shown.split_first() {
        None => actual.is_empty(),
        Some((&ANYTHING, rest)) => (0..=actual.len()).any(|skip| lines_fit(rest, &actual[skip..])),
        Some((line, rest)) => {
            actual.split_first().is_some_and(|(first, others)| line_fits(line, first) && lines_fit(rest, others))
        }
    }
}

fn line_fits(shown: &str, actual: &str) -> bool {
    let Some((before, after)) = shown.split_once(ANYTHING) else { return shown.trim_end() == actual.trim_end() };
    actual.strip_prefix(before).is_some_and(|rest| {
        rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| line_fits(after, &rest[at..]))
    })
}

/// The sessions of a shown block: each command with the lines that are shown of its answer.
pub fn sessions(block: &str) -> Vec<(&str, Vec<&str>)> {
    let mut sessions: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), sessions.last_mut()) {
            (Some(command), _) => sessions.push((command, Vec::new())),
            (None, Some((_, shown))) => shown.push(line),
            (None, None) => panic!("output before a command: {line}"),
        }
    }
    sessions
}

/// `text` with every time and every duration the same, and without the machine's name.
pub fn timeless(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let length = rest[at..].find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(rest.len() - at);
        let (number, after) = rest[at..].split_at(length);
        out.push_str(&rest[..at]);
        let lasts = after.strip_prefix(" s").is_some_and(|more| !more.starts_with(char::is_alphanumeric));
        out.push_str(if number.contains(':') || lasts { "N" } else { number });
        rest = after;
    }
    out.push_str(rest);
    let words = out.split(' ').map(|word| match word.split_once('@') {
        Some((who, host)) => format!("{who}@{}", if host.ends_with(':') { ":" } else { "" }),
        None => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}
