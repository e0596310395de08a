//! Owns findings as commands of a GitHub workflow (`::error file=…,line=…,col=…::…`), which become
//! annotations of a pull request. Source: GitHub's "Workflow commands for GitHub Actions".

use std::fmt::Write;

use crate::secret::scrub;
use crate::settings::{Diagnostic, Report, Severity};

/// One command a line.
#[must_use]
pub fn commands(report: &Report) -> String {
    let mut commands = String::new();
    for diagnostic in report.diagnostics() {
        command(&mut commands, diagnostic);
    }
    commands
}

fn command(out: &mut String, diagnostic: &Diagnostic) {
    let name = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some(place) = &diagnostic.place {
        properties.push(format!("file={}", property(&place.file)));
        let numbers = [("line", place.line), ("col", place.column)];
        properties.extend(numbers.iter().filter(|(_, at)| *at > 0).map(|(name, at)| format!("{name}={at}")));
    }
    properties.extend(diagnostic.rule.map(|rule| format!("title={}", rule.id)));
    let mut message = scrub(&diagnostic.message).into_owned();
    if let Some(help) = &diagnostic.help {
        message = format!("{message}\n{}", scrub(help));
    }
    let space = if properties.is_empty() { "" } else { " " };
    // Writing to a text cannot fail.
    let _ = writeln!(out, "::{name}{space}{}::{}", properties.join(","), data(&message));
}

/// What stands behind the last `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property ends at a comma or a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;
    use crate::settings::Place;

    #[test]
    fn one_command_a_line_with_everything_escaped() {
        let mut report = Report::default();
        let place = Place { file: "a,b.rhai".into(), line: 3, column: 5 };
        report.say(&rules::UNKNOWN_SETTING, Some(&place), "50 % wrong", "did you mean\n`x`?".to_owned());
        report.note("needs KEY");
        assert_eq!(
            commands(&report),
            "::error file=a%2Cb.rhai,line=3,col=5,title=unknown-setting::50 %25 wrong%0Adid you mean%0A`x`?\n\
             ::notice::needs KEY\n"
        );
    }
}
