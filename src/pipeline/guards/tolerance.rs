//! Owns the guard `tolerance`: a change that is small for the count is not worth making.

use super::{Case, Course, Ruling, Said};

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    let tolerance = case.spec.guards.tolerance;
    let (current, change) = (f64::from(case.current), f64::from(ruling.desired.abs_diff(case.current)));
    // What a fraction gains in binary must not hold a change that is just large enough.
    if change > 0.0 && change < tolerance * current - 1e-9 {
        ruling.say("tolerance", case.current, Said::Tolerance { part: change / current, tolerance });
    }
    Course::Open
}
