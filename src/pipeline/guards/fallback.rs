//! Owns the guard `fallback`: what is done once measurements have failed so many times in a row. It
//! never lowers the count, since nothing was measured.

use super::{Behavior, Case, Course, Ruling, Said};

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    let Some(fallback) = case.spec.guards.fallback else { return Course::Open };
    let failures = super::super::controller::failures(case.state, case.observation, case.now);
    if failures < fallback.after || !case.measurement_failed() {
        return Course::Open;
    }
    let (current, wanted) = (case.current, ruling.desired);
    let desired = match fallback.behavior {
        Behavior::Current => current,
        Behavior::Static(dynos) => dynos.max(current),
        Behavior::AtLeast(dynos) => dynos.max(wanted).max(current),
        Behavior::AtMost(dynos) => wanted.min(dynos).max(current),
    };
    if desired != wanted {
        ruling.say("fallback", desired, Said::Fallback { failures, behavior: fallback.behavior });
    }
    Course::Open
}
