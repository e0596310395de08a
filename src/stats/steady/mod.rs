//! Owns one decision of the policy `steady`: what is foretold, what that is worth in dynos, what is measured to be needed
//! in any case, and when dynos may go. docs/steady.md says why. What a dyno can do and how long it boots is `learned`'s.

mod learned;

use std::fmt::Write as _;

use super::erlang::Capacity;
use super::outlook::{Measured, Outlook};
use super::settled::Settled;
use super::text::{Reader, Writer};
use super::worth::Worth;
use learned::{Boot, PerDyno};

/// A rate that was exactly the same for so many seconds says nothing.
const STUCK: f64 = 300.0;

/// A pause of more than so many windows is told.
const PAUSE: f64 = 4.0;

/// A dyno is kept while it saves so many times the price from being late, and one more asked for where it saves twice
/// as much: what fluctuates about a border moves nothing.
const KEEP: f64 = 0.75;
/// See [`KEEP`].
const ADD: f64 = 2.0 * KEEP;

/// Dynos that are so many times as busy as the rate explains have become slower.
const BUSIER: f64 = 1.2;

/// What waits beyond the objective is to flow off within so many seconds.
const DRAIN: f64 = 5.0;

/// Seconds that a dyno boots, before it is known.
const BOOT: f64 = 60.0;

/// What it is to achieve, and with what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aim {
    /// The objective: seconds of waiting …
    pub wait: f64,
    /// … that at most this share of the requests (0 to 1) may exceed.
    pub share: f64,
    /// A dyno is added while it saves so many times `share` of what it serves from being late.
    pub price: f64,
    /// Requests that one dyno completes per second, if that is told.
    pub rate_per_dyno: Option<f64>,
    /// Requests that a dyno works on at once.
    pub workers: u32,
    /// Seconds that a dyno boots, if that is told.
    pub boot: Option<f64>,
    /// Dynos go when they were idle for so many dyno-seconds.
    pub calm: f64,
}

/// What is seen at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// The rate, and when.
    pub rate: Measured,
    /// The part of the ready dynos' capacity that is used, 0 to 1.
    pub utilization: Option<f64>,
    /// Requests that wait.
    pub queue: Option<f64>,
    /// Dynos, those that boot included.
    pub dynos: u32,
    /// Dynos that take load.
    pub ready: u32,
}

/// What is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The number of dynos; `None` where it stays.
    pub dynos: Option<u32>,
    /// Why.
    pub why: String,
}

/// What is kept between two decisions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steady {
    outlook: Outlook,
    per_dyno: PerDyno,
    boot: Boot,
    settled: Settled,
}

impl Steady {
    /// As it was kept; what is damaged is begun anew.
    #[must_use]
    pub fn of([lately, day, week, rest]: [&str; 4]) -> Self {
        let outlook = Outlook::of(lately, day, week);
        let mut steady = Self { outlook, ..Self::default() };
        if let Some(reader) = Reader::of(rest)
            && steady.read(reader).is_none()
        {
            steady = Self { outlook: steady.outlook, ..Self::default() };
        }
        steady
    }

    fn read(&mut self, mut reader: Reader) -> Option<()> {
        self.per_dyno = PerDyno::read(&mut reader)?;
        self.boot = Boot::read(&mut reader)?;
        let mut needed = Vec::new();
        while !reader.is_empty() {
            needed.push(reader.time()?);
        }
        self.settled = Settled::of(&needed);
        Some(())
    }

    /// To be kept.
    #[must_use]
    pub fn texts(self) -> [String; 4] {
        let mut writer = Writer::default();
        self.per_dyno.write(&mut writer);
        self.boot.write(&mut writer);
        self.settled.numbers().iter().for_each(|number| writer.time(*number));
        let [lately, day, week] = self.outlook.texts();
        [lately, day, week, writer.text()]
    }

