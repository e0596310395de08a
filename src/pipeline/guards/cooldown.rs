//! Owns the guard `cooldown`: no decision in the wait after a scale.

use super::{Case, Course, Ruling, Why};

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    if !case.state.waits(case.now) {
        return Course::Open;
    }
    let since = |time: Option<_>| time.map_or(0.0, |time| seconds(case.now - time));
    let why = Why::Cooldown {
        since: since(case.state.last_scale),
        left: case.state.wait_until.map_or(0.0, |until| seconds(until - case.now)),
    };
    ruling.rule("cooldown", case.current, why);
    Course::Settled
}

#[allow(clippy::cast_precision_loss)]
fn seconds(span: chrono::TimeDelta) -> f64 {
    span.num_milliseconds() as f64 / 1000.0
}
