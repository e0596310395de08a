//! Owns the guard `switched_off`: 0 dynos are a person's doing and stay, unless the script says that
//! they are the engine's to leave, or an operator set a count, these 0 included: when it lets go they are left.

use super::{Case, Course, Ruling, Seen, Why};

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    // An upper bound of 0 wants them off; then nobody needs to be told.
    let set = case.observation.levers.dynos.is_some() || case.state.zero_by_lever;
    if case.current > 0 || case.spec.start_from_zero || case.bounds.max == 0 || set {
        ruling.signals.switched_off = Seen::Absent;
        return Course::Open;
    }
    ruling.signals.switched_off = Seen::Present;
    ruling.rule("switched_off", 0, Why::SwitchedOff { by_us: case.state.scaled_to_zero });
    Course::Settled
}