    /// Decides.
    pub fn decide(&mut self, seen: &Seen, aim: &Aim) -> Verdict {
        let (rate, window) = (seen.rate.rate, seen.rate.window);
        self.per_dyno.learn(seen, aim.rate_per_dyno);
        let known = aim.boot.or(self.boot.known()).unwrap_or(BOOT);
        let ahead = self.boot.look(seen, known);
        self.outlook.note(&seen.rate, ahead + window);
        let Some(rate_per_dyno) = self.per_dyno.capacity().or(aim.rate_per_dyno) else {
            return hold("what one dyno can do is not known yet: `utilization` tells it, or write `rate_per_dyno`");
        };
        let capacity = Capacity { rate_per_dyno, workers: aim.workers };
        let worth = Worth { capacity, seconds: aim.wait, share: aim.share, price: aim.price };
        let certain = |rate: f64| worth.dynos(rate, &[(rate, 1.0)]);
        let (now, then) = (self.outlook.now(), self.outlook.then());
        let spread: Vec<(f64, f64)> = self.outlook.spread().collect();
        let mut needed = Needed { dynos: banded(&worth, then, &spread, seen.dynos), why: String::new() };

        // Never below what is measured to be needed.
        if then < now {
            needed.raise(capacity.staffing(now, aim.wait, aim.share), String::new);
        }
        if self.outlook.is_jumping() {
            needed.why += ", outside of the forecast's band";
        }
        let stuck = self.outlook.unmoved() >= STUCK;
        if stuck {
            let _ = write!(needed.why, ", exactly the same for {:.0} s: no dyno goes", self.outlook.unmoved());
        }
        if self.outlook.silent() > PAUSE * window {
            let _ = write!(needed.why, ", after {:.0} s without a measurement", self.outlook.silent());
        }
        if let Some(utilization) = seen.utilization.filter(|_| stuck || self.per_dyno.busier() > BUSIER) {
            let busy = certain(utilization * f64::from(seen.ready) * rate_per_dyno);
            needed.raise(busy, || format!("; the dynos are {:.0} % busy, more than it explains", 100.0 * utilization));
        }
        let allowed = rate_per_dyno * aim.wait * f64::from(seen.ready);
        if let Some(queue) = seen.queue.filter(|queue| *queue > allowed) {
            needed.raise(certain(rate.max(then) + queue / DRAIN), || format!(", and {queue:.0} wait"));
        }
        let Some(least) = needed.dynos else { return hold("the rate takes more dynos than can be reckoned with") };
        self.settled.note(seen.rate.at, least.into());
        let told = |rest: &str| {
            format!("{then:.1}/s in {:.0} s, now {now:.1}/s of {rate_per_dyno:.1}/s a dyno{rest}", ahead + window)
        };
        if least > seen.dynos {
            self.boot.ask(seen.rate.at, least);
            return Verdict { dynos: Some(least), why: told(&needed.why) };
        }
        if stuck {
            return Verdict { dynos: None, why: format!("the rate is {rate}{}", needed.why) };
        }
        let fall = self.settled.fall(seen.dynos.into(), ahead, aim.calm);
        match u32::try_from(fall) {
            Ok(fall) if fall < seen.dynos => {
                let why = told(&format!("{}: the others were idle", needed.why));
                Verdict { dynos: Some(fall), why }
            }
            _ => hold("as many as are needed, or not idle for long enough to go"),
        }
    }
}

/// The dynos that are worth having where there are `dynos`.
fn banded(worth: &Worth, rate: f64, spread: &[(f64, f64)], dynos: u32) -> Option<u32> {
    let at = |times: f64| Worth { price: worth.price * times, ..*worth }.dynos(rate, spread);
    let kept = at(KEEP)?;
    if kept <= dynos { Some(kept) } else { at(ADD).map(|added| added.max(dynos)) }
}

/// The dynos that are needed, and what is said of it.
struct Needed {
    dynos: Option<u32>,
    why: String,
}

