//! Owns how far a forecast may err: the scatter of its errors by level, how restless the last half hour was, and the
//! shape of their distribution. It makes no forecast.

use crate::stats::text::{Reader, Writer};

/// Bins of the distribution of errors in units of what was expected: half units from -5 to 5, and wider ones above.
const BINS: usize = 40;

/// The bins of half a unit.
const EVEN: usize = 20;

/// Levels whose scatter is told apart, two thirds of a doubling each.
const LEVELS: usize = 24;

/// Errors count for so long in the distribution and in the scatter, in seconds.
const LEARNING: f64 = 2.0 * 86_400.0;

/// … and for so long in how restless it is.
const RESTLESS: f64 = 1_800.0;

/// An error of more than this many units counts as one of so many, squared.
const MOST: f64 = 25.0;

/// Errors of which the shape before anything was learned is worth.
const SHAPE_COUNTS: f64 = 200.0;

/// Errors that the scatter of all levels counts for at each of them.
const LEVEL_COUNTS: f64 = 100.0;

/// The scatter before anything was learned, squared and relative: five percent.
const SCATTER: f64 = 0.0025;

/// An error beyond so many units is out of the band.
pub(super) const OUTSIDE: f64 = 4.0;

/// The distribution of errors.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Band {
    /// How restless it is: squared errors by what was expected, 1 if as usual.
    restless: f64,
    /// The relative scatter at all levels, squared.
    scatter: f64,
    /// Errors that were counted.
    errors: f64,
    shape: [f64; BINS],
    /// By level: errors, and the sum of their squares.
    levels: [[f64; 2]; LEVELS],
}

impl Default for Band {
    fn default() -> Self {
        // Broader than the normal distribution: nothing is known yet.
        let mut shape = [0.0; BINS];
        for (bin, weight) in shape.iter_mut().take(EVEN).enumerate() {
            *weight = (1.0 + unit(bin).powi(2) / 4.0).powf(-2.5);
        }
        let sum: f64 = shape.iter().sum();
        let shape = shape.map(|weight| weight * SHAPE_COUNTS / sum);
        Self { restless: 1.0, scatter: SCATTER, errors: 0.0, shape, levels: [[0.0; 2]; LEVELS] }
    }
}

impl Band {
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let [restless, scatter, errors] = reader.numbers()?;
        let shape = reader.numbers()?;
        let mut levels = [[0.0; 2]; LEVELS];
        for level in &mut levels {
            *level = reader.numbers()?;
        }
        Some(Self { restless, scatter, errors, shape, levels })
    }

    pub fn write(&self, writer: &mut Writer) {
        writer.numbers(&[self.restless, self.scatter, self.errors]);
        writer.numbers(&self.shape);
        self.levels.iter().for_each(|level| writer.numbers(level));
    }

    /// How far the rate may be off a forecast of `rate`: the standard deviation.
    pub fn deviation(&self, rate: f64) -> f64 {
        rate * (self.at_level(rate) * self.restless.clamp(0.5, MOST)).max(1e-6).sqrt()
    }

    /// An error in units of what is expected now; see [`learn`](Self::learn).
    pub fn units(&self, measured: f64, rate: f64, noise: f64) -> f64 {
        (measured - rate) / (noise + self.deviation(rate).powi(2)).sqrt()
    }

    /// The possible rates at a forecast of `rate`, ascending, with their probabilities.
    pub fn spread(&self, rate: f64) -> impl Iterator<Item = (f64, f64)> {
        let deviation = self.deviation(rate);
        let sum: f64 = self.shape.iter().sum();
        self.shape
            .iter()
            .enumerate()
            .filter(|(_, weight)| **weight > 0.0)
            .map(move |(bin, weight)| ((rate + deviation * unit(bin)).max(0.0), weight / sum))
    }

    /// Learns from an error: `measured` where `rate` was foretold with `deviation`, over a measurement in which chance
    /// alone makes a variance of `noise`; `passed` seconds after the error before. Gives the error in units of what
    /// was expected.
    pub fn learn(&mut self, measured: f64, rate: f64, deviation: f64, noise: f64, passed: f64) -> f64 {
        let error = measured - rate;
        let units = error / (noise + deviation * deviation).sqrt();
        let kept = (-passed / LEARNING).exp();
        self.shape.iter_mut().for_each(|weight| *weight *= kept);
        self.shape[bin(units)] += 1.0;
        let square = rate.max(1.0).powi(2);
        let expected = self.at_level(rate) * square + noise;
        let newest = 1.0 - (-passed / RESTLESS).exp();
        self.restless += newest * ((error * error / expected).min(MOST) - self.restless);
        // What chance in the counting makes of it is no error of the forecast.
        let beyond = ((error * error - noise) / square).min(MOST * (self.scatter + noise / square));
        self.errors += 1.0;
        let newest = (1.0 - (-2.0 * passed / LEARNING).exp()).max(1.0 / (LEVEL_COUNTS + self.errors));
        self.scatter += newest * (beyond - self.scatter);
        self.levels.as_flattened_mut().iter_mut().for_each(|value| *value *= kept);
        let (level, part) = level(rate);
        for (level, part) in [(level, 1.0 - part), (level + 1, part)] {
            self.levels[level][0] += part;
            self.levels[level][1] += part * beyond;
        }
        units
    }

    /// The relative scatter at a rate, squared.
    fn at_level(&self, rate: f64) -> f64 {
        let (level, part) = level(rate);
        let at = |[errors, squares]: [f64; 2]| (squares + LEVEL_COUNTS * self.scatter) / (errors + LEVEL_COUNTS);
        (at(self.levels[level]) * (1.0 - part) + at(self.levels[level + 1]) * part).max(1e-6)
    }
}

