//! Owns the guard `failed_measurement`: no tick with a failed measurement scales down.

use super::{Case, Course, Ruling, Why};

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    if ruling.desired < case.current && case.measurement_failed() {
        ruling.rule("failed_measurement", case.current, Why::NoFallOnFailure);
        return Course::Settled;
    }
    Course::Open
}
