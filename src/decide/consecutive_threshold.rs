//! Owns the documented policy `ConsecutiveThresholdBackend`: so many measurements in a row above the
//! maximum, or below the minimum, move the count by one increment. It is pure.

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use super::thresholds::{Counts, Thresholds, change, hold, hold_for_newest, json_number, written};
use super::{Flip, Policy, PolicyInput, Proposal};
use crate::pipeline::Decided;
use crate::settings::{Constructor, Fields, Kind, Preset, Setting, StageKind};

static SETTINGS: &[Setting] = &[
    Setting {
        name: "number_of_fails_to_scale_up_after",
        kind: Kind::Whole,
        preset: Preset::Whole(3),
        doc: "So many measurements in a row above the maximum scale up.",
    },
    Setting {
        name: "number_of_passes_to_scale_down_after",
        kind: Kind::Whole,
        preset: Preset::Whole(5),
        doc: "So many measurements in a row below the minimum scale down.",
    },
    Setting {
        name: "min_measurement_value",
        kind: Kind::Number,
        preset: Preset::Number(400.0),
        doc: "What lies below it is too low; with 0, exactly 0 is.",
    },
    Setting {
        name: "max_measurement_value",
        kind: Kind::Number,
        preset: Preset::Number(1200.0),
        doc: "What lies above it is too high.",
    },
];

/// `decide::consecutive_threshold(#{ … })`
pub(super) const CONSTRUCTOR: Constructor<Box<dyn Policy>> = Constructor {
    kind: StageKind::Decide,
    name: "consecutive_threshold",
    backend: "ConsecutiveThresholdBackend",
    doc: "Scales up after so many measurements in a row above the maximum, down after so many below the minimum.",
    settings: SETTINGS,
    read,
};

/// The longest run that may be asked for: a history is kept in memory.
const LONGEST_RUN: i64 = 1000;

#[derive(Clone, Copy, Debug)]
struct ConsecutiveThreshold {
    up_after: usize,
    down_after: usize,
    thresholds: Thresholds,
}

fn read(fields: &mut Fields<'_>) -> Option<Box<dyn Policy>> {
    let up_after = fields.whole("number_of_fails_to_scale_up_after", 1..=LONGEST_RUN);
    let down_after = fields.whole("number_of_passes_to_scale_down_after", 1..=LONGEST_RUN);
    let thresholds = Thresholds::read(fields)?;
    let (up_after, down_after) = (usize::try_from(up_after?).ok()?, usize::try_from(down_after?).ok()?);
    Some(Box::new(ConsecutiveThreshold { up_after, down_after, thresholds }))
}

