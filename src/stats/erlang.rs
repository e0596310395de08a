//! Owns waiting by Erlang: the stationary M/M/c queue (Erlang, 1917; the recursion as in Cooper,
//! "Introduction to Queueing Theory", 1981), and the dynos that an objective needs by it. It is pure.

/// Steps of utilization in the table of one number of servers: between them it is interpolated.
const STEPS: usize = 1024;

/// More servers than this are an app that nobody simulates: tables of them take minutes.
pub const MOST_SERVERS: u32 = 5_000;

/// Halvings of the search for the load that a number of dynos can take.
const HALVINGS: usize = 40;

/// The probability that a request must wait, with `servers` servers and `load` erlangs (arrivals times
/// service time) offered to them: Erlang's C formula. 1 from full load on.
#[must_use]
pub fn delayed(servers: u32, load: f64) -> f64 {
    let c = f64::from(servers);
    if load >= c {
        return 1.0;
    }
    if load <= 0.0 {
        return 0.0;
    }
    // Erlang's B formula by its recursion, which neither overflows nor cancels.
    let mut blocked = 1.0;
    for k in 1..=servers {
        blocked = load * blocked / (f64::from(k) + load * blocked);
    }
    blocked / (1.0 - load / c * (1.0 - blocked))
}

/// What one dyno can do, and how long a request may wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// Requests that one dyno completes per second.
    pub rate_per_dyno: f64,
    /// Requests that one dyno works on at once.
    pub workers: u32,
}

impl Capacity {
    /// The smallest number of dynos, from 1, at which at most `share` (0 to 1) of `rate` requests per second wait
    /// longer than `seconds`; `None` where that takes more than [`MOST_SERVERS`] servers.
    #[must_use]
    pub fn staffing(self, rate: f64, seconds: f64, share: f64) -> Option<u32> {
        let most = MOST_SERVERS / self.workers.max(1);
        let least = (rate / self.rate_per_dyno).max(0.0);
        // Nobody may wait: no number is enough, whatever a rounded chance says.
        if share <= 0.0 || least.is_nan() || least >= f64::from(most) {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let first = (least as u32).max(1);
        (first..=most).find(|dynos| self.waits_longer(*dynos, rate, seconds) <= share)
    }

    /// Erlangs that `rate` requests per second offer.
    fn load(self, rate: f64) -> f64 {
        rate / self.rate_per_dyno * f64::from(self.workers)
    }

    /// The probability that a request of `rate` per second waits longer than `seconds` at `dynos` dynos.
    #[must_use]
    pub fn waits_longer(self, dynos: u32, rate: f64, seconds: f64) -> f64 {
        let spare = f64::from(dynos) * self.rate_per_dyno - rate;
        if spare <= 0.0 {
            return 1.0;
        }
        delayed(dynos * self.workers, self.load(rate)) * (-spare * seconds).exp()
    }
}

/// The dynos that an objective needs, by load: the highest rate that 1, 2, 3 … dynos can take.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand(Vec<f64>);

impl Demand {
    /// For loads up to `highest` requests per second: at most `share` of the requests (0 to 1) may wait
    /// longer than `seconds`.
    ///
    /// # Errors
    /// When that takes more servers than are simulated.
    pub fn new(capacity: Capacity, seconds: f64, share: f64, highest: f64) -> Result<Self, String> {
        let mut rates = Vec::new();
        while rates.last().is_none_or(|rate| *rate < highest) {
            let dynos = u32::try_from(rates.len() + 1).unwrap_or(u32::MAX);
            if dynos.saturating_mul(capacity.workers) > MOST_SERVERS {
                return Err(format!(
                    "the load reaches {highest:.1} per second, which takes more than {} dynos of {} per second; at most \
                     {MOST_SERVERS} workers are simulated",
                    dynos - 1,
                    capacity.rate_per_dyno
                ));
            }
            // One dyno more takes at least as much more as one dyno alone.
            let (mut low, mut high) = (rates.last().copied().unwrap_or(0.0), f64::from(dynos) * capacity.rate_per_dyno);
            for _ in 0..HALVINGS {
                let middle = f64::midpoint(low, high);
                if capacity.waits_longer(dynos, middle, seconds) <= share { low = middle } else { high = middle }
            }
            rates.push(low);
        }
        Ok(Self(rates))
    }

