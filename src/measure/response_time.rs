//! Owns the measurement of response time: milliseconds from sending the request to the last byte of
//! the reply (`ResponseTimeBackend`).

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::probe::{self, Probe};
use super::{Measure, MeasureContext, OnFailure, Reading, Surroundings};
use crate::pipeline::Failure;
use crate::rules;
use crate::settings::{Constructor, Fields, Kind, Preset, Report, Setting, StageKind};
use crate::world::World;

/// `measure::response_time`
pub const CONSTRUCTOR: Constructor<Box<dyn Measure>> = Constructor {
    kind: StageKind::Measure,
    name: "response_time",
    backend: "ResponseTimeBackend",
    doc: "Asks a URL of the app and measures the milliseconds until its reply is complete.",
    settings: &[
        probe::measurement_url("/heroku-autoscale/measurement/"),
        probe::BASE_URL,
        probe::TIMEOUT,
        probe::HEADERS,
        Setting {
            name: "min_time_ms",
            kind: Kind::Number,
            preset: Preset::None("none"),
            doc: "Becomes the default of the decision's `min_measurement_value`.",
        },
        Setting {
            name: "max_time_ms",
            kind: Kind::Number,
            preset: Preset::None("none"),
            doc: "Becomes the default of the decision's `max_measurement_value`.",
        },
    ],
    read,
};

#[derive(Debug)]
struct ResponseTime {
    probe: Probe,
    /// Milliseconds.
    min: Option<f64>,
    /// Milliseconds.
    max: Option<f64>,
}

fn read(fields: &mut Fields<'_>) -> Option<Box<dyn Measure>> {
    let mut good = true;
    for name in ["min_time_ms", "max_time_ms"] {
        if let Some(value) = fields.number(name).filter(|value| *value < 0.0) {
            fields.error(name, format!("`{name}` is {value}, and must not be negative"), None);
            good = false;
        }
    }
    let (min, max) = (fields.number("min_time_ms"), fields.number("max_time_ms"));
    if let (Some(low), Some(high)) = (min, max)
        && low > high
    {
        fields.say(
            &rules::THRESHOLD_ORDER,
            "min_time_ms",
            format!("`min_time_ms` is {low}, above `max_time_ms`, {high}"),
            None,
        );
        good = false;
    }
    let probe = Probe::read(fields)?;
    good.then(|| Box::new(ResponseTime { probe, min, max }) as Box<dyn Measure>)
}

#[async_trait]
impl Measure for ResponseTime {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        let mut settings = self.probe.settings();
        let thresholds = [("min_time_ms", self.min), ("max_time_ms", self.max)];
        settings.extend(thresholds.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))));
        settings.into()
    }

    fn source(&self) -> String {
        format!("response time in ms of {}", self.probe.source())
    }

    /// As the predecessor did: an app too busy to answer is the very reason to scale up.
    fn on_failure(&self) -> OnFailure {
        OnFailure::TooHigh
    }

    fn thresholds(&self) -> (Option<f64>, Option<f64>) {
        (self.min, self.max)
    }

    fn unit(&self) -> Option<&'static str> {
        Some("ms")
    }

    fn settle(&mut self, around: &Surroundings<'_>, report: &mut Report) {
        self.probe.settle("`measure::response_time`", around, report);
        if let Some(slowest) = around.max_threshold.or(self.max) {
            self.probe.allow(slowest, report);
        }
    }

    fn probe(&self) -> Option<&Probe> {
        Some(&self.probe)
    }

    fn reaches(&self) -> Vec<String> {
        self.probe.reaches()
    }

    async fn measure(&self, _context: &MeasureContext<'_>, world: &Arc<World>) -> Result<Reading, Failure> {
        let answer = self.probe.ask(world, &[]).await?;
        let took = answer.reply.took.as_secs_f64() * 1000.0;
        Ok(Reading { data: json!(took), value: Some(took) })
    }
}
