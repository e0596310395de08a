//! Owns a recorded tick as a test has it: when, what was measured, and what the platform was like.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::Bench;
use super::bench::{FENCE, local};
use crate::pipeline::{Measurement, Pipeline};
use crate::state::{Batch, State};
use crate::world::{ScaleError, ScaleErrorKind};

/// One recorded tick. What is not given stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// When, as [`Bench::at`] takes it.
    pub at: String,
    /// What was measured, in the order of the measuring stages; as it was after any `.map`.
    pub measured: Vec<Measurement>,
    /// The number of dynos that somebody else had set by then.
    pub dynos: Option<u32>,
    /// So many of them were booting.
    pub booting: Option<u32>,
    /// Why the number of dynos was unknown.
    pub unknown: Option<String>,
    /// Why the platform refused to scale in this tick.
    pub refused: Option<String>,
    /// When the pipeline had scaled last, for the first tick: its wait may not be over.
    pub scaled: Option<String>,
}

impl Bench {
    /// The pipeline scaled at `time` for the last time.
    ///
    /// # Errors
    /// When that is no time.
    pub async fn scaled(&self, time: &str) -> Result<(), String> {
        let at = self.time(time)?;
        let dynos = self.platform(|platform| platform.dynos);
        let (spec, mut kept) = {
            let course = self.course();
            (Arc::clone(course.pipeline.spec()), course.pipeline.kept().clone())
        };
        let unused = Pipeline::unused(&spec);
        (kept.source, kept.target) = (unused.source, unused.target);
        kept.control.scaled(at, dynos, spec.decide.wait, spec.decide.keep_history);
        // Memory takes whatever it is given.
        let batch = Batch { kept, intent: None, record: None };
        let _ = self.pretend.state.commit(&self.name, FENCE, batch).await;
        let pipeline = Pipeline::open(spec, Arc::clone(&self.pretend.world), FENCE).await;
        self.course().pipeline = pipeline;
        Ok(())
    }

    /// Arranges the next tick as `tick` was: it comes at once.
    ///
    /// # Errors
    /// When its time is none, or lies before the last tick.
    pub fn arrange(&self, tick: &Recorded) -> Result<(), String> {
        let before = self.newest_tick();
        self.at(&tick.at)?;
        let now = self.now().to_utc();
        if before.is_some_and(|before| now <= before) {
            return Err(format!("`{}` is not after the tick before it", tick.at));
        }
        self.platform(|platform| {
            platform.dynos = tick.dynos.unwrap_or(platform.dynos);
            platform.booting = tick.booting.unwrap_or(platform.booting);
            let refused = |message: &String| ScaleError { kind: ScaleErrorKind::Refused, message: message.clone() };
            platform.reads = tick.unknown.iter().map(refused).map(Some).collect();
            platform.scales = tick.refused.iter().map(refused).map(Some).collect();
        });
        for measured in &tick.measured {
            self.pretend.sources.feed_taken(&self.name, Measurement { at: now, ..measured.clone() });
        }
        Ok(())
    }

    fn newest_tick(&self) -> Option<DateTime<Utc>> {
        self.course().records.last().map(|record| record.at)
    }

    fn time(&self, text: &str) -> Result<DateTime<Utc>, String> {
        let now = self.course().now;
        // A time of day is the last one that was: the pipeline scaled before.
        let time = local(text, self.zone, now)?;
        if text.contains(['-', 'T']) || time <= now { Ok(time) } else { Ok(time - TimeDelta::days(1)) }
    }
}
