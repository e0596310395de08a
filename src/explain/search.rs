//! Owns the search for what would have changed a scripted decision: it is pure, so its tick is tried with
//! other values, other counts, at later times and on further measurements, inside a limit. What is found
//! was tried; what is not found may still be there.

use std::time::{Duration, Instant};

use chrono::TimeDelta;

use super::scene::{Change, Scene, wish, wishes};
use super::time;
use super::ways::{Way, finish, instead, of_played, still};
use crate::counted::{counted, dynos};
use crate::decide::{Limit, PolicyKind, number};
use crate::measure::MeasureStage;
use crate::pipeline::{Decided, Record};

/// Ticks that are tried, at most.
const MOST_TRIES: usize = 1_500;

/// Time for all of them.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Further measurements like the tick's own that are tried.
const MOST_FURTHER: usize = 20;

/// Values are tried from a thousandth to a thousand times what was measured, in steps of a tenth.
const STEP: f64 = 1.1;
const STEPS: i32 = 73;

/// Counts up to this are tried.
const MOST_DYNOS: u32 = 100;

struct Search<'a> {
    scene: &'a Scene,
    tries: usize,
    until: Instant,
    /// What the script decides as it is.
    now: Record,
}

/// The nearest ways to each other decision that were found.
pub(super) async fn ways(scene: &Scene) -> Vec<Way> {
    let now = scene.play(&Change::default()).await;
    let mut search = Search { scene, tries: 0, until: Instant::now() + PATIENCE, now };
    let mut ways = Vec::new();
    for to in [Decided::Up, Decided::Down, Decided::Hold] {
        if to == wish(&search.now) || (to == Decided::Hold && scene.record.decision == to) {
            continue;
        }
        for index in 0..scene.record.measurements.len() {
            ways.extend(search.values(index, to).await);
        }
        if to != Decided::Hold {
            ways.extend(search.further(to).await);
            ways.extend(search.counts(to).await);
            ways.extend(search.later(to).await);
        }
    }
    ways
}