/// The level below `rate`, and how far it is on the way to the next.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn level(rate: f64) -> (usize, f64) {
    let place = (rate.max(0.1).log2() * 1.5 + 6.0).clamp(0.0, (LEVELS - 2) as f64 + 0.999);
    (place as usize, place.fract())
}

/// The bin of an error of so many units.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn bin(units: f64) -> usize {
    if units < 5.0 {
        ((units.max(-5.0) + 5.0) * 2.0) as usize
    } else {
        (EVEN + ((units / 5.0).ln() / 0.2) as usize).min(BINS - 1)
    }
}

/// The middle of a bin.
#[allow(clippy::cast_precision_loss)]
fn unit(bin: usize) -> f64 {
    if bin < EVEN { -5.0 + 0.5 * (bin as f64 + 0.5) } else { 5.0 * (0.2 * ((bin - EVEN) as f64 + 0.5)).exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beyond(band: &Band, rate: f64, share: f64) -> f64 {
        let mut left = share;
        let all: Vec<(f64, f64)> = band.spread(rate).collect();
        let found = all.iter().rev().find(|(_, probability)| {
            left -= probability;
            left <= 0.0
        });
        found.map_or(rate, |(rate, _)| *rate)
    }

    #[test]
    fn the_band_becomes_as_wide_as_the_errors_were_at_each_level() {
        let mut band = Band::default();
        for step in 0..20_000 {
            // Errors of half of a rate of 40, and of a twentieth of 200.
            let sign = if step % 2 == 0 { 1.0 } else { -1.0 };
            let (rate, error) = if step % 4 < 2 { (40.0, 20.0) } else { (200.0, 10.0) };
            band.learn(rate + sign * error, rate, band.deviation(rate), 0.0, 15.0);
        }
        assert!((band.deviation(40.0) - 20.0).abs() < 4.0, "{}", band.deviation(40.0));
        assert!((band.deviation(200.0) - 10.0).abs() < 5.0, "{}", band.deviation(200.0));
        let sum: f64 = band.spread(40.0).map(|(_, probability)| probability).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }

    #[test]
    fn chance_in_the_counting_is_no_error_of_the_forecast() {
        let mut band = Band::default();
        for step in 0..20_000 {
            let sign = if step % 2 == 0 { 1.0 } else { -1.0 };
            band.learn(100.0 + sign * 2.0, 100.0, band.deviation(100.0), 4.0, 15.0);
        }
        assert!(band.deviation(100.0) < 0.5, "{}", band.deviation(100.0));
    }

    #[test]
    fn a_rare_jump_is_in_the_tail_and_a_restless_hour_widens_the_band() {
        let mut band = Band::default();
        for step in 0..20_000 {
            let error = if step % 100 == 0 { 50.0 } else { f64::from(step % 3 - 1) };
            band.learn(100.0 + error, 100.0, band.deviation(100.0), 0.0, 15.0);
        }
        assert!(beyond(&band, 100.0, 0.005) > 130.0, "{}", beyond(&band, 100.0, 0.005));
        assert!(beyond(&band, 100.0, 0.05) < 115.0, "{}", beyond(&band, 100.0, 0.05));
        let calm = band.deviation(100.0);
        (0..60).for_each(|_| {
            band.learn(130.0, 100.0, band.deviation(100.0), 0.0, 15.0);
        });
        assert!(band.deviation(100.0) > 1.5 * calm);
    }
}
