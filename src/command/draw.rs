//! Owns how diagnostics look: the source line with a caret and the mend, coloured on a terminal only.

use annotate_snippets::{AnnotationKind, Element, Group, Level, Renderer, Snippet};

use crate::script::SourceFile;
use crate::secret::{blot, scrub};
use crate::settings::{Diagnostic, Place, Report, Severity};

/// Prints everything in `report` on standard error, errors last: they are what a reader looks for.
pub fn print(report: &Report, files: &[SourceFile]) {
    let mut diagnostics: Vec<&Diagnostic> = report.diagnostics().iter().collect();
    diagnostics.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.severity));
    for diagnostic in diagnostics {
        anstream::eprintln!("{}", draw(diagnostic, files, true));
    }
}

/// One diagnostic, drawn. `styled` adds ANSI colours.
#[must_use]
pub fn draw(diagnostic: &Diagnostic, files: &[SourceFile], styled: bool) -> String {
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let message = scrub(&diagnostic.message);
    let help = diagnostic.help.as_deref().map(scrub);
    let mut elements: Vec<Element<'_>> = Vec::new();
    let file = diagnostic.place.as_ref().and_then(|place| files.iter().find(|file| file.name == place.file));
    let source = file.map_or("", |file| &*file.text);
    // A key that is written in the script does not belong in the log of a build.
    let shown = blot(source);
    if let Some(place) = &diagnostic.place {
        let snippet = Snippet::source(&*shown).path(place.file.to_string());
        elements.push(match span(source, place) {
            Some(span) => snippet.annotation(AnnotationKind::Primary.span(span)).into(),
            None => annotate_snippets::Origin::path(place.to_string()).into(),
        });
    }
    if let Some(help) = &help {
        elements.push(Level::HELP.message(help.as_ref()).into());
    }
    let title = level.primary_title(message.as_ref());
    let title = diagnostic.rule.map_or(title.clone(), |rule| title.id(rule.id));
    let group: Group<'_> = title.elements(elements);
    renderer.render(&[group])
}

/// The bytes of the word at `place`, where the place is known to the column.
fn span(source: &str, place: &Place) -> Option<std::ops::Range<usize>> {
    let line_index = usize::try_from(place.line).ok()?.checked_sub(1)?;
    let column_index = usize::try_from(place.column).ok()?.checked_sub(1)?;
    let line = source.split('\n').nth(line_index)?;
    let line_start: usize = source.split('\n').take(line_index).map(|line| line.len() + 1).sum();
    if column_index == line.chars().count() {
        // Behind the last character: something is missing there.
        let end = line_start + line.len();
        return Some(end..end);
    }
    let (offset, _) = line.char_indices().nth(column_index)?;
    let rest = &line[offset..];
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let length = if word > 0 {
        word
    } else if let Some(quoted) = rest.strip_prefix('"').and_then(|inner| inner.find('"')) {
        quoted + 2
    } else {
        rest.chars().next().map_or(0, char::len_utf8)
    };
    let start = line_start + offset;
    (length > 0).then(|| start..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_line_is_shown_with_a_caret_and_the_mend() {
        let files = [SourceFile {
            path: "a.rhai".into(),
            name: "a.rhai".into(),
            text: "pipeline(\"wéb\", #{\n    mesure: 1,\n});\n".into(),
        }];
        let diagnostic = Diagnostic {
            rule: None,
            severity: Severity::Error,
            place: Some(Place { file: "a.rhai".into(), line: 2, column: 5 }),
            message: "unknown setting `mesure`".into(),
            help: Some("did you mean `measure`?".into()),
        };
        let expected = "error: unknown setting `mesure`\n --> a.rhai:2:5\n  |\n2 |     mesure: 1,\n  |     ^^^^^^\n  |\n  = help: did you mean `measure`?";
        assert_eq!(draw(&diagnostic, &files, false), expected);
    }

    #[test]
    fn a_place_outside_the_text_is_named_all_the_same() {
        let diagnostic = Diagnostic {
            rule: None,
            severity: Severity::Error,
            place: Some(Place::file("gone.rhai")),
            message: "no such file".into(),
            help: None,
        };
        assert_eq!(draw(&diagnostic, &[], false), "error: no such file\n--> gone.rhai");
    }
}
