//! Owns the guard `degraded_state`: where what was before is not known, nothing is taken away.

use super::{Case, Ruling, Why};

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) {
    if case.state.degraded && case.observation.dynos.is_ok() && ruling.desired < case.current {
        ruling.rule("degraded_state", case.current, Why::DegradedState);
    }
}
