//! Owns staffing by worth: dynos for a rate that is not known for certain. It knows no clock and no forecast.

use std::cell::RefCell;

use super::erlang::{Capacity, Delays, MOST_SERVERS};

/// Dynos are tried up to so many beyond the best.
const BEYOND: u32 = 30;

/// Where waiting that long is this improbable it is left out.
const IMPROBABLE: f64 = 10.0;

thread_local! {
    /// Made as they are needed: the same few are asked time and again.
    static DELAYS: RefCell<Delays> = RefCell::default();
}

/// What a request may wait, and what it is worth that it does not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worth {
    /// What one dyno can do.
    pub capacity: Capacity,
    /// The objective: seconds of waiting …
    pub seconds: f64,
    /// … that at most this share of the requests (0 to 1) may exceed.
    pub share: f64,
    /// A dyno is worth having while it saves at least so many times `share` of what it could serve from being late.
    pub price: f64,
}

impl Worth {
    /// The share of `rate` that is late at `dynos`.
    fn late(&self, delays: &mut Delays, dynos: u32, rate: f64) -> f64 {
        let capacity = f64::from(dynos) * self.capacity.rate_per_dyno;
        let within = (capacity - rate) * self.seconds;
        if rate <= 0.0 || within > IMPROBABLE {
            0.0
        } else if rate >= capacity {
            1.0
        } else {
            delays.at(dynos * self.capacity.workers, rate / capacity) * (-within).exp()
        }
    }

    /// The number of dynos, from 1, at which dynos and late requests together cost least, for rates with their
    /// probabilities; at least as many as the objective needs at `rate`, the most probable. `None` where that takes
    /// more than [`MOST_SERVERS`] servers.
    #[must_use]
    pub fn dynos(&self, rate: f64, spread: &[(f64, f64)]) -> Option<u32> {
        let least = self.capacity.staffing(rate, self.seconds, self.share)?;
        let most = MOST_SERVERS / self.capacity.workers.max(1);
        let price = self.price * self.share * self.capacity.rate_per_dyno;
        DELAYS.with_borrow_mut(|delays| {
            let mut best = (f64::INFINITY, least);
            for dynos in least..=most {
                let paid = price * f64::from(dynos);
                if paid > best.0 || dynos > best.1 + BEYOND {
                    break;
                }
                let late = |(rate, probability): &(f64, f64)| probability * rate * self.late(delays, dynos, *rate);
                let cost = paid + spread.iter().map(late).sum::<f64>();
                if cost < best.0 {
                    best = (cost, dynos);
                }
            }
            Some(best.1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: Worth =
        Worth { capacity: Capacity { rate_per_dyno: 10.0, workers: 1 }, seconds: 0.4, share: 0.05, price: 1.0 };

    #[test]
    fn a_rate_that_is_certain_takes_what_the_objective_needs_and_more_where_it_saves_enough() {
        // At 9.9 dynos' worth 11 dynos leave 1.4 % of 99 per second late: 1.4, and a dyno more is worth 0.5.
        for (rate, due) in [(5.0, 2), (50.0, 7), (99.0, 12), (200.0, 22)] {
            let found = WEB.dynos(rate, &[(rate, 1.0)]).unwrap();
            assert_eq!(found, due, "{rate}");
            let needed = WEB.capacity.staffing(rate, WEB.seconds, WEB.share).unwrap();
            assert!((needed..=needed + 1).contains(&found));
        }
    }

    #[test]
    fn a_jump_is_staffed_for_where_it_is_probable_enough() {
        let at = |probability| WEB.dynos(50.0, &[(50.0, 1.0 - probability), (100.0, probability)]).unwrap();
        // Four dynos more save nearly 100 per second, and cost 2.
        assert_eq!((at(0.0), at(0.01), at(0.1)), (7, 7, 11));
        let dear = Worth { price: 10.0, ..WEB };
        assert_eq!(dear.dynos(50.0, &[(50.0, 0.9), (100.0, 0.1)]), dear.capacity.staffing(50.0, 0.4, 0.05));
    }

    #[test]
    fn what_cannot_be_staffed_is_none() {
        assert_eq!(WEB.dynos(1e9, &[(1e9, 1.0)]), None);
        assert_eq!(WEB.dynos(0.0, &[]), Some(1));
    }
}
