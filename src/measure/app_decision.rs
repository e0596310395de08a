//! Owns the measurement that the app makes itself: JSON from a URL of the app, and the number in it
//! (`AppDecisionBackend`). It takes no text for a number.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::json::{Path, describe, parse};
use super::probe::{self, Probe};
use super::{Measure, MeasureContext, Reading, Surroundings};
use crate::pipeline::Failure;
use crate::secret::scrub;
use crate::settings::{Constructor, Fields, Kind, Preset, Report, Setting, StageKind};
use crate::world::World;

/// `measure::app_decision`
pub const CONSTRUCTOR: Constructor<Box<dyn Measure>> = Constructor {
    kind: StageKind::Measure,
    name: "app_decision",
    backend: "AppDecisionBackend",
    doc: "Asks a URL of the app for JSON: a number, or a value to decide on.",
    settings: &[
        probe::measurement_url("/measurement"),
        probe::BASE_URL,
        probe::TIMEOUT,
        probe::HEADERS,
        Setting {
            name: "value",
            kind: Kind::Path,
            preset: Preset::None("a bare JSON number is the value"),
            doc: "A dotted path to the number in the JSON, such as \"queues.0.size\".",
        },
    ],
    read,
};

#[derive(Debug)]
struct AppDecision {
    probe: Probe,
    value: Option<Path>,
}

fn read(fields: &mut Fields<'_>) -> Option<Box<dyn Measure>> {
    let value = match fields.text("value") {
        None => None,
        Some(text) => match Path::parse(&text) {
            Ok(path) => Some(path),
            Err(why) => {
                fields.error("value", format!("`value` is \"{text}\", which is no path: {why}"), None);
                return None;
            }
        },
    };
    let probe = Probe::read(fields)?;
    Some(Box::new(AppDecision { probe, value }))
}

impl AppDecision {
    /// The number in `data`, where one is due.
    fn number(&self, data: &Json) -> Result<Option<f64>, String> {
        let Some(path) = &self.value else {
            // Without `value` an object or a list is for a scripted decision; a lone text or `null`
            // is a number gone wrong.
            return match data {
                Json::Object(_) | Json::Array(_) => Ok(None),
                Json::Number(number) => Ok(number.as_f64()),
                _ => Err(format!("answered {} where a number is due", describe(data))),
            };
        };
        let found = path.find(data).map_err(|why| format!("answered JSON without `{path}`: {why}"))?;
        match found.as_f64() {
            Some(number) => Ok(Some(number)),
            None => Err(format!("has {} at `{path}`, where a number is due", describe(found))),
        }
    }
}

#[async_trait]
impl Measure for AppDecision {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        let mut settings = self.probe.settings();
        if let Some(path) = &self.value {
            settings.insert("value".into(), json!(path.to_string()));
        }
        settings.into()
    }

    fn source(&self) -> String {
        let value = self.value.as_ref().map_or_else(String::new, |path| format!(" at {path}"));
        format!("JSON{value} of {}", self.probe.source())
    }

    fn settle(&mut self, around: &Surroundings<'_>, report: &mut Report) {
        self.probe.settle("`measure::app_decision`", around, report);
    }

    fn probe(&self) -> Option<&Probe> {
        Some(&self.probe)
    }

    fn reaches(&self) -> Vec<String> {
        self.probe.reaches()
    }

    async fn measure(&self, _context: &MeasureContext<'_>, world: &Arc<World>) -> Result<Reading, Failure> {
        let answer = self.probe.ask(world, &[]).await?;
        let url = answer.url.split('?').next().unwrap_or_default();
        let failed = |why: String| Failure::not_load(scrub(&format!("`{url}` {why}")).into_owned());
        let data = parse(&answer.reply.body).map_err(failed)?;
        let value = self.number(&data).map_err(failed)?;
        Ok(Reading { data, value })
    }
}
