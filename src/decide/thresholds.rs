//! Owns what the two threshold policies share: a minimum and a maximum, what a measurement counts as
//! between them, and how numbers are put into words. It proposes nothing.

use serde_json::{Value as Json, json};

use super::{Limit, PolicyInput, Proposal};
use crate::measure::OnFailure;
use crate::pipeline::{FailureKind, Measurement};
use crate::settings::Fields;

/// A minimum and a maximum, and whether the script wrote them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Thresholds {
    pub min: f64,
    pub max: f64,
    min_written: bool,
    max_written: bool,
}

impl Thresholds {
    /// Reads `min_measurement_value` and `max_measurement_value`, both with defaults.
    pub fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let (min, max) = (fields.number("min_measurement_value")?, fields.number("max_measurement_value")?);
        let written = |name| fields.has(name);
        let (min_written, max_written) = (written("min_measurement_value"), written("max_measurement_value"));
        Some(Self { min, max, min_written, max_written })
    }

    /// Takes over those given on the measuring side; says whether its own won over different ones.
    pub fn take(&mut self, (min, max): (Option<f64>, Option<f64>)) -> bool {
        let mut won = false;
        for (given, own, written) in [(min, &mut self.min, self.min_written), (max, &mut self.max, self.max_written)] {
            match given {
                #[allow(clippy::float_cmp)] // The same literal on both sides is no conflict.
                Some(given) if written => won |= given != *own,
                Some(given) => *own = given,
                None => {}
            }
        }
        won
    }

    pub fn above(&self, value: f64) -> bool {
        value > self.max
    }

    /// A value equal to a bound is inside, but for a minimum of 0: there exactly 0 counts as below,
    /// else a queue could never shrink.
    pub fn below(&self, value: f64) -> bool {
        value < self.min || (self.min == 0.0 && value == 0.0)
    }

    /// Where a value lies that is too high.
    pub fn too_high(&self) -> Limit {
        Limit::Above(self.max)
    }

    /// Where a value lies that is not.
    pub fn not_too_high(&self) -> Limit {
        Limit::AtMost(self.max)
    }

    /// Where a value lies that is too low.
    pub fn too_low(&self) -> Limit {
        if self.min == 0.0 { Limit::AtMost(0.0) } else { Limit::Below(self.min) }
    }

    /// Where a value lies that is not.
    pub fn not_too_low(&self) -> Limit {
        if self.min == 0.0 { Limit::Above(0.0) } else { Limit::AtLeast(self.min) }
    }

    /// The words for "below": with a minimum of 0 only 0 is.
    pub fn below_words(&self, unit: Option<&str>) -> String {
        if self.min == 0.0 {
            format!("at {}", written(0.0, unit))
        } else {
            format!("below {}", written(self.min, unit))
        }
    }
}

/// What one measurement counts as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Counts {
    /// As its value.
    Value(f64),
    /// As above any maximum.
    TooHigh,
    /// As none, and it breaks a run.
    Break,
    /// As not taken.
    Skipped,
}

impl Counts {
    pub fn of(measurement: &Measurement, on_failure: OnFailure) -> Self {
        match (measurement.value, on_failure) {
            (Some(value), _) => Self::Value(value),
            (None, OnFailure::Ignore) => Self::Skipped,
            (None, OnFailure::TooHigh) if kind(measurement) == FailureKind::Overload => Self::TooHigh,
            (None, OnFailure::TooHigh | OnFailure::Hold) => Self::Break,
        }
    }

    pub fn words(self) -> String {
        match self {
            Self::Value(value) => number(value, None),
            Self::TooHigh | Self::Break | Self::Skipped => "failed".into(),
        }
    }
}

/// What is no number is no sign of load.
fn kind(measurement: &Measurement) -> FailureKind {
    measurement.failure.as_ref().map_or(FailureKind::NotLoad, |failure| failure.kind)
}

/// The hold for a newest measurement that allows no decision in its tick.
pub(super) fn hold_for_newest(input: &PolicyInput<'_>) -> Option<Proposal> {
    let newest = input.history.iter().next_back()?;
    let counts = Counts::of(newest, input.on_failure);
    let not_load = newest.value.is_none() && kind(newest) == FailureKind::NotLoad;
    (counts == Counts::Break || not_load).then(|| {
        let message = newest.failure.as_ref().map_or("it has no number", |failure| &failure.message);
        hold(format!("the measurement failed: {message}"))
    })
}

pub(super) fn hold(text: String) -> Proposal {
    Proposal { dynos: None, text }
}

/// So many dynos more (or fewer).
pub(super) fn change(input: &PolicyInput<'_>, sign: i64, text: String) -> Proposal {
    Proposal { dynos: Some(i64::from(input.dynos) + sign * i64::from(input.increment)), text }
}

/// A measured number in words, as exact as a person wants it: whole from 100 on, one digit of the
/// fraction from 10 on, three below.
pub(crate) fn number(value: f64, unit: Option<&str>) -> String {
    let digits = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 3,
    };
    rounded(value, digits, unit)
}

/// A number of the script in words: as written, but for the noise of a fraction.
pub(super) fn written(value: f64, unit: Option<&str>) -> String {
    rounded(value, 3, unit)
}

fn rounded(value: f64, digits: i32, unit: Option<&str>) -> String {
    let factor = 10_f64.powi(digits);
    // Adding 0 makes -0 plain.
    let rounded = (value * factor).round() / factor + 0.0;
    match unit {
        Some(unit) => format!("{rounded} {unit}"),
        None => rounded.to_string(),
    }
}

/// A number for `check --json`: a whole one as it would be written.
pub(super) fn json_number(value: f64) -> Json {
    #[allow(clippy::cast_possible_truncation)]
    if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_numbers_are_as_exact_as_a_person_wants_them() {
        for (value, text) in [
            (405.516_737_000_000_03, "406"),
            (1301.208, "1301"),
            (99.96, "100"),
            (12.345, "12.3"),
            (0.123_456, "0.123"),
            (-0.0001, "0"),
            (7.0, "7"),
        ] {
            assert_eq!(number(value, None), text);
        }
        assert_eq!(number(405.516_737, Some("ms")), "406 ms");
        assert_eq!(written(250.5, Some("ms")), "250.5 ms");
    }
}
