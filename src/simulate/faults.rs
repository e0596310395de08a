//! Owns what goes wrong in a simulation because it was asked for: `missing:1%,scale-fails:2%,slow-boot:5%`.

use std::fmt;
use std::str::FromStr;

use super::chance::Chance;
use crate::settings::did_you_mean;

/// A slow dyno takes so many times as long.
const SLOWER: u64 = 3;

/// Seconds for which a signal is gone, stuck or doubled, and for which dynos work slowly, once they do.
const SPELL: u64 = 600;
/// See [`SPELL`].
const DEPLOY: u64 = 7_200;

/// Work that is slow takes so many times as long.
const HEAVIER: f64 = 2.0;

/// Faults by their names.
const NAMES: [&str; 7] = ["missing", "scale-fails", "slow-boot", "outage", "stuck", "doubled", "slow-work"];

/// How probable each fault is, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// A measurement fails.
    pub missing: f64,
    /// A scale is refused.
    pub scale_fails: f64,
    /// A dyno takes three times as long to boot.
    pub slow_boot: f64,
    /// No measurement succeeds for ten minutes.
    pub outage: f64,
    /// What was measured last is measured again and again for ten minutes.
    pub stuck: f64,
    /// Rates and queues are counted twice for ten minutes.
    pub doubled: f64,
    /// Dynos complete half as much for two hours.
    pub slow_work: f64,
}

/// What lasts for a while, of the faults of one second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spells {
    /// Nothing is measured.
    pub outage: bool,
    /// The last measurement stands.
    pub stuck: bool,
    /// What is counted is counted twice.
    pub doubled: bool,
    /// So many times as long does work take.
    pub heaviness: f64,
}

impl Faults {
    /// Seconds that the next dyno boots.
    pub fn boot(self, seconds: u64, chance: &mut Chance) -> u64 {
        if chance.happens(self.slow_boot) { seconds * SLOWER } else { seconds }
    }

    /// What is under way in a second of the simulation with this seed: time is cut in pieces, each of which is as it
    /// is by chance.
    #[must_use]
    pub fn spells(self, second: u64, seed: u64) -> Spells {
        let strikes = |share: f64, fault: u64, length: u64| {
            share > 0.0 && Chance::seeded(seed.wrapping_add(fault << 32), second / length).uniform() < share
        };
        Spells {
            outage: strikes(self.outage, 1, SPELL),
            stuck: strikes(self.stuck, 2, SPELL),
            doubled: strikes(self.doubled, 3, SPELL),
            heaviness: if strikes(self.slow_work, 4, DEPLOY) { HEAVIER } else { 1.0 },
        }
    }

    /// The shares by the names.
    fn shares(&mut self) -> [&mut f64; NAMES.len()] {
        [
            &mut self.missing,
            &mut self.scale_fails,
            &mut self.slow_boot,
            &mut self.outage,
            &mut self.stuck,
            &mut self.doubled,
            &mut self.slow_work,
        ]
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut faults = *self;
        // A percentage was written in decimals, and is shown without what binary made of it.
        let percent = |share: f64| (share * 1e8).round() / 1e6;
        let named: Vec<String> = NAMES
            .iter()
            .zip(faults.shares())
            .filter(|(_, share)| **share > 0.0)
            .map(|(name, share)| format!("{name}:{}%", percent(*share)))
            .collect();
        f.write_str(&named.join(","))
    }
}

impl FromStr for Faults {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut faults = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, share) = part.split_once(':').ok_or_else(|| format!("`{part}`: write it as `missing:1%`"))?;
            let percent = share.trim().strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
            let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
            let share = percent.ok_or_else(|| format!("`{part}`: `{share}` is no percentage such as `1%`"))? / 100.0;
            let name = name.trim();
            let Some(place) = NAMES.iter().position(|known| *known == name) else {
                let help = did_you_mean(name, NAMES).unwrap_or_else(|| format!("there are {}", NAMES.join(", ")));
                return Err(format!("there is no fault `{name}`: {help}"));
            };
            *faults.shares()[place] = share;
        }
        Ok(faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_and_what_is_none_is_said() {
        let faults: Faults = "missing:1%, scale-fails:2.5%,slow-boot:100%".parse().unwrap();
        assert_eq!(faults, Faults { missing: 0.01, scale_fails: 0.025, slow_boot: 1.0, ..Faults::default() });
        assert_eq!(faults.to_string(), "missing:1%,scale-fails:2.5%,slow-boot:100%");
        assert_eq!("".parse(), Ok(Faults::default()));
        assert_eq!(Faults { scale_fails: 0.07, ..Faults::default() }.to_string(), "scale-fails:7%");
        assert_eq!(faults.boot(60, &mut Chance::seeded(1, 0)), 180);
        for (text, due) in [
            ("missing", "write it as"),
            ("missing:1", "no percentage"),
            ("missing:101%", "no percentage"),
            ("mising:1%", "did you mean `missing`"),
        ] {
            assert!(text.parse::<Faults>().is_err_and(|said| said.contains(due)), "{text}");
        }
    }

    #[test]
    fn a_spell_lasts_as_long_as_is_said_and_as_many_are_under_way_as_were_asked_for() {
        let faults: Faults = "stuck:20%,slow-work:50%".parse().unwrap();
        let stuck: Vec<bool> = (0..100_000).map(|spell| faults.spells(spell * SPELL, 7).stuck).collect();
        let share = stuck.iter().filter(|stuck| **stuck).count();
        assert!((19_000..21_000).contains(&share), "{share}");
        let first = stuck.iter().position(|stuck| *stuck).unwrap() as u64 * SPELL;
        assert!((first..first + SPELL).all(|second| faults.spells(second, 7).stuck));
        assert!((0..SPELL * 1000).step_by(600).all(|second| !faults.spells(second, 7).outage));
        assert!((0..100).any(|spell| faults.spells(spell * DEPLOY, 7).heaviness > 1.0));
    }
}
