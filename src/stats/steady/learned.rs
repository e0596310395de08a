//! Owns what is learned of dynos: how much one of them can do, and how long it boots.

use super::Seen;
use crate::stats::text::{Reader, Writer};

/// Measurements over which what a dyno can do is averaged: ten minutes of them, one every 15 s.
const AVERAGED: f64 = 40.0;

/// Fewer requests than these in a measurement say little.
const FEWEST: f64 = 10.0;

/// From here on all are busy, and more may wait.
const FULL: f64 = 0.98;

/// Below this nothing can be told from nothing.
const EMPTY: f64 = 0.02;

/// What one dyno can do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct PerDyno {
    /// Requests per second; 0: not known.
    capacity: f64,
    /// Measurements that it was learned from, at most as many as are averaged.
    seen: f64,
    /// How busy the dynos are, by how busy they should be.
    busier: f64,
    /// Dynos that were ready at the measurement before.
    ready: u32,
}

impl PerDyno {
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let [capacity, seen, busier] = reader.numbers()?;
        let ready = u32::try_from(reader.time()?).ok()?;
        Some(Self { capacity, seen, busier, ready })
    }

    pub fn write(&self, writer: &mut Writer) {
        writer.numbers(&[self.capacity, self.seen, self.busier]);
        writer.time(self.ready.into());
    }

    /// Requests per second, if it is known.
    pub fn capacity(&self) -> Option<f64> {
        (self.capacity > 0.0).then_some(self.capacity)
    }

    /// How many times as busy as the rate explains the dynos are; 0 where it is not known.
    pub fn busier(&self) -> f64 {
        self.busier
    }

    /// Learns from a measurement over which the same dynos were ready; `told` is what the script says.
    pub fn learn(&mut self, seen: &Seen, told: Option<f64>) {
        let same = std::mem::replace(&mut self.ready, seen.ready) == seen.ready && seen.ready > 0;
        let Some(utilization) = seen.utilization.filter(|_| same && seen.rate.rate * seen.rate.window >= FEWEST) else {
            return;
        };
        let (rate, ready) = (seen.rate.rate, f64::from(seen.ready));
        if utilization >= FULL {
            // No dyno does more than its part of what comes.
            if self.capacity > rate / ready {
                self.capacity += 0.1 * (rate / ready - self.capacity);
            }
        } else if utilization > EMPTY {
            if self.capacity <= 0.0 {
                (self.capacity, self.seen) = told.map_or((0.0, 0.0), |told| (told, AVERAGED));
            }
            self.seen = (self.seen + 1.0).min(AVERAGED);
            self.capacity += (rate / (utilization * ready) - self.capacity) / self.seen;
        }
        let busier = utilization * ready * self.capacity / rate;
        self.busier += if self.busier > 0.0 { 0.25 * (busier - self.busier) } else { busier };
    }
}

/// How long a dyno boots.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Boot {
    /// Seconds; 0: not known.
    seconds: f64,
    /// When the dynos were asked for that are waited for.
    asked_at: i64,
    /// How many are there when all of them take load; 0: none are waited for.
    asked: u32,
    /// Whether the platform was seen to tell that they boot.
    seen: bool,
}

