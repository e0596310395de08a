//! Owns the API budget of one key: how many calls are left of our half of the account's pool, how old a
//! count may be because of it, and the back-off after a 429. It sends nothing and sleeps never.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Calls an account may save up, as Heroku documents it.
pub const POOL: f64 = 4500.0;

/// Calls an account gets back in a minute.
pub const REFILL_PER_MINUTE: f64 = 75.0;

/// Our share: the other half is for people, deployments and other programs.
const SHARE: f64 = 0.5;

/// With so little left of the account's pool, only scales (and the read before one) go through.
const LITTLE: f64 = 0.1;

/// The back-off after the first 429, and after many; as Heroku's own client does it.
const FIRST_BACKOFF: Duration = Duration::from_secs(30);
const LONGEST_BACKOFF: Duration = Duration::from_secs(900);

/// A count is never read more often than this, however much budget there is.
const SHORTEST_AGE: Duration = Duration::from_secs(1);

/// The oldest a count may be where nothing changes, or where our share is used up.
pub const LONGEST_AGE: Duration = Duration::from_secs(300);

/// The oldest a count may be while little is left of the account's pool.
const LONGEST_AGE_WHEN_LITTLE: Duration = Duration::from_secs(900);

/// Where nothing has changed for a time, a count may be as old as this part of that time.
const QUIET_PART: u32 = 8;

/// The budget of one key; shared by every app that is reached with it.
#[derive(Debug)]
pub struct Budget(Mutex<Spending>);

#[derive(Debug)]
struct Spending {
    /// Calls left of our share, at `at`; below 0 when scales had to overdraw it.
    ours: f64,
    /// Calls left of the account's pool as the last reply said, at `at`; the whole pool before.
    pool: f64,
    at: Instant,
    /// The back-off in force, and the next one.
    blocked: Option<Blocked>,
    next_backoff: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Blocked {
    since: Instant,
    until: Instant,
}

impl Budget {
    /// A full one.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        let (ours, pool, blocked) = (POOL * SHARE, POOL, None);
        Self(Mutex::new(Spending { ours, pool, at: now, blocked, next_backoff: FIRST_BACKOFF }))
    }

    fn now(&self, now: Instant) -> std::sync::MutexGuard<'_, Spending> {
        let mut spending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minutes = now.saturating_duration_since(spending.at).as_secs_f64() / 60.0;
        spending.ours = (spending.ours + minutes * REFILL_PER_MINUTE * SHARE).min(POOL * SHARE);
        spending.pool = (spending.pool + minutes * REFILL_PER_MINUTE).min(POOL);
        spending.at = now.max(spending.at);
        spending
    }

    /// One call is about to be made.
    pub fn spend(&self, now: Instant) {
        let mut spending = self.now(now);
        spending.ours -= 1.0;
        spending.pool = (spending.pool - 1.0).max(0.0);
    }

    /// A call that began at `begun` was answered with `status`; `remaining`: what the header
    /// `RateLimit-Remaining` says.
    pub fn note(&self, begun: Instant, now: Instant, status: u16, remaining: Option<u32>) {
        let mut spending = self.now(now);
        if let Some(remaining) = remaining {
            spending.pool = f64::from(remaining);
        }
        if status == 429 {
            // Calls that were under way when another one was refused say nothing new.
            if spending.blocked.is_none_or(|blocked| begun >= blocked.since) {
                spending.blocked = Some(Blocked { since: now, until: now + spending.next_backoff });
                spending.next_backoff = (spending.next_backoff * 2).min(LONGEST_BACKOFF);
            }
        } else if status < 400 {
            spending.blocked = None;
            spending.next_backoff = FIRST_BACKOFF;
        }
    }

    /// How long no call may be made.
    #[must_use]
    pub fn blocked(&self, now: Instant) -> Option<Duration> {
        let until = self.now(now).blocked?.until;
        (until > now).then(|| until - now)
    }

    /// How old a count may be that has not changed for `quiet`, when nothing hangs on it: an eighth of
    /// that time, more where our share runs out, and up to 15 minutes where little is left of the pool.
    #[must_use]
    pub fn oldest(&self, quiet: Duration, now: Instant) -> Duration {
        let spending = self.now(now);
        if spending.pool < POOL * LITTLE {
            return LONGEST_AGE_WHEN_LITTLE;
        }
        // Nothing at half of our share and above, everything where it is used up.
        let scarcity = (1.0 - 2.0 * spending.ours / (POOL * SHARE)).clamp(0.0, 1.0);
        let scarce = LONGEST_AGE.mul_f64(scarcity * scarcity);
        (quiet / QUIET_PART).max(scarce).clamp(SHORTEST_AGE, LONGEST_AGE)
    }
}

/// A pipeline's share of the API calls, for the arithmetic.
#[derive(Clone, Debug)]
pub struct Load {
    /// The app.
    pub app: Arc<str>,
    /// From one tick to the next.
    pub interval: Duration,
}

