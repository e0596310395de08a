//! Owns the outlook: what a rate will be in some seconds, and how far that may be off, learned from nothing but the
//! rate as it was measured. It is kept as a text of some two thousand letters and two profiles.
//!
//! A change is foretold from five signs: how far the newest measurement is off the level of the last 20 s, how that is
//! off the level of two minutes, that off the one of ten minutes, and what the time of the day and of the week promise.
//! What each of them is worth is learned from what came (weights), and so is how far it errs (band).

mod band;
mod weights;

use std::collections::VecDeque;

use super::profile;
use super::text::{Reader, Writer};
use band::{Band, OUTSIDE};
use weights::{SIGNS, Weights};

/// The time constants of the levels, in seconds.
const LEVELS: [f64; 3] = [20.0, 120.0, 600.0];

/// What was learned of the signs counts for so long, in seconds.
const LEARNING: f64 = 2.0 * 86_400.0;

/// Forecasts that may wait to be seen true: longer horizons note fewer.
const WAITING: f64 = 24.0;

/// After so many seconds without a measurement a level says nothing any more.
const GAP: f64 = 300.0;

/// Slots of a day and of a week, and how much a new day or week counts against the earlier ones.
const DAY: (usize, f64) = (96, 0.4);
/// See [`DAY`].
const WEEK: (usize, f64) = (168, 0.5);

/// Seconds of a day and of a week.
const SECONDS: [f64; 2] = [86_400.0, 604_800.0];

/// Counts of at least so many requests are not alike by chance time and again.
const MANY: f64 = 10.0;

/// A forecast that waits to be seen true.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Foretold {
    /// Seconds from the newest measurement until then.
    due: f64,
    signs: [f64; SIGNS],
    level: f64,
    rate: f64,
    deviation: f64,
    /// Whether a jump was under way: 1, else 0.
    jump: f64,
}

/// A measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// When, in seconds since 1970.
    pub at: i64,
    /// Seconds since the week's begin, where the app is at home.
    pub of_week: f64,
    /// Requests per second.
    pub rate: f64,
    /// Seconds over which it was counted.
    pub window: f64,
}

/// What is kept between two measurements.
#[derive(Clone, Debug, Default, PartialEq)]
struct Lately {
    at: i64,
    levels: [f64; LEVELS.len()],
    /// Seconds until the next forecast is noted.
    pause: f64,
    /// Slot, sum and count of the day's and of the week's newest slot.
    slots: [[f64; 3]; 2],
    /// The newest rate, and seconds since it moved.
    rate: f64,
    unmoved: f64,
    /// The last error, in units of what was expected.
    surprise: f64,
    weights: Weights,
    /// Errors of forecasts as usual, and of those that were made while a jump was under way.
    band: Band,
    jumps: Band,
    /// Seconds for which a jump is still under way.
    jumping: f64,
    waiting: VecDeque<Foretold>,
}

/// What a rate will be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outlook {
    lately: Lately,
    /// The profiles of a day and of a week, as texts.
    profiles: [String; 2],
    now: f64,
    then: f64,
    silent: f64,
}

impl Outlook {
    /// As it was kept; what is damaged is begun anew.
    #[must_use]
    pub fn of(lately: &str, day: &str, week: &str) -> Self {
        let lately = Lately::read(lately).unwrap_or_default();
        Self { lately, profiles: [day.to_owned(), week.to_owned()], ..Self::default() }
    }

