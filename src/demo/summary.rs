//! Owns what is said at the end of a demo: how often it scaled, how fast the app was, and what it cost
//! against always running the upper bound. It follows one pipeline, the first that it hears of.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::story::clock;
use crate::pipeline::{Outcome, Record};

/// The median is that of so many newest measurements: ten hours at one a second.
const KEPT: usize = 36_000;

/// What happened so far.
#[derive(Clone, Debug)]
pub struct Summary {
    started: DateTime<Utc>,
    pipeline: Option<Arc<str>>,
    ticks: u64,
    ups: u64,
    downs: u64,
    failed: u64,
    fewest: u32,
    most: u32,
    values: VecDeque<f64>,
    slowest: f64,
    dyno_seconds: f64,
    bound_seconds: f64,
    /// Since when, how many dynos, and the upper bound then.
    last: Option<(DateTime<Utc>, u32, u32)>,
}

impl Summary {
    /// Nothing yet, at `started`.
    #[must_use]
    pub fn new(started: DateTime<Utc>) -> Self {
        Self {
            started,
            pipeline: None,
            ticks: 0,
            ups: 0,
            downs: 0,
            failed: 0,
            fewest: u32::MAX,
            most: 0,
            values: VecDeque::new(),
            slowest: 0.0,
            dyno_seconds: 0.0,
            bound_seconds: 0.0,
            last: None,
        }
    }

    /// Adds a tick.
    pub fn push(&mut self, record: &Record) {
        if *self.pipeline.get_or_insert_with(|| Arc::clone(&record.pipeline)) != record.pipeline {
            return;
        }
        self.ticks += 1;
        match record.measurements.first().and_then(|measurement| measurement.value) {
            Some(value) => {
                if self.values.len() == KEPT {
                    self.values.pop_front();
                }
                self.values.push_back(value);
                self.slowest = self.slowest.max(value);
            }
            None => self.failed += 1,
        }
        let Some(current) = record.dynos.current else { return };
        let now = match (record.outcome, record.dynos.desired) {
            (Outcome::Scaled, Some(desired)) => desired,
            _ => current,
        };
        self.ups += u64::from(now > current);
        self.downs += u64::from(now < current);
        self.fewest = self.fewest.min(current).min(now);
        self.most = self.most.max(current).max(now);
        self.charge(record.at);
        self.last = Some((record.at, now, record.dynos.max));
    }

    /// Charges the dynos that ran up to `until`.
    fn charge(&mut self, until: DateTime<Utc>) {
        if let Some((since, dynos, bound)) = self.last {
            let seconds = (until - since).as_seconds_f64().max(0.0);
            self.dyno_seconds += f64::from(dynos) * seconds;
            self.bound_seconds += f64::from(bound) * seconds;
        }
    }

    /// The summary at `ended`, several lines.
    #[must_use]
    pub fn report(&self, ended: DateTime<Utc>) -> String {
        let mut all = self.clone();
        all.charge(ended);
        let lasted = clock(self.started, ended);
        if all.ticks == 0 {
            return format!("The demo ran for {lasted} min without a single tick.\n");
        }
        let ticks = count(all.ticks, "tick");
        let scales = match (all.ups, all.downs) {
            (0, 0) => "never scaled".to_owned(),
            (ups, downs) => format!("scaled up {} and down {}", times(ups), times(downs)),
        };
        let range = match (all.fewest, all.most) {
            (_, 0) => String::new(),
            (fewest, most) if fewest == most => format!(", always at {}", count(u64::from(most), "dyno")),
            (fewest, most) => format!(", between {fewest} and {}", count(u64::from(most), "dyno")),
        };
        let mut report = format!("The demo ran for {lasted} min: {ticks}, {scales}{range}.\n");
        report.extend(all.response());
        report.extend(all.cost());
        report
    }

    fn response(&self) -> Option<String> {
        let failed = match self.failed {
            0 => String::new(),
            failed => format!("; {} failed", count(failed, "measurement")),
        };
        let median = self.median()?;
        Some(format!("Response time: median {median:.0} ms, slowest {:.0} ms{failed}.\n", self.slowest))
    }

    fn cost(&self) -> Option<String> {
        let (used, most) = (self.dyno_seconds, self.bound_seconds);
        let saved = 100.0 * (1.0 - used / most);
        let against = format!("running the maximum all the time is {most:.0} ({saved:.0} % saved)");
        (most > 0.0).then(|| format!("It used {used:.0} dyno-seconds; {against}.\n"))
    }

    fn median(&self) -> Option<f64> {
        let mut values: Vec<f64> = self.values.iter().copied().collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len().saturating_sub(1) / 2).copied()
    }
}

fn count(number: u64, noun: &str) -> String {
    crate::counted::counted(number, noun)
}

fn times(number: u64) -> String {
    match number {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}
