//! Owns the making of a tick's record from what the tick saw and did; known secrets are masked here.

use chrono::{DateTime, Utc};

use super::super::{
    Decision, DynoCounts, Event, MeasurementRecord, Mode, Observation, PipelineSpec, ProposalRecord, RECORD_VERSION,
    Reason, Record, ShadowRecord,
};
use super::{Course, Pipeline, cap};
use crate::counted::dynos;
use crate::secret::scrub;

impl Pipeline {
    /// The record of a tick, but for what was measured: [`Pipeline::measurement_records`] has that.
    pub(super) fn record(&self, due: DateTime<Utc>, course: &Course, events: Vec<Event>) -> Record {
        let (spec, decision) = (&self.spec, &course.decision);
        let paused = course.levers.active(&spec.name, due).pause.is_some();
        let mut reasons = decision.reasons.texts(spec, &course.observation(spec, due));
        if let Some(intent) = course.resolved {
            let (from, to) = (Some(intent.from), Some(intent.to));
            let text = format!("the scale to {} whose outcome was unknown took effect", dynos(intent.to));
            reasons.insert(0, Reason { guard: "last_scale".into(), from, to, text });
        }
        for reason in &mut reasons {
            mask(&mut reason.text);
        }
        let proposals = course.answers.proposals.iter().map(|proposed| ProposalRecord {
            name: proposed.name.to_string(),
            dynos: proposed.dynos(),
            text: scrub(&proposed.proposal.text).into_owned(),
        });
        let counts = DynoCounts {
            current: decision.current,
            booting: course.supply.as_ref().map_or(0, |supply| supply.booting),
            proposed: decision.proposed,
            desired: decision.desired,
            min: decision.bounds.min,
            max: decision.bounds.max,
        };
        let error = (!course.errors.is_empty()).then(|| scrub(&course.errors.join("; ")).into_owned());
        Record {
            v: RECORD_VERSION,
            pipeline: spec.name.clone(),
            generation: spec.generation,
            script: spec.script.clone(),
            tick: self.kept.control.tick,
            at: due,
            mode: if paused { Mode::Paused } else { spec.mode }.name().into(),
            dynos: counts,
            proposals: proposals.collect(),
            decision: decision.decided,
            reasons,
            outcome: course.outcome,
            events,
            error,
            measurements: Vec::new(),
            reloaded: None,
            shadow: None,
        }
    }

    pub(super) fn measurement_records(&self, measurements: Vec<super::Measurement>) -> Vec<MeasurementRecord> {
        let named = self.spec.measure.iter().zip(measurements);
        let record = |(stage, measurement): (&crate::measure::MeasureStage, super::Measurement)| MeasurementRecord {
            name: stage.name.to_string(),
            backend: measurement.backend,
            data: cap::recorded(measurement.data),
            value: measurement.value,
            success: measurement.success,
            failure: measurement.failure.as_ref().map(|failure| failure.kind),
            error: measurement.failure.map(|failure| scrub(&failure.message).into_owned()),
            at: measurement.at,
            took_ms: measurement.took_ms,
        };
        named.map(record).collect()
    }
}

/// What a shadow would have done.
pub(super) fn of_shadow(spec: &PipelineSpec, decision: &Decision, observation: &Observation<'_>) -> ShadowRecord {
    let texts: Vec<String> = decision.reasons.texts(spec, observation).into_iter().map(|reason| reason.text).collect();
    let text = scrub(&texts.join("; ")).into_owned();
    ShadowRecord { dynos: decision.desired, text, decision: decision.decided }
}

fn mask(text: &mut String) {
    if let std::borrow::Cow::Owned(masked) = scrub(text) {
        *text = masked;
    }
}