    /// Notes a measurement, and looks `ahead` seconds from it.
    pub fn note(&mut self, measured: &Measured, ahead: f64) {
        let first = self.lately.at == 0;
        #[allow(clippy::cast_precision_loss)]
        let passed = (measured.at - self.lately.at) as f64;
        // A clock that was set back says nothing of how much time has passed.
        let passed = if first || passed <= 0.0 { measured.window } else { passed };
        self.silent = if first { 0.0 } else { passed };
        let lately = &mut self.lately;
        let gap = passed > GAP.max(3.0 * measured.window);
        if first || gap {
            lately.levels = [measured.rate; LEVELS.len()];
            lately.waiting.clear();
            lately.unmoved = 0.0;
        }
        // It is kept with single precision.
        let same = (measured.rate - lately.rate).abs() <= 1e-6 * measured.rate;
        let moved = !same || measured.rate * measured.window < MANY;
        lately.unmoved = if moved { 0.0 } else { lately.unmoved + passed };
        (lately.at, lately.rate) = (measured.at, if moved { measured.rate } else { lately.rate });
        for (level, seconds) in lately.levels.iter_mut().zip(LEVELS) {
            *level += (1.0 - (-passed / seconds).exp()) * (measured.rate - *level);
        }
        if lately.unmoved < GAP {
            lately.learn(measured, passed, ahead);
            self.note_slots(measured);
        }
        let signs = self.signs(measured, ahead);
        let lately = &mut self.lately;
        let level = lately.levels[0];
        self.now = level + 0.3 * (measured.rate - level);
        self.then = (level + lately.weights.change(&signs)).max(0.0);
        lately.pause -= passed;
        if lately.pause <= 0.5 * measured.window {
            lately.pause = (ahead / WAITING).max(measured.window);
            let deviation = lately.valid().deviation(self.then);
            let jump = f64::from(u8::from(lately.jumping > 0.0));
            lately.waiting.push_back(Foretold { due: ahead, signs, level, rate: self.then, deviation, jump });
        }
    }

    /// The rate now, less noisy than as measured.
    #[must_use]
    pub fn now(&self) -> f64 {
        self.now
    }

    /// What the rate will be.
    #[must_use]
    pub fn then(&self) -> f64 {
        self.then
    }

    /// What it may be, ascending, with the probability of each.
    pub fn spread(&self) -> impl Iterator<Item = (f64, f64)> {
        self.lately.valid().spread(self.then)
    }

    /// Seconds for which exactly the same was measured, where that cannot be by chance.
    #[must_use]
    pub fn unmoved(&self) -> f64 {
        self.lately.unmoved
    }

    /// Seconds between the two newest measurements.
    #[must_use]
    pub fn silent(&self) -> f64 {
        self.silent
    }

    /// Whether a jump above the band in which it was foretold is under way.
    #[must_use]
    pub fn is_jumping(&self) -> bool {
        self.lately.jumping > 0.0
    }

    /// To be kept: what was lately, the profile of a day and that of a week.
    #[must_use]
    pub fn texts(self) -> [String; 3] {
        let lately = self.lately.text();
        let [day, week] = self.profiles;
        [lately, day, week]
    }

    /// The signs of a change within `ahead` seconds.
    fn signs(&self, measured: &Measured, ahead: f64) -> [f64; SIGNS] {
        let [level, minute, minutes] = self.lately.levels;
        let promised = |which: usize| {
            let slots = [DAY.0, WEEK.0][which];
            let at = |second| between(&self.profiles[which], slots, SECONDS[which], second);
            let ratio = (at(measured.of_week + ahead)? + 1e-3) / (at(measured.of_week)? + 1e-3);
            Some(level * (ratio - 1.0).clamp(-0.9, 4.0))
        };
        let by_day = promised(0).unwrap_or(0.0);
        let by_week = promised(1).map_or(0.0, |by_week| by_week - by_day);
        [measured.rate - level, level - minute, minute - minutes, by_day, by_week]
    }

    /// Notes the rate in the profiles.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, clippy::float_cmp)]
    fn note_slots(&mut self, measured: &Measured) {
        for (which, (slots, weight)) in [DAY, WEEK].into_iter().enumerate() {
            let slot = (measured.of_week.rem_euclid(SECONDS[which]) / SECONDS[which] * slots as f64).floor();
            let [of, sum, count] = &mut self.lately.slots[which];
            if *of != slot && *count > 0.0 {
                let noted = profile::note(&self.profiles[which], slots, *of as usize, *sum / *count, weight);
                self.profiles[which] = noted;
                (*sum, *count) = (0.0, 0.0);
            }
            (*of, *sum, *count) = (slot, *sum + measured.rate, *count + 1.0);
        }
    }
}

