//! Owns the documented policy `AverageThresholdBackend`: the mean of the newest measurements above
//! the maximum, or below the minimum, moves the count by one increment. It is pure.

use serde_json::{Value as Json, json};

use super::thresholds::{Counts, Thresholds, change, hold, hold_for_newest, json_number, number, written};
use super::{Flip, Limit, Policy, PolicyInput, Proposal};
use crate::pipeline::Decided;
use crate::settings::{Constructor, Fields, Kind, Preset, Setting, StageKind};

static SETTINGS: &[Setting] = &[
    Setting {
        name: "number_of_measurements_to_average",
        kind: Kind::Whole,
        preset: Preset::Whole(3),
        doc: "So many of the newest measurements are averaged; nothing is decided with fewer.",
    },
    Setting {
        name: "min_measurement_value",
        kind: Kind::Number,
        preset: Preset::Number(0.0),
        doc: "A mean below it is too low; with 0, exactly 0 is.",
    },
    Setting {
        name: "max_measurement_value",
        kind: Kind::Number,
        preset: Preset::Number(20.0),
        doc: "A mean above it is too high.",
    },
];

/// `decide::average_threshold(#{ … })`
pub(super) const CONSTRUCTOR: Constructor<Box<dyn Policy>> = Constructor {
    kind: StageKind::Decide,
    name: "average_threshold",
    backend: "AverageThresholdBackend",
    doc: "Scales up when the mean of the newest measurements is above the maximum, down when it is below the minimum.",
    settings: SETTINGS,
    read,
};

/// The most that may be averaged: a history is kept in memory.
const LARGEST_NUMBER: i64 = 1000;

#[derive(Clone, Copy, Debug)]
struct AverageThreshold {
    number: usize,
    thresholds: Thresholds,
}

fn read(fields: &mut Fields<'_>) -> Option<Box<dyn Policy>> {
    let number = fields.whole("number_of_measurements_to_average", 1..=LARGEST_NUMBER);
    let thresholds = Thresholds::read(fields)?;
    Some(Box::new(AverageThreshold { number: usize::try_from(number?).ok()?, thresholds }))
}

impl Policy for AverageThreshold {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        json!({
            "number_of_measurements_to_average": self.number,
            "min_measurement_value": json_number(self.thresholds.min),
            "max_measurement_value": json_number(self.thresholds.max),
        })
    }

    fn history_needed(&self) -> usize {
        self.number
    }

    fn thresholds(&self) -> Option<(f64, f64)> {
        Some((self.thresholds.min, self.thresholds.max))
    }

    fn take_thresholds(&mut self, given: (Option<f64>, Option<f64>)) -> bool {
        self.thresholds.take(given)
    }

    #[allow(clippy::cast_precision_loss)] // At most a thousand.
    fn propose(&self, input: &PolicyInput<'_>) -> Proposal {
        if let Some(hold) = hold_for_newest(input) {
            return hold;
        }
        let counted = input.history.iter().rev().map(|measurement| Counts::of(measurement, input.on_failure));
        let newest = counted.filter(|counts| *counts != Counts::Skipped).take(self.number);
        let (mut count, mut good, mut failed, mut sum) = (0, 0_usize, 0, 0.0);
        for counts in newest {
            count += 1;
            match counts {
                Counts::Value(value) => {
                    good += 1;
                    sum += value;
                }
                Counts::TooHigh => failed += 1,
                Counts::Break | Counts::Skipped => {
                    return hold(format!("a failed measurement is among the newest {}", self.number));
                }
            }
        }
        if count < self.number {
            return hold(format!("{count} of the {} measurements to average", self.number));
        }
        let (thresholds, unit) = (&self.thresholds, input.unit);
        let above = format!("above {}", written(thresholds.max, unit));
        if good == 0 {
            return change(input, 1, format!("all of the newest {count} failed, which counts as {above}"));
        }
        let mean = sum / good as f64;
        let of = format!("the mean of the newest {good} is {}", number(mean, unit));
        if thresholds.above(mean) {
            let others = if failed > 0 { format!(" ({failed} more failed)") } else { String::new() };
            return change(input, 1, format!("{of}{others}, {above}"));
        }
        if failed > 0 {
            return hold(format!("{failed} of the newest {count} failed, and the mean of the others is not {above}"));
        }
        if thresholds.below(mean) {
            return change(input, -1, format!("{of}, {}", thresholds.below_words(unit)));
        }
        hold(format!("{of}, within {} and {}", written(thresholds.min, None), written(thresholds.max, unit)))
    }
    fn flips(&self, input: &PolicyInput<'_>) -> Vec<Flip> {
        let counted = input.history.iter().rev().map(|measurement| Counts::of(measurement, input.on_failure));
        let mut all = counted.peekable();
        let (judged, skipped) = (all.peek().is_some(), all.peek() == Some(&Counts::Skipped));
        let counts: Vec<Counts> = all.filter(|counts| *counts != Counts::Skipped).collect();
        let others = if skipped { &counts[..] } else { counts.get(1..).unwrap_or_default() };
        let wants = match self.propose(input).dynos {
            Some(dynos) if dynos > i64::from(input.dynos) => Decided::Up,
            Some(_) => Decided::Down,
            None => Decided::Hold,
        };
        let mut flips = Vec::new();
        for to in [Decided::Up, Decided::Down].into_iter().filter(|to| *to != wants) {
            // The fewest further ones that can do it: as many as are averaged always can.
            let further = (1..=self.number).find_map(|count| Some((count, self.needed(to, count, &counts)?)));
            flips.extend(further.map(|(count, limit)| Flip::further(to, count, limit)));
            if let Some(limit) = self.needed(to, 1, others).filter(|_| judged) {
                flips.push(Flip::newest(to, limit));
            }
        }
        if wants != Decided::Hold
            && let Some(limit) = self.needed(wants, 1, others)
        {
            let within = match limit {
                Limit::Above(limit) => Limit::AtMost(limit),
                Limit::Below(limit) => Limit::AtLeast(limit),
                Limit::AtMost(limit) => Limit::Above(limit),
                Limit::AtLeast(limit) => Limit::Below(limit),
            };
            flips.push(Flip::newest(Decided::Hold, within));
        }
        flips
    }
}

impl AverageThreshold {
    /// Where each of `count` new measurements must lie, `before` (from the newest on) being those before
    /// them, for the mean to lead to `to`; `None` where they cannot do it.
    #[allow(clippy::cast_precision_loss)] // At most a thousand.
    fn needed(&self, to: Decided, count: usize, before: &[Counts]) -> Option<Limit> {
        let before = before.get(..self.number - count)?;
        let (mut good, mut sum) = (0_usize, 0.0);
        for counts in before {
            match counts {
                Counts::Value(value) => (good, sum) = (good + 1, sum + value),
                Counts::TooHigh if to == Decided::Up => {}
                Counts::TooHigh | Counts::Break | Counts::Skipped => return None,
            }
        }
        let each = |mean: f64| (mean * (good + count) as f64 - sum) / count as f64;
        match to {
            Decided::Up => Some(Limit::Above(each(self.thresholds.max))),
            // Nothing that is measured falls below zero unless it did before.
            Decided::Down => match self.thresholds.too_low() {
                Limit::AtMost(min) => Some(each(min)).filter(|limit| *limit >= 0.0).map(Limit::AtMost),
                limit => Some(each(limit.number())).filter(|limit| *limit > 0.0).map(Limit::Below),
            },
            Decided::Hold => None,
        }
    }
}
