//! Owns loads that are made up: five shapes, each from a seed. They are for first looks and tests; what
//! counts is a trace of one's own.

use super::chance::Chance;
use super::trace::Trace;

/// Days of a synthetic trace: two that warm up and five that count.
const DAYS: u32 = 7;

/// Seconds between samples.
const STEP: u32 = 60;

/// Requests per second about which the shapes move.
const MIDDLE: f64 = 100.0;

/// Keeps these draws from those of the simulation.
const PURPOSE: u64 = 0x5EED;

/// The shapes, as they are named.
pub const SHAPES: [&str; 5] = ["diurnal", "spike", "ramp", "noise", "flash-crowd"];

/// What a trace that is made up is called: `synthetic:diurnal,seed=1`.
pub const PREFIX: &str = "synthetic:";

/// Makes the trace that `name`, `diurnal,seed=1`, describes.
///
/// # Errors
/// When there is no such shape or setting.
pub fn make(name: &str) -> Result<Trace, String> {
    let mut parts = name.split(',').map(str::trim);
    let shape = parts.next().unwrap_or_default();
    let (mut seed, mut days) = (1_u64, DAYS);
    for part in parts {
        let wrong = || format!("`{PREFIX}{name}`: `{part}` is no setting; it knows seed=1 and days={DAYS}");
        match part.split_once('=') {
            Some(("seed", text)) => seed = text.parse().map_err(|_| wrong())?,
            Some(("days", text)) => {
                days = text.parse().ok().filter(|days| (1..=366).contains(days)).ok_or_else(wrong)?;
            }
            _ => return Err(wrong()),
        }
    }
    let mut chance = Chance::seeded(seed, PURPOSE);
    let samples = days * 86_400 / STEP + 1;
    let rates = match shape {
        "diurnal" => diurnal(samples, &mut chance),
        "spike" => spike(samples, &mut chance),
        "ramp" => ramp(samples, &mut chance),
        "noise" => noise(samples, &mut chance),
        "flash-crowd" => flash_crowd(samples, &mut chance),
        _ => {
            let help = crate::settings::did_you_mean(shape, SHAPES);
            let help = help.unwrap_or_else(|| format!("there are {}", SHAPES.join(", ")));
            return Err(format!("there is no synthetic load `{shape}`: {help}"));
        }
    };
    Ok(Trace { name: format!("{PREFIX}{name}"), first: 0.0, step: f64::from(STEP), rates })
}

/// Fluctuation about 1 that forgets itself within some ten samples.
fn breath(chance: &mut Chance, size: f64) -> impl FnMut() -> f64 {
    let mut value = 0.0;
    move || {
        value = 0.9 * value + size * chance.normal();
        (1.0 + value).max(0.0)
    }
}

/// A day in turns of 0 to 1, lowest at 0.
fn day(sample: u32) -> f64 {
    let turn = f64::from(sample * STEP % 86_400) / 86_400.0;
    (1.0 - (turn * std::f64::consts::TAU).cos()) / 2.0
}

/// Nights of a fifth of the days, weekends of two thirds.
fn diurnal(samples: u32, chance: &mut Chance) -> Vec<f64> {
    let mut breath = breath(chance, 0.01);
    let week = |sample: u32| if (sample * STEP / 86_400) % 7 >= 5 { 0.65 } else { 1.0 };
    (0..samples).map(|sample| MIDDLE * (0.3 + 1.4 * day(sample)) * week(sample) * breath()).collect()
}

/// Level, with one spike a day to five times as much for ten minutes, at a minute by chance.
fn spike(samples: u32, chance: &mut Chance) -> Vec<f64> {
    let a_day = 86_400 / STEP;
    let minutes = f64::from(a_day - 30);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let starts: Vec<u32> = (0..=samples / a_day).map(|_| (chance.uniform() * minutes) as u32).collect();
    let mut breath = breath(chance, 0.01);
    let height = |sample: u32| {
        let start = starts[(sample / a_day) as usize];
        if (start..start + 10).contains(&(sample % a_day)) { 5.0 } else { 1.0 }
    };
    (0..samples).map(|sample| 0.4 * MIDDLE * height(sample) * breath()).collect()
}

/// From little to ten times as much, straight.
fn ramp(samples: u32, chance: &mut Chance) -> Vec<f64> {
    let mut breath = breath(chance, 0.005);
    (0..samples).map(|sample| MIDDLE * (0.2 + 1.8 * f64::from(sample) / f64::from(samples)) * breath()).collect()
}

/// Fluctuation about a level, of some minutes and some tens of percent.
fn noise(samples: u32, chance: &mut Chance) -> Vec<f64> {
    let mut breath = breath(chance, 0.1);
    (0..samples).map(|_| MIDDLE * breath()).collect()
}

/// Level, with three crowds at times by chance: to eight times as much within two minutes, half of it gone
/// every half hour.
fn flash_crowd(samples: u32, chance: &mut Chance) -> Vec<f64> {
    let starts: Vec<f64> =
        (0..3).map(|crowd| (f64::from(crowd) + chance.uniform()) / 3.0 * f64::from(samples)).collect();
    let mut breath = breath(chance, 0.01);
    let crowd = |sample: u32| {
        let of = |start: &f64| {
            let minutes = (f64::from(sample) - start) * f64::from(STEP) / 60.0;
            match minutes {
                ..0.0 => 0.0,
                ..2.0 => minutes / 2.0,
                _ => 0.5_f64.powf((minutes - 2.0) / 30.0),
            }
        };
        starts.iter().map(of).sum::<f64>()
    };
    (0..samples).map(|sample| 0.3 * MIDDLE * (1.0 + 7.0 * crowd(sample)) * breath()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_a_load_and_its_seed_decides_it() {
        for shape in SHAPES {
            let trace = make(&format!("{shape},seed=3,days=3")).unwrap();
            assert_eq!(trace.seconds(), 3 * 86_400);
            assert!(
                trace.rates.iter().all(|rate| rate.is_finite() && *rate >= 0.0) && trace.highest() > 50.0,
                "{shape}"
            );
            assert_eq!(trace.rates, make(&format!("{shape},seed=3,days=3")).unwrap().rates);
            assert_ne!(trace.rates, make(&format!("{shape},seed=4,days=3")).unwrap().rates);
        }
    }

    #[test]
    fn the_shapes_are_what_they_are_called() {
        let rates = |name: &str| make(name).unwrap();
        let diurnal = rates("diurnal");
        assert!(diurnal.at(12.0 * 3600.0) > 4.0 * diurnal.at(0.0));
        assert!(rates("ramp").at(6.9 * 86_400.0) > 7.0 * rates("ramp").at(0.0));
        let spike = rates("spike");
        assert!(spike.highest() > 4.0 * spike.quantile(0.5) && spike.quantile(0.98) < 1.5 * spike.quantile(0.5));
        let crowd = rates("flash-crowd");
        assert!(crowd.highest() > 6.0 * crowd.quantile(0.5));
    }

    #[test]
    fn what_is_not_known_is_said() {
        assert!(make("diurnl").unwrap_err().contains("did you mean `diurnal`"));
        assert!(make("wave").unwrap_err().contains("flash-crowd"));
        for bad in ["noise,seed=x", "noise,days=0", "noise,size=3"] {
            assert!(make(bad).unwrap_err().contains("no setting"), "{bad}");
        }
    }
}
