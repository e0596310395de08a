//! Owns the guard `failure_steps`: how far failures alone may raise the count.

use super::{Case, Course, Ruling, Said};

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    let Some(most) = case.spec.guards.max_steps_up_on_failure else { return Course::Open };
    let taken = case.state.guards.failure_steps;
    if ruling.desired > case.current && case.only_failures() && taken >= most {
        ruling.say("failure_steps", case.current, Said::FailureSteps { taken });
    }
    Course::Open
}
