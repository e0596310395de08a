//! Owns test results as JUnit's XML, in the shape that build servers read: a suite per file, a case per
//! test, a failure with its place and both values.

use std::io::Write;

use super::draw;
use super::verdicts::{FileVerdicts, Verdicts};
use crate::settings::Severity;

/// Writes all of them as one document.
pub(super) fn write(out: &mut impl Write, verdicts: &Verdicts) -> std::io::Result<()> {
    let (failed, errors) = (verdicts.failed(), verdicts.unloaded() + usize::from(verdicts.report.has_errors()));
    let tests = verdicts.passed() + failed + errors;
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    let took = verdicts.took.as_secs_f64();
    writeln!(out, "<testsuites tests=\"{tests}\" failures=\"{failed}\" errors=\"{errors}\" time=\"{took:.3}\">")?;
    for file in &verdicts.files {
        suite(out, file)?;
    }
    if verdicts.report.has_errors() {
        let text = escaped(&verdicts.report.to_string());
        writeln!(out, "  <testsuite name=\"autoscaler test\" tests=\"1\" failures=\"0\" errors=\"1\">")?;
        writeln!(out, "    <testcase classname=\"autoscaler test\" name=\"paths\">")?;
        writeln!(out, "      <error message=\"{text}\" type=\"error\"/>\n    </testcase>\n  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn suite(out: &mut impl Write, file: &FileVerdicts) -> std::io::Result<()> {
    let name = escaped(&file.name);
    let errors = usize::from(file.report.has_errors());
    let failed = file.verdicts.iter().filter(|verdict| verdict.fault.is_some()).count();
    let took: f64 = file.verdicts.iter().map(|verdict| verdict.took.as_secs_f64()).sum();
    let tests = file.verdicts.len() + errors;
    let counts = format!("tests=\"{tests}\" failures=\"{failed}\" errors=\"{errors}\" time=\"{took:.3}\"");
    writeln!(out, "  <testsuite name=\"{name}\" {counts}>")?;
    if errors > 0 {
        let said = file.report.diagnostics().iter().filter(|said| said.severity == Severity::Error);
        let texts: Vec<String> = said.map(|said| draw::draw(said, &file.sources, false)).collect();
        writeln!(out, "    <testcase classname=\"{name}\" name=\"load\" file=\"{name}\">")?;
        writeln!(out, "      <error message=\"the script does not load\" type=\"error\">")?;
        writeln!(out, "{}</error>\n    </testcase>", escaped(&texts.join("\n\n")))?;
    }
    for verdict in &file.verdicts {
        let (test, line, took) = (escaped(&verdict.name), verdict.place.line, verdict.took.as_secs_f64());
        write!(out, "    <testcase classname=\"{name}\" name=\"{test}\" file=\"{name}\" line=\"{line}\"")?;
        write!(out, " time=\"{took:.3}\">")?;
        if let (Some(fault), Some(diagnostic)) = (&verdict.fault, verdict.diagnostic()) {
            let mut drawn = draw::draw(&diagnostic, &file.sources, false);
            for state in &fault.states {
                drawn = format!("{drawn}\n{state}");
            }
            let message = escaped(&fault.message);
            writeln!(out, "\n      <failure message=\"{message}\" type=\"assertion\">")?;
            write!(out, "{}</failure>", escaped(&drawn))?;
        }
        if !verdict.said.is_empty() {
            let said = crate::secret::scrub(&verdict.said.join("\n")).into_owned();
            write!(out, "\n      <system-out>{}</system-out>", escaped(&said))?;
        }
        writeln!(out, "</testcase>")?;
    }
    writeln!(out, "  </testsuite>")
}

/// `text` as XML text or attribute, without what XML cannot hold at all.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => escaped.push(character),
            _ => escaped.push('\u{fffd}'),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(escaped("a<b & \"c\"\u{1b}[0m\u{ffff}é"), "a&lt;b &amp; &quot;c&quot;\u{fffd}[0m\u{fffd}é");
    }
}
