//! Owns the app request by request: a first-come, first-served queue of single requests (or jobs) before
//! the dynos' workers, as a simulation of events. The fluid is checked against it.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use super::app::{App, Second, Signal, Window};
use super::chance::Chance;
use super::fluid::SHED_SECONDS;
use super::model::{AppKind, Durations, Model};
use super::waits::Waits;

/// What is said of recent requests is kept for so many seconds: the longest window and the longest lag.
const KEPT_SECONDS: f64 = 7_200.0;

/// … and of so many requests at most.
const MOST_KEPT: usize = 200_000;

/// More jobs than these do not wait: later ones are turned away (80 MB).
const MOST_WAITING: usize = 10_000_000;

/// The deviation of the logarithm of a lognormal duration whose deviation is its mean, √ln 2.
const SIGMA: f64 = 0.832_554_611_157_697_8;

/// A time by which a heap gives the earliest first.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Earliest(f64);

impl Eq for Earliest {}

impl PartialOrd for Earliest {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Earliest {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.total_cmp(&self.0)
    }
}

/// A request whose work has begun.
#[derive(Clone, Copy, Debug)]
struct Begun {
    at: f64,
    wait: f64,
    response: f64,
}

/// An app whose requests are simulated one by one.
#[derive(Clone, Debug)]
pub struct Events {
    workers: u32,
    /// Requests that a dyno completes per second.
    rate_per_dyno: f64,
    service: f64,
    /// Both where work is as heavy as usual.
    usual: (f64, f64),
    durations: Durations,
    objective: f64,
    sheds: bool,
    chance: Chance,
    now: f64,
    /// When each request that is worked on will be done.
    working: BinaryHeap<Earliest>,
    /// When each request that waits came.
    waiting: VecDeque<f64>,
    /// The first so many of those that wait are counted as late already.
    known_late: usize,
    recent: VecDeque<Begun>,
}

/// What one second adds up to.
#[derive(Default)]
struct Sums {
    arrived: u32,
    late: u32,
    dropped: u32,
    /// Seconds of work, and of waiting and work.
    busy: f64,
    there: f64,
    begun: u32,
    waited: f64,
}

impl Events {
    /// An app without load, whose requests are drawn from `chance`.
    #[must_use]
    pub fn new(model: &Model, chance: Chance) -> Self {
        Self {
            workers: model.capacity.workers,
            rate_per_dyno: model.capacity.rate_per_dyno,
            service: model.service,
            usual: (model.capacity.rate_per_dyno, model.service),
            durations: model.durations,
            objective: model.objective,
            sheds: model.app == AppKind::Web,
            chance,
            now: 0.0,
            working: BinaryHeap::new(),
            waiting: VecDeque::new(),
            known_late: 0,
            recent: VecDeque::new(),
        }
    }

    fn duration(&mut self) -> f64 {
        self.service
            * match self.durations {
                Durations::Constant => 1.0,
                Durations::Exponential => self.chance.exponential(),
                Durations::Lognormal => self.chance.lognormal(SIGMA),
            }
    }

    /// Lets time pass to `time`: what is done makes room for what waits.
    fn pass(&mut self, time: f64, servers: usize, sums: &mut Sums, waits: &mut Option<&mut Waits>) {
        while let Some(Earliest(done)) = self.working.peek().copied().filter(|done| done.0 <= time) {
            self.stand(done, servers, sums);
            self.working.pop();
            self.begin(done, servers, sums, waits);
        }
        self.stand(time, servers, sums);
    }

    /// Time passes in which nothing happens.
    #[allow(clippy::cast_precision_loss)]
    fn stand(&mut self, time: f64, servers: usize, sums: &mut Sums) {
        let passed = time - self.now;
        sums.busy += passed * self.working.len().min(servers) as f64;
        sums.there += passed * (self.working.len() + self.waiting.len()) as f64;
        self.now = time;
    }

    /// Begins with those that wait, as far as workers are free.
    fn begin(&mut self, time: f64, servers: usize, sums: &mut Sums, waits: &mut Option<&mut Waits>) {
        while self.working.len() < servers {
            let Some(came) = self.waiting.pop_front() else { return };
            let known = self.known_late > 0;
            self.known_late = self.known_late.saturating_sub(1);
            self.work(time, time - came, known, sums, waits);
        }
    }

    fn work(&mut self, time: f64, wait: f64, known: bool, sums: &mut Sums, waits: &mut Option<&mut Waits>) {
        let duration = self.duration();
        self.working.push(Earliest(time + duration));
        sums.late += u32::from(!known && wait > self.objective);
        sums.begun += 1;
        sums.waited += wait;
        if let Some(waits) = waits {
            waits.add(wait, 1.0);
        }
        if self.recent.len() == MOST_KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(Begun { at: time, wait, response: wait + duration });
    }

