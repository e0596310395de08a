//! Owns the place of the policies among the guards: of several the safest is followed, up over hold over
//! down, and of two that go the same way the one that wants more dynos.

use super::{Case, Course, Ruling, Why};
use crate::pipeline::Proposed;

const GUARD: &str = "policy";

/// The position of the proposal that is followed at `current` dynos. Of two alike the first one.
pub(in crate::pipeline) fn safest(proposals: &[Proposed], current: u32) -> Option<usize> {
    let wanted = |proposed: &Proposed| proposed.dynos().unwrap_or(current);
    let mut safest = None;
    for (index, proposed) in proposals.iter().enumerate() {
        if safest.is_none_or(|(_, dynos)| wanted(proposed) > dynos) {
            safest = Some((index, wanted(proposed)));
        }
    }
    safest.map(|(index, _)| index)
}

pub(super) fn follow(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    let proposals = case.observation.proposals;
    let Some(index) = safest(proposals, case.current) else {
        ruling.rule(GUARD, case.current, Why::NotAsked);
        return Course::Open;
    };
    // The bounds say how few there may be.
    let desired = proposals[index].dynos().unwrap_or(case.current);
    if desired != case.current || proposals[index].dynos().is_some() {
        ruling.rule(GUARD, desired, Why::Policy(index));
        return Course::Open;
    }
    // Everybody who holds says why.
    for (index, _) in proposals.iter().enumerate().filter(|(_, proposed)| proposed.dynos().is_none()) {
        ruling.rule(GUARD, case.current, Why::Policy(index));
    }
    Course::Open
}
