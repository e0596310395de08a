//! Owns the words of events: those of the predecessor where it had any, ours in the same manner
//! elsewhere. It decides nothing.

use super::{EventKind, Measurement, Phase};
use crate::decide::number;

/// Message and subject of a mail.
pub(super) type Text = (String, String);

/// What an event is about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct About<'a> {
    /// Dynos now.
    pub dynos: Option<u32>,
    /// Dynos asked for, where a scale was.
    pub to: Option<u32>,
    /// Why.
    pub reason: Option<&'a str>,
}

/// The words for `kind` in `phase`.
pub(super) fn text(kind: EventKind, phase: Phase, about: About<'_>) -> Text {
    let n = about.dynos.map_or_else(|| "an unknown number of".into(), |dynos| dynos.to_string());
    let to = about.to.or(about.dynos).map_or_else(|| n.clone(), |dynos| dynos.to_string());
    let reason = about.reason.unwrap_or("the reason is unknown");
    let (message, subject) = match kind {
        EventKind::Scaled => (format!("Scaled to ({to}) dynos."), format!("Scaled to {to} dynos")),
        EventKind::WouldScale => (format!("Would scale to ({to}) dynos."), format!("Would scale to {to} dynos")),
        EventKind::ScaleFailed if phase == Phase::End => over("Scaling no longer fails.", "Scaling no longer fails."),
        EventKind::ScaleFailed => (
            format!("Just tried to scale, and it failed. We're currently at {n} dynos."),
            format!("Scale to {to} dynos failed."),
        ),
        EventKind::NeedsAboveMax if phase == Phase::End => {
            over("The maximum of dynos is enough again.", "Demand no longer above max scaling.")
        }
        EventKind::NeedsAboveMax => (
            format!("We are at the max ({n}) dynos, but the response is still too slow."),
            "Demand above max scaling.".into(),
        ),
        EventKind::NeedsBelowMin if phase == Phase::End => {
            over("The minimum of dynos is needed again.", "Load no longer below min scaling.")
        }
        EventKind::NeedsBelowMin => (
            format!(
                "We are at the minimum ({n}) dynos, but the response is still low enough we could scale down further."
            ),
            "Load below min scaling.".into(),
        ),
        EventKind::ScalingTooRapid if phase == Phase::End => {
            over("Scaling has calmed down.", "Scaling has calmed down.")
        }
        EventKind::ScalingTooRapid => (
            format!("Too much scaling over too little time!  We have {n} dynos right now."),
            "Scaled too fast warning".into(),
        ),
        EventKind::MeasurementFailed if phase == Phase::End => over("Measuring works again.", "Measuring works again."),
        EventKind::MeasurementFailed => {
            (sentence(format!("The last measurements failed: {reason}")), "Measuring fails.".into())
        }
        EventKind::CircuitOpen if phase == Phase::End => {
            over("More dynos are asked for again where they are needed.", "More dynos are asked for again.")
        }
        EventKind::CircuitOpen => {
            (sentence(format!("No more dynos are asked for: {reason}")), "No more dynos are asked for.".into())
        }
        EventKind::CountUnknown if phase == Phase::End => {
            over("The number of dynos can be read again.", "The number of dynos can be read again.")
        }
        EventKind::CountUnknown => (
            sentence(format!("Nothing is scaled, for the number of dynos cannot be read: {reason}")),
            format!("Dynos cannot be counted: {reason}"),
        ),
        EventKind::DecisionFailed if phase == Phase::End => {
            over("The decision works again.", "The decision works again.")
        }
        EventKind::DecisionFailed => {
            (sentence(format!("Nothing is decided: {reason}")), format!("The decision fails: {reason}"))
        }
        EventKind::SwitchedOff if phase == Phase::End => {
            over("There are dynos again; scaling goes on.", "Scaling goes on.")
        }
        EventKind::SwitchedOff => {
            ("There are 0 dynos, so nothing is scaled until there is one again.".into(), "Switched off.".into())
        }
        EventKind::Measured
        | EventKind::ChangedByHand
        | EventKind::LeverPulled
        | EventKind::Reloaded
        | EventKind::ReloadFailed
        | EventKind::StateTrouble => (reason.into(), reason.into()),
    };
    (message, subject)
}

/// `text` with a full stop, unless it ends in a mark already.
fn sentence(mut text: String) -> String {
    if !text.ends_with(['.', '?', '!', '…']) {
        text.push('.');
    }
    text
}

fn over(message: &str, subject: &str) -> Text {
    (message.into(), subject.into())
}

/// "info", "warning" or "error".
pub(super) fn severity(kind: EventKind, phase: Phase) -> &'static str {
    match kind {
        _ if phase == Phase::End => "info",
        EventKind::Measured
        | EventKind::Scaled
        | EventKind::WouldScale
        | EventKind::NeedsBelowMin
        | EventKind::ChangedByHand
        | EventKind::LeverPulled
        | EventKind::Reloaded => "info",
        EventKind::NeedsAboveMax | EventKind::ScalingTooRapid | EventKind::SwitchedOff => "warning",
        EventKind::ScaleFailed
        | EventKind::MeasurementFailed
        | EventKind::CountUnknown
        | EventKind::CircuitOpen
        | EventKind::DecisionFailed
        | EventKind::ReloadFailed
        | EventKind::StateTrouble => "error",
    }
}

/// What is told of a measurement: "Ping: 512ms, right".
pub(super) fn measured(measurement: &Measurement, unit: Option<&str>, thresholds: Option<(f64, f64)>) -> String {
    let Some(value) = measurement.value else {
        return match &measurement.failure {
            Some(failure) => format!("Measurement failed: {}", failure.message),
            None => format!("Measured: {}", measurement.data),
        };
    };
    let verdict = match thresholds {
        Some((_, max)) if value > max => ", high",
        Some((min, _)) if value < min || (min == 0.0 && value == 0.0) => ", low",
        Some(_) => ", right",
        None => "",
    };
    match unit {
        Some("ms") => format!("Ping: {}ms{verdict}", number(value, None)),
        unit => format!("Measured: {}{verdict}", number(value, unit)),
    }
}
