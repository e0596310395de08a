//! Owns when pipelines take their first tick: the first at once, the others evenly spread.

use std::time::Duration;

/// The first ticks of all pipelines lie within this time.
const LONGEST_SPREAD: Duration = Duration::from_secs(10);

/// How long pipeline `index` of `count` waits for its first tick: nothing for the first, the others
/// evenly over at most 10 s and never over more than their own interval.
#[must_use]
pub fn first_delay(index: usize, count: usize, interval: Duration) -> Duration {
    let window = interval.min(LONGEST_SPREAD);
    #[allow(clippy::cast_precision_loss)]
    let share = if count == 0 { 0.0 } else { index as f64 / count as f64 };
    window.mul_f64(share.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_starts_at_once_and_the_others_within_the_window() {
        let thirty = Duration::from_secs(30);
        let delays: Vec<_> = (0..4).map(|index| first_delay(index, 4, thirty)).collect();
        assert_eq!(delays, [0.0, 2.5, 5.0, 7.5].map(Duration::from_secs_f64));
    }

    #[test]
    fn a_short_interval_spreads_over_itself() {
        assert_eq!(first_delay(1, 2, Duration::from_secs(1)), Duration::from_millis(500));
    }
}
