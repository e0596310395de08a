//! Owns how an event reads as plain text: on one line, without control characters, and not endless.
//! The texts themselves come from the pipeline.

use std::fmt::Write as _;

use crate::pipeline::Event;

/// Longer texts are cut: a reason may quote a reply from outside.
const LONGEST: usize = 2_000;

/// `text` on one line: control characters (line ends and terminal escapes among them) become spaces,
/// and what is longer than 2,000 characters is cut.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(LONGEST));
    for (index, char) in text.trim().chars().enumerate() {
        if index == LONGEST {
            line.push('…');
            break;
        }
        // U+2028 and U+2029 end a line for many readers, and are no control characters to Unicode.
        let blank = char.is_control() || matches!(char, '\u{2028}' | '\u{2029}');
        if !blank {
            line.push(char);
        } else if !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// "web: Scaled to (3) dynos. (why)": pipeline, message, and the reason unless the message tells it.
#[must_use]
pub fn told(event: &Event) -> String {
    let mut line = String::new();
    if !event.pipeline.is_empty() {
        let _ = write!(line, "{}: ", event.pipeline);
    }
    line.push_str(&event.message);
    if let Some(reason) = further_reason(event) {
        let _ = write!(line, " ({reason})");
    }
    one_line(&line)
}

/// The reason, unless the message says it already.
#[must_use]
pub fn further_reason(event: &Event) -> Option<&str> {
    event.reason.as_deref().filter(|reason| !reason.is_empty() && !event.message.contains(reason))
}

#[cfg(test)]
mod tests {
    use super::super::testing::event;
    use super::*;
    use crate::pipeline::EventKind;

    #[test]
    fn a_line_is_one_line_and_no_terminal_command() {
        assert_eq!(one_line("\na\r\nBcc: x@y\u{1b}[31mb\u{2028}c\0"), "a Bcc: x@y [31mb c");
        assert_eq!(one_line(&"x".repeat(5_000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn the_reason_is_told_once() {
        let mut event = event("web", EventKind::Scaled);
        event.message = "Scaled to (3) dynos.".into();
        event.reason = Some("3 of 3 above 1000".into());
        assert_eq!(told(&event), "web: Scaled to (3) dynos. (3 of 3 above 1000)");
        event.message = "Failed since 3 of 3 above 1000".into();
        assert_eq!(told(&event), "web: Failed since 3 of 3 above 1000");
    }
}
