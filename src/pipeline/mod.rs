//! Owns a pipeline: what it is ([`PipelineSpec`]), what it remembers ([`ControlState`]), what it
//! decides (`controller`, pure), what a tick leaves behind ([`Record`], [`Event`]), and the tasks
//! that run it. It knows no Rhai, and reaches the outside only through [`crate::world::World`].

mod control;
mod event;
mod history;
mod measurement;
mod moment;
mod record;
mod spec;

pub use control::ControlState;
pub use event::{Event, EventKind, Phase};
pub use history::History;
pub use measurement::{Failure, FailureKind, Measurement};
pub use moment::Moment;
pub use record::{Decided, DynoCounts, MeasurementRecord, Outcome, ProposalRecord, RECORD_VERSION, Reason, Record};
pub use spec::{Mode, PipelineSpec};
