//! Owns lasting conditions: when one begins, is told again, and is over. It is pure; the words are in
//! `texts`, and who is told is decided in `notify::`.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::controller::Seen;
use super::{EventKind, Phase};

/// A condition is over when it has been gone for so many ticks that could tell …
const GONE_TICKS: u32 = 3;

/// … and for this long.
const GONE_TIME: TimeDelta = TimeDelta::minutes(5);

/// One condition that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Lasting {
    /// When it was told last.
    told: DateTime<Utc>,
    /// When it was seen last.
    seen: DateTime<Utc>,
    /// Ticks since then that could tell and did not see it.
    gone: u32,
}

/// The conditions of a pipeline that last now, by their key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions(BTreeMap<String, Lasting>);

impl Conditions {
    /// Takes note of what the tick of `now` saw of the condition `key`; the phase that is to be told,
    /// if one is.
    pub fn observe(&mut self, key: &str, seen: Seen, now: DateTime<Utc>, repeat: Duration) -> Option<Phase> {
        let Some(lasting) = self.0.get_mut(key) else {
            if seen == Seen::Present {
                self.0.insert(key.into(), Lasting { told: now, seen: now, gone: 0 });
                return Some(Phase::Begin);
            }
            return None;
        };
        match seen {
            Seen::Unknown => None,
            Seen::Present => {
                (lasting.seen, lasting.gone) = (now, 0);
                let repeat = TimeDelta::from_std(repeat).unwrap_or(TimeDelta::MAX);
                // A clock set back must not silence it.
                let due = now - lasting.told >= repeat || now < lasting.told;
                due.then(|| {
                    lasting.told = now;
                    Phase::Repeat
                })
            }
            Seen::Absent => {
                lasting.gone = lasting.gone.saturating_add(1);
                if now < lasting.seen {
                    lasting.seen = now;
                }
                (lasting.gone >= GONE_TICKS && now - lasting.seen >= GONE_TIME).then(|| {
                    self.0.remove(key);
                    Phase::End
                })
            }
        }
    }

    /// The keys of lasting conditions that begin with `prefix`.
    pub(super) fn beginning_with(&self, prefix: &str) -> impl Iterator<Item = String> {
        self.0.keys().filter(move |key| key.starts_with(prefix)).cloned()
    }

    /// Whether none lasts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the condition `key` lasts.
    #[must_use]
    pub fn lasts(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }
}

/// The key of a condition of a pipeline: "web/needs_above_max".
#[must_use]
pub fn condition_key(pipeline: &str, kind: EventKind) -> String {
    format!("{pipeline}/{kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPEAT: Duration = Duration::from_secs(3600);

    fn told(seen: impl IntoIterator<Item = (i64, Seen)>) -> Vec<(i64, Phase)> {
        let mut conditions = Conditions::default();
        let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let mut told = Vec::new();
        for (seconds, seen) in seen {
            let now = start + TimeDelta::seconds(seconds);
            told.extend(conditions.observe("web/needs_above_max", seen, now, REPEAT).map(|phase| (seconds, phase)));
        }
        told
    }

    #[test]
    fn it_is_told_at_its_begin_and_every_repeat() {
        let seen = (0..=250).map(|tick| (tick * 30, Seen::Present));
        assert_eq!(told(seen), [(0, Phase::Begin), (3600, Phase::Repeat), (7200, Phase::Repeat)]);
    }

    #[test]
    fn it_ends_after_three_ticks_and_five_minutes() {
        let every_30_s = (1..=20).map(|tick| (tick * 30, Seen::Absent));
        let seen = [(0, Seen::Present)].into_iter().chain(every_30_s);
        assert_eq!(told(seen), [(0, Phase::Begin), (300, Phase::End)]);
        let every_10_min = (1..=5).map(|tick| (tick * 600, Seen::Absent));
        let seen = [(0, Seen::Present)].into_iter().chain(every_10_min);
        assert_eq!(told(seen), [(0, Phase::Begin), (1800, Phase::End)]);
    }

    #[test]
    fn flapping_is_one_condition_and_a_tick_that_cannot_tell_ends_nothing() {
        let flapping = (0..=100).map(|tick| (tick * 30, if tick % 4 == 0 { Seen::Present } else { Seen::Absent }));
        assert_eq!(told(flapping), [(0, Phase::Begin)]);
        let unknown = (1..=100).map(|tick| (tick * 30, Seen::Unknown));
        assert_eq!(told([(0, Seen::Present)].into_iter().chain(unknown)), [(0, Phase::Begin)]);
    }
}
