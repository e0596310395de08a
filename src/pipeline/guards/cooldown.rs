//! Owns the guard `cooldown`: no decision in the wait after a scale, and after that no step in a direction
//! whose own wait is not over. Bounds were asked before: a cooldown swallows none of them.

use super::memory::later;
use super::{Case, Course, Ruling, Said, Why, seconds};

const GUARD: &str = "cooldown";

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    if !case.state.waits(case.now) {
        return Course::Open;
    }
    let left = case.state.wait_until.map_or(0.0, |until| seconds(until - case.now));
    let why = match case.state.last_scale {
        None if case.state.degraded => Why::DegradedWait { left },
        last => Why::Cooldown { since: last.map_or(0.0, |last| seconds(case.now - last)), left },
    };
    ruling.rule(GUARD, case.current, why);
    Course::Settled
}

/// The wait of the direction that is wanted.
pub(super) fn of_direction(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    let (up, wait) = match ruling.desired.cmp(&case.current) {
        std::cmp::Ordering::Greater => (true, case.spec.guards.cooldown_up),
        std::cmp::Ordering::Less => (false, case.spec.guards.cooldown_down),
        std::cmp::Ordering::Equal => return Course::Open,
    };
    let Some(last) = case.state.last_scale else { return Course::Open };
    let over = later(last, wait);
    if case.now < over {
        let (since, left) = (seconds(case.now - last), seconds(over - case.now));
        ruling.say(GUARD, case.current, Said::CooldownOf { up, since, left });
    }
    Course::Open
}
