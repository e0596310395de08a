//! Owns what goes wrong in a simulation because it was asked for: `missing:1%,scale-fails:2%,slow-boot:5%`.

use std::fmt;
use std::str::FromStr;

use super::chance::Chance;
use crate::settings::did_you_mean;

/// A slow dyno takes so many times as long.
const SLOWER: u64 = 3;

/// Faults by their names.
const NAMES: [&str; 3] = ["missing", "scale-fails", "slow-boot"];

/// How probable each fault is, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// A measurement fails.
    pub missing: f64,
    /// A scale is refused.
    pub scale_fails: f64,
    /// A dyno takes three times as long to boot.
    pub slow_boot: f64,
}

impl Faults {
    /// Seconds that the next dyno boots.
    pub fn boot(self, seconds: u64, chance: &mut Chance) -> u64 {
        if chance.happens(self.slow_boot) { seconds * SLOWER } else { seconds }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shares = NAMES.iter().zip([self.missing, self.scale_fails, self.slow_boot]);
        // A percentage was written in decimals, and is shown without what binary made of it.
        let percent = |share: f64| (share * 1e8).round() / 1e6;
        let named: Vec<String> = shares
            .filter(|(_, share)| *share > 0.0)
            .map(|(name, share)| format!("{name}:{}%", percent(share)))
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
            match name.trim() {
                "missing" => faults.missing = share,
                "scale-fails" => faults.scale_fails = share,
                "slow-boot" => faults.slow_boot = share,
                other => {
                    let help = did_you_mean(other, NAMES).unwrap_or_else(|| format!("there are {}", NAMES.join(", ")));
                    return Err(format!("there is no fault `{other}`: {help}"));
                }
            }
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
        assert_eq!(faults, Faults { missing: 0.01, scale_fails: 0.025, slow_boot: 1.0 });
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
}
