//! Owns the levers that an operator pulls in an incident: pauses, counts set by hand, scaling in or out
//! switched off. A lever has an end, a name behind it and a reason; which of them hold now is one small
//! value that a tick reads without waiting. It keeps nothing on disk ([`crate::state`] does) and decides
//! nothing (the guards do).

mod pull;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Offset, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

pub use pull::{Answered, Lever, Pulled, Whom, apply};

/// Every lever that is pulled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Levers {
    /// Those of all pipelines.
    pub all: PipelineLevers,
    /// Those of single pipelines, by name.
    pub pipelines: BTreeMap<String, PipelineLevers>,
}

/// The levers of one pipeline, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PipelineLevers {
    /// It measures and holds.
    pub pause: Option<Pull>,
    /// The count it is held at.
    pub dynos: Option<SetDynos>,
    /// It does not scale in.
    pub no_scale_in: Option<Pull>,
    /// It does not scale out.
    pub no_scale_out: Option<Pull>,
}

/// Who pulled a lever, when and why, and until when it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// Who: a user's name with the machine's.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// When it lets go by itself; never where there is none.
    pub until: Option<DateTime<Utc>>,
    /// Why, where it was said.
    pub reason: Option<String>,
}

/// A count set by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetDynos {
    /// Dynos in all.
    pub dynos: u32,
    /// Whether the bounds of the script do not count meanwhile.
    pub beyond_bounds: bool,
    /// Who, when, why.
    pub pull: Pull,
}

/// The levers of one pipeline that hold at one time, each with who pulled it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActiveLevers<'a> {
    /// It measures and holds.
    pub pause: Option<&'a Pull>,
    /// The count it is held at.
    pub dynos: Option<&'a SetDynos>,
    /// It does not scale in.
    pub no_scale_in: Option<&'a Pull>,
    /// It does not scale out.
    pub no_scale_out: Option<&'a Pull>,
}

impl Pull {
    /// Whether it holds at `now`.
    #[must_use]
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Who, until when on a clock of `zone`, and why: "by ann@ops until 14:05:00 PST: the queue is being drained".
    /// UTC, in which servers log, is left out.
    #[must_use]
    pub fn told(&self, zone: Tz) -> String {
        let (since, until) = (self.at.with_timezone(&zone), self.until.map(|until| until.with_timezone(&zone)));
        let until = until.map_or_else(String::new, |until| {
            let form =
                if until.date_naive() == since.date_naive() { " until %H:%M:%S" } else { " until %Y-%m-%d %H:%M:%S" };
            let label = if until.offset().fix().local_minus_utc() == 0 {
                String::new()
            } else {
                until.format(" %Z").to_string()
            };
            format!("{}{label}", until.format(form))
        });
        let reason = self.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        format!("by {}{until}{reason}", self.by)
    }
}

impl Levers {
    /// What holds for `pipeline` at `now`: its own levers, and those of all. Its own count wins.
    #[must_use]
    pub fn active(&self, pipeline: &str, now: DateTime<Utc>) -> ActiveLevers<'_> {
        let (all, own) = (self.all.active(now), self.pipelines.get(pipeline));
        let own = own.map(|own| own.active(now)).unwrap_or_default();
        ActiveLevers {
            pause: own.pause.or(all.pause),
            dynos: own.dynos.or(all.dynos),
            no_scale_in: own.no_scale_in.or(all.no_scale_in),
            no_scale_out: own.no_scale_out.or(all.no_scale_out),
        }
    }

    /// Lets go of what no longer holds at `now`.
    pub fn let_go(&mut self, now: DateTime<Utc>) {
        self.all.let_go(now);
        self.pipelines.retain(|_, levers| {
            levers.let_go(now);
            *levers != PipelineLevers::default()
        });
    }
}

impl PipelineLevers {
    /// Each lever that is pulled in words, with times on a clock of `zone`.
    #[must_use]
    pub fn told(&self, zone: Tz) -> Vec<String> {
        let pulls = [
            (Lever::Pause, self.pause.as_ref()),
            (Lever::ScaleIn { on: false }, self.no_scale_in.as_ref()),
            (Lever::ScaleOut { on: false }, self.no_scale_out.as_ref()),
        ];
        let set = self.dynos.as_ref();
        let set = set.map(|set| (Lever::Set { dynos: set.dynos, beyond_bounds: set.beyond_bounds }, Some(&set.pull)));
        let pulls = pulls.into_iter().chain(set);
        pulls.filter_map(|(lever, pull)| Some(format!("{lever} {}", pull?.told(zone)))).collect()
    }

    fn active(&self, now: DateTime<Utc>) -> ActiveLevers<'_> {
        let holds = |pull: &&Pull| pull.holds(now);
        ActiveLevers {
            pause: self.pause.as_ref().filter(holds),
            dynos: self.dynos.as_ref().filter(|set| set.pull.holds(now)),
            no_scale_in: self.no_scale_in.as_ref().filter(holds),
            no_scale_out: self.no_scale_out.as_ref().filter(holds),
        }
    }

    fn let_go(&mut self, now: DateTime<Utc>) {
        for pull in [&mut self.pause, &mut self.no_scale_in, &mut self.no_scale_out] {
            *pull = pull.take().filter(|pull| pull.holds(now));
        }
        self.dynos = self.dynos.take().filter(|set| set.pull.holds(now));
    }
}

/// The levers of a running worker, as its ticks see them.
#[derive(Debug, Default)]
pub struct Board(RwLock<Arc<Levers>>);

impl Board {
    /// All levers.
    #[must_use]
    pub fn levers(&self) -> Arc<Levers> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces all levers.
    pub fn set(&self, levers: Levers) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(levers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn pull(until: Option<i64>) -> Pull {
        Pull { by: "ann@ops".into(), at: at(0), until: until.map(at), reason: None }
    }

    #[test]
    fn a_lever_lets_go_by_itself_and_its_own_count_wins() {
        let set = |dynos, until| Some(SetDynos { dynos, beyond_bounds: false, pull: pull(until) });
        let all = PipelineLevers { pause: Some(pull(Some(60))), dynos: set(2, None), ..PipelineLevers::default() };
        let mut levers = Levers { all, ..Levers::default() };
        levers.pipelines.insert("web".into(), PipelineLevers { dynos: set(5, Some(30)), ..PipelineLevers::default() });
        let active = |pipeline, seconds| {
            let active = levers.active(pipeline, at(seconds));
            (active.pause.is_some(), active.dynos.map(|set| set.dynos))
        };
        assert_eq!(active("web", 0), (true, Some(5)));
        assert_eq!(active("web", 30), (true, Some(2)));
        assert_eq!(active("celery", 60), (false, Some(2)));
        levers.let_go(at(60));
        assert_eq!((levers.all.pause.as_ref(), levers.pipelines.len()), (None, 0));
    }

    #[test]
    fn a_lever_tells_who_until_when_and_why() {
        let mut pull = pull(None);
        assert_eq!(pull.told(Tz::UTC), "by ann@ops");
        // 22:13:20 in UTC.
        (pull.until, pull.reason) = (Some(at(3600)), Some("the queue is being drained".into()));
        assert_eq!(pull.told(Tz::UTC), "by ann@ops until 23:13:20: the queue is being drained");
        pull.until = Some(at(7200));
        assert_eq!(pull.told(Tz::UTC), "by ann@ops until 2023-11-15 00:13:20: the queue is being drained");
    }
}
