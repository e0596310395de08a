//! Owns the demo app's queue: requests that arrive, wait for a worker, are served or given up. It is
//! pure: the caller says what time it is, how many dynos run and how much load arrives.
//!
//! Workers of one dyno share its processor, so a request takes the longer the more of them are busy:
//! `service × (1 + contention × busy share)`, fixed when it starts. For a load of `L` (as a share of
//! what all workers can do) that gives a mean of about `service / (1 - L × contention / (1 + contention))`,
//! the processor-sharing formula with a ceiling: the response time tells early that dynos run short, and
//! when they do the queue grows.

use std::collections::{BinaryHeap, VecDeque};
use std::{cmp::Reverse, time::Duration};

/// How the app works.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Requests that one dyno works on at once.
    pub workers_per_dyno: u32,
    /// How long a request takes on an idle dyno.
    pub service: Duration,
    /// A request that starts when every worker is busy takes `1 + contention` times as long.
    pub contention: f64,
    /// A request that has waited so long for a worker is given up (503).
    pub longest_wait: Duration,
    /// A request that finds so many waiting is refused at once (503).
    pub backlog: usize,
}

impl Default for Shape {
    /// About 11 requests a second per dyno, 180 ms when idle, 720 ms when full and then a queue.
    fn default() -> Self {
        Self {
            workers_per_dyno: 8,
            service: Duration::from_millis(180),
            contention: 3.0,
            longest_wait: Duration::from_secs(3),
            backlog: 200,
        }
    }
}

/// A real request in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(u64);

/// What became of a real request. Times count from the start of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A worker has begun with it and will be done then.
    Served {
        /// When its reply is due.
        done: Duration,
    },
    /// It is given up.
    Refused,
}

/// The queue at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gauge {
    /// Requests that arrive per second.
    pub load: f64,
    /// Requests that wait for a worker.
    pub waiting: usize,
    /// Workers that are busy.
    pub busy: usize,
    /// Workers in all.
    pub workers: usize,
    /// Dynos that run (those still booting do not).
    pub dynos: u32,
    /// Requests served so far.
    pub served: u64,
    /// Requests given up or refused so far.
    pub refused: u64,
    /// The hour of the synthetic day, 0.0..24.0.
    pub hour: f64,
}

/// Requests, workers and the time.
#[derive(Debug)]
pub struct Queue {
    shape: Shape,
    now: Duration,
    /// When the next background request arrives.
    next_arrival: Duration,
    /// First come, first served: when each arrived, and its ticket if it is a real one.
    waiting: VecDeque<(Duration, Option<Ticket>)>,
    /// When the busy workers will be done, the earliest first.
    busy: BinaryHeap<Reverse<Duration>>,
    workers: usize,
    dynos: u32,
    tickets: u64,
    answers: Vec<(Ticket, Answer)>,
    served: u64,
    refused: u64,
    random: fastrand::Rng,
}

/// After a longer pause (the machine slept) the time between is skipped, not worked off.
const LONGEST_STEP: Duration = Duration::from_secs(5);

/// The load is looked at again after so many seconds at the latest.
const LONGEST_GAP: f64 = 0.5;

/// No more than 10,000 background requests a second, whatever the load says.
const SHORTEST_GAP: f64 = 0.0001;