impl Policy for ConsecutiveThreshold {
    fn backend(&self) -> &'static str {
        CONSTRUCTOR.backend
    }

    fn settings(&self) -> Json {
        json!({
            "number_of_fails_to_scale_up_after": self.up_after,
            "number_of_passes_to_scale_down_after": self.down_after,
            "min_measurement_value": json_number(self.thresholds.min),
            "max_measurement_value": json_number(self.thresholds.max),
        })
    }

    fn history_needed(&self) -> usize {
        self.up_after.max(self.down_after)
    }

    fn thresholds(&self) -> Option<(f64, f64)> {
        Some((self.thresholds.min, self.thresholds.max))
    }

    fn take_thresholds(&mut self, given: (Option<f64>, Option<f64>)) -> bool {
        self.thresholds.take(given)
    }

    fn propose(&self, input: &PolicyInput<'_>) -> Proposal {
        if let Some(hold) = hold_for_newest(input) {
            return hold;
        }
        let thresholds = &self.thresholds;
        let too_high = |counts: &Counts| match counts {
            Counts::Value(value) => thresholds.above(*value),
            Counts::TooHigh => true,
            Counts::Break | Counts::Skipped => false,
        };
        let too_low = |counts: &Counts| matches!(counts, Counts::Value(value) if thresholds.below(*value));
        let newest_first = || {
            let counted = input.history.iter().rev().map(|measurement| Counts::of(measurement, input.on_failure));
            counted.filter(|counts| *counts != Counts::Skipped)
        };
        let words = |n: usize| {
            let mut words: Vec<String> = newest_first().take(n).map(Counts::words).collect();
            words.reverse();
            words.join(", ")
        };
        let (up_after, down_after) = (self.up_after, self.down_after);
        let above = newest_first().take_while(too_high).take(up_after).count();
        let above_words = format!("above {}", written(thresholds.max, input.unit));
        if above == up_after {
            let text = format!("the last {above} of {up_after} {above_words}: {}", words(above));
            return change(input, 1, text);
        }
        let below = newest_first().take_while(too_low).take(down_after).count();
        let below_words = thresholds.below_words(input.unit);
        if below == down_after {
            let text = format!("the last {below} of {down_after} {below_words}: {}", words(below));
            return change(input, -1, text);
        }
        let Some(newest) = newest_first().next() else {
            return hold("no measurement to judge yet".into());
        };
        let newest = newest.words();
        hold(if above > 0 {
            format!("the last {above} of {up_after} {above_words}: {}", words(above))
        } else if below > 0 {
            format!("the last {below} of {down_after} {below_words}: {}", words(below))
        } else {
            let (min, max) = (written(thresholds.min, None), written(thresholds.max, input.unit));
            format!("{newest} is within {min} and {max}")
        })
    }

    fn flips(&self, input: &PolicyInput<'_>) -> Vec<Flip> {
        let thresholds = &self.thresholds;
        let mut all = input.history.iter().rev().peekable();
        let newest = all.peek().map(|newest| Counts::of(newest, input.on_failure));
        // A newest one that is skipped would count if it were another.
        let (judged, skipped) = (newest.is_some(), newest == Some(Counts::Skipped));
        let counted = all.map(|measurement| (Counts::of(measurement, input.on_failure), measurement.at));
        let (counts, times): (Vec<Counts>, Vec<DateTime<Utc>>) =
            counted.filter(|(counts, _)| *counts != Counts::Skipped).unzip();
        let others = if skipped { &counts[..] } else { counts.get(1..).unwrap_or_default() };
        let high = |counts: &Counts| match counts {
            Counts::Value(value) => thresholds.above(*value),
            Counts::TooHigh => true,
            Counts::Break | Counts::Skipped => false,
        };
        let low = |counts: &Counts| matches!(counts, Counts::Value(value) if thresholds.below(*value));
        let asked = hold_for_newest(input).is_none();
        let (up, down) = (run(&counts, high), run(&counts, low));
        let wants_up = asked && up >= self.up_after;
        let wants_down = asked && !wants_up && down >= self.down_after;
        let mut flips = Vec::new();
        let mut towards = |to, needed: usize, now: usize, so: &dyn Fn(&Counts) -> bool, limit| {
            flips.push(Flip::further(to, needed - now.min(needed - 1), limit));
            // One that lies there already is part of the run.
            if judged && (now == 0 || skipped) {
                let missing = needed.saturating_sub(run(others, so) + 1);
                let further = (missing > 0).then_some((missing, limit));
                flips.push(Flip { further, ..Flip::newest(to, limit) });
            }
            // The one that the run began after, where it would be long enough with it.
            let before = counts.get(now + 1..).unwrap_or_default();
            if asked
                && (1..needed).contains(&now)
                && now + 1 + run(before, so) >= needed
                && let Some(at) = times.get(now)
            {
                flips.push(Flip { to, newest: None, earlier: Some((*at, limit)), further: None });
            }
        };
        if !wants_up {
            towards(Decided::Up, self.up_after, up, &high, thresholds.too_high());
        }
        if !wants_down {
            towards(Decided::Down, self.down_after, down, &low, thresholds.too_low());
        }
        if wants_up {
            flips.push(Flip::newest(Decided::Hold, thresholds.not_too_high()));
        } else if wants_down {
            flips.push(Flip::newest(Decided::Hold, thresholds.not_too_low()));
        }
        flips
    }
}

/// How many of the newest in a row are so, of `counts` from the newest on.
fn run(counts: &[Counts], so: impl Fn(&Counts) -> bool) -> usize {
    counts.iter().take_while(|counts| so(counts)).count()
}
