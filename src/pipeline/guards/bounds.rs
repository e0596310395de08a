//! Owns the guard `bounds`: outside of them straight to the nearest, also in a cooldown; inside them
//! no proposal leads out. A bound that the script does not write changes nothing by itself.

use super::{Case, Course, Ruling, Seen, Why};

const GUARD: &str = "bounds";

/// Outside [min, max], by hand or by the clock.
pub(super) fn outside(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    let (bounds, current, decide) = (case.bounds, case.current, &case.spec.decide);
    if current < bounds.min {
        if decide.min_written {
            ruling.rule(GUARD, bounds.min, Why::BelowMin { min: bounds.min });
            return Course::Settled;
        }
        // Only from 0 dynos that are ours to leave: the policy may, the unwritten bound may not.
        ruling.rule(GUARD, current, Why::BelowUnwrittenMin { min: bounds.min });
        return Course::Open;
    }
    if current <= bounds.max {
        return Course::Open;
    }
    if !decide.max_written {
        ruling.rule(GUARD, current, Why::AboveUnwrittenMax { max: bounds.max });
    } else if case.measurement_failed() {
        ruling.rule(GUARD, current, Why::LoweringWaits { max: bounds.max });
    } else {
        ruling.rule(GUARD, bounds.max, Why::AboveMax { max: bounds.max });
    }
    Course::Settled
}

/// No proposal leads out of [min, max].
pub(super) fn within(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    let (bounds, current, wanted) = (case.bounds, case.current, ruling.desired);
    let seen = |present| if present { Seen::Present } else { Seen::Absent };
    ruling.signals.above_max = seen(wanted > bounds.max && current >= bounds.max);
    ruling.signals.below_min = seen(wanted < bounds.min && current == bounds.min && current > 1);
    if wanted > bounds.max {
        ruling.rule(GUARD, bounds.max, Why::AtMax { max: bounds.max });
    } else if wanted < bounds.min && wanted != current {
        // From below an unwritten minimum a fall is held where it is.
        ruling.rule(GUARD, bounds.min.min(current), Why::AtMin { min: bounds.min });
    }
    Course::Open
}
