//! Owns the guard `step`: the largest step up and down, by one decision or within a period.

use super::{Case, Course, Ruling, Said, Step};

const GUARD: &str = "step";

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    let (current, wanted) = (case.current, ruling.desired);
    let (step, up) = match wanted.cmp(&current) {
        std::cmp::Ordering::Greater => (case.spec.guards.max_step_up, true),
        std::cmp::Ordering::Less => (case.spec.guards.max_step_down, false),
        std::cmp::Ordering::Equal => (None, true),
    };
    let Some(step) = step else { return Course::Open };
    let base = base(case, &step);
    let allowed = step.allows(base);
    let reached = if up {
        wanted.min(base.saturating_add(allowed).max(current))
    } else {
        wanted.max(base.saturating_sub(allowed).min(current))
    };
    if reached != wanted {
        ruling.say(GUARD, reached, Said::Step { up, allowed, base, seconds: step.per.as_secs_f64() });
    }
    Course::Open
}

/// The dynos at the begin of the period, as far as our own changes tell.
fn base(case: &Case<'_>, step: &Step) -> u32 {
    if step.per.is_zero() {
        return case.current;
    }
    let changed = case.state.guards.changes.within(case.now, step.per);
    u32::try_from((i64::from(case.current) - changed).max(0)).unwrap_or(u32::MAX)
}
