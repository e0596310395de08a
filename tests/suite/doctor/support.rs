//! Owns a script with one pipeline of each documented kind, and reading what doctor says of it.

use serde_json::Value as Json;

use crate::harness::{AppServer, Autoscaler, FakeHeroku, KEY, Said, Script};

/// A pipeline `web` from `app` to the fake Heroku.
pub fn web(app: &AppServer, heroku: &FakeHeroku, max_dynos: u32) -> String {
    format!(
        "pipeline(\"web\", #{{
            measure: measure::response_time(#{{ base_url: \"{}\", measurement_url: \"/ping\" }}),
            decide: decide::consecutive_threshold(#{{ max_dynos: {max_dynos} }}),
            scale: {},
        }});\n",
        app.url(),
        heroku.scale()
    )
}

/// What doctor said: its rows, and how it ended.
pub struct Report {
    pub rows: Vec<Json>,
    pub code: i32,
    pub stderr: String,
}

impl Report {
    /// The only row of `check`, which must begin its text with `found` somewhere.
    #[track_caller]
    pub fn row(&self, check: &str) -> &Json {
        let rows: Vec<&Json> = self.rows.iter().filter(|row| row["check"] == check).collect();
        let [row] = rows[..] else { panic!("{} rows of {check} in {:#?}\n{}", rows.len(), self.rows, self.stderr) };
        row
    }

    /// Fails unless the only row of `check` has this verdict and says `part`, in what was found or in the advice.
    #[track_caller]
    pub fn says(&self, check: &str, verdict: &str, part: &str) {
        let row = self.row(check);
        let text = format!("{} → {}", row["found"].as_str().unwrap(), row["advice"].as_str().unwrap_or_default());
        assert!(row["verdict"] == verdict && text.contains(part), "no {verdict} with `{part}`: {row:#}");
    }

    /// The checks that fail, by name.
    pub fn failing(&self) -> Vec<&str> {
        let failing = self.rows.iter().filter(|row| row["verdict"] == "fail");
        failing.map(|row| row["check"].as_str().unwrap()).collect()
    }
}

/// Runs `doctor --json` on `script`.
#[track_caller]
pub fn doctor(script: &str) -> Report {
    with(script, |command| command.env("HEROKU_API_KEY", KEY))
}

/// Runs it as `change` says.
#[track_caller]
pub fn with(script: &str, change: impl FnOnce(Autoscaler) -> Autoscaler) -> Report {
    let file = Script::new(script);
    let said: Said = change(Autoscaler::on("doctor", &file.path()).arg("--json")).run();
    let rows = said.json().as_array().unwrap().clone();
    Report { rows, code: said.code.unwrap(), stderr: said.stderr }
}