impl Lately {
    /// The band that is valid now.
    fn valid(&self) -> &Band {
        if self.jumping > 0.0 { &self.jumps } else { &self.band }
    }

    /// Learns from the forecasts that can be seen true by now; a jump that is noticed is under way for `ahead` seconds.
    fn learn(&mut self, measured: &Measured, passed: f64, ahead: f64) {
        self.waiting.iter_mut().for_each(|foretold| foretold.due -= passed);
        self.jumping = (self.jumping - passed).max(0.0);
        let near = 0.5 * measured.window;
        while let Some(foretold) = self.waiting.front().copied().filter(|foretold| foretold.due <= near) {
            self.waiting.pop_front();
            if foretold.due < -near {
                // Nothing was measured when it was due.
                continue;
            }
            let noise = foretold.rate.max(1.0) / measured.window;
            let since = passed.max(self.pause);
            let (rate, deviation) = (foretold.rate, foretold.deviation);
            if foretold.jump > 0.0 {
                // How far it goes on has a distribution of its own.
                self.surprise = self.band.units(measured.rate, rate, noise);
                self.jumps.learn(measured.rate, rate, deviation, noise, since);
            } else {
                self.surprise = self.band.learn(measured.rate, rate, deviation, noise, since);
                if self.surprise > OUTSIDE && self.jumping <= 0.0 {
                    self.jumping = ahead;
                }
            }
            // A single jump must not turn everything over.
            let doubt = (OUTSIDE / self.surprise.abs()).min(1.0);
            let certainty = doubt / (noise + foretold.deviation * foretold.deviation);
            let kept = (-since / LEARNING).exp();
            self.weights.learn(&foretold.signs, measured.rate - foretold.level, certainty, kept);
        }
    }

    fn text(&self) -> String {
        let mut writer = Writer::default();
        writer.time(self.at);
        writer.numbers(&self.levels);
        writer.numbers(&[self.pause, self.rate, self.unmoved, self.surprise]);
        writer.numbers(self.slots.as_flattened());
        self.weights.write(&mut writer);
        self.band.write(&mut writer);
        self.jumps.write(&mut writer);
        writer.number(self.jumping);
        for foretold in &self.waiting {
            writer.numbers(&[foretold.due, foretold.level, foretold.rate, foretold.deviation, foretold.jump]);
            writer.numbers(&foretold.signs);
        }
        writer.text()
    }

    fn read(text: &str) -> Option<Self> {
        let mut reader = Reader::of(text)?;
        let at = reader.time()?;
        let levels = reader.numbers()?;
        let [pause, rate, unmoved, surprise] = reader.numbers()?;
        let mut slots = [[0.0; 3]; 2];
        for slot in &mut slots {
            *slot = reader.numbers()?;
        }
        let weights = Weights::read(&mut reader)?;
        let (band, jumps, jumping) = (Band::read(&mut reader)?, Band::read(&mut reader)?, reader.number()?);
        let mut waiting = VecDeque::new();
        while !reader.is_empty() {
            let [due, level, rate, deviation, jump] = reader.numbers()?;
            waiting.push_back(Foretold { due, signs: reader.numbers()?, level, rate, deviation, jump });
        }
        Some(Self { at, levels, pause, slots, rate, unmoved, surprise, weights, band, jumps, jumping, waiting })
    }
}

