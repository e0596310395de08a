//! Owns the guard `booting`: dynos that are booting count as there, and nothing is judged on what is
//! measured meanwhile.

use std::time::Duration;

use super::memory::later;
use super::{Boot, Case, Course, Ruling, Said};

const GUARD: &str = "booting";

/// A dyno that has not come up by then never will, and must not stop the others from being scaled.
const LONGEST_BOOT: Duration = Duration::from_secs(600);

pub(super) fn check(case: &Case<'_>, ruling: &mut Ruling) -> Course {
    let memory = &case.state.guards;
    let said = match case.spec.guards.boot {
        Boot::Unknown => return Course::Open,
        Boot::Seconds(boot) => {
            let up_at = memory.last_up.map(|up| later(up, boot)).filter(|up_at| case.now < *up_at);
            let Some(up_at) = up_at else { return Course::Open };
            Said::StillBoots { left: super::seconds(up_at - case.now) }
        }
        Boot::Learned => {
            let booting = case.observation.dynos.as_ref().map_or(0, |supply| supply.booting);
            let since = memory.booting_since.unwrap_or(case.now);
            if booting == 0 || case.now >= later(since, LONGEST_BOOT) {
                return Course::Open;
            }
            Said::Booting { booting }
        }
    };
    ruling.unjudged = true;
    ruling.say(GUARD, case.current, said);
    Course::Settled
}
