//! Owns the guards of what operators do: `override` (a count set by hand is kept, inside the bounds unless
//! it may lie beyond them), `scale_in_off` and `scale_out_off`, and `changed_by_hand` (a count that was
//! changed on the platform is left alone for a while).

use super::{Case, Course, Ruling, Why};

/// A count that an operator set is gone to straight away: a person asked for it, so it waits for no cooldown
/// and no measurement.
pub(super) fn set(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    let Some(set) = case.observation.levers.dynos else { return Course::Open };
    ruling.rule("override", set.dynos, Why::Override);
    if set.beyond_bounds {
        return Course::Settled;
    }
    let (bounds, decide) = (case.bounds, &case.spec.decide);
    // A bound that is not written limits, and moves nothing by itself.
    let max = if decide.max_written { bounds.max } else { bounds.max.max(case.current) };
    let min = if decide.min_written { bounds.min } else { bounds.min.min(case.current) };
    if set.dynos > max {
        ruling.rule("bounds", max, Why::AtMax { max: bounds.max });
    } else if set.dynos < min {
        ruling.rule("bounds", min, Why::AtMin { min: bounds.min });
    }
    Course::Settled
}

/// With scaling in off nothing falls, not even to the maximum; with scaling out off nothing rises but to a
/// minimum that the script writes.
pub(super) fn switches(case: &Case<'_>, ruling: &mut Ruling) {
    let levers = &case.observation.levers;
    if ruling.desired < case.current && levers.no_scale_in.is_some() {
        ruling.rule("scale_in_off", case.current, Why::ScaleInOff);
    }
    let floor = if case.spec.decide.min_written { case.bounds.min.max(case.current) } else { case.current };
    if ruling.desired > floor && levers.no_scale_out.is_some() {
        ruling.rule("scale_out_off", floor, Why::ScaleOutOff);
    }
}

/// A count that a person changed on the platform stays, while it is young.
pub(super) fn respected(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    let Some(since) = case.state.by_hand else { return Course::Open };
    let respect = chrono::TimeDelta::from_std(case.spec.respect_manual).unwrap_or(chrono::TimeDelta::MAX);
    let left = respect - (case.now - since);
    if left <= chrono::TimeDelta::zero() {
        return Course::Open;
    }
    #[allow(clippy::cast_precision_loss)]
    let left = left.num_milliseconds() as f64 / 1000.0;
    ruling.rule("changed_by_hand", case.current, Why::ChangedByHand { left });
    Course::Settled
}
