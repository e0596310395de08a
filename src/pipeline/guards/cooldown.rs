//! Owns the guard `cooldown`: no decision in the wait after a scale.

use super::{Case, Course, Ruling, Why};

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    if !case.state.waits(case.now) {
        return Course::Open;
    }
    let left = case.state.wait_until.map_or(0.0, |until| seconds(until - case.now));
    let why = match case.state.last_scale {
        None if case.state.degraded => Why::DegradedWait { left },
        last => Why::Cooldown { since: last.map_or(0.0, |last| seconds(case.now - last)), left },
    };
    ruling.rule("cooldown", case.current, why);
    Course::Settled
}

#[allow(clippy::cast_precision_loss)]
fn seconds(span: chrono::TimeDelta) -> f64 {
    span.num_milliseconds() as f64 / 1000.0
}
