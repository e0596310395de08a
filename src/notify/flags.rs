//! Owns the seven documented notification settings: reading them, and what a backend hears of an
//! event because of them. Pure.

use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::pipeline::{Event, EventKind, RapidLimit};
use crate::settings::Fields;

/// The documented notification settings, as resolved.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::struct_excessive_bools)]
pub struct Flags {
    /// `notify_on_every_measurement`
    pub every_measurement: bool,
    /// `notify_on_every_scale`
    pub every_scale: bool,
    /// `notify_if_needs_below_min`
    pub needs_below_min: bool,
    /// `notify_if_needs_exceed_max`
    pub needs_exceed_max: bool,
    /// `notify_if_scaling_is_too_rapid`
    pub too_rapid: bool,
    /// `notify_if_scaling_is_too_rapid_num_scales`
    pub too_rapid_scales: u32,
    /// `notify_if_scaling_is_too_rapid_time_period_minutes`
    pub too_rapid_period: Duration,
}

impl Flags {
    /// Reads them from a map whose tables include [`super::COMMON`]. `None` only if there was an error.
    pub fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let scales = fields.whole("notify_if_scaling_is_too_rapid_num_scales", 1..=i64::from(u32::MAX));
        let period = fields.minutes("notify_if_scaling_is_too_rapid_time_period_minutes");
        Some(Self {
            every_measurement: fields.flag("notify_on_every_measurement"),
            every_scale: fields.flag("notify_on_every_scale"),
            needs_below_min: fields.flag("notify_if_needs_below_min"),
            needs_exceed_max: fields.flag("notify_if_needs_exceed_max"),
            too_rapid: fields.flag("notify_if_scaling_is_too_rapid"),
            too_rapid_scales: u32::try_from(scales?).ok()?,
            too_rapid_period: period?,
        })
    }

    /// Under their documented names, for `check --json`.
    #[must_use]
    pub fn settings(&self) -> Json {
        json!({
            "notify_on_every_measurement": self.every_measurement,
            "notify_on_every_scale": self.every_scale,
            "notify_if_needs_below_min": self.needs_below_min,
            "notify_if_needs_exceed_max": self.needs_exceed_max,
            "notify_if_scaling_is_too_rapid": self.too_rapid,
            "notify_if_scaling_is_too_rapid_num_scales": self.too_rapid_scales,
            "notify_if_scaling_is_too_rapid_time_period_minutes": self.too_rapid_period.as_secs_f64() / 60.0,
        })
    }
}

/// Whether a backend with `flags` is told of `event`. Without flags it is a bare function, which
/// hears everything but `measured`. `reloads` says whether the backend wants to know of every saved
/// script and every lever (console and logger): mail about each would be noise.
#[must_use]
pub fn hears(flags: Option<&Flags>, reloads: bool, event: &Event) -> bool {
    let Some(flags) = flags else { return event.kind != EventKind::Measured };
    match event.kind {
        EventKind::Measured => flags.every_measurement,
        EventKind::Scaled | EventKind::WouldScale => flags.every_scale,
        EventKind::NeedsAboveMax => flags.needs_exceed_max,
        EventKind::NeedsBelowMin => flags.needs_below_min,
        EventKind::ScalingTooRapid => RapidLimit::of(Some(flags)).is_some_and(|limit| limit.is_meant_by(&event.key)),
        EventKind::ScaleFailed
        | EventKind::MeasurementFailed
        | EventKind::CountUnknown
        | EventKind::DecisionFailed
        | EventKind::CircuitOpen
        | EventKind::SwitchedOff
        | EventKind::ChangedByHand
        | EventKind::ReloadFailed
        | EventKind::StateTrouble => true,
        EventKind::Reloaded | EventKind::LeverPulled => reloads,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::event;
    use super::*;
    use EventKind::{
        ChangedByHand, CircuitOpen, CountUnknown, DecisionFailed, LeverPulled, Measured, MeasurementFailed,
        NeedsAboveMax, NeedsBelowMin, ReloadFailed, Reloaded, ScaleFailed, Scaled, ScalingTooRapid, StateTrouble,
        SwitchedOff, WouldScale,
    };

    const ALL: [EventKind; 17] = EventKind::ALL;
    const ALWAYS: [EventKind; 9] = [
        ScaleFailed,
        MeasurementFailed,
        CountUnknown,
        DecisionFailed,
        CircuitOpen,
        SwitchedOff,
        ChangedByHand,
        ReloadFailed,
        StateTrouble,
    ];
    const OFF: Flags = Flags {
        every_measurement: false,
        every_scale: false,
        needs_below_min: false,
        needs_exceed_max: false,
        too_rapid: false,
        too_rapid_scales: 5,
        too_rapid_period: Duration::from_secs(60),
    };

    #[test]
    fn each_flag_adds_its_kinds_to_the_failures_and_no_others() {
        let table: [(Flags, &[EventKind]); 6] = [
            (OFF, &[]),
            (Flags { every_measurement: true, ..OFF }, &[Measured]),
            (Flags { every_scale: true, ..OFF }, &[Scaled, WouldScale]),
            (Flags { needs_exceed_max: true, ..OFF }, &[NeedsAboveMax]),
            (Flags { needs_below_min: true, ..OFF }, &[NeedsBelowMin]),
            (Flags { too_rapid: true, ..OFF }, &[ScalingTooRapid]),
        ];
        for (flags, added) in table {
            for kind in ALL {
                let due = ALWAYS.contains(&kind) || added.contains(&kind);
                assert_eq!(hears(Some(&flags), false, &event("web", kind)), due, "{kind} with {flags:?}");
            }
        }
    }

    #[test]
    fn a_reload_is_heard_by_those_who_want_reloads() {
        for kind in [Reloaded, LeverPulled] {
            assert!(hears(Some(&OFF), true, &event("", kind)));
            assert!(!hears(Some(&OFF), false, &event("", kind)));
        }
    }

    #[test]
    fn a_bare_function_hears_everything_but_measurements() {
        for kind in ALL {
            assert_eq!(hears(None, false, &event("web", kind)), kind != Measured, "{kind}");
        }
    }
}
