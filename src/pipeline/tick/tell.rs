//! Owns the events of a tick: what happened once, and the phases of lasting conditions. Who hears of
//! them is decided in `notify::`.

use chrono::{DateTime, Utc};

use super::super::texts::{self, About};
use super::super::{ByHand, Event, EventKind, Mode, Outcome, Phase, RapidLimit, Seen, condition_key};
use super::{Course, Pipeline};
use crate::counted::{counted, dynos};
use crate::secret::scrub;

/// So many failures in a row are a condition.
const FAILURES_TOLD: u32 = 3;

/// Why there are 0 dynos, where a person did it.
const OFF_BY_HAND: &str = "switched off by hand; `start_from_zero: true` in the pipeline says otherwise";

/// Why there are 0 dynos, where the pipeline did it.
const OFF_BY_US: &str = "this pipeline scaled to 0, and leaves it only with `start_from_zero: true`";

impl Pipeline {
    pub(super) fn tell(&mut self, due: DateTime<Utc>, course: &Course) -> Vec<Event> {
        let mut events = Vec::new();
        if self.spec.notify.iter().any(|stage| stage.flags.is_some_and(|flags| flags.every_measurement)) {
            self.measured(due, course, &mut events);
        }
        if let Some(intent) = course.resolved {
            let reason = "the call whose outcome was unknown took effect";
            let event = self.event(EventKind::Scaled, Phase::Once, None, due, course, Some(reason));
            events.push(Event { dynos: Some(intent.to), from: Some(intent.from), to: Some(intent.to), ..event });
        }
        events.extend(self.by_hand(due, course));
        self.changes(due, course, &mut events);
        self.conditions(due, course, &mut events);
        events
    }

    /// What was measured in this tick, each in a message of its own.
    fn measured(&self, due: DateTime<Utc>, course: &Course, events: &mut Vec<Event>) {
        let stages = self.spec.measure.iter().zip(&course.measurements).enumerate();
        for (index, (stage, measurement)) in stages.filter(|(_, (_, measurement))| measurement.at == due) {
            let thresholds = self.spec.decide.judging(index).find_map(|policy| policy.kind.thresholds());
            let mut text = texts::measured(measurement, stage.unit(), thresholds);
            if self.spec.names_measurements() {
                text.insert_str(0, &format!("{}: ", stage.name));
            }
            let event = self.event(EventKind::Measured, Phase::Once, None, due, course, Some(&text));
            events.push(Event { measurement: measurement.value, unit: stage.unit().map(Into::into), ..event });
        }
    }

    /// What a person did to the count. 0 dynos have an event of their own; in a dry run whatever scales the
    /// app today does it all the time.
    fn by_hand(&self, due: DateTime<Utc>, course: &Course) -> Option<Event> {
        let ByHand { from, to } = course.by_hand.filter(|by_hand| by_hand.from > 0 && by_hand.to > 0)?;
        if self.spec.mode == Mode::DryRun {
            return None;
        }
        let name = &self.spec.name;
        let levers = course.levers.active(name, due);
        let keep = format!("To keep it: `autoscaler set {name} {to} --for 1h`");
        let advice = if levers.pause.is_some() || self.spec.mode == Mode::Paused {
            "It stays while the pipeline is paused.".to_owned()
        } else if let Some(set) = levers.dynos.filter(|set| set.dynos != to) {
            format!("But it was set to {} {}. {keep}.", dynos(set.dynos), set.pull.told(self.spec.decide.zone))
        } else if course.decision.reasons.iter().any(|cause| cause.guard == "changed_by_hand") {
            let seconds = self.spec.respect_manual.as_secs_f64();
            format!("It is left alone for {seconds} s. To keep it for longer: `autoscaler set {name} {to} --for 1h`.")
        } else {
            format!("Scaling goes on from there. {keep}, or `autoscaler pause {name}`.")
        };
        let event = self.event(EventKind::ChangedByHand, Phase::Once, None, due, course, Some(&advice));
        let message = format!("The dynos were changed by hand from {from} to {to}. {advice}");
        let subject = format!("Changed by hand from {from} to {}", dynos(to));
        Some(Event { message, subject, dynos: Some(to), from: Some(from), to: Some(to), ..event })
    }

    fn changes(&mut self, due: DateTime<Utc>, course: &Course, events: &mut Vec<Event>) {
        let kind = match course.outcome {
            Outcome::Scaled => EventKind::Scaled,
            Outcome::DryRun => EventKind::WouldScale,
            Outcome::None | Outcome::Failed | Outcome::Unknown => {
                self.told = None;
                return;
            }
        };
        let change = course.decision.change();
        // Nothing changes in a dry run, so it wants the same every tick.
        if course.outcome == Outcome::DryRun && self.told == change {
            return;
        }
        self.told = change;
        events.push(self.event(kind, Phase::Once, None, due, course, None));
    }

