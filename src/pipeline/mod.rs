//! Owns a pipeline: what it is ([`PipelineSpec`]), what it remembers ([`ControlState`]), what it
//! decides (`controller`, pure), what a tick leaves behind ([`Record`], [`Event`]), and the tasks
//! that run it. It knows no Rhai, and reaches the outside only through [`crate::world::World`].

mod bounds;
mod conditions;
mod control;
pub mod controller;
mod cron;
mod days;
pub mod declare;
mod event;
mod guards;
mod history;
mod limits;
mod measurement;
mod moment;
mod rapid;
mod record;
mod rehearsal;
mod resolved;
mod resolved_guards;
mod spec;
mod texts;
mod tick;

pub use bounds::{Bounds, time_of_day};
pub use conditions::{Conditions, condition_key};
pub use control::{ByHand, CONTROL_VERSION, ControlState};
pub use controller::{Busy, Circumstances, Decision, Observation, Proposed, Release, Seen, Signals};
pub use cron::CronWindow;
pub(crate) use days::mend as mend_of_key;
pub use days::{OnDays, When};
pub use declare::{Declared, Gate, ScriptSettings, Watchdog, declare};
pub use event::{Event, EventKind, Phase};
pub use guards::{
    Behavior, Boot, BusyWork, Cause, CircuitBreaker, Fallback, GuardMemory, GuardSettings, Reasons, Said, Step, Why,
};
pub use history::{History, Judged};
pub use limits::{Ledger, Limit, Member, Room};
pub use measurement::{Failure, FailureKind, Measurement};
pub use moment::{Moment, NamedMeasurement};
pub use rapid::{RapidLimit, Scales};
pub use record::{
    Decided, DynoCounts, MeasurementRecord, Outcome, ProposalRecord, RECORD_VERSION, Reason, Record, ScriptVersion,
    ShadowRecord,
};
pub use rehearsal::rehearse;
pub use resolved::{Backend, Resolved, Stages};
pub use spec::{Mode, PipelineSpec};
pub(crate) use tick::BUSY_KEY;
pub use tick::{Acting, Pipeline};

/// The most measurements, and the most policies, of one pipeline.
pub const MOST_NAMES: usize = 8;
