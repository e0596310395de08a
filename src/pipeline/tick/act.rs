//! Owns the one place that scales: dry runs end here, the intent is safe before the call, and what
//! nobody knows of a call counts as having happened.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use futures_util::FutureExt;

use super::super::guards::only_failures;
use super::super::{Mode, Outcome, RapidLimit};
use super::look::{BUG, PLATFORM_TIMEOUT};
use super::{Course, Pipeline};
use crate::counted::dynos;
use crate::state::Intent;
use crate::world::{ScaleError, ScaleErrorKind, Supply};

/// Says that a scale call is in flight, until it is dropped.
struct InFlight(Arc<AtomicBool>);

impl InFlight {
    fn begin(acting: &Arc<AtomicBool>) -> Self {
        acting.store(true, Ordering::Release);
        Self(Arc::clone(acting))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Pipeline {
    /// Does what was decided.
    pub(super) async fn act(&mut self, due: DateTime<Utc>, course: &mut Course) {
        let Some((from, to)) = course.decision.change() else {
            let control = &self.kept.control;
            if !control.backs_off(due) && !control.refused(&self.spec.guards, due) {
                self.kept.control.scale_settled();
            }
            return;
        };
        if self.spec.mode != Mode::Live {
            course.outcome = Outcome::DryRun;
            return;
        }
        let _in_flight = InFlight::begin(&self.acting);
        // Until the platform has answered it counts as done: so it is found if this process ends here.
        let before = self.kept.control;
        let intent = Intent { from, to };
        let (wait, keep) = (self.spec.decide.wait, self.spec.decide.keep_history);
        self.kept.control.scaled(due, to, wait, keep);
        let levers = course.levers.active(&self.spec.name, due);
        self.kept.control.zero_by_lever = to == 0 && levers.dynos.is_some();
        let failed = only_failures(&course.measurements);
        self.kept.control.note_change(&self.spec.guards, due, (from, to), failed);
        self.kept.control.open = Some(intent);
        self.begin_scale(due, course);
        if let Err(error) = self.commit(Some(intent), None).await {
            course.errors.push(format!("the intent to scale was not kept: {error}"));
            // Two workers must not scale one target; a disk that fails keeps nobody from scaling.
            if self.world.state.is_taken_over() {
                course.outcome = Outcome::Failed;
                self.kept.control = before;
                self.kept.unfinished = None;
                return;
            }
        }
        let answer = self.scale_to(to).await;
        self.kept.unfinished = None;
        match answer {
            Ok(supply) => {
                course.outcome = Outcome::Scaled;
                self.world.ledger.settle(&self.spec, Some(supply.dynos));
                self.kept.control.open = None;
                self.kept.control.known = Some(supply.dynos);
                self.kept.control.scale_settled();
                // The platform has another count than asked for: look before the next decision.
                self.kept.control.reread |= supply.dynos != to;
                self.note_scale(due, from, to);
            }
            Err(error) => {
                let unknown = error.kind == ScaleErrorKind::Unknown;
                course.errors.push(format!("scaling from {from} to {}: {error}", dynos(to)));
                if unknown {
                    course.outcome = Outcome::Unknown;
                    self.note_scale(due, from, to);
                } else {
                    course.outcome = Outcome::Failed;
                    self.world.ledger.settle(&self.spec, None);
                    self.kept.control = before;
                }
                self.kept.control.scale_failed(due);
                self.kept.control.note_refusal(&self.spec.guards, due);
            }
        }
    }

    pub(super) fn note_scale(&mut self, due: DateTime<Utc>, from: u32, to: u32) {
        let longest = RapidLimit::all(&self.spec).iter().map(|limit| limit.period).max().unwrap_or_default();
        self.kept.scales.push(due, to > from, longest);
    }

    async fn scale_to(&self, dynos: u32) -> Result<Supply, ScaleError> {
        let unknown = |message| ScaleError { kind: ScaleErrorKind::Unknown, message };
        let calling = AssertUnwindSafe(self.platform.scale_to(dynos)).catch_unwind();
        match tokio::time::timeout(PLATFORM_TIMEOUT, calling).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(unknown(format!("the scale {BUG}"))),
            Err(_) => Err(unknown(format!("no answer within {} s", PLATFORM_TIMEOUT.as_secs()))),
        }
    }
}
