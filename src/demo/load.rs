//! Owns the demo's day: how many requests a second arrive at a time, as a pure function of the time
//! since the start and a seed. It knows nothing of dynos or queues.

use std::time::Duration;

/// Hours of the day and the requests per second that arrive then; in between the load goes over
/// smoothly. A quiet night, a rush in the morning, a dip at lunch, a higher peak in the
/// afternoon, a small one in the evening.
const SHAPE: &[(f64, f64)] = &[
    (0.0, 11.0),
    (2.0, 5.0),
    (6.0, 5.0),
    (8.0, 7.0),
    (9.0, 13.5),
    (10.5, 16.5),
    (12.0, 26.0),
    (12.5, 25.0),
    (13.75, 10.0),
    (15.0, 11.0),
    (16.5, 26.0),
    (18.25, 41.0),
    (20.0, 20.0),
    (21.5, 27.0),
    (24.0, 11.0),
];

/// The hour at which the demo starts: the morning rush is near.
const FIRST_HOUR: f64 = 7.5;

/// The load wanders by at most this share around its shape.
const WANDER: f64 = 0.06;

/// It wanders from one random point to the next in this time.
const WANDER_SECONDS: f64 = 2.0;

/// A synthetic day that repeats.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    day: Duration,
    seed: u64,
}

impl Load {
    /// A day that takes `day` (at least a millisecond), with the small noise of `seed`.
    #[must_use]
    pub fn new(day: Duration, seed: u64) -> Self {
        Self { day: day.max(Duration::from_millis(1)), seed }
    }

    /// Requests per second at `elapsed` since the start; finite and above 0.
    #[must_use]
    pub fn rate(&self, elapsed: Duration) -> f64 {
        shape(self.hour(elapsed)) * (1.0 + WANDER * self.wander(elapsed.as_secs_f64() / WANDER_SECONDS))
    }

    /// The hour of the synthetic day at `elapsed` since the start, 0.0..24.0.
    #[must_use]
    pub fn hour(&self, elapsed: Duration) -> f64 {
        let days = elapsed.as_secs_f64() / self.day.as_secs_f64();
        (FIRST_HOUR + 24.0 * days).rem_euclid(24.0)
    }

    /// Between -1 and 1, the same for the same position and seed.
    fn wander(&self, position: f64) -> f64 {
        let (whole, part) = (position.floor(), position.fract());
        let from = self.point(whole);
        from + (self.point(whole + 1.0) - from) * part
    }

    fn point(&self, position: f64) -> f64 {
        fastrand::Rng::with_seed(self.seed ^ position.to_bits()).f64() * 2.0 - 1.0
    }
}

/// The shape at `hour` (0.0..24.0), by cosine between its points.
fn shape(hour: f64) -> f64 {
    let next = SHAPE.iter().position(|(at, _)| *at > hour).unwrap_or(SHAPE.len() - 1).max(1);
    let ((from_hour, from), (to_hour, to)) = (SHAPE[next - 1], SHAPE[next]);
    let part = ((hour - from_hour) / (to_hour - from_hour)).clamp(0.0, 1.0);
    from + (to - from) * (1.0 - (part * std::f64::consts::PI).cos()) / 2.0
}

/// `hour` as people write it ("9:05").
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn time_of_day(hour: f64) -> String {
    let minutes = (hour.clamp(0.0, 24.0) * 60.0) as u32 % (24 * 60);
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(180);

    fn seconds(from: u64, to: u64) -> impl Iterator<Item = Duration> {
        (from * 10..to * 10).map(|tenth| Duration::from_millis(tenth * 100))
    }

    #[test]
    fn the_same_seed_gives_the_same_day_and_another_seed_another() {
        let (one, same, other) = (Load::new(DAY, 7), Load::new(DAY, 7), Load::new(DAY, 8));
        assert!(seconds(0, 180).all(|at| one.rate(at).to_bits() == same.rate(at).to_bits()));
        assert!(seconds(0, 180).any(|at| (one.rate(at) - other.rate(at)).abs() > 0.1));
    }

    #[test]
    fn noise_stays_small_and_the_load_above_zero() {
        let load = Load::new(DAY, 3);
        for at in seconds(0, 400) {
            let plain = shape(load.hour(at));
            assert!((load.rate(at) / plain - 1.0).abs() <= WANDER + 1e-9, "at {at:?}");
            assert!(load.rate(at) > 0.0 && load.rate(at).is_finite());
        }
    }

    #[test]
    fn the_load_has_no_jumps() {
        let load = Load::new(DAY, 3);
        let rates: Vec<f64> = seconds(0, 360).map(|at| load.rate(at)).collect();
        let jump = rates.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
        assert!(jump < 1.0, "the load jumps by {jump} requests a second in a tenth of a second");
    }

    #[test]
    fn a_day_rises_falls_and_comes_back() {
        let load = Load::new(DAY, 1);
        let at = |second| load.rate(Duration::from_secs(second));
        assert!(at(30) > 3.0 * at(0), "the morning rush: {} after {}", at(30), at(0));
        assert!(at(49) < 0.7 * at(30), "lunch");
        assert!(at(75) > 2.0 * at(49), "the afternoon");
        assert!(at(130) < 0.3 * at(75), "the night");
        assert!((load.hour(Duration::from_secs(180)) - FIRST_HOUR).abs() < 1e-9);
    }

    #[test]
    fn hours_are_written_as_times() {
        assert_eq!(time_of_day(8.0), "8:00");
        assert_eq!(time_of_day(23.999), "23:59");
        assert_eq!(time_of_day(24.0), "0:00");
    }
}
