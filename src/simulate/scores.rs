//! Owns the scores of a simulated policy: elasticity as the literature has it, lateness and cost. The
//! definitions with their sources are in docs/simulating.md; what lies in the warm-up counts nowhere.

use super::app::Second;
use super::waits::Waits;

/// Seconds between the points of the grid on which instability is told.
const GRID: u64 = 60;

/// Hours of a month, by which prices per month are turned into prices per hour.
const HOURS_A_MONTH: f64 = 730.0;

/// What one policy came to on one trace.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// Dynos that were missing, as a share of demand, on average over time, in percent.
    pub theta_u: f64,
    /// Dynos that were too many, as a share of demand, on average over time, in percent.
    pub theta_o: f64,
    /// Time in which dynos were missing, in percent.
    pub tau_u: f64,
    /// Time in which there were too many, in percent.
    pub tau_o: f64,
    /// Time in which supply and demand did not move alike, in percent, on a grid of 60 s.
    pub instability: f64,
    /// Requests that waited longer than the objective allows or were dropped, in percent.
    pub late_percent: f64,
    /// Requests that were dropped, in percent.
    pub dropped_percent: f64,
    /// Waits in milliseconds that 50, 95 and 99 % of the requests did not exceed.
    pub wait_ms: [f64; 3],
    /// Dynos paid for by dynos that an oracle would have needed.
    pub cost_ratio: f64,
    /// Hours of dynos, booting ones included.
    pub dyno_hours: f64,
    /// Scales in a day.
    pub scalings_per_day: f64,
    /// Scales against the direction of the one before.
    pub reversals: u64,
    /// What the dynos cost, where their price is known.
    pub money: Option<f64>,
}

/// Dynos in one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dynos {
    /// As many as the objective needs.
    pub demand: u32,
    /// As many as took load.
    pub ready: u32,
    /// As many as are paid for.
    pub all: u32,
}

/// Adds up the scores second by second.
#[derive(Clone, Debug, Default)]
pub struct Scorer {
    seconds: u64,
    missing: f64,
    too_many: f64,
    seconds_missing: u64,
    seconds_too_many: u64,
    /// The last point of the grid.
    point: Option<Dynos>,
    steps: u64,
    unlike: u64,
    arrived: f64,
    late: f64,
    dropped: f64,
    paid: u64,
    needed: u64,
    /// How long requests waited.
    pub waits: Waits,
    scalings: u64,
    reversals: u64,
    grew: Option<bool>,
}

impl Scorer {
    /// Takes note of one second.
    pub fn second(&mut self, second: &Second, dynos: Dynos) {
        let (demand, ready) = (f64::from(dynos.demand), f64::from(dynos.ready));
        if dynos.ready < dynos.demand {
            self.missing += (demand - ready) / demand;
            self.seconds_missing += 1;
        } else if dynos.ready > dynos.demand {
            self.too_many += (ready - demand) / demand;
            self.seconds_too_many += 1;
        }
        if self.seconds.is_multiple_of(GRID)
            && let Some(before) = self.point.replace(dynos)
        {
            self.steps += 1;
            let alike = dynos.ready.cmp(&before.ready) == dynos.demand.cmp(&before.demand);
            self.unlike += u64::from(!alike);
        }
        self.seconds += 1;
        self.arrived += second.arrived;
        self.late += second.late;
        self.dropped += second.dropped;
        self.paid += u64::from(dynos.all);
        self.needed += u64::from(dynos.demand);
    }

    /// Takes note of a scale.
    pub fn scaled(&mut self, from: u32, to: u32) {
        let grows = to > from;
        self.scalings += 1;
        self.reversals += u64::from(self.grew.is_some_and(|grew| grew != grows));
        self.grew = Some(grows);
    }