impl Search<'_> {
    fn over(&self) -> bool {
        self.tries >= MOST_TRIES || Instant::now() > self.until
    }

    async fn play(&mut self, change: Change) -> Record {
        self.tries += 1;
        self.scene.play(&change).await
    }

    /// The nearest value of measurement `index`, all others as they were, above and below the measured one that leads
    /// to `to`.
    async fn values(&mut self, index: usize, to: Decided) -> Vec<Way> {
        let mut found = Vec::new();
        // Where the number lies within other data the script may read that instead.
        let data = self.scene.record.measurements.get(index).map(|measured| &measured.data);
        let Some(base) = self.scene.newest_value(index).filter(|_| data.is_some_and(|data| !data.is_object())) else {
            return found;
        };
        for upwards in [true, false] {
            let mut last = base;
            for candidate in self.candidates(index, base, upwards) {
                if self.over() {
                    return found;
                }
                if wish(&self.play(Change::value(index, candidate)).await) == to {
                    found.push(self.border(index, to, last, candidate).await);
                    break;
                }
                last = candidate;
            }
        }
        found
    }

    /// Values on one side of `base`, the nearest first: powers of a step, and the numbers of the script.
    fn candidates(&self, index: usize, base: f64, upwards: bool) -> Vec<f64> {
        let size = if base == 0.0 { 1.0 } else { base.abs() };
        let mut values: Vec<f64> = (1..=STEPS).map(|step| STEP.powi(step) * size).collect();
        values.extend((1..=STEPS).map(|step| size / STEP.powi(step)));
        values.extend([0.0, 1.0, 10.0, 100.0, 1_000.0]);
        let decide = &self.scene.spec.decide;
        let thresholds = decide.judging(index).filter_map(|policy| policy.kind.thresholds());
        values.extend(thresholds.flat_map(|(min, max)| [min, max]).flat_map(|at| [at - 1e-6, at, at + 1e-6]));
        for policy in &decide.policies {
            if let PolicyKind::Scripted(function) = &policy.kind {
                let numbers = literals(function.fingerprint());
                values.extend(numbers.iter().flat_map(|number| [number - 1e-6, *number, number + 1e-6]));
            }
        }
        values.retain(|value| value.is_finite() && if upwards { *value > base } else { *value < base });
        values.sort_by(|a, b| (a - base).abs().total_cmp(&(b - base).abs()));
        values.dedup();
        values
    }

    /// The way to `to` between a value that does not lead there and one that does.
    async fn border(&mut self, index: usize, to: Decided, mut outside: f64, mut inside: f64) -> Way {
        let upwards = inside > outside;
        while (inside - outside).abs() > 1e-7 * inside.abs().max(1e-3) && !self.over() {
            let middle = f64::midpoint(inside, outside);
            if wish(&self.play(Change::value(index, middle)).await) == to {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        let (low, high) = if upwards { (outside, inside) } else { (inside, outside) };
        // What a person wrote is the shortest number in between.
        let round = (0..=6).map(|digits| 10_f64.powi(digits)).map(|factor| (high * factor).round() / factor);
        let limit = round.into_iter().find(|round| (low - 1e-6..=high + 1e-6).contains(round)).unwrap_or(inside);
        let played = self.play(Change::value(index, limit)).await;
        let (limit, played) = match (wish(&played) == to, upwards) {
            (true, true) => (Limit::AtLeast(limit), played),
            (true, false) => (Limit::AtMost(limit), played),
            (false, upwards) => {
                let limit = if upwards { Limit::Above(limit) } else { Limit::Below(limit) };
                (limit, self.play(Change::value(index, inside)).await)
            }
        };
        let scene = self.scene;
        let unit = scene.spec.measure.get(index).and_then(MeasureStage::unit);
        let measured = scene.record.measurements.get(index);
        let own = measured.and_then(|measurement| measurement.value);
        let named = measured.filter(|_| scene.spec.names_measurements()).map(|measured| measured.name.clone());
        let what = named.as_ref().map_or_else(|| "a measurement".to_owned(), |name| format!("`{name}`"));
        let way = Way { newest: Some(limit), measurement: named, ..of_played(&played) };
        finish(scene, way, &played, Some(to), &format!("{what} {}", instead(limit, own, unit)))
    }

    /// Further measurements like this one.
    async fn further(&mut self, to: Decided) -> Option<Way> {
        let several = self.scene.spec.names_measurements();
        let value = self.scene.record.measurements.first()?.value.filter(|_| !several);
        if value.is_none() && !several {
            return None;
        }
        let played = self.scene.play_on(&Change::default(), value, MOST_FURTHER, wishes(to)).await;
        self.tries += MOST_FURTHER;
        if wish(&played) != to {
            return None;
        }
        let ticks = (played.at - self.scene.record.at).num_milliseconds() / self.scene.interval().num_milliseconds();
        let count = usize::try_from(ticks).unwrap_or(0).max(1);
        let unit = self.scene.spec.unit();
        let text = match value {
            Some(value) => format!("{} of {}", counted(count, "more measurement"), number(value, unit)),
            None => format!("{} with the same measurements", counted(count, "more tick")),
        };
        let further = value.map(|value| (count, Limit::AtLeast(value)));
        let way = Way { further, ..of_played(&played) };
        Some(finish(self.scene, way, &played, Some(to), &text))
    }

    /// The nearest other count of dynos at which the script wants another number of them.
    async fn counts(&mut self, to: Decided) -> Option<Way> {
        let (current, bounds) = (self.scene.record.dynos.current?, self.scene.record.dynos);
        let mut counts: Vec<u32> =
            (bounds.min..=bounds.max.min(MOST_DYNOS)).filter(|count| *count != current).collect();
        counts.sort_by_key(|count| count.abs_diff(current));
        for count in counts {
            if self.over() {
                return None;
            }
            let played = self.play(Change { dynos: Some(count), ..Change::default() }).await;
            // The same number wanted from another one is no news.
            if wish(&played) == to && played.dynos.proposed != self.now.dynos.proposed {
                let way = Way { with_dynos: Some(count), ..of_played(&played) };
                return Some(finish(
                    self.scene,
                    way,
                    &played,
                    Some(to),
                    &format!("{} instead of {current}", dynos(count)),
                ));
            }
        }
        None
    }

    /// The same at a later time: of the day, or since the last scale.
    async fn later(&mut self, to: Decided) -> Option<Way> {
        let minutes = [1, 2, 5, 10, 15, 30].into_iter().chain((1..=24).map(|hour| hour * 60));
        let mut before = TimeDelta::zero();
        for later in minutes.map(TimeDelta::minutes) {
            if self.over() {
                return None;
            }
            let change = Change { later, ..Change::default() };
            if wish(&self.play(change).await) != to {
                before = later;
                continue;
            }
            let (mut outside, mut inside) = (before, later);
            while inside - outside > TimeDelta::seconds(1) && !self.over() {
                let middle = TimeDelta::seconds((outside + (inside - outside) / 2).num_seconds());
                if middle <= outside {
                    break;
                }
                if wish(&self.play(Change { later: middle, ..Change::default() }).await) == to {
                    inside = middle;
                } else {
                    outside = middle;
                }
            }
            let played = self.play(Change { later: inside, ..Change::default() }).await;
            let at = time::beside(played.at, self.scene.record.at, self.scene.spec.decide.zone);
            let way = of_played(&played);
            return Some(finish_at(way, &played, to, &format!("the same at {at}")));
        }
        None
    }
}

/// A way whose words say when it is themselves.
fn finish_at(way: Way, played: &Record, to: Decided, text: &str) -> Way {
    Way { text: format!("{text}{}", still(played, Some(to))), ..way }
}

/// The numbers that are written in `text`.
pub(crate) fn literals(text: &str) -> Vec<f64> {
    const MOST: usize = 40;
    let digit = |c: char| c.is_ascii_digit() || c == '.' || c == '_';
    let words = text.split(|c: char| !(digit(c) || c.is_ascii_alphabetic()));
    let numbers = words.map(|word| word.trim_matches('.').replace('_', ""));
    numbers.filter_map(|number| number.parse().ok()).take(MOST).collect()
}
