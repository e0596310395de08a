//! Owns the guard `count_unknown`: without a count nothing is guessed.

use super::{Case, Cause, Course, Ruling, Why};

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    if case.observation.dynos.is_ok() {
        return Course::Open;
    }
    ruling.reasons.push(Cause { guard: "count_unknown", from: None, to: None, why: Why::CountUnknown });
    Course::Settled
}
