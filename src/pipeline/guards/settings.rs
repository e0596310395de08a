//! Owns what a pipeline's optional guards are set to; all of them are off by default. How they are
//! written is in `declare::guards`.

use std::time::Duration;

use crate::measure::MeasureStage;

/// The optional guards of a pipeline.
#[derive(Clone, Debug, Default)]
pub struct GuardSettings {
    /// A change smaller than this part of the current count is held; 0 is off.
    pub tolerance: f64,
    /// So long more dynos must have been wanted; 0 is off.
    pub stabilization_up: Duration,
    /// So long fewer dynos must have been wanted; 0 is off.
    pub stabilization_down: Duration,
    /// The largest step up.
    pub max_step_up: Option<Step>,
    /// The largest step down.
    pub max_step_down: Option<Step>,
    /// No step up so long after a scale.
    pub cooldown_up: Duration,
    /// No step down so long after a scale.
    pub cooldown_down: Duration,
    /// What is done when measurements go on failing.
    pub fallback: Option<Fallback>,
    /// So many steps up may follow from failed measurements alone.
    pub max_steps_up_on_failure: Option<u32>,
    /// Work that a fall must not interrupt.
    pub busy: Option<BusyWork>,
    /// How it is known which dynos are booting.
    pub boot: Boot,
    /// Whether nothing is decided during a release.
    pub hold_during_release: bool,
    /// When to stop asking for more.
    pub circuit_breaker: Option<CircuitBreaker>,
    /// So many changes of direction are allowed within an hour.
    pub max_reversals_per_hour: Option<u32>,
}

/// The largest step in one direction: by one decision, or within a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// So many dynos.
    pub dynos: Option<u32>,
    /// So many percent of the dynos at the begin of the period, rounded up.
    pub percent: Option<f64>,
    /// The period; zero for one decision.
    pub per: Duration,
    /// Of `dynos` and `percent` the one that allows more, else the one that allows less.
    pub larger: bool,
}

impl Step {
    /// How many dynos it allows where there were `base`.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Saturates; percents are not negative.
    pub fn allows(&self, base: u32) -> u32 {
        // What a fraction loses in binary must not become a dyno.
        let of_percent = |percent: f64| (f64::from(base) * percent / 100.0 - 1e-9).ceil().max(0.0) as u32;
        match (self.dynos, self.percent.map(of_percent)) {
            (Some(dynos), Some(part)) if self.larger => dynos.max(part),
            (Some(dynos), Some(part)) => dynos.min(part),
            (Some(dynos), None) | (None, Some(dynos)) => dynos,
            (None, None) => u32::MAX,
        }
    }
}

/// What is done after so many failed measurements in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// From this failure in a row on.
    pub after: u32,
    /// What then.
    pub behavior: Behavior,
}

/// What a fallback does; whatever it is, a failed measurement lowers nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behavior {
    /// The dynos that there are, whatever the policy makes of failures.
    Current,
    /// So many, whatever the policy makes of failures.
    Static(u32),
    /// So many, or more where the policy wants more.
    AtLeast(u32),
    /// What the policy wants, up to so many.
    AtMost(u32),
}

/// Work that is asked about before dynos are stopped.
#[derive(Clone, Debug)]
pub struct BusyWork {
    /// Measures how many jobs run.
    pub stage: MeasureStage,
    /// A fall waits no longer than this; `None`: as long as there is work.
    pub deadline: Option<Duration>,
}

/// How it is known which dynos are booting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Boot {
    /// It is not.
    #[default]
    Unknown,
    /// All are up so long after a scale.
    Seconds(Duration),
    /// The platform is asked.
    Learned,
}

/// When the breaker opens, and how long it stays so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// After so many failed scales in a row.
    pub failures: u32,
    /// When none of the new dynos has come up in this time.
    pub up_within: Duration,
    /// After this time one more is tried.
    pub retry: Duration,
}

impl CircuitBreaker {
    /// From one try to the next where dynos never come up.
    #[must_use]
    pub fn cycle(self) -> Duration {
        self.up_within.saturating_add(self.retry)
    }
}

/// Changes of direction are counted within this time.
pub const REVERSALS_WITHIN: Duration = Duration::from_secs(3600);

impl GuardSettings {
    /// How long changes are remembered.
    #[must_use]
    pub fn changes_kept(&self) -> Duration {
        let periods = [self.max_step_up, self.max_step_down].into_iter().flatten().map(|step| step.per);
        let hour = self.max_reversals_per_hour.map(|_| REVERSALS_WITHIN);
        periods.chain(hour).max().unwrap_or_default()
    }

    /// Whether the platform must be asked what its dynos are doing.
    #[must_use]
    pub fn asks_for_boots(&self) -> bool {
        self.boot == Boot::Learned || self.circuit_breaker.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(dynos: Option<u32>, percent: Option<f64>, larger: bool) -> Step {
        Step { dynos, percent, per: Duration::ZERO, larger }
    }

    /// "72 × 10 % = 8", as the Kubernetes HPA rounds.
    #[test]
    fn percents_round_up_and_the_larger_or_smaller_is_taken() {
        assert_eq!(step(None, Some(10.0), true).allows(72), 8);
        assert_eq!(step(None, Some(10.0), true).allows(30), 3);
        assert_eq!(step(None, Some(100.0), true).allows(7), 7);
        assert_eq!(step(Some(4), Some(100.0), true).allows(2), 4);
        assert_eq!(step(Some(4), Some(100.0), false).allows(2), 2);
        assert_eq!(step(Some(0), None, true).allows(9), 0);
        assert_eq!(step(None, Some(50.0), true).allows(0), 0);
    }
}