/// What a profile says of a second, on a straight line between the middles of two slots.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn between(profile: &str, slots: usize, seconds: f64, second: f64) -> Option<f64> {
    let place = (second.rem_euclid(seconds) / seconds * slots as f64 - 0.5).rem_euclid(slots as f64);
    let slot = (place as usize).min(slots - 1);
    let (low, high) = (profile::at(profile, slot)?, profile::at(profile, (slot + 1) % slots)?);
    Some(low + place.fract() * (high - low))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    /// Seconds between measurements.
    const EVERY: i64 = 15;

    /// Notes `rates` by the second of the week, kept as texts in between, and hands each outlook to `told`.
    fn noted(days: f64, ahead: f64, rate: impl Fn(f64) -> f64, mut told: impl FnMut(f64, &Outlook)) -> [String; 3] {
        let mut kept: [String; 3] = Default::default();
        let mut at = 0.0;
        while at < days * 86_400.0 {
            let mut outlook = Outlook::of(&kept[0], &kept[1], &kept[2]);
            #[allow(clippy::cast_possible_truncation)]
            let now = 1_767_571_200 + at as i64;
            outlook.note(&Measured { at: now, of_week: at % SECONDS[1], rate: rate(at), window: 15.0 }, ahead);
            told(at, &outlook);
            kept = outlook.texts();
            #[allow(clippy::cast_precision_loss)]
            let every = EVERY as f64;
            at += every;
        }
        kept
    }

    fn day(at: f64) -> f64 {
        100.0 - 80.0 * (at / 86_400.0 * TAU).cos()
    }

    #[test]
    fn a_day_like_the_others_is_foretold_and_the_band_holds_what_came() {
        let (mut worst, mut outside): (f64, u32) = (0.0, 0);
        noted(4.0, 315.0, day, |at, outlook| {
            if at > 3.0 * 86_400.0 {
                let due = day(at + 315.0);
                worst = worst.max((outlook.then() - due).abs() / due);
                let (low, high) = (outlook.spread().next(), outlook.spread().last());
                outside += u32::from(low.is_some_and(|low| low.0 > due) || high.is_some_and(|high| high.0 < due));
            }
        });
        assert!(worst < 0.03, "{worst}");
        assert_eq!(outside, 0);
    }

    #[test]
    fn what_is_kept_stays_small_and_is_read_as_it_was_written() {
        let kept = noted(8.0, 615.0, day, |_, _| ());
        assert!(kept[0].len() < 3_000, "{}", kept[0].len());
        assert_eq!((kept[1].len(), kept[2].len()), (96 * 8, 168 * 8));
        assert_eq!(Outlook::of(&kept[0], &kept[1], &kept[2]).texts(), kept);
        // Damage begins anew, and says so by knowing nothing.
        assert_eq!(Outlook::of("x", "", ""), Outlook::default());
        assert_eq!(Outlook::of(&kept[0][..kept[0].len() - 3], "", ""), Outlook::default());
    }

    #[test]
    fn what_does_not_move_is_told_and_teaches_nothing() {
        let rate = |at: f64| if at < 40_000.0 { day(at) } else { 77.7 };
        let mut unmoved = 0.0;
        noted(0.5, 75.0, rate, |_, outlook| unmoved = outlook.unmoved());
        assert!((unmoved - 3_180.0).abs() < 30.0, "{unmoved}");
        // A rate of nothing is like the one before.
        noted(0.2, 75.0, |_| 0.0, |_, outlook| assert!(outlook.unmoved() < 1.0 && outlook.then() < 1.0));
    }

    #[test]
    fn a_jump_is_outside_of_the_band_and_after_a_gap_the_level_is_what_is_measured() {
        let jump = |at: f64| if at < 80_000.0 { day(at) } else { 3.0 * day(at) };
        let mut surprised = Vec::new();
        let kept = noted(1.0, 75.0, jump, |at, outlook| {
            if outlook.is_jumping() {
                surprised.push(at);
            }
        });
        assert!(surprised.first().is_some_and(|at| (80_000.0..80_100.0).contains(at)), "{surprised:?}");
        let mut outlook = Outlook::of(&kept[0], &kept[1], &kept[2]);
        outlook.note(&Measured { at: 1_767_571_200 + 90_000, of_week: 90_000.0, rate: 500.0, window: 15.0 }, 75.0);
        assert!((outlook.now() - 500.0).abs() < 1.0 && outlook.silent() > 3_000.0, "{}", outlook.now());
    }
}