impl Queue {
    /// An empty queue at time 0; `seed` makes its arrivals repeatable.
    #[must_use]
    pub fn new(shape: Shape, seed: u64) -> Self {
        Self {
            shape,
            now: Duration::ZERO,
            next_arrival: Duration::ZERO,
            waiting: VecDeque::new(),
            busy: BinaryHeap::new(),
            workers: 0,
            dynos: 0,
            tickets: 0,
            answers: Vec::new(),
            served: 0,
            refused: 0,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// Lets the time go on to `now` (never back) with `dynos` running and `rate` giving the requests
    /// per second at a time; tells what became of real requests since the last call.
    pub fn advance(&mut self, now: Duration, dynos: u32, rate: impl Fn(Duration) -> f64) -> Vec<(Ticket, Answer)> {
        self.dynos = dynos;
        self.workers = dynos.saturating_mul(self.shape.workers_per_dyno) as usize;
        if now.saturating_sub(self.now) > LONGEST_STEP {
            self.now = now.saturating_sub(LONGEST_STEP);
            self.next_arrival = self.next_arrival.max(self.now);
        }
        self.start_waiting();
        while let Some((at, next)) = self.next_event().filter(|(at, _)| *at <= now) {
            self.now = self.now.max(at);
            match next {
                Next::Finish => {
                    self.busy.pop();
                    self.served += 1;
                }
                Next::GiveUp => {
                    if let Some((_, ticket)) = self.waiting.pop_front() {
                        self.refuse(ticket);
                    }
                }
                Next::Arrival => self.background(rate(self.now)),
            }
            self.start_waiting();
        }
        self.now = self.now.max(now);
        std::mem::take(&mut self.answers)
    }

    /// A real request arrives at the time of the last [`Queue::advance`]; the next one tells its answer.
    pub fn join(&mut self) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.arrive(Some(ticket));
        ticket
    }

    /// The queue as it is, under a load of `load` requests per second at `hour`.
    #[must_use]
    pub fn gauge(&self, load: f64, hour: f64) -> Gauge {
        let (waiting, busy) = (self.waiting.len(), self.busy.len());
        let (workers, dynos) = (self.workers, self.dynos);
        Gauge { load, waiting, busy, workers, dynos, served: self.served, refused: self.refused, hour }
    }

    /// A background request arrives and the next one is planned, at `rate` per second: evenly but for
    /// some jitter, since the noise of a few requests a second would hide what the demo is to show.
    /// Where the next one is far, the load is looked at again before, and arrivals are drawn by chance.
    fn background(&mut self, rate: f64) {
        let gap = (0.5 + self.random.f64()) / rate.max(f64::MIN_POSITIVE);
        self.next_arrival = self.now + Duration::from_secs_f64(gap.clamp(SHORTEST_GAP, LONGEST_GAP));
        if gap <= LONGEST_GAP || self.random.f64() < LONGEST_GAP / gap {
            self.arrive(None);
        }
    }

    fn arrive(&mut self, ticket: Option<Ticket>) {
        if self.waiting.len() >= self.shape.backlog {
            self.refuse(ticket);
        } else {
            self.waiting.push_back((self.now, ticket));
        }
    }

    fn refuse(&mut self, ticket: Option<Ticket>) {
        self.refused += 1;
        self.answers.extend(ticket.map(|ticket| (ticket, Answer::Refused)));
    }

    /// Gives waiting requests to idle workers.
    #[allow(clippy::cast_precision_loss)]
    fn start_waiting(&mut self) {
        while self.busy.len() < self.workers {
            let Some((_, ticket)) = self.waiting.pop_front() else { return };
            let share = self.busy.len() as f64 / (self.workers - 1).max(1) as f64;
            let varied = 0.9 + 0.2 * self.random.f64();
            let done = self.now + self.shape.service.mul_f64(varied * (1.0 + self.shape.contention * share));
            self.busy.push(Reverse(done));
            self.answers.extend(ticket.map(|ticket| (ticket, Answer::Served { done })));
        }
    }

    fn next_event(&self) -> Option<(Duration, Next)> {
        let finish = self.busy.peek().map(|done| (done.0, Next::Finish));
        let give_up = self.waiting.front().map(|(since, _)| (*since + self.shape.longest_wait, Next::GiveUp));
        [finish, give_up, Some((self.next_arrival, Next::Arrival))].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Finish,
    GiveUp,
    Arrival,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape {
        workers_per_dyno: 4,
        service: Duration::from_millis(100),
        contention: 1.0,
        longest_wait: Duration::from_secs(2),
        backlog: 30,
    };

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// How long a request that joins at `seconds` takes, `None` when it is given up.
    fn probe(queue: &mut Queue, seconds: f64, dynos: u32, rate: f64) -> Option<f64> {
        assert!(queue.advance(at(seconds), dynos, |_| rate).is_empty());
        let ticket = queue.join();
        let answers = (1_u32..).map(|step| at(seconds) + SHAPE.service * step / 10);
        let answer = answers.flat_map(|now| queue.advance(now, dynos, |_| rate)).next().expect("it is answered");
        assert_eq!(answer.0, ticket);
        match answer.1 {
            Answer::Served { done } => Some(done.saturating_sub(at(seconds)).as_secs_f64()),
            Answer::Refused => None,
        }
    }

    #[test]
    fn an_idle_app_takes_its_service_time() {
        let took = probe(&mut Queue::new(SHAPE, 1), 1.0, 1, 0.0).expect("served");
        assert!((0.09..=0.11).contains(&took), "{took}");
    }

    #[test]
    fn a_busier_app_takes_longer_before_a_queue_forms() {
        let mean = |rate: f64| {
            let mut queue = Queue::new(SHAPE, 1);
            (2..42).filter_map(|second| probe(&mut queue, f64::from(second), 2, rate)).sum::<f64>() / 40.0
        };
        let (quiet, half, nearly_full) = (mean(1.0), mean(20.0), mean(37.0));
        assert!(quiet < 0.12, "{quiet}");
        assert!((0.125..0.165).contains(&half), "{half}");
        assert!((0.165..0.25).contains(&nearly_full), "{nearly_full}");
    }

    #[test]
    fn an_overloaded_app_queues_and_gives_up_and_recovers_with_more_dynos() {
        let mut queue = Queue::new(SHAPE, 1);
        // One dyno serves 20 a second at most; 26 arrive: a second's excess waits 0.3 s.
        let early = probe(&mut queue, 1.0, 1, 26.0).expect("served");
        let later = probe(&mut queue, 3.0, 1, 26.0).expect("served");
        assert!(later > early + 0.3, "{early}, then {later}");
        queue.advance(at(4.0), 1, |_| 26.0);
        queue.advance(at(8.0), 1, |_| 100.0);
        assert_eq!(queue.gauge(0.0, 0.0).waiting, SHAPE.backlog, "the backlog is capped");
        assert!(queue.gauge(0.0, 0.0).refused > 100);
        queue.advance(at(11.0), 3, |_| 26.0);
        let recovered = probe(&mut queue, 12.0, 3, 26.0).expect("served");
        assert!(recovered < 0.2, "{recovered}");
    }

    #[test]
    fn without_dynos_a_request_is_given_up_after_the_longest_wait() {
        let mut queue = Queue::new(SHAPE, 1);
        queue.advance(at(1.0), 0, |_| 0.0);
        let ticket = queue.join();
        assert!(queue.advance(at(2.99), 0, |_| 0.0).is_empty());
        assert_eq!(queue.advance(at(3.0), 0, |_| 0.0), [(ticket, Answer::Refused)]);
    }

    #[test]
    fn fewer_dynos_finish_what_they_began_and_begin_no_more() {
        let mut queue = Queue::new(SHAPE, 1);
        queue.advance(at(2.0), 3, |_| 55.0);
        let busy = queue.gauge(0.0, 0.0).busy;
        assert!(busy > 4, "{busy}");
        queue.advance(at(2.001), 1, |_| 55.0);
        assert!(queue.gauge(0.0, 0.0).busy >= busy - 1, "work in hand is finished");
        queue.advance(at(2.5), 1, |_| 55.0);
        assert_eq!(queue.gauge(0.0, 0.0).busy, 4);
    }

    #[test]
    fn as_many_arrive_as_the_load_says_and_a_long_pause_is_skipped() {
        for rate in [0.4, 7.0, 60.0] {
            let mut queue = Queue::new(SHAPE, 1);
            for second in 1..=200 {
                queue.advance(at(f64::from(second)), 9, |_| rate);
            }
            let gauge = queue.gauge(rate, 0.0);
            #[allow(clippy::cast_precision_loss)]
            let per_second = (gauge.served + gauge.busy as u64) as f64 / 200.0;
            assert!((per_second / rate - 1.0).abs() < 0.3, "{per_second} at a load of {rate}");
        }
        let mut queue = Queue::new(SHAPE, 1);
        queue.advance(at(86_400.0), 1, |_| 10.0);
        assert!(queue.gauge(0.0, 0.0).served < 100);
    }
}
