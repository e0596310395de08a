//! Owns the reasons of a decision as the guards give them: small values with their numbers, put into
//! words only for the record, so that a plain hold costs no allocation.

use super::super::controller::{Observation, Proposed};
use super::super::{MOST_NAMES, PipelineSpec, Reason};
use super::Said;
use crate::counted::dynos;

/// One reason of a decision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cause {
    /// The guard that speaks.
    pub guard: &'static str,
    /// The count before it; `None` when unknown.
    pub from: Option<u32>,
    /// The count after it; `None` when unknown.
    pub to: Option<u32>,
    /// What it says.
    pub why: Why,
}

/// What a guard says.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)] // The words are in `text`, below; fields are dynos, or seconds.
pub enum Why {
    CountUnknown,
    Paused,
    SwitchedOff {
        by_us: bool,
    },
    BelowMin {
        min: u32,
    },
    AboveMax {
        max: u32,
    },
    BelowUnwrittenMin {
        min: u32,
    },
    AboveUnwrittenMax {
        max: u32,
    },
    LoweringWaits {
        max: u32,
    },
    Cooldown {
        since: f64,
        left: f64,
    },
    DegradedWait {
        left: f64,
    },
    DegradedState,
    /// The text of the proposal with this index.
    Policy(usize),
    NotAsked,
    NoFallOnFailure,
    AtMax {
        max: u32,
    },
    AtMin {
        min: u32,
    },
    PlatformLimit {
        limit: u32,
    },
    BackOff {
        failures: u32,
    },
    Override,
    ScaleInOff,
    ScaleOutOff,
    ChangedByHand {
        left: f64,
    },
    /// The limit of the pipeline with this position leaves so many to it.
    SharedLimit {
        limit: usize,
        left: u32,
    },
    /// What an optional guard says.
    Guard(Said),
}

/// More than all guards together say in one tick: every policy of a pipeline may have a reason to hold.
const MOST: usize = 10 + MOST_NAMES;

/// The reasons of a decision, in the order of the guards.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reasons {
    causes: [Option<Cause>; MOST],
    len: usize,
}

impl Reasons {
    /// Adds `cause`; what exceeds the room is dropped.
    pub fn push(&mut self, cause: Cause) {
        if let Some(slot) = self.causes.get_mut(self.len) {
            *slot = Some(cause);
            self.len += 1;
        }
    }

    /// In the order of the guards.
    pub fn iter(&self) -> impl Iterator<Item = &Cause> {
        self.causes.iter().flatten()
    }

    /// In words, for the record.
    #[must_use]
    pub fn texts(&self, spec: &PipelineSpec, observation: &Observation<'_>) -> Vec<Reason> {
        let reason = |cause: &Cause| Reason {
            guard: cause.guard.into(),
            from: cause.from,
            to: cause.to,
            text: text(cause, spec, observation),
        };
        self.iter().map(reason).collect()
    }
}

fn text(cause: &Cause, spec: &PipelineSpec, observation: &Observation<'_>) -> String {
    let (from, current) = (cause.from.unwrap_or(0), observation.dynos.as_ref().map_or(0, |supply| supply.dynos));
    let (levers, zone) = (&observation.levers, spec.decide.zone);
    let told =
        |pull: Option<&crate::levers::Pull>| pull.map_or_else(String::new, |pull| format!(" {}", pull.told(zone)));
    match cause.why {
        Why::Guard(said) => said.text(from, cause.to.unwrap_or(0)),
        Why::CountUnknown => match observation.dynos {
            Err(error) => format!("the number of dynos is unknown: {error}"),
            Ok(_) => "the number of dynos is unknown".into(),
        },
        Why::Paused => match levers.pause {
            Some(pull) => format!("paused {}", pull.told(zone)),
            None => "the pipeline is paused".into(),
        },
        Why::Override => levers.dynos.map_or_else(String::new, |set| {
            let beyond = if set.beyond_bounds { ", beyond the bounds," } else { "" };
            format!("set to {}{beyond} {}", dynos(set.dynos), set.pull.told(zone))
        }),
        Why::ScaleInOff => format!("scale-in was switched off{}", told(levers.no_scale_in)),
        Why::ScaleOutOff => format!("scale-out was switched off{}", told(levers.no_scale_out)),
        Why::ChangedByHand { left } => {
            format!("{} by hand, left alone for another {left} s (`respect_manual_seconds`)", dynos(current))
        }
        Why::SwitchedOff { by_us: false } => {
            "0 dynos: switched off by hand, until there is one again (or write `start_from_zero: true`)".into()
        }
        Why::SwitchedOff { by_us: true } => {
            "0 dynos, where this pipeline scaled to; it leaves them only with `start_from_zero: true`".into()
        }
        Why::BelowMin { min } => format!("{} below the minimum of {min}", dynos(from)),
        Why::AboveMax { max } => format!("{} above the maximum of {max}", dynos(from)),
        Why::BelowUnwrittenMin { min } => {
            format!("{} below the default minimum of {min}, which changes nothing; write `min_dynos`", dynos(from))
        }
        Why::AboveUnwrittenMax { max } => {
            format!("{} above the default maximum of {max}, which changes nothing; write `max_dynos`", dynos(from))
        }
        Why::LoweringWaits { max } => {
            format!("{} above the maximum of {max}; lowered after the next good measurement", dynos(from))
        }
        Why::Cooldown { since, left } => {
            format!("scaled {since} s ago; the next decision is in {left} s")
        }
        Why::DegradedWait { left } => {
            format!("the state cannot be used, so nobody knows when it scaled last; the next decision is in {left} s")
        }
        Why::DegradedState => {
            "the state cannot be used or written, and a restart would forget what was before: no scaling in".into()
        }
        Why::Policy(index) => match observation.proposals {
            [only] => only.proposal.text.clone(),
            several => {
                let said = |proposed: &Proposed| format!("{}: {}", proposed.name, proposed.proposal.text);
                several.get(index).map_or_else(String::new, said)
            }
        },
        Why::NotAsked => {
            let failed = spec.measure.iter().zip(observation.measurements);
            let failed = failed.filter_map(|(stage, measurement)| Some((stage, measurement.failure.as_ref()?)));
            let texts: Vec<String> = failed.map(|(stage, failure)| spec.failed(stage, failure)).collect();
            if texts.is_empty() { "nothing was proposed".into() } else { texts.join("; ") }
        }
        Why::NoFallOnFailure => "a tick with a failed measurement never scales down".into(),
        Why::AtMax { max } => {
            format!("{} wanted, and the maximum is {max}{}", dynos(from), default(spec.decide.max_written))
        }
        Why::AtMin { min } => {
            format!("{} wanted, and the minimum is {min}{}", dynos(from), default(spec.decide.min_written))
        }
        Why::PlatformLimit { limit } => format!("the platform allows at most {}", dynos(limit)),
        Why::BackOff { failures } => {
            let last = match failures {
                1 => "the last call".to_owned(),
                failures => format!("the last {failures} calls"),
            };
            format!("{last} to the platform failed; it is left alone for a while with {}", dynos(current))
        }
        Why::SharedLimit { limit, left } => {
            spec.limits.get(limit).map_or_else(String::new, |limit| limit.leaves(&spec.name, left))
        }
    }
}

fn default(written: bool) -> &'static str {
    if written { "" } else { " (its default)" }
}
