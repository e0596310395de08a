//! Owns the guard `release`: while the platform releases a new version nothing is decided.

use super::{Case, Course, Release, Ruling, Said};

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    if !case.spec.guards.hold_during_release {
        return Course::Open;
    }
    let said = match case.observation.circumstances.release {
        Release::UnderWay => Said::ReleaseUnderWay,
        Release::Unknown => Said::ReleaseUnknown,
        Release::Absent | Release::NotAsked => return Course::Open,
    };
    ruling.say("release", case.current, said);
    Course::Settled
}
