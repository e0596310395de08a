//! Owns what the optional guards say, with their numbers in words.

use super::Behavior;
use crate::counted::{are, counted, dynos};

/// What an optional guard says.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)] // The words are in `text`; fields are dynos, jobs, or seconds.
pub enum Said {
    NotFinite,
    ReleaseUnderWay,
    ReleaseUnknown,
    StillBoots {
        left: f64,
    },
    Booting {
        booting: u32,
    },
    FailureSteps {
        taken: u32,
    },
    Fallback {
        failures: u32,
        behavior: Behavior,
    },
    Tolerance {
        part: f64,
        tolerance: f64,
    },
    StabilizedUp {
        least: u32,
        seconds: f64,
    },
    StabilizedDown {
        most: u32,
        seconds: f64,
    },
    CooldownOf {
        up: bool,
        since: f64,
        left: f64,
    },
    /// `allowed` on top of `base` dynos in a period (of 0 s: by one decision).
    Step {
        up: bool,
        allowed: u32,
        base: u32,
        seconds: f64,
    },
    Reversals {
        reversals: u32,
    },
    Busy {
        jobs: u32,
        any: bool,
    },
    BusyUnknown,
    BusyTooLong {
        waited: f64,
    },
    Refused {
        failures: u32,
        left: f64,
    },
    NeverUp {
        more_than: u32,
        waited: f64,
        left: f64,
    },
}

impl Said {
    /// In words; `from`: the count before the guard spoke, `to`: the one after.
    #[must_use]
    pub fn text(self, from: u32, to: u32) -> String {
        match self {
            Self::NotFinite => "a measured value is no finite number, so nothing is judged on it".into(),
            Self::ReleaseUnderWay => "a release is under way; nothing is decided until it is over".into(),
            Self::ReleaseUnknown => "it is unknown whether a release is under way, so nothing is decided".into(),
            Self::StillBoots { left } => {
                format!("dynos may still be booting for {left} s, and nothing is judged on them")
            }
            Self::Booting { booting } => format!("{} booting, and nothing is judged meanwhile", dynos_are(booting)),
            Self::FailureSteps { taken } => {
                format!("failed measurements alone have raised it {} already", counted(taken, "time"))
            }
            Self::Fallback { failures, behavior } => {
                let row = format!("the last {failures} measurements failed");
                match behavior {
                    Behavior::Current => format!("{row}; the fallback keeps the dynos there are"),
                    Behavior::Static(least) => format!("{row}; the fallback is {}", dynos(least)),
                    Behavior::AtLeast(least) => format!("{row}; the fallback is at least {}", dynos(least)),
                    Behavior::AtMost(least) => format!("{row}; the fallback is at most {}", dynos(least)),
                }
            }
            Self::Tolerance { part, tolerance } => format!(
                "{from} wanted, a change of {} %, which is less than the tolerance of {} %",
                rounded(part * 100.0),
                rounded(tolerance * 100.0)
            ),
            Self::StabilizedUp { least, seconds } => {
                format!("{from} wanted, but within the last {seconds} s as few as {least} were enough")
            }
            Self::StabilizedDown { most, seconds } => {
                format!("{from} wanted, but within the last {seconds} s as many as {most} were")
            }
            Self::CooldownOf { up, since, left } => {
                let direction = if up { "up" } else { "down" };
                format!("scaled {since} s ago; the next step {direction} is in {left} s")
            }
            Self::Step { up, allowed, base, seconds } => {
                let (more, setting) = if up { ("more", "max_step_up") } else { ("fewer", "max_step_down") };
                let period = if seconds > 0.0 { format!("within {seconds} s") } else { "by one decision".to_owned() };
                format!("{from} wanted, and `{setting}` allows {allowed} {more} than {base} {period}, which gives {to}")
            }
            Self::Reversals { reversals } => format!(
                "the direction changed {} within an hour; nothing is lowered until that is less",
                counted(reversals, "time")
            ),
            Self::Busy { jobs, any: true } => format!(
                "{} running, and the platform chooses which dyno stops; it waits until there is none",
                jobs_are(jobs)
            ),
            Self::Busy { jobs, any: false } => format!("{} running; as many dynos stay", jobs_are(jobs)),
            Self::BusyUnknown => "it is unknown whether jobs are running, so no dyno is stopped".into(),
            Self::BusyTooLong { waited } => {
                format!("jobs are still running after {waited} s, which is longer than `busy_deadline_seconds`")
            }
            Self::Refused { failures, left } => {
                let last = match failures {
                    1 => "the last scale".to_owned(),
                    failures => format!("the last {failures} scales"),
                };
                format!("{last} failed; no more dynos are asked for, the next try is {}", next(left))
            }
            Self::NeverUp { more_than, waited, left } => format!(
                "no more than {} came up within {waited} s; no more are asked for, the next try is {}",
                dynos(more_than),
                next(left)
            ),
        }
    }
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// When something is tried again that has `left` seconds to go, as they are told: of less than a tenth none is.
fn next(left: f64) -> String {
    if left > 0.0 { format!("in {left} s") } else { "at the next tick".into() }
}

fn dynos_are(n: u32) -> String {
    format!("{} {}", dynos(n), are(n))
}

fn jobs_are(n: u32) -> String {
    format!("{} {}", counted(n, "job"), are(n))
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_try_is_in_zero_seconds() {
        assert_eq!([0.0, 1.5].map(super::next), ["at the next tick", "in 1.5 s"]);
    }
}