impl Boot {
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let seconds = reader.number()?;
        let asked_at = reader.time()?;
        let asked = u32::try_from(reader.time()?).ok()?;
        Some(Self { seconds, asked_at, asked, seen: reader.time()? != 0 })
    }

    pub fn write(&self, writer: &mut Writer) {
        writer.number(self.seconds);
        writer.time(self.asked_at);
        writer.time(self.asked.into());
        writer.time(self.seen.into());
    }

    /// Seconds, if they are known.
    pub fn known(&self) -> Option<f64> {
        (self.seconds > 0.0).then_some(self.seconds)
    }

    /// So many dynos are asked for.
    pub fn ask(&mut self, at: i64, dynos: u32) {
        if self.asked == 0 {
            (self.asked_at, self.asked, self.seen) = (at, dynos, false);
        }
    }

    /// How far ahead is to be looked, where `known` seconds are usual: farther while a boot takes longer.
    #[allow(clippy::cast_precision_loss)]
    pub fn look(&mut self, seen: &Seen, known: f64) -> f64 {
        if self.asked == 0 {
            return known;
        }
        let passed = (seen.rate.at - self.asked_at) as f64;
        if seen.ready >= self.asked {
            self.asked = 0;
            if self.seen {
                let took = (passed - seen.rate.window / 2.0).max(1.0);
                self.seconds = known + if took > known { 0.5 } else { 0.2 } * (took - known);
            }
            return known;
        }
        if seen.dynos < self.asked {
            // They were not granted, or some of them went again.
            self.asked = 0;
            return known;
        }
        self.seen |= seen.ready < seen.dynos;
        known.max(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::outlook::Measured;
    use super::*;

    fn seen(at: i64, rate: f64, utilization: f64, (dynos, ready): (u32, u32)) -> Seen {
        Seen {
            rate: Measured { at, of_week: 0.0, rate, window: 15.0 },
            utilization: Some(utilization),
            queue: None,
            dynos,
            ready,
        }
    }

    #[test]
    fn a_deploy_is_noticed_at_once_and_learned_within_minutes() {
        let mut per_dyno = PerDyno::default();
        (0..100).for_each(|tick| per_dyno.learn(&seen(tick * 15, 50.0, 0.5, (10, 10)), None));
        assert_eq!(per_dyno.capacity(), Some(10.0));
        (0..6).for_each(|tick| per_dyno.learn(&seen(tick * 15, 50.0, 0.9, (10, 10)), None));
        assert!(per_dyno.busier() > 1.3, "{}", per_dyno.busier());
        (0..100).for_each(|tick| per_dyno.learn(&seen(tick * 15, 50.0, 0.9, (10, 10)), None));
        assert!((per_dyno.capacity().unwrap() - 5.6).abs() < 0.5 && per_dyno.busier() < 1.1);
        // All are busy: not more than what comes.
        (0..100).for_each(|tick| per_dyno.learn(&seen(tick * 15, 20.0, 1.0, (10, 10)), None));
        assert!((per_dyno.capacity().unwrap() - 2.0).abs() < 0.1);
    }

    #[test]
    fn what_is_told_counts_until_more_is_seen_and_a_change_of_dynos_is_left_out() {
        let mut per_dyno = PerDyno::default();
        per_dyno.learn(&seen(0, 50.0, 0.5, (10, 10)), Some(20.0));
        assert_eq!(per_dyno.capacity(), None);
        per_dyno.learn(&seen(15, 50.0, 0.5, (10, 10)), Some(20.0));
        assert_eq!(per_dyno.capacity(), Some(20.0 - 10.0 / 40.0));
        per_dyno.learn(&seen(30, 50.0, 0.1, (12, 12)), Some(20.0));
        assert_eq!(per_dyno.capacity(), Some(20.0 - 10.0 / 40.0));
    }

    #[test]
    fn a_boot_is_timed_where_the_platform_tells_and_not_where_it_does_not() {
        let mut boot = Boot::default();
        boot.ask(0, 5);
        assert!((boot.look(&seen(15, 1.0, 0.5, (5, 3)), 60.0) - 60.0).abs() < 1e-9);
        assert!((boot.look(&seen(150, 1.0, 0.5, (5, 4)), 60.0) - 150.0).abs() < 1e-9);
        assert!((boot.look(&seen(180, 1.0, 0.5, (5, 5)), 60.0) - 60.0).abs() < 1e-9);
        assert_eq!(boot.known(), Some(60.0 + 0.5 * (172.5 - 60.0)));
        let mut silent = Boot::default();
        silent.ask(0, 5);
        silent.look(&seen(15, 1.0, 0.5, (5, 5)), 60.0);
        assert_eq!(silent.known(), None);
        silent.ask(30, 7);
        assert!((silent.look(&seen(300, 1.0, 0.5, (5, 5)), 60.0) - 60.0).abs() < 1e-9);
        assert_eq!(silent.asked, 0);
    }
}
