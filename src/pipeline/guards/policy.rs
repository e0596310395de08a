//! Owns the place of the policy among the guards: of what was proposed the largest count is followed,
//! which is the safest.

use super::{Case, Course, Ruling, Why};

const GUARD: &str = "policy";

pub(super) fn follow(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    let proposals = case.observation.proposals.iter().enumerate();
    let wanted = proposals.filter_map(|(index, proposed)| proposed.proposal.dynos.map(|dynos| (dynos, index))).max();
    match wanted {
        Some((dynos, index)) => {
            // A wish below zero is one for none; the bounds say how few there may be.
            let desired = u32::try_from(dynos.max(0)).unwrap_or(u32::MAX);
            ruling.rule(GUARD, desired, Why::Policy(index));
        }
        None if case.observation.proposals.is_empty() => ruling.rule(GUARD, case.current, Why::NotAsked),
        None => {
            for index in 0..case.observation.proposals.len() {
                ruling.rule(GUARD, case.current, Why::Policy(index));
            }
        }
    }
    Course::Open
}
