//! Owns findings as a SARIF 2.1.0 log, which code scanning and editors read. Source: OASIS "Static
//! Analysis Results Interchange Format (SARIF) Version 2.1.0", sections 3.13 to 3.52.

use serde_json::{Map, Value as Json, json};

use crate::rules;
use crate::secret::scrub;
use crate::settings::{Diagnostic, Place, Report, Severity};

/// The log.
#[must_use]
pub fn log(report: &Report) -> Json {
    let rules: Vec<Json> = rules::all()
        .map(|rule| {
            json!({
                "id": rule.id,
                "shortDescription": { "text": rule.title },
                "fullDescription": { "text": rule.doc },
                "defaultConfiguration": { "level": level(rule.severity) },
            })
        })
        .collect();
    let driver = json!({ "name": "autoscaler", "version": env!("CARGO_PKG_VERSION"), "rules": rules });
    let results: Vec<Json> = report.diagnostics().iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": driver }, "columnKind": "unicodeCodePoints", "results": results }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn result(diagnostic: &Diagnostic) -> Json {
    let mut text = scrub(&diagnostic.message).into_owned();
    if let Some(help) = &diagnostic.help {
        text = format!("{text} ({})", scrub(help));
    }
    let mut result = Map::new();
    if let Some(rule) = diagnostic.rule {
        result.insert("ruleId".into(), rule.id.into());
        result.insert("ruleIndex".into(), rules::all().position(|known| known == rule).into());
    }
    result.insert("level".into(), level(diagnostic.severity).into());
    result.insert("message".into(), json!({ "text": text }));
    let locations: Vec<Json> = diagnostic.place.iter().map(location).collect();
    result.insert("locations".into(), locations.into());
    Json::Object(result)
}

fn location(place: &Place) -> Json {
    let mut physical = json!({ "artifactLocation": { "uri": uri(&place.file) } });
    if place.line > 0 {
        physical["region"] = json!({ "startLine": place.line });
        if place.column > 0 {
            physical["region"]["startColumn"] = place.column.into();
        }
    }
    json!({ "physicalLocation": physical })
}

/// A path as a URI reference: relative ones stay so, which is what code scanning wants.
fn uri(path: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');
    let encoded = percent_encoding::utf8_percent_encode(path, KEPT).to_string();
    if path.starts_with('/') { format!("file://{encoded}") } else { encoded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_has_its_rules_results_and_places() {
        let mut report = Report::default();
        let place = Place { file: "my scripts/a.rhai".into(), line: 3, column: 5 };
        report.say(&rules::UNKNOWN_SETTING, Some(&place), "unknown setting `x`", "did you mean `y`?".to_owned());
        report.warning(Some(&Place::file("/b.rhai")), "doubtful", None);
        let log = log(&report);
        assert_eq!(log["version"], "2.1.0");
        let results = &log["runs"][0]["results"];
        let rule = results[0]["ruleIndex"].as_u64().and_then(|at| usize::try_from(at).ok()).expect("an index");
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][rule]["id"], "unknown-setting");
        assert_eq!(
            results[0],
            json!({
                "ruleId": "unknown-setting",
                "ruleIndex": rule,
                "level": "error",
                "message": { "text": "unknown setting `x` (did you mean `y`?)" },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": "my%20scripts/a.rhai" },
                    "region": { "startLine": 3, "startColumn": 5 },
                } }],
            })
        );
        assert_eq!(results[1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "file:///b.rhai");
    }
}
