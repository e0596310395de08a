//! Owns text in markup: whatever a script, a file or a server wrote stands in a picture as it was written,
//! and never as a part of the page.

use crate::secret::scrub;

/// `text` for an element or a quoted attribute: what means something in markup is escaped, what may not
/// stand in it is marked, and secrets are left out.
pub(super) fn text(text: &str) -> String {
    let text = scrub(text);
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(c),
            // No document of XML may hold these, and text that turns its direction could pose as other text.
            c if c.is_control() || is_of_direction(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

fn is_of_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A coordinate: to a tenth of a pixel, as short as can be.
pub(super) fn at(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_written_becomes_a_part_of_the_page() {
        assert_eq!(
            text("<script>alert('a' & \"b\")</script>"),
            "&lt;script&gt;alert(&#39;a&#39; &amp; &quot;b&quot;)&lt;/script&gt;"
        );
        assert_eq!(text("a\u{1b}[31m\u{0}\u{202e}b\nü 5 ≥ 4"), "a\u{fffd}[31m\u{fffd}\u{fffd}b\nü 5 ≥ 4");
        assert_eq!(text("a\rb\u{85}\u{ffff}"), "a\u{fffd}b\u{fffd}\u{fffd}");
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!([1.0, 1.04, 1.06, -0.5, 100.0].map(at), ["1", "1", "1.1", "-0.5", "100"]);
    }
}
