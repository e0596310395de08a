//! Owns the guard `platform_limit`: no more dynos than the platform said it allows.

use super::{Case, Ruling, Why};

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) {
    let Some(limit) = case.observation.dynos.as_ref().ok().and_then(|supply| supply.limit) else { return };
    if ruling.desired > limit && ruling.desired > case.current {
        ruling.rule("platform_limit", limit.max(case.current), Why::PlatformLimit { limit });
    }
}