    /// The smallest number of dynos, from 1, that meets the objective at `rate` requests per second.
    #[must_use]
    pub fn at(&self, rate: f64) -> u32 {
        let below = self.0.partition_point(|most| *most < rate);
        u32::try_from(below + 1).unwrap_or(u32::MAX)
    }
}

/// [`delayed`] from tables, made as they are needed: a simulation asks it every second.
#[derive(Clone, Debug, Default)]
pub struct Delays(Vec<Option<Box<[f32]>>>);

impl Delays {
    /// The probability that a request must wait at a utilization of 0 to 1.
    pub fn at(&mut self, servers: u32, utilization: f64) -> f64 {
        let index = servers as usize;
        if self.0.len() <= index {
            self.0.resize(index + 1, None);
        }
        let table = self.0[index].get_or_insert_with(|| {
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
            let at = |step| delayed(servers, f64::from(servers) * step as f64 / STEPS as f64) as f32;
            (0..=STEPS).map(at).collect()
        });
        #[allow(clippy::cast_precision_loss)]
        let place = utilization.clamp(0.0, 1.0) * STEPS as f64;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let step = (place as usize).min(STEPS - 1);
        #[allow(clippy::cast_precision_loss)]
        let part = place - step as f64;
        let (low, high) = (f64::from(table[step]), f64::from(table[step + 1]));
        low + part * (high - low)
    }
}

#[allow(clippy::float_cmp)] // Worked by hand, and exact in binary.
#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Capacity = Capacity { rate_per_dyno: 10.0, workers: 1 };

    #[test]
    fn erlang_c_is_what_tables_say() {
        // One server: C is the utilization. The others: the usual tables of Erlang's C formula.
        for (servers, load, due) in [
            (1, 0.7, 0.7),
            (2, 1.0, 1.0 / 3.0),
            (3, 2.0, 4.0 / 9.0),
            (5, 4.0, 0.554_1),
            (10, 8.0, 0.409_2),
            (25, 20.0, 0.209),
        ] {
            let found = delayed(servers, load);
            assert!((found - due).abs() < 5e-4, "C({servers}, {load}) is {found}, not {due}");
        }
        assert_eq!((delayed(3, 0.0), delayed(3, 3.0), delayed(0, 1.0)), (0.0, 1.0, 1.0));
    }

    #[test]
    fn the_table_is_the_formula() {
        let mut delays = Delays::default();
        for (servers, utilization) in [(1, 0.3), (4, 0.777), (25, 0.8), (100, 0.95), (100, 0.999)] {
            let exact = delayed(servers, f64::from(servers) * utilization);
            assert!((delays.at(servers, utilization) - exact).abs() < 1e-4);
        }
        assert!((delays.at(7, 1.0) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn demand_meets_the_objective_and_one_dyno_less_does_not() {
        let demand = Demand::new(ONE, 0.4, 0.05, 250.0).unwrap();
        assert_eq!((demand.at(0.0), demand.at(0.001)), (1, 1));
        // The figures of facts: loads of 1, 10 and 20 erlangs need 2, 11 and 21 dynos.
        assert_eq!([10.0, 100.0, 200.0].map(|rate| demand.at(rate)), [2, 11, 21]);
        for rate in [3.0, 55.0, 123.4, 249.0] {
            let dynos = demand.at(rate);
            assert!(ONE.waits_longer(dynos, rate, 0.4) <= 0.05);
            assert!(dynos == 1 || ONE.waits_longer(dynos - 1, rate, 0.4) > 0.05);
        }
    }

    #[test]
    fn staffing_is_demand_of_one_rate() {
        let demand = Demand::new(ONE, 0.4, 0.05, 250.0).unwrap();
        for rate in [0.0, 3.0, 10.0, 55.0, 100.0, 123.4, 200.0, 249.0] {
            assert_eq!(ONE.staffing(rate, 0.4, 0.05), Some(demand.at(rate)), "{rate}");
        }
        assert_eq!((ONE.staffing(50_001.0, 0.4, 0.05), ONE.staffing(f64::NAN, 0.4, 0.05)), (None, None));
        // Nobody may wait: no number is enough.
        assert_eq!(ONE.staffing(10.0, 0.4, 0.0), None);
    }

    #[test]
    fn more_than_can_be_simulated_is_said() {
        let said = Demand::new(Capacity { rate_per_dyno: 0.001, workers: 1 }, 0.4, 0.05, 250.0).unwrap_err();
        assert!(said.contains("5000"), "{said}");
    }
}
