//! Owns what the tests of this group share: an import in this process, and what it said.

use std::sync::Arc;

use autoscaler::import::{Form, Options, import};

/// The example of heroku-web-autoscale's documentation, as it is printed there: with its five slips.
pub const DOCUMENTED: &str = include_str!("documented.py");

/// What came of an import.
pub struct Came {
    /// The script, or nothing.
    pub script: Option<String>,
    /// Every line that was said: "settings.py:8:35: error: …".
    pub said: Vec<String>,
}

impl Came {
    /// The script, which must be there.
    #[track_caller]
    pub fn script(&self) -> &str {
        self.script.as_deref().unwrap_or_else(|| panic!("no script:\n{}", self.said.join("\n")))
    }

    /// Fails unless the script has every one of these lines, indentation apart, in this order.
    #[track_caller]
    pub fn has(&self, lines: &[&str]) {
        let script = self.script();
        let mut rest = script.lines().map(str::trim);
        for line in lines {
            assert!(rest.any(|found| found == *line), "no `{line}` (in this order) in\n{script}");
        }
    }

    /// Fails unless there is a line that begins with `place` and holds `part`.
    #[track_caller]
    pub fn says(&self, place: &str, part: &str) {
        let found = self.said.iter().any(|line| line.starts_with(place) && line.contains(part));
        assert!(found, "no `{place}` with `{part}` in\n{}", self.said.join("\n"));
    }
}

/// Imports `bytes` as `form`.
pub fn take(bytes: &[u8], form: Form, options: Options) -> Came {
    let name: Arc<str> = match form {
        Form::Python => "settings.py".into(),
        Form::Yaml => "settings.yaml".into(),
        Form::Json => "settings.json".into(),
    };
    let imported = import(bytes, &name, form, options);
    let said = imported.report.diagnostics().iter().map(ToString::to_string).collect();
    Came { script: imported.script.map(|script| script.text), said }
}

/// Imports a Python module.
pub fn python(text: &str) -> Came {
    take(text.as_bytes(), Form::Python, Options::default())
}

/// A module with one process type whose sections are these.
pub fn module(sections: &str) -> String {
    format!("AUTOSCALE_SETTINGS = {{\n'web': {{\n{sections}\n}}}}\n")
}

/// Sections that are as good as any.
pub const MEASURES: &str =
    "'MEASUREMENT': {'BACKEND': 'heroku_web_autoscale.backends.measurement.ResponseTimeBackend'},";
pub const DECIDES: &str =
    "'DECISION': {'BACKEND': 'heroku_web_autoscale.backends.decision.ConsecutiveThresholdBackend'},";
pub const SCALES: &str = "'SCALING': {'BACKEND': 'heroku_web_autoscale.backends.scaling.HerokuBackend', 'SETTINGS': {'APP_NAME': 'forest', 'API_KEY': os.environ['KEY']}},";