    /// What it comes to; `price` is that of a dyno for a month.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn scores(&self, price: Option<f64>) -> Scores {
        let share = |part: f64, whole: f64| if whole > 0.0 { 100.0 * part / whole } else { 0.0 };
        let time = self.seconds as f64;
        let dyno_hours = self.paid as f64 / 3600.0;
        Scores {
            theta_u: share(self.missing, time),
            theta_o: share(self.too_many, time),
            tau_u: share(self.seconds_missing as f64, time),
            tau_o: share(self.seconds_too_many as f64, time),
            instability: share(self.unlike as f64, self.steps as f64),
            late_percent: share(self.late.min(self.arrived), self.arrived),
            dropped_percent: share(self.dropped.min(self.arrived), self.arrived),
            wait_ms: self.waits.quantiles([0.5, 0.95, 0.99]).map(|seconds| 1000.0 * seconds),
            cost_ratio: if self.needed > 0 { self.paid as f64 / self.needed as f64 } else { 0.0 },
            dyno_hours,
            scalings_per_day: if self.seconds > 0 { self.scalings as f64 * 86_400.0 / time } else { 0.0 },
            reversals: self.reversals,
            money: price.map(|price| price * dyno_hours / HOURS_A_MONTH),
        }
    }
}

#[allow(clippy::float_cmp)] // Worked by hand, and exact in binary.
#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of seconds with so much demand, so many ready and so many paid for.
    fn scored(runs: &[(u32, u32, u32, u32)]) -> Scores {
        let mut scorer = Scorer::default();
        for (seconds, demand, ready, all) in runs.iter().copied() {
            for _ in 0..seconds {
                let second = Second { arrived: 10.0, late: f64::from(demand > ready), ..Second::default() };
                scorer.second(&second, Dynos { demand, ready, all });
            }
        }
        scorer.scores(Some(73.0))
    }

    #[test]
    fn elasticity_by_hand() {
        // 100 s: for 25 s a half is missing (2 of 4), for 50 s a quarter is too much (5 of 4), 25 s fit.
        let scores = scored(&[(25, 4, 2, 2), (50, 4, 5, 5), (25, 4, 4, 4)]);
        // 25 s × 1/2 of 100 s; 50 s × 1/4 of 100 s.
        assert_eq!((scores.theta_u, scores.theta_o), (12.5, 12.5));
        assert_eq!((scores.tau_u, scores.tau_o), (25.0, 50.0));
        // 400 dyno seconds were needed, 2·25 + 5·50 + 4·25 = 400 were paid for.
        assert_eq!(scores.cost_ratio, 1.0);
        assert_eq!(scores.dyno_hours, 400.0 / 3600.0);
        assert!((scores.money.unwrap() - 0.1 * 400.0 / 3600.0).abs() < 1e-12);
        // 25 of 1000 requests.
        assert_eq!(scores.late_percent, 2.5);
    }

    #[test]
    fn theta_is_normalised_by_the_demand_of_each_second() {
        // One missing of 2 weighs as much as five of 10; what is paid and boots is no supply.
        assert_eq!(scored(&[(50, 2, 1, 2), (50, 10, 5, 10)]).theta_u, 50.0);
        assert_eq!(scored(&[(50, 2, 1, 2), (50, 10, 5, 10)]).cost_ratio, 1.0);
    }

    #[test]
    fn instability_is_time_in_which_supply_and_demand_do_not_move_alike() {
        // Points of the grid at 0, 60, … 240 s: demand 1 1 2 2 3, supply 1 2 2 3 4.
        // Steps: (same, up), (up, same), (same, up), (up, up): three of four are unlike.
        let scores = scored(&[(60, 1, 1, 1), (60, 1, 2, 2), (60, 2, 2, 2), (60, 2, 3, 3), (1, 3, 4, 4)]);
        assert_eq!(scores.instability, 75.0);
    }

    #[test]
    fn scales_are_counted_by_day_and_by_direction() {
        let mut scorer = Scorer::default();
        for _ in 0..43_200 {
            scorer.second(&Second::default(), Dynos { demand: 1, ready: 1, all: 1 });
        }
        for (from, to) in [(1, 2), (2, 4), (4, 3), (3, 4)] {
            scorer.scaled(from, to);
        }
        let scores = scorer.scores(None);
        assert_eq!((scores.scalings_per_day, scores.reversals, scores.money), (8.0, 2, None));
        assert_eq!(scores.late_percent, 0.0);
    }

    #[test]
    fn nothing_comes_to_nothing() {
        assert_eq!(Scorer::default().scores(None), Scores::default());
    }
}