    fn conditions(&mut self, due: DateTime<Utc>, course: &Course, events: &mut Vec<Event>) {
        let control = &self.kept.control;
        let failed = if control.failures >= FAILURES_TOLD { Seen::Present } else { Seen::Absent };
        let scale_failed = match course.outcome {
            Outcome::Failed | Outcome::Unknown => Seen::Present,
            Outcome::None if control.backs_off(due) || course.supply.is_err() => Seen::Unknown,
            Outcome::None | Outcome::Scaled | Outcome::DryRun => Seen::Absent,
        };
        let in_a_row = |failures: u32| match failures {
            0 => Seen::Absent,
            FAILURES_TOLD.. => Seen::Present,
            _ => Seen::Unknown,
        };
        let count_unknown = in_a_row(control.unknown_counts);
        // A tick in which nobody was asked says nothing of the script.
        let decision_failed =
            if course.answers.proposals.is_empty() { Seen::Unknown } else { in_a_row(control.wrong_decisions) };
        let off = if control.scaled_to_zero { OFF_BY_US } else { OFF_BY_HAND };
        let signals = course.decision.signals;
        let circuit = (signals.circuit_open == Seen::Present).then(|| self.why_open(due, course));
        let failure = self.spec.measure.iter().zip(&course.measurements).find_map(|(stage, measurement)| {
            let message = &measurement.failure.as_ref()?.message;
            let named = self.spec.names_measurements();
            Some(if named { format!("{}: {message}", stage.name) } else { message.clone() })
        });
        let mut seen = vec![
            (EventKind::NeedsAboveMax, None, signals.above_max, None),
            (EventKind::NeedsBelowMin, None, signals.below_min, None),
            (EventKind::SwitchedOff, None, signals.switched_off, Some(off.to_owned())),
            (EventKind::CircuitOpen, None, signals.circuit_open, circuit),
            (EventKind::CountUnknown, None, count_unknown, course.supply.as_ref().err().map(ToString::to_string)),
            (EventKind::DecisionFailed, None, decision_failed, course.answers.wrong.clone()),
            (EventKind::ScaleFailed, None, scale_failed, course.errors.last().cloned()),
            (EventKind::MeasurementFailed, None, failed, failure),
        ];
        for limit in RapidLimit::all(&self.spec) {
            let (count, direction) = self.kept.scales.within(limit.period, due);
            let too_many = count > usize::try_from(limit.scales).unwrap_or(usize::MAX);
            let minutes = limit.period.as_secs_f64() / 60.0;
            let reason =
                format!("{} {direction} within {minutes} min, more than {}", counted(count, "scale"), limit.scales);
            let seen_now = if too_many { Seen::Present } else { Seen::Absent };
            seen.push((EventKind::ScalingTooRapid, Some(limit.key(&self.spec)), seen_now, Some(reason)));
        }
        // Nothing begins and nothing can end, as at nearly every tick.
        if self.kept.conditions.is_empty() && seen.iter().all(|(_, _, seen, _)| *seen != Seen::Present) {
            return;
        }
        // Those of limits that a new generation no longer has are over in their time.
        let current: Vec<Option<String>> = seen.iter().map(|(_, key, _, _)| key.clone()).collect();
        let rapid = condition_key(&self.spec.name, EventKind::ScalingTooRapid);
        for key in self.kept.conditions.beginning_with(&rapid).filter(|key| !current.contains(&Some(key.clone()))) {
            seen.push((EventKind::ScalingTooRapid, Some(key), Seen::Absent, None));
        }
        for (kind, key, seen, reason) in seen {
            let plain = || condition_key(&self.spec.name, kind);
            let key = key.unwrap_or_else(plain);
            if let Some(phase) = self.kept.conditions.observe(&key, seen, due, self.spec.notify_repeat) {
                events.push(self.event(kind, phase, Some(key), due, course, reason.as_deref()));
            }
        }
    }

    fn event(
        &self,
        kind: EventKind,
        phase: Phase,
        key: Option<String>,
        due: DateTime<Utc>,
        course: &Course,
        reason: Option<&str>,
    ) -> Event {
        let decision = &course.decision;
        let change = decision.change();
        // Why the tick that ends a condition did what it did has nothing to do with it.
        let reason = match (phase, reason) {
            (Phase::End, _) => String::new(),
            (_, Some(reason)) => reason.to_owned(),
            (_, None) => self.why(due, course),
        };
        let scaled = course.outcome == Outcome::Scaled;
        let dynos = if scaled { decision.desired } else { course.supply.as_ref().ok().map(|supply| supply.dynos) };
        let to = change.map(|(_, to)| to);
        let (message, subject) = texts::text(kind, phase, About { dynos, to, reason: Some(&reason) });
        let of_scale =
            phase != Phase::End && matches!(kind, EventKind::Scaled | EventKind::WouldScale | EventKind::ScaleFailed);
        Event {
            kind,
            phase,
            key: key.unwrap_or_else(|| condition_key(&self.spec.name, kind)),
            severity: texts::severity(kind, phase).into(),
            pipeline: self.spec.name.clone(),
            message: scrub(&message).into_owned(),
            subject: scrub(&subject).into_owned(),
            dynos,
            from: change.map(|(from, _)| from).filter(|_| of_scale),
            to: to.filter(|_| of_scale),
            measurement: course.measurements.first().and_then(|measurement| measurement.value),
            unit: self.spec.unit().map(Into::into),
            target: self.spec.shown_target(),
            reason: (!reason.is_empty()).then(|| scrub(&reason).into_owned()),
            at: due,
        }
    }

    /// Why no more dynos are asked for: as the guard said, or as it would where none are wanted.
    fn why_open(&self, due: DateTime<Utc>, course: &Course) -> String {
        let reasons = course.decision.reasons.texts(&self.spec, &course.observation(&self.spec, due));
        let said = reasons.into_iter().find(|reason| reason.guard == "circuit_breaker").map(|reason| reason.text);
        said.unwrap_or_else(|| match self.kept.control.guards.refused_at {
            Some(_) => format!("the last {} failed", counted(self.kept.control.scale_failures, "scale")),
            None => "the dynos that were asked for last do not come up".to_owned(),
        })
    }

    /// The reasons of the decision in one line.
    fn why(&self, due: DateTime<Utc>, course: &Course) -> String {
        let observation = course.observation(&self.spec, due);
        let reasons = course.decision.reasons.texts(&self.spec, &observation);
        let texts: Vec<String> = reasons.into_iter().map(|reason| reason.text).collect();
        texts.join("; ")
    }
}
