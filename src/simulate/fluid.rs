//! Owns the app as a fluid: what exceeds the dynos' capacity piles up and flows off, what does not waits
//! by Erlang's formula. Nothing in it is random; what is measured of it is.

use super::app::{App, Second, Signal, Window};
use super::chance::Chance;
use super::waits::Waits;
use crate::stats::{Capacity, Delays};

/// A backlog of more seconds than these is turned away.
pub const SHED_SECONDS: f64 = 10.0;

/// Halvings of the search for a percentile of the response time.
const HALVINGS: usize = 40;

/// A web app as a fluid.
#[derive(Clone, Debug)]
pub struct Fluid {
    capacity: Capacity,
    /// Requests that a dyno completes per second where work is as heavy as usual.
    rate_per_dyno: f64,
    /// The objective: seconds of waiting.
    objective: f64,
    backlog: f64,
    delays: Delays,
}

impl Fluid {
    /// Without a backlog; `objective` in seconds of waiting.
    #[must_use]
    pub fn new(capacity: Capacity, objective: f64) -> Self {
        Self { capacity, rate_per_dyno: capacity.rate_per_dyno, objective, backlog: 0.0, delays: Delays::default() }
    }

    /// Seconds of work of one request.
    fn service(&self) -> f64 {
        f64::from(self.capacity.workers) / self.capacity.rate_per_dyno
    }

    /// The response time in seconds that a share `p` of the requests do not exceed, behind the backlog: the
    /// sum of the wait of an M/M/c queue and an exponential service time.
    fn response(&self, second: &Second, p: f64) -> f64 {
        let (mu, theta) = (1.0 / self.service(), second.spare);
        let waits = if theta > 0.0 { second.delayed } else { 0.0 };
        let longer = |t: f64| {
            let work = (-mu * t).exp();
            let behind = if (theta - mu).abs() < 1e-6 * mu {
                work * (1.0 + mu * t)
            } else {
                (theta * work - mu * (-theta * t).exp()) / (theta - mu)
            };
            (1.0 - waits) * work + if waits > 0.0 { waits * behind } else { 0.0 }
        };
        let (mut low, mut high) = (0.0, 1.0 / mu);
        while longer(high) > 1.0 - p && high < 1e6 {
            high *= 2.0;
        }
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if longer(middle) > 1.0 - p { low = middle } else { high = middle }
        }
        second.delay + high
    }
}

impl App for Fluid {
    fn second(&mut self, rate: f64, ready: u32, waits: Option<&mut Waits>) -> Second {
        let capacity = f64::from(ready) * self.capacity.rate_per_dyno;
        let served = capacity.min(self.backlog + rate);
        let all = (self.backlog + rate - capacity).max(0.0);
        self.backlog = all.min(SHED_SECONDS * capacity);
        let dropped = all - self.backlog;
        let delay = if capacity > 0.0 { self.backlog / capacity } else { 0.0 };
        let spare = capacity - rate;
        let mut second = Second {
            arrived: rate,
            capacity,
            served,
            late: rate,
            dropped,
            backlog: self.backlog,
            queue: self.backlog,
            concurrency: served * self.service() + self.backlog,
            delay,
            delayed: 1.0,
            spare,
            wait: delay,
        };
        if spare > 0.0 {
            second.delayed = self.delays.at(ready * self.capacity.workers, rate / capacity);
            second.concurrency += second.delayed * rate / spare;
            second.wait += second.delayed / spare;
            if delay <= self.objective {
                second.late = rate * second.delayed * (-spare * (self.objective - delay)).exp();
            }
        }
        if let Some(waits) = waits {
            waits.of_fluid(&second, ready);
        }
        second
    }

    fn burden(&mut self, heaviness: f64) {
        self.capacity.rate_per_dyno = self.rate_per_dyno / heaviness;
    }

    fn measure(&mut self, signal: Signal, window: &Window<'_>, chance: &mut Chance) -> Option<f64> {
        let newest = *window.newest()?;
        let arrived = window.sum(|second| second.arrived);
        // Requests come one by one: what is counted differs from the mean by chance.
        let noise = |chance: &mut Chance| if arrived > 0.0 { chance.count(arrived) / arrived } else { 1.0 };
        let answers = newest.capacity > 0.0;
        let behind = 1000.0 * newest.delay;
        match signal {
            Signal::ArrivalRate => Some(noise(chance) * arrived / window.length()),
            Signal::Utilization => Some(utilization(window, chance)),
            Signal::Concurrency => Some(noise(chance) * window.sum(|second| second.concurrency) / window.length()),
            Signal::Queue => Some((newest.backlog + waiting(&newest, chance)).round()),
            Signal::QueueAge => Some(newest.delay),
            Signal::QueueTimeP95 => answers.then(|| {
                let beyond = (newest.delayed / 0.05).ln().max(0.0);
                behind + if newest.spare > 0.0 { 1000.0 * beyond / newest.spare } else { 0.0 }
            }),
            Signal::ResponseTimeP95 => answers.then(|| 1000.0 * self.response(&newest, 0.95)),
            Signal::ResponseTime => answers.then(|| {
                let waits = newest.spare > 0.0 && chance.happens(newest.delayed);
                let wait = if waits { chance.exponential() / newest.spare } else { 0.0 };
                behind + 1000.0 * (wait + self.service() * chance.exponential())
            }),
        }
    }
}

