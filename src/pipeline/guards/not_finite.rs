//! Owns the guard `not_finite`: a value that is no finite number is not judged, whoever measured it.

use super::{Case, Course, Ruling, Said};

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    if case.observation.measurements.iter().all(super::is_finite) {
        return Course::Open;
    }
    ruling.say("not_finite", case.current, Said::NotFinite);
    Course::Settled
}
