//! Owns how many dynos may be given back: not before they were idle for long enough to make it worth a scale. It knows
//! what was needed, and not why.

/// What was needed longer ago than this, in seconds, holds nothing.
const LONGEST: i64 = 3_600;

/// What was needed lately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Since when it is known what was needed, in seconds since 1970.
    since: i64,
    /// When so many were needed for the last time, and so many: only what was not exceeded since, oldest first.
    needed: Vec<(i64, i64)>,
}

impl Settled {
    /// From the numbers that [`numbers`](Self::numbers) gave; what is damaged is begun anew.
    #[must_use]
    pub fn of(numbers: &[i64]) -> Self {
        let Some((since, pairs)) = numbers.split_first().filter(|(_, pairs)| pairs.len() % 2 == 0) else {
            return Self::default();
        };
        Self { since: *since, needed: pairs.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect() }
    }

    /// To be kept.
    #[must_use]
    pub fn numbers(&self) -> Vec<i64> {
        std::iter::once(self.since).chain(self.needed.iter().flat_map(|(at, needed)| [*at, *needed])).collect()
    }

    /// Notes at `at` that so many dynos are needed.
    pub fn note(&mut self, at: i64, needed: i64) {
        // The clock was set back, or nothing was known.
        if self.needed.last().is_none_or(|(last, _)| *last > at) {
            (self.since, self.needed) = (at, Vec::new());
        }
        self.needed.retain(|(last, least)| *least > needed && *last > at - LONGEST);
        self.needed.push((at, needed));
        self.since = self.since.max(at - LONGEST);
    }

    /// The count to which `dynos` may fall: what exceeds it was idle for at least `seconds`, and for so long that all
    /// of it together was idle for `dyno_seconds`. `dynos` where nothing may go.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn fall(&self, dynos: i64, seconds: f64, dyno_seconds: f64) -> i64 {
        let Some((now, _)) = self.needed.last() else { return dynos };
        let mut least = dynos;
        for (place, (_, needed)) in self.needed.iter().enumerate().rev() {
            if *needed >= dynos {
                break;
            }
            let exceeded = if place == 0 { self.since } else { self.needed[place - 1].0 };
            let idle = (now - exceeded) as f64;
            if idle >= seconds && idle * (dynos - needed) as f64 >= dyno_seconds {
                least = *needed;
                break;
            }
        }
        least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(needs: &[(i64, i64)]) -> Settled {
        let mut settled = Settled::default();
        for (at, needed) in needs {
            settled.note(*at, *needed);
        }
        settled
    }

    #[test]
    fn one_dyno_is_idle_for_long_before_it_goes_and_many_go_soon() {
        let settled = |until: i64| noted(&(0..=until / 15).map(|tick| (tick * 15, 4)).collect::<Vec<_>>());
        assert_eq!(settled(585).fall(5, 60.0, 600.0), 5);
        assert_eq!(settled(600).fall(5, 60.0, 600.0), 4);
        assert_eq!(settled(60).fall(14, 60.0, 600.0), 4);
        assert_eq!(settled(45).fall(100, 60.0, 600.0), 100);
        assert_eq!(settled(45).fall(3, 60.0, 600.0), 3);
    }

    #[test]
    fn what_was_needed_in_between_stays() {
        // 8 until 300, since then 3, but for 5 at 900.
        let mut settled = noted(&[(0, 8), (300, 8), (315, 3), (900, 5), (915, 3), (1000, 3)]);
        assert_eq!(settled.fall(10, 60.0, 750.0), 5);
        assert_eq!(settled.fall(10, 60.0, 900.0 * 10.0), 10);
        settled.note(1800, 3);
        assert_eq!(settled.fall(10, 60.0, 600.0), 3);
        assert_eq!(Settled::of(&settled.numbers()), settled);
        // What was an hour ago is forgotten.
        settled.note(6000, 2);
        assert_eq!(settled.numbers(), [2400, 6000, 2]);
    }

    #[test]
    fn a_clock_that_was_set_back_and_damage_begin_anew() {
        let mut settled = noted(&[(1000, 5), (900, 3)]);
        assert_eq!(settled.numbers(), [900, 900, 3]);
        settled = Settled::of(&[1, 2]);
        assert_eq!(settled.fall(5, 0.0, 0.0), 5);
    }
}
