//! Owns what the simulated apps have in common: what one second of an app is, and what can be measured
//! of it. How it comes about is `fluid`'s and `events`'s.

use std::collections::VecDeque;

use super::chance::Chance;
use super::waits::Waits;

/// One second of an app. Requests are jobs where the app is a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Second {
    /// Requests that came.
    pub arrived: f64,
    /// Requests that the ready dynos could have completed.
    pub capacity: f64,
    /// Of these, as many as were worked on.
    pub served: f64,
    /// Requests that wait longer than the objective allows, dropped ones included.
    pub late: f64,
    /// Requests that were turned away.
    pub dropped: f64,
    /// Requests that wait at its end beyond what is usual at its load: the backlog.
    pub backlog: f64,
    /// Requests that wait at its end.
    pub queue: f64,
    /// Requests that wait or are worked on, on average.
    pub concurrency: f64,
    /// How long the backlog takes, or the oldest request has waited, in seconds.
    pub delay: f64,
    /// The probability that a request must wait behind others.
    pub delayed: f64,
    /// Requests per second that could come on top.
    pub spare: f64,
    /// How long its requests wait on average, in seconds.
    pub wait: f64,
}

/// What can be measured of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Requests per second.
    ArrivalRate,
    /// The part of the ready dynos' work that is asked for, 0 to 1.
    Utilization,
    /// Requests that wait or are worked on.
    Concurrency,
    /// Requests that wait.
    Queue,
    /// Seconds that the oldest waiting request has waited.
    QueueAge,
    /// Milliseconds of waiting that 95 % do not exceed.
    QueueTimeP95,
    /// Milliseconds of waiting and work that 95 % do not exceed.
    ResponseTimeP95,
    /// Milliseconds of waiting and work of one request.
    ResponseTime,
}

impl Signal {
    /// All signals, with the names that scripts give them.
    pub const NAMED: [(&'static str, Self); 8] = [
        ("arrival_rate", Self::ArrivalRate),
        ("utilization", Self::Utilization),
        ("concurrency", Self::Concurrency),
        ("queue", Self::Queue),
        ("queue_age", Self::QueueAge),
        ("queue_time_p95", Self::QueueTimeP95),
        ("response_time_p95", Self::ResponseTimeP95),
        ("response_time", Self::ResponseTime),
    ];

    /// Their names.
    pub const NAMES: &'static [&'static str] = &[
        "arrival_rate",
        "utilization",
        "concurrency",
        "queue",
        "queue_age",
        "queue_time_p95",
        "response_time_p95",
        "response_time",
    ];

    /// The signal of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(known, _)| *known == name).map(|(_, signal)| *signal)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, signal)| *signal == self).map_or("", |(name, _)| name)
    }

    /// Whether it is a count or a rate, and so twice as much where everything is counted twice.
    #[must_use]
    pub fn is_counted(self) -> bool {
        matches!(self, Self::ArrivalRate | Self::Concurrency | Self::Queue)
    }

    /// The signal that a documented backend measures by itself.
    #[must_use]
    pub fn of_backend(backend: &str) -> Option<Self> {
        match backend {
            "ResponseTimeBackend" | "HerokuServiceTimeBackend" => Some(Self::ResponseTime),
            "CeleryRedisQueueSizeBackend" => Some(Self::Queue),
            _ => None,
        }
    }
}

/// An app under load.
pub trait App: Send {
    /// One more second, in which `rate` requests come on average and `ready` dynos are ready; how long they
    /// wait goes to `waits` where that counts.
    fn second(&mut self, rate: f64, ready: u32, waits: Option<&mut Waits>) -> Second;

    /// From now on work takes so many times as long as the app says.
    fn burden(&mut self, heaviness: f64);

    /// `signal` over `window`, oldest second first; `None` where nobody answers.
    fn measure(&mut self, signal: Signal, window: &Window<'_>, chance: &mut Chance) -> Option<f64>;
}

/// The seconds that a measurement looks at.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// The latest seconds, oldest first.
    pub seconds: &'a VecDeque<Second>,
    /// The first of the window among them.
    pub from: usize,
    /// Behind the last of the window.
    pub to: usize,
    /// How many seconds there were in all.
    pub elapsed: u64,
}

impl Window<'_> {
    /// Oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Second> {
        self.seconds.range(self.from..self.to)
    }

    /// The newest of the window.
    #[must_use]
    pub fn newest(&self) -> Option<&Second> {
        self.to.checked_sub(1).and_then(|newest| self.seconds.get(newest))
    }

    /// Seconds in it.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn length(&self) -> f64 {
        (self.to - self.from) as f64
    }

    /// The sum of something over it.
    pub fn sum(&self, of: impl Fn(&Second) -> f64) -> f64 {
        self.iter().map(of).sum()
    }

    /// Its begin and end as seconds of the simulation.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn span(&self) -> (f64, f64) {
        let first = self.elapsed as f64 - self.seconds.len() as f64;
        (first + self.from as f64, first + self.to as f64)
    }
}
