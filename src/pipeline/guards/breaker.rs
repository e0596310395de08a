//! Owns the guard `circuit_breaker`: where the platform goes on refusing, or new dynos never come up, no
//! more are asked for; after a while one more is tried.

use super::memory::{GuardMemory, later};
use super::{Case, CircuitBreaker, Ruling, Said, Seen};

const GUARD: &str = "circuit_breaker";

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) {
    let Some(breaker) = case.spec.guards.circuit_breaker else { return };
    let memory = &case.state.guards;
    let said = if let Some(refused) = memory.refused_at
        && case.now < later(refused, breaker.retry)
    {
        let left = super::seconds(later(refused, breaker.retry) - case.now);
        Some(Said::Refused { failures: case.state.scale_failures, left })
    } else {
        never_up(case, memory, breaker)
    };
    ruling.signals.circuit_open = if said.is_some() { Seen::Present } else { Seen::Absent };
    if let Some(said) = said.filter(|_| ruling.desired > case.current) {
        ruling.say(GUARD, case.current, said);
    }
}

fn never_up(case: &Case<'_>, memory: &GuardMemory, breaker: CircuitBreaker) -> Option<Said> {
    let unproven = memory.unproven?;
    let (opens, retries) = (later(unproven.since, breaker.up_within), later(unproven.since, breaker.cycle()));
    let shut = case.now < opens || case.now >= retries || proven(case, unproven.from);
    let (waited, left) = (super::seconds(case.now - unproven.since), super::seconds(retries - case.now));
    (!shut).then_some(Said::NeverUp { more_than: unproven.from, waited, left })
}

/// Whether more dynos are up than `from`, or no more are asked for.
pub(super) fn proven(case: &Case<'_>, from: u32) -> bool {
    let up = case.observation.circumstances.not_up.map(|not_up| case.current.saturating_sub(not_up));
    case.current <= from || up.is_some_and(|up| up > from)
}