    #[allow(clippy::cast_precision_loss)]
    fn arrive(&mut self, servers: usize, capacity: f64, sums: &mut Sums, waits: &mut Option<&mut Waits>) {
        sums.arrived += 1;
        let full = self.sheds && self.waiting.len() as f64 >= SHED_SECONDS * capacity;
        if self.working.len() < servers {
            self.work(self.now, 0.0, false, sums, waits);
        } else if full || self.waiting.len() >= MOST_WAITING {
            sums.dropped += 1;
            sums.late += 1;
        } else {
            self.waiting.push_back(self.now);
        }
    }

    /// The value that a share `p` of what began in the window do not exceed.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn percentile(&self, p: f64, window: &Window<'_>, of: fn(&Begun) -> f64) -> Option<f64> {
        let (from, to) = window.span();
        let inside = self.recent.iter().rev().skip_while(|begun| begun.at >= to).take_while(|begun| begun.at >= from);
        let mut values: Vec<f64> = inside.map(of).collect();
        values.sort_by(f64::total_cmp);
        let rank = (p * values.len() as f64).ceil() as usize;
        values.get(rank.saturating_sub(1)).copied()
    }
}

impl App for Events {
    #[allow(clippy::cast_precision_loss)]
    fn second(&mut self, rate: f64, ready: u32, mut waits: Option<&mut Waits>) -> Second {
        let servers = (ready * self.workers) as usize;
        let capacity = f64::from(ready) * self.rate_per_dyno;
        let end = self.now + 1.0;
        let mut sums = Sums::default();
        self.begin(self.now, servers, &mut sums, &mut waits);
        let mut next = self.now;
        loop {
            next += if rate > 0.0 { self.chance.exponential() / rate } else { f64::INFINITY };
            if next >= end {
                break;
            }
            self.pass(next, servers, &mut sums, &mut waits);
            self.arrive(servers, capacity, &mut sums, &mut waits);
        }
        self.pass(end, servers, &mut sums, &mut waits);
        while self.waiting.get(self.known_late).is_some_and(|came| end - came > self.objective) {
            self.known_late += 1;
            sums.late += 1;
        }
        while self.recent.front().is_some_and(|begun| begun.at < end - KEPT_SECONDS) {
            self.recent.pop_front();
        }
        let delay = self.waiting.front().map_or(0.0, |came| end - came);
        let queue = self.waiting.len() as f64;
        Second {
            arrived: f64::from(sums.arrived),
            capacity,
            served: (sums.busy / self.service).min(capacity),
            late: f64::from(sums.late),
            dropped: f64::from(sums.dropped),
            backlog: 0.0,
            queue,
            concurrency: sums.there,
            delay,
            delayed: 0.0,
            spare: 0.0,
            wait: if sums.begun > 0 { sums.waited / f64::from(sums.begun) } else { delay },
        }
    }

    fn burden(&mut self, heaviness: f64) {
        let (rate_per_dyno, service) = self.usual;
        (self.rate_per_dyno, self.service) = (rate_per_dyno / heaviness, service * heaviness);
    }

    fn measure(&mut self, signal: Signal, window: &Window<'_>, chance: &mut Chance) -> Option<f64> {
        let newest = *window.newest()?;
        let mean = |of: fn(&Second) -> f64| window.sum(of) / window.length();
        let capacity = mean(|second| second.capacity);
        let there = newest.queue > 0.0 || window.sum(|second| second.arrived) > 0.0;
        let answers = newest.capacity > 0.0;
        match signal {
            Signal::ArrivalRate => Some(mean(|second| second.arrived)),
            Signal::Utilization if capacity > 0.0 => Some(mean(|second| second.served) / capacity),
            Signal::Utilization => Some(f64::from(u8::from(there))),
            Signal::Concurrency => Some(mean(|second| second.concurrency)),
            Signal::Queue => Some(newest.queue),
            Signal::QueueAge => Some(newest.delay),
            _ if !answers => None,
            Signal::QueueTimeP95 => {
                let waited = self.percentile(0.95, window, |begun| begun.wait).unwrap_or(newest.delay);
                Some(1000.0 * waited)
            }
            Signal::ResponseTimeP95 => {
                let took = self.percentile(0.95, window, |begun| begun.response);
                Some(1000.0 * took.unwrap_or(newest.delay + self.service))
            }
            Signal::ResponseTime => {
                let (_, to) = window.span();
                let last = self.recent.iter().rev().find(|begun| begun.at < to).map(|begun| begun.response);
                Some(1000.0 * last.unwrap_or_else(|| newest.delay + self.service * chance.exponential()))
            }
        }
    }
}
