//! Owns the guard `limit`: no growth beyond what the limit that pipelines share leaves to this one.

use super::{Case, Ruling, Why};

/// The guard's name in reasons.
pub(in crate::pipeline) const GUARD: &str = "limit";

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) {
    let Some(room) = case.observation.room else { return };
    if ruling.desired > room.left && ruling.desired > case.current {
        ruling.rule(GUARD, room.left.max(case.current), Why::SharedLimit { limit: room.limit, left: room.left });
    }
}