/// The arithmetic of one key.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Reads in an hour when every tick asks for a fresh count.
    pub busiest_per_hour: f64,
    /// Reads in an hour where nothing changes.
    pub quietest_per_hour: f64,
    /// Whether the busiest hour would be more than our half of the refill: counts are then read more
    /// rarely than the ticks ask for.
    pub overspent: bool,
    /// All of it in words, for `check`.
    pub text: String,
}

/// What `pipelines`, all with one key, spend.
#[must_use]
pub fn estimate(pipelines: &[Load]) -> Estimate {
    let mut ticks: BTreeMap<&str, f64> = BTreeMap::new();
    for load in pipelines {
        *ticks.entry(&load.app).or_default() += 3600.0 / load.interval.as_secs_f64().max(f64::MIN_POSITIVE);
    }
    // One read serves all pipelines of an app, and none is made twice in a second.
    let most = 3600.0 / SHORTEST_AGE.as_secs_f64();
    let least = 3600.0 / LONGEST_AGE.as_secs_f64();
    let busiest_per_hour: f64 = ticks.values().map(|ticks| ticks.min(most)).sum();
    let quietest_per_hour: f64 = ticks.values().map(|ticks| ticks.min(least)).sum();
    let ours = REFILL_PER_MINUTE * 60.0 * SHARE;
    let overspent = busiest_per_hour > ours;
    let verdict = if quietest_per_hour > ours {
        "too many apps for one key: counts are read late, scales may wait"
    } else if overspent {
        "counts are read more rarely than the intervals ask for (at most 5 minutes old, and always just before a scale)"
    } else {
        "enough"
    };
    let count = |n: usize, word: &str| crate::counted::counted(n, word);
    let text = format!(
        "heroku api: {} of {} read their counts at most {busiest_per_hour:.0} times an hour, \
         {quietest_per_hour:.0} where nothing changes; half of the account's calls are {ours:.0} an hour: {verdict}",
        count(pipelines.len(), "pipeline"),
        count(ticks.len(), "app"),
    );
    Estimate { busiest_per_hour, quietest_per_hour, overspent, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_429_blocks_for_30_s_doubling_to_900_s_and_a_success_ends_it() {
        let start = Instant::now();
        let budget = Budget::new(start);
        let mut now = start;
        for expected in [30, 60, 120, 240, 480, 900, 900] {
            budget.note(now, now, 429, Some(0));
            assert_eq!(budget.blocked(now), Some(Duration::from_secs(expected)));
            // One that was under way before adds nothing.
            budget.note(now - SECOND, now, 429, Some(0));
            assert_eq!(budget.blocked(now), Some(Duration::from_secs(expected)));
            now += Duration::from_secs(expected);
            assert_eq!(budget.blocked(now), None);
        }
        budget.note(now, now, 200, Some(10));
        budget.note(now, now, 429, Some(0));
        assert_eq!(budget.blocked(now), Some(FIRST_BACKOFF));
    }

    #[test]
    fn counts_may_be_older_where_nothing_changes_and_where_the_share_runs_out() {
        let start = Instant::now();
        let budget = Budget::new(start);
        assert_eq!(budget.oldest(Duration::ZERO, start), SHORTEST_AGE);
        assert_eq!(budget.oldest(80 * SECOND, start), 10 * SECOND);
        assert_eq!(budget.oldest(100_000 * SECOND, start), LONGEST_AGE);
        for _ in 0..2250 {
            budget.spend(start);
        }
        assert_eq!(budget.oldest(Duration::ZERO, start), LONGEST_AGE);
        assert!(budget.oldest(Duration::ZERO, start + 10 * 60 * SECOND) < LONGEST_AGE);
        budget.note(start, start, 200, Some(100));
        assert_eq!(budget.oldest(Duration::ZERO, start), LONGEST_AGE_WHEN_LITTLE);
    }

    #[test]
    fn at_a_read_a_second_the_share_lasts() {
        // Ten apps whose counts always change, asked for once a second for a day.
        let start = Instant::now();
        let budget = Budget::new(start);
        let (mut reads, mut read_at) = (0_u32, vec![start; 10]);
        for second in 0..86_400 {
            let now = start + second * SECOND;
            for at in &mut read_at {
                if now - *at >= budget.oldest(Duration::ZERO, now) {
                    budget.spend(now);
                    reads += 1;
                    *at = now;
                }
            }
        }
        let ours = 2250.0 + 24.0 * 2250.0;
        assert!(f64::from(reads) <= ours && f64::from(reads) > 0.9 * ours, "{reads} reads");
    }

    #[test]
    fn the_arithmetic_is_told() {
        let load = |app: &str, seconds| Load { app: app.into(), interval: seconds * SECOND };
        let small = estimate(&[load("shop", 30), load("shop", 30), load("blog", 60)]);
        assert_eq!(
            small.text,
            "heroku api: 3 pipelines of 2 apps read their counts at most 300 times an hour, 24 where nothing \
             changes; half of the account's calls are 2250 an hour: enough"
        );
        assert!(!small.overspent);
        let large: Vec<Load> = (0..3).map(|n| load(&format!("app-{n}"), 1)).collect();
        assert!(estimate(&large).overspent);
    }
}
