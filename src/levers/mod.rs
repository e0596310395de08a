//! Owns the levers that an operator pulls in an incident: pauses, counts set by hand, scaling in or out
//! switched off. A lever has an end, a name behind it and a reason; which of them hold now is one small
//! value that a tick reads without waiting. It keeps nothing on disk ([`crate::state`] does) and decides
//! nothing (the guards do).

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

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

/// The levers of one pipeline that hold at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActiveLevers {
    /// It measures and holds.
    pub paused: bool,
    /// The count it is held at.
    pub dynos: Option<u32>,
    /// Whether that count may lie outside the bounds.
    pub beyond_bounds: bool,
    /// It does not scale in.
    pub no_scale_in: bool,
    /// It does not scale out.
    pub no_scale_out: bool,
}

impl Pull {
    /// Whether it holds at `now`.
    #[must_use]
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Levers {
    /// What holds for `pipeline` at `now`: its own levers, and those of all. Its own count wins.
    #[must_use]
    pub fn active(&self, pipeline: &str, now: DateTime<Utc>) -> ActiveLevers {
        let holds = |pull: &Option<Pull>| pull.as_ref().is_some_and(|pull| pull.holds(now));
        let mut active = ActiveLevers::default();
        for levers in [Some(&self.all), self.pipelines.get(pipeline)].into_iter().flatten() {
            active.paused |= holds(&levers.pause);
            active.no_scale_in |= holds(&levers.no_scale_in);
            active.no_scale_out |= holds(&levers.no_scale_out);
            if let Some(set) = levers.dynos.as_ref().filter(|set| set.pull.holds(now)) {
                (active.dynos, active.beyond_bounds) = (Some(set.dynos), set.beyond_bounds);
            }
        }
        active
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

    /// What holds for `pipeline` at `now`.
    #[must_use]
    pub fn active(&self, pipeline: &str, now: DateTime<Utc>) -> ActiveLevers {
        self.0.read().unwrap_or_else(PoisonError::into_inner).active(pipeline, now)
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
        let mut levers = Levers::default();
        levers.all = PipelineLevers { pause: Some(pull(Some(60))), dynos: set(2, None), ..PipelineLevers::default() };
        levers.pipelines.insert("web".into(), PipelineLevers { dynos: set(5, Some(30)), ..PipelineLevers::default() });
        let active = |pipeline, seconds| levers.active(pipeline, at(seconds));
        assert_eq!((active("web", 0).paused, active("web", 0).dynos), (true, Some(5)));
        assert_eq!((active("web", 30).paused, active("web", 30).dynos), (true, Some(2)));
        assert_eq!((active("celery", 60).paused, active("celery", 60).dynos), (false, Some(2)));
    }
}
