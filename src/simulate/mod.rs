//! Owns simulation: the very same tick, guards and policies as the worker's, against a pretended app under
//! recorded or made-up load, on a clock that is a count. [`run()`] gives scores, scales and a series; views
//! read those and nothing else. It reaches nothing but the trace's file.

mod app;
mod chance;
mod events;
mod faults;
mod fleet;
mod fluid;
mod matrix;
mod model;
mod policies;
mod recorded;
mod run;
mod scene;
mod scores;
mod series;
mod synthetic;
mod trace;
mod trace_file;
mod trace_repair;
mod waits;

pub use crate::stats::{Capacity, Delays, Demand, MOST_SERVERS, delayed};
pub use app::{App, Second, Signal, Window};
pub use chance::Chance;
pub use events::Events;
pub use faults::Faults;
pub use fleet::Fleet;
pub use fluid::Fluid;
pub use matrix::{Progress, run_all, run_each};
pub use model::{Answer, AppKind, Described, Durations, Model, SETTINGS, SIMULATE, check};
pub use policies::{NAMED, Named, Preset, Sweep, named, policy};
pub use recorded::{RateIn, trace as recorded};
pub use run::{Candidate, Run, Scaling, Setting, run};
pub use scores::{Dynos, Scorer, Scores};
pub use series::{Point, Series, Span, Spans};
pub use synthetic::{PREFIX, SHAPES, make};
pub use trace::Trace;
pub use trace_file::{parse, read};
pub use trace_repair::Repairs;
pub use waits::Waits;
