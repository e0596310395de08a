//! Owns what was measured lately: a bounded list of measurements, oldest first, and its statistics.
//! It is pure and takes no notice of the clock.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Measurement;

/// The newest measurements of a pipeline, oldest first, at most `length` of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    measurements: VecDeque<Measurement>,
}

impl History {
    /// Adds `measurement` as the newest and forgets what exceeds `length`.
    pub fn push(&mut self, measurement: Measurement, length: usize) {
        self.measurements.push_back(measurement);
        while self.measurements.len() > length {
            self.measurements.pop_front();
        }
    }

    /// Puts a good measurement of `value` in the place of the one that was taken at `at`, to see what would
    /// have come of it.
    pub fn replace(&mut self, at: DateTime<Utc>, value: f64) {
        if let Some(measurement) = self.measurements.iter_mut().find(|measurement| measurement.at == at) {
            *measurement = Measurement::good(measurement.backend.clone(), value.into(), at);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.measurements.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.measurements.is_empty()
    }

    /// Oldest first.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Measurement> + ExactSizeIterator {
        self.measurements.iter()
    }

    /// The newest.
    #[must_use]
    pub fn newest(&self) -> Option<&Measurement> {
        self.measurements.back()
    }

    /// Those taken at or after `mark` (all where there is no mark).
    #[must_use]
    pub fn since(&self, mark: Option<DateTime<Utc>>) -> Self {
        Self { measurements: self.judged(mark).iter().cloned().collect() }
    }

    /// Those that may be judged, without copying them.
    #[must_use]
    pub fn judged(&self, mark: Option<DateTime<Utc>>) -> Judged<'_> {
        Judged { history: self, mark }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.measurements.clear();
    }

    /// The values of the newest `n`, oldest first; `None` when fewer are there or one has no value.
    fn values(&self, n: usize) -> Option<Vec<f64>> {
        if n == 0 || n > self.measurements.len() {
            return None;
        }
        self.measurements.iter().skip(self.measurements.len() - n).map(|measurement| measurement.value).collect()
    }

    /// The mean of the newest `n`; `None` when fewer than `n` are there or one of them failed.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn average(&self, n: usize) -> Option<f64> {
        self.values(n).map(|values| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// The largest of the newest `n`, under the conditions of [`History::average`].
    #[must_use]
    pub fn max(&self, n: usize) -> Option<f64> {
        self.values(n)?.into_iter().reduce(f64::max)
    }

    /// The smallest of the newest `n`, under the conditions of [`History::average`].
    #[must_use]
    pub fn min(&self, n: usize) -> Option<f64> {
        self.values(n)?.into_iter().reduce(f64::min)
    }

    /// The `p`-th percentile (0..100, nearest rank: the smallest value that at least p % do not
    /// exceed) of the newest `n`, under the conditions of [`History::average`].
    #[must_use]
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn percentile(&self, p: f64, n: usize) -> Option<f64> {
        let mut values = self.values(n)?;
        if !(0.0..=100.0).contains(&p) {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let rank = (p / 100.0 * values.len() as f64).ceil() as usize;
        values.get(rank.saturating_sub(1)).copied()
    }

    /// The slope of the least-squares line through the newest `n`, in units per second, under the
    /// conditions of [`History::average`]; also `None` for a single point or points of one instant.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn slope(&self, n: usize) -> Option<f64> {
        let values = self.values(n)?;
        let newest = self.measurements.iter().skip(self.measurements.len() - n);
        let start = newest.clone().next()?.at;
        let seconds: Vec<f64> =
            newest.map(|measurement| (measurement.at - start).num_milliseconds() as f64 / 1000.0).collect();
        let count = values.len() as f64;
        let mean_time = seconds.iter().sum::<f64>() / count;
        let mean_value = values.iter().sum::<f64>() / count;
        let spread: f64 = seconds.iter().map(|second| (second - mean_time).powi(2)).sum();
        let together: f64 =
            seconds.iter().zip(&values).map(|(second, value)| (second - mean_time) * (value - mean_value)).sum();
        (spread > 0.0).then(|| together / spread)
    }

    /// How many of the newest in a row lie above `x`; a failed one ends the row.
    #[must_use]
    pub fn consecutive_above(&self, x: f64) -> usize {
        self.iter().rev().take_while(|measurement| measurement.value.is_some_and(|value| value > x)).count()
    }

    /// How many of the newest in a row lie below `x`; a failed one ends the row.
    #[must_use]
    pub fn consecutive_below(&self, x: f64) -> usize {
        self.iter().rev().take_while(|measurement| measurement.value.is_some_and(|value| value < x)).count()
    }
}

/// The measurements of a history from a mark on.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    history: &'a History,
    mark: Option<DateTime<Utc>>,
}

impl<'a> Judged<'a> {
    /// Oldest first.
    #[must_use]
    pub fn iter(self) -> impl DoubleEndedIterator<Item = &'a Measurement> {
        let mark = self.mark;
        self.history.iter().filter(move |measurement| mark.is_none_or(|mark| measurement.at >= mark))
    }
}
