//! Owns the guard `back_off`: after a failed call the platform is left alone for a while.

use super::{Case, Ruling, Why};

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) {
    let changes = case.observation.dynos.is_ok() && ruling.desired != case.current;
    if changes && case.state.backs_off(case.now) {
        ruling.rule(
            "back_off",
            case.current,
            Why::BackOff { failures: case.state.read_failures.max(case.state.scale_failures) },
        );
    }
}
