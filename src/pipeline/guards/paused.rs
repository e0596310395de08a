//! Owns the guard `paused`: a paused pipeline measures and holds.

use super::{Case, Course, Ruling, Why};
use crate::pipeline::Mode;

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    let by_lever = case.observation.levers.pause.is_some();
    if case.spec.mode != Mode::Paused && !by_lever {
        return Course::Open;
    }
    ruling.rule("paused", case.current, Why::Paused);
    Course::Settled
}