impl Needed {
    /// At least so many; `None` is more than can be reckoned with.
    fn raise(&mut self, dynos: Option<u32>, why: impl FnOnce() -> String) {
        if self.dynos.is_some_and(|known| dynos.is_none_or(|dynos| dynos > known)) {
            self.dynos = dynos;
            self.why += &why();
        }
    }
}

fn hold(why: &str) -> Verdict {
    Verdict { dynos: None, why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AIM: Aim =
        Aim { wait: 0.4, share: 0.05, price: 1.0, rate_per_dyno: None, workers: 1, boot: None, calm: 450.0 };

    fn seen(tick: i64, rate: f64, utilization: f64, dynos: u32) -> Seen {
        #[allow(clippy::cast_precision_loss)]
        let of_week = (tick * 15) as f64;
        Seen {
            rate: Measured { at: 1_767_571_200 + tick * 15, of_week, rate, window: 15.0 },
            utilization: Some(utilization),
            queue: None,
            dynos,
            ready: dynos,
        }
    }

    /// Dynos of ten requests per second, all of them ready at once, at rates by tick.
    fn driven(steady: &mut Steady, ticks: std::ops::Range<i64>, mut dynos: u32, rate: impl Fn(i64) -> f64) -> u32 {
        for tick in ticks {
            let rate = rate(tick);
            let utilization = (rate / (f64::from(dynos) * 10.0)).min(1.0);
            let verdict = steady.decide(&seen(tick, rate, utilization, dynos), &AIM);
            dynos = verdict.dynos.unwrap_or(dynos);
            // Nothing is lost by a restart.
            let texts = steady.clone().texts();
            *steady = Steady::of([&texts[0], &texts[1], &texts[2], &texts[3]]);
        }
        dynos
    }

    #[test]
    fn what_a_dyno_does_is_learned_idle_ones_go_and_a_level_is_held() {
        let level = |tick: i64| 99.0 + f64::from(u8::try_from(tick.rem_euclid(3)).unwrap());
        let mut steady = Steady::default();
        assert_eq!(driven(&mut steady, 0..200, 30, level), 12);
        assert!((steady.per_dyno.capacity().unwrap() - 10.0).abs() < 0.01);
        assert_eq!(driven(&mut steady, 200..400, 12, level), 12);
    }

    #[test]
    fn a_jump_is_followed_to_what_it_needs() {
        let mut steady = Steady::default();
        driven(&mut steady, 0..200, 12, |tick| 100.0 + f64::from(u8::try_from(tick % 3).unwrap()));
        let verdict = steady.decide(&seen(200, 200.0, 1.0, 12), &AIM);
        assert!(verdict.dynos.is_some_and(|dynos| (20..=40).contains(&dynos)), "{verdict:?}");
    }

    #[test]
    fn a_queue_is_worked_off() {
        let mut steady = Steady::default();
        driven(&mut steady, 0..200, 12, |tick| 100.0 + f64::from(u8::try_from(tick % 3).unwrap()));
        let waiting = Seen { queue: Some(200.0), ..seen(200, 101.0, 1.0, 12) };
        let verdict = steady.decide(&waiting, &AIM);
        assert!(verdict.dynos.is_some_and(|dynos| dynos >= 15) && verdict.why.contains("200 wait"), "{verdict:?}");
    }

    #[test]
    fn without_a_capacity_it_holds_and_says_what_is_missing() {
        let blind = Seen { utilization: None, ..seen(1, 100.0, 0.0, 3) };
        let verdict = Steady::default().decide(&blind, &AIM);
        assert!(verdict.dynos.is_none() && verdict.why.contains("write `rate_per_dyno`"));
        let told = Aim { rate_per_dyno: Some(10.0), ..AIM };
        assert!(Steady::default().decide(&blind, &told).dynos.is_some_and(|dynos| dynos >= 11));
    }

    #[test]
    fn damage_begins_anew() {
        assert_eq!(Steady::of(["x", "y", "z", "?"]), Steady::of(["", "y", "z", ""]));
    }
}
