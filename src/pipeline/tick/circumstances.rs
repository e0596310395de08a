//! Owns what guards want to know beyond measurements and the count: what the platform's dynos are doing,
//! whether it releases, and what work runs. Nothing is asked where no guard wants it.

use std::panic::AssertUnwindSafe;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;

use super::super::controller::{Busy, Circumstances, Release};
use super::super::{BusyWork, Failure};
use super::Pipeline;
use super::look::{BUG, PLATFORM_TIMEOUT};
use crate::measure::MeasureContext;
use crate::world::{Condition, Wants};

impl Pipeline {
    /// What the platform is doing, how many dynos are booting where that is known, and what went wrong.
    pub(super) async fn circumstances(&self) -> (Circumstances, Option<u32>, Option<String>) {
        let guards = &self.spec.guards;
        let wants = Wants { boots: guards.asks_for_boots(), release: guards.hold_during_release };
        if wants == Wants::default() {
            return (Circumstances::default(), None, None);
        }
        // Boxed: most pipelines want none of it.
        let asking = Box::pin(AssertUnwindSafe(self.platform.condition(wants)).catch_unwind());
        let wrong = match tokio::time::timeout(PLATFORM_TIMEOUT, asking).await {
            Ok(Ok(Ok(Condition { booting, not_up, releasing }))) => {
                let release = match releasing {
                    None => Release::NotAsked,
                    Some(true) => Release::UnderWay,
                    Some(false) => Release::Absent,
                };
                return (Circumstances { release, not_up, busy: Busy::NotAsked }, booting, None);
            }
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(_)) => format!("the read {BUG}"),
            Err(_) => format!("no answer within {} s", PLATFORM_TIMEOUT.as_secs()),
        };
        let release = if wants.release { Release::Unknown } else { Release::NotAsked };
        let circumstances = Circumstances { release, ..Circumstances::default() };
        (circumstances, None, Some(format!("what the platform is doing is unknown: {wrong}")))
    }

    /// The work that runs now, and what went wrong.
    pub(super) async fn busy(&self, due: DateTime<Utc>, work: &BusyWork) -> (Busy, Option<String>) {
        let context = MeasureContext { pipeline: &self.spec.name, at: due, memory: &self.busy_memory };
        let measuring = self.world.sources.measure(&work.stage, &context, &self.world);
        let measured = AssertUnwindSafe(measuring).catch_unwind().await;
        let wrong = match measured.map(|measurement| (measurement.value, measurement.failure)) {
            Ok((Some(value), _)) if value >= 0.0 => {
                // Part of a job is one; more than a count holds is as many as it holds.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                return (Busy::Jobs(value.ceil() as u32), None);
            }
            Ok((Some(value), _)) => format!("`busy` answered {value}"),
            Ok((None, Some(Failure { message, .. }))) => message,
            Ok((None, None)) => "`busy` answered no number".to_owned(),
            Err(_) => format!("the measurement {BUG}"),
        };
        (Busy::Unknown, Some(format!("the work that runs is unknown: {wrong}")))
    }
}
