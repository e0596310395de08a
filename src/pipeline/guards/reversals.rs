//! Owns the guard `reversals`: once the direction has changed too often within an hour nothing is lowered
//! any more. Raises go on: too few dynos hurt more than too many.

use super::settings::REVERSALS_WITHIN;
use super::{Case, Course, Ruling, Said};

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    let Some(most) = case.spec.guards.max_reversals_per_hour else { return Course::Open };
    let changes = &case.state.guards.changes;
    let reverses = ruling.desired < case.current && changes.last_went_up() == Some(true);
    let reversals = changes.reversals(case.now, REVERSALS_WITHIN);
    if reverses && reversals >= most {
        ruling.say("reversals", case.current, Said::Reversals { reversals });
    }
    Course::Open
}
