//! Owns the guard `busy`: no dyno that works is stopped. Where the platform chooses which one it stops,
//! all must be idle; elsewhere as many stay as are busy. It waits no longer than its deadline.

use super::memory::later;
use super::{Busy, Case, Ruling, Said};

const GUARD: &str = "busy";

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) {
    let Some(work) = &case.spec.guards.busy else { return };
    let busy = case.observation.circumstances.busy;
    if ruling.desired >= case.current || busy == Busy::NotAsked {
        ruling.memory.busy_since = None;
        return;
    }
    let (least, jobs) = match busy {
        Busy::Jobs(jobs) if jobs > 0 && case.spec.scale.stops_any() => (case.current, Some(jobs)),
        Busy::Jobs(jobs) => (jobs.min(case.current), Some(jobs)),
        Busy::Unknown | Busy::NotAsked => (case.current, None),
    };
    if ruling.desired >= least {
        ruling.memory.busy_since = None;
        return;
    }
    let since = *ruling.memory.busy_since.get_or_insert(case.now);
    if work.deadline.is_some_and(|deadline| case.now >= later(since, deadline)) {
        let waited = super::seconds(case.now - since);
        ruling.say(GUARD, ruling.desired, Said::BusyTooLong { waited });
        return;
    }
    let said = match jobs {
        Some(jobs) => Said::Busy { jobs, any: case.spec.scale.stops_any() },
        None => Said::BusyUnknown,
    };
    ruling.say(GUARD, least, said);
}
