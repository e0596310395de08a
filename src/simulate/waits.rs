//! Owns the distribution of waits over a whole simulation, weighted by requests: percentiles without
//! keeping a value for each.

use super::app::Second;

/// Steps of utilization that are told apart: at 1 all of it is used.
const STEPS: usize = 512;

/// Bins of a factor of two of the wait.
const BINS_PER_DOUBLING: f64 = 16.0;

/// The shortest wait that is told from none, in seconds.
const SHORTEST: f64 = 1e-4;

/// Bins: the last one begins at more than a week.
const BINS: usize = 528;

/// A wait behind a backlog is spread over so many points of its distribution.
const POINTS: i32 = 8;

/// Requests that came at one number of dynos and one step of utilization, without a backlog.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    weight: f64,
    /// Sums over its seconds, weighted: their means describe the wait of all.
    delayed: f64,
    spare: f64,
}

/// How long requests waited.
#[derive(Clone, Debug)]
pub struct Waits {
    /// By dynos and steps of utilization.
    cells: Vec<Cell>,
    /// Requests that did not wait.
    none: f64,
    bins: Vec<f64>,
    points: Vec<f64>,
}

impl Default for Waits {
    fn default() -> Self {
        let point = |at: i32| -(1.0 - (f64::from(at) + 0.5) / f64::from(POINTS)).ln();
        Self { cells: Vec::new(), none: 0.0, bins: vec![0.0; BINS], points: (0..POINTS).map(point).collect() }
    }
}

impl Waits {
    /// Takes note of `weight` requests that waited `seconds`.
    pub fn add(&mut self, seconds: f64, weight: f64) {
        if seconds < SHORTEST {
            self.none += weight;
        } else {
            self.bins[bin(seconds)] += weight;
        }
    }

    /// Takes note of the requests of a second with `ready` dynos, which wait by Erlang's formula behind its
    /// backlog. Those that are turned away wait no less than the ones before them.
    pub(super) fn of_fluid(&mut self, second: &Second, ready: u32) {
        let weight = second.arrived;
        if weight <= 0.0 {
            return;
        }
        if second.spare <= 0.0 {
            self.add(second.delay, weight);
        } else if second.delay > 0.0 {
            self.add(second.delay, weight * (1.0 - second.delayed));
            let part = weight * second.delayed / f64::from(POINTS);
            for at in 0..self.points.len() {
                self.add(second.delay + self.points[at] / second.spare, part);
            }
        } else {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let step = (second.arrived / second.capacity * STEPS as f64) as usize;
            let index = ready as usize * STEPS + step.min(STEPS - 1);
            if self.cells.len() <= index {
                self.cells.resize((ready as usize + 1) * STEPS, Cell::default());
            }
            let cell = &mut self.cells[index];
            cell.weight += weight;
            cell.delayed += weight * second.delayed;
            cell.spare += weight * second.spare;
        }
    }

    /// The waits in seconds that the given shares (0 to 1) of the requests do not exceed; 0 where there was
    /// none.
    #[must_use]
    pub fn quantiles<const N: usize>(&self, shares: [f64; N]) -> [f64; N] {
        let (mut none, mut bins) = (self.none, self.bins.clone());
        for cell in self.cells.iter().filter(|cell| cell.weight > 0.0) {
            let (delayed, spare) = (cell.delayed / cell.weight, cell.spare / cell.weight);
            // Waits longer than each bin's begin, from the first on.
            let mut longer = delayed * (-spare * SHORTEST).exp();
            none += cell.weight * (1.0 - longer);
            for (at, weight) in bins.iter_mut().enumerate() {
                let beyond = if at + 1 == BINS { 0.0 } else { delayed * (-spare * begin(at + 1)).exp() };
                *weight += cell.weight * (longer - beyond);
                longer = beyond;
                if longer < 1e-12 {
                    break;
                }
            }
        }
        let total = none + bins.iter().sum::<f64>();
        shares.map(|share| quantile(share * total, none, &bins))
    }
}

/// The wait at which `weight` requests are reached, within its bin on a straight line.
fn quantile(weight: f64, none: f64, bins: &[f64]) -> f64 {
    let mut passed = none;
    if weight <= passed {
        return 0.0;
    }
    for (at, inside) in bins.iter().enumerate() {
        if passed + inside >= weight {
            let part = if *inside > 0.0 { (weight - passed) / inside } else { 0.0 };
            return begin(at) + part * (begin(at + 1) - begin(at));
        }
        passed += inside;
    }
    begin(bins.len())
}

/// Where a bin begins, in seconds.
#[allow(clippy::cast_precision_loss)]
fn begin(bin: usize) -> f64 {
    SHORTEST * (bin as f64 / BINS_PER_DOUBLING).exp2()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn bin(seconds: f64) -> usize {
    (((seconds / SHORTEST).log2() * BINS_PER_DOUBLING) as usize).min(BINS - 1)
}

#[allow(clippy::float_cmp)] // Worked by hand, and exact in binary.
#[cfg(test)]
mod tests {
    use super::super::app::App;
    use super::super::fluid::Fluid;
    use super::*;
    use crate::stats::Capacity;

    #[test]
    fn quantiles_are_those_of_what_was_added() {
        let mut waits = Waits::default();
        assert_eq!(waits.quantiles([0.5, 0.99]), [0.0, 0.0]);
        for ms in 1..=1000 {
            waits.add(f64::from(ms) / 1000.0, 2.0);
        }
        waits.add(0.0, 2000.0);
        let [p50, p75, p99] = waits.quantiles([0.5, 0.75, 0.99]);
        assert_eq!(p50, 0.0);
        assert!((p75 - 0.5).abs() < 0.02 && (p99 - 0.98).abs() < 0.03, "{p75} {p99}");
        waits.add(1e9, 1.0);
        assert!(waits.quantiles([1.0])[0].is_finite());
    }

    #[test]
    fn a_steady_load_waits_by_the_formula() {
        let mut app = Fluid::new(Capacity { rate_per_dyno: 10.0, workers: 1 }, 0.4);
        let mut waits = Waits::default();
        for _ in 0..100 {
            app.second(80.0, 10, Some(&mut waits));
        }
        let [p50, p95, p99] = waits.quantiles([0.5, 0.95, 0.99]);
        let due = |share: f64| (0.409_18 / (1.0 - share)).ln() / 20.0;
        assert_eq!(p50, 0.0);
        assert!((p95 / due(0.95) - 1.0).abs() < 0.03 && (p99 / due(0.99) - 1.0).abs() < 0.03, "{p95} {p99}");
    }
}