/// Work that was done by work that could be done. In no second is it more than all: what comes by chance
/// beyond a second's capacity is not seen, and where a backlog waits every dyno is busy.
fn utilization(window: &Window<'_>, chance: &mut Chance) -> f64 {
    let capacity = window.sum(|second| second.capacity);
    if capacity <= 0.0 {
        return if window.sum(|second| second.arrived) > 0.0 { 1.0 } else { 0.0 };
    }
    let mut busy = 0.0;
    for second in window.iter() {
        let full = second.backlog > 0.0 || second.served >= second.capacity;
        busy += if full { second.capacity } else { chance.count(second.arrived).min(second.capacity) };
    }
    busy / capacity
}

/// How many wait besides the backlog: drawn from the M/M/c queue.
fn waiting(second: &Second, chance: &mut Chance) -> f64 {
    if second.spare <= 0.0 || !chance.happens(second.delayed) {
        return 0.0;
    }
    // Geometric: the exponential, in units in which it halves as the queue does.
    let utilization = second.arrived / second.capacity;
    (chance.exponential() / -utilization.ln()).floor()
}

#[allow(clippy::float_cmp)] // Worked by hand, and exact in binary.
#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const ONE: Capacity = Capacity { rate_per_dyno: 10.0, workers: 1 };

    fn seconds(app: &mut Fluid, load: &[(f64, u32)]) -> VecDeque<Second> {
        load.iter().map(|(rate, ready)| app.second(*rate, *ready, None)).collect()
    }

    fn measured(app: &mut Fluid, signal: Signal, seconds: &VecDeque<Second>) -> f64 {
        let window = Window { seconds, from: 0, to: seconds.len(), elapsed: seconds.len() as u64 };
        let mut chance = Chance::seeded(1, 0);
        let many = 4_000;
        (0..many).map(|_| app.measure(signal, &window, &mut chance).unwrap()).sum::<f64>() / f64::from(many)
    }

    #[test]
    fn what_exceeds_the_capacity_piles_up_flows_off_and_is_shed_above_ten_seconds() {
        let mut app = Fluid::new(ONE, 0.4);
        let all = seconds(&mut app, &[(13.0, 1), (13.0, 1), (5.0, 1), (8.0, 1), (0.0, 1), (500.0, 2), (0.0, 0)]);
        let backlog: Vec<f64> = all.iter().map(|second| second.backlog).collect();
        assert_eq!(backlog, [3.0, 6.0, 1.0, 0.0, 0.0, 200.0, 0.0]);
        let dropped: Vec<f64> = all.iter().map(|second| second.dropped).collect();
        assert_eq!(dropped, [0.0, 0.0, 0.0, 0.0, 0.0, 280.0, 200.0]);
        // Overloaded, or behind 0.6 s of backlog: all are late. Then the wait behind 0.1 s: 0.3 s more is too long.
        assert_eq!((all[0].late, all[1].late, all[5].late), (13.0, 13.0, 500.0));
        let due = 5.0 * 0.5 * (-5.0_f64 * 0.3).exp();
        assert!((all[2].late - due).abs() < 1e-6, "{}", all[2].late);
        assert_eq!(all[1].served, 10.0);
    }

    #[test]
    fn what_is_measured_is_right_on_average() {
        let mut app = Fluid::new(ONE, 0.4);
        // 8 erlangs at 10 servers: C is 0.409, so 1.636 wait and 9.636 are there.
        let steady = seconds(&mut app, &[(80.0, 10); 30]);
        let delayed = 0.409_18;
        for (signal, due) in [
            (Signal::ArrivalRate, 80.0),
            (Signal::Utilization, 0.8),
            (Signal::Concurrency, 8.0 + delayed * 4.0),
            (Signal::Queue, delayed * 4.0),
            (Signal::QueueAge, 0.0),
            (Signal::QueueTimeP95, 1000.0 * (delayed / 0.05_f64).ln() / 20.0),
            (Signal::ResponseTime, 100.0 + 1000.0 * delayed / 20.0),
        ] {
            let found = measured(&mut app, signal, &steady);
            assert!((found - due).abs() <= 0.05 * due, "{signal:?}: {found}, not {due}");
        }
    }

    #[test]
    fn a_percentile_of_the_response_time_is_that_of_drawn_ones() {
        for (rate, ready) in [(80.0, 10), (10.0, 2), (9.0, 1)] {
            let mut app = Fluid::new(ONE, 0.4);
            let steady = seconds(&mut app, &[(rate, ready); 3]);
            let window = Window { seconds: &steady, from: 0, to: 3, elapsed: 3 };
            let mut chance = Chance::seeded(2, 0);
            let mut drawn: Vec<f64> =
                (0..40_000).map(|_| app.measure(Signal::ResponseTime, &window, &mut chance).unwrap()).collect();
            drawn.sort_by(f64::total_cmp);
            let p95 = app.measure(Signal::ResponseTimeP95, &window, &mut chance).unwrap();
            assert!((p95 / drawn[38_000] - 1.0).abs() < 0.03, "{p95}, not {}", drawn[38_000]);
        }
    }

    #[test]
    fn a_processor_cannot_see_how_overloaded_it_is() {
        let mut app = Fluid::new(ONE, 0.4);
        let over = seconds(&mut app, &[(30.0, 1); 10]);
        assert_eq!(measured(&mut app, Signal::Utilization, &over), 1.0);
        assert!(measured(&mut app, Signal::ArrivalRate, &over) > 29.0);
        assert!(measured(&mut app, Signal::QueueTimeP95, &over) > 9_000.0);
        let none = seconds(&mut app, &[(30.0, 0)]);
        let window = Window { seconds: &none, from: 0, to: 1, elapsed: 1 };
        assert_eq!(app.measure(Signal::ResponseTime, &window, &mut Chance::seeded(1, 0)), None);
    }
}
