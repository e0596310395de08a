//! Owns a load over time: rates at a fixed step, straight lines between them; smoothing, scaling and
//! cutting. Reading a file is `trace_file`'s, making one up `synthetic`'s.

use chrono::{DateTime, Utc};

/// Times from here on (September 2001) are seconds since 1970, and smaller ones count from the start.
const EPOCH: f64 = 1e9;

/// The load of an app over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// As it was named.
    pub name: String,
    /// The time of the first sample, as the file has it.
    pub first: f64,
    /// Seconds between samples.
    pub step: f64,
    /// Requests per second, by sample.
    pub rates: Vec<f64>,
}

impl Trace {
    /// When it begins, where its times are those of a calendar.
    #[must_use]
    pub fn begins(&self) -> Option<DateTime<Utc>> {
        #[allow(clippy::cast_possible_truncation)]
        (self.first >= EPOCH).then(|| DateTime::from_timestamp(self.first as i64, 0)).flatten()
    }

    /// Whole seconds from the first sample to the last.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub fn seconds(&self) -> u64 {
        (self.rates.len().saturating_sub(1) as f64 * self.step) as u64
    }

    /// The rate at a time in seconds from the first sample.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub fn at(&self, second: f64) -> f64 {
        let place = (second / self.step).max(0.0);
        let sample = place as usize;
        let Some(&low) = self.rates.get(sample) else { return self.rates.last().copied().unwrap_or(0.0) };
        let high = self.rates.get(sample + 1).copied().unwrap_or(low);
        low + (place - sample as f64) * (high - low)
    }

    /// The highest rate.
    #[must_use]
    pub fn highest(&self) -> f64 {
        self.rates.iter().copied().fold(0.0, f64::max)
    }

    /// The rate that a share (0 to 1) of the samples do not exceed, between two of them on a straight line.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.rates.clone();
        sorted.sort_by(f64::total_cmp);
        let place = share.clamp(0.0, 1.0) * (sorted.len().saturating_sub(1)) as f64;
        let low = sorted.get(place as usize).copied().unwrap_or(0.0);
        let high = sorted.get(place as usize + 1).copied().unwrap_or(low);
        low + place.fract() * (high - low)
    }

    /// Every rate replaced by the mean of those less than half of `seconds` away; at the ends of fewer.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub fn smooth(&mut self, seconds: f64) {
        let reach = (seconds / self.step / 2.0) as usize;
        if reach == 0 {
            return;
        }
        let sums: Vec<f64> = std::iter::once(0.0)
            .chain(self.rates.iter().scan(0.0, |sum, rate| {
                *sum += rate;
                Some(*sum)
            }))
            .collect();
        let length = self.rates.len();
        let mean = |at: usize| {
            let (from, to) = (at.saturating_sub(reach), (at + reach + 1).min(length));
            ((sums[to] - sums[from]) / (to - from) as f64).max(0.0)
        };
        self.rates = (0..length).map(mean).collect();
    }

    /// Scales it so that its `share` quantile is `rate`.
    ///
    /// # Errors
    /// When that quantile is 0.
    pub fn scale(&mut self, share: f64, rate: f64) -> Result<(), String> {
        let now = self.quantile(share);
        if now <= 0.0 {
            return Err(format!("`{}` has no load to scale: its {} quantile is 0", self.name, share));
        }
        for sample in &mut self.rates {
            *sample *= rate / now;
        }
        Ok(())
    }

    /// Keeps the first `days` days.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn cut(&mut self, days: f64) {
        let samples = (days * 86_400.0 / self.step).ceil() as usize;
        self.rates.truncate(samples.saturating_add(1));
    }
}

#[allow(clippy::float_cmp)] // Worked by hand, and exact in binary.
#[cfg(test)]
mod tests {
    use super::*;

    fn trace(rates: &[f64]) -> Trace {
        Trace { name: "test".into(), first: 0.0, step: 60.0, rates: rates.to_vec() }
    }

    #[test]
    fn between_samples_lies_a_straight_line() {
        let trace = trace(&[0.0, 6.0, 3.0]);
        assert_eq!([0.0, 30.0, 60.0, 100.0, 120.0, 500.0].map(|at| trace.at(at)), [0.0, 3.0, 6.0, 4.0, 3.0, 3.0]);
        assert_eq!((trace.seconds(), trace.highest()), (120, 6.0));
    }

    #[test]
    fn five_minutes_of_minutes_are_the_mean_of_five() {
        let mut trace = trace(&[0.0, 0.0, 10.0, 0.0, 0.0, 0.0]);
        trace.smooth(300.0);
        assert_eq!(trace.rates, [10.0 / 3.0, 2.5, 2.0, 2.0, 2.5, 0.0]);
    }

    #[test]
    fn scaling_sets_a_quantile_and_cutting_keeps_the_first_days() {
        let mut long = trace(&(0..=2000).map(f64::from).collect::<Vec<_>>());
        assert_eq!(long.quantile(0.5), 1000.0);
        long.scale(0.999, 250.0).unwrap();
        assert!((long.quantile(0.999) - 250.0).abs() < 1e-9);
        long.cut(1.0);
        assert_eq!(long.seconds(), 86_400);
        assert!(trace(&[0.0, 0.0]).scale(0.999, 250.0).is_err());
    }

    #[test]
    fn times_of_a_calendar_are_told_from_others() {
        assert_eq!(trace(&[1.0]).begins(), None);
        let trace = Trace { first: 1_767_600_000.0, ..trace(&[1.0]) };
        assert_eq!(trace.begins().map(|at| at.to_rfc3339()), Some("2026-01-05T08:00:00+00:00".into()));
    }
}
