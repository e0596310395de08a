//! Owns the guard `stabilization`: of what was wanted within a window the smallest raise and the largest
//! count on the way down are taken. It is the envelope rule of the Kubernetes autoscaler: the count
//! moves only where it lies outside of both.

use super::memory::{Extreme, Wishes};
use super::{Case, Course, Ruling, Said};

const GUARD: &str = "stabilization";

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    let (up, down) = (case.spec.guards.stabilization_up, case.spec.guards.stabilization_down);
    if (up.is_zero() && down.is_zero()) || case.observation.proposals.is_empty() {
        return Course::Open;
    }
    let (current, wanted) = (case.current, ruling.desired);
    let mut extreme = |ring: fn(&mut Ruling) -> &mut Wishes, window, extreme| {
        let wishes = ring(ruling);
        wishes.forget(case.now, window);
        // Of the time before nothing is known but the count itself: a wish must last the whole window.
        if wishes.is_empty() && !std::time::Duration::is_zero(&window) {
            wishes.push(case.now, current, extreme);
        }
        wishes.push(case.now, wanted, extreme);
        wishes.extreme().unwrap_or(wanted)
    };
    let lowest = extreme(|ruling| &mut ruling.memory.lowest, up, Extreme::Lowest);
    let highest = extreme(|ruling| &mut ruling.memory.highest, down, Extreme::Highest);
    let stable = current.max(lowest).min(highest);
    if stable != wanted {
        let said = if wanted > current {
            Said::StabilizedUp { least: lowest, seconds: up.as_secs_f64() }
        } else {
            Said::StabilizedDown { most: highest, seconds: down.as_secs_f64() }
        };
        ruling.say(GUARD, stable, said);
    }
    Course::Open
}
