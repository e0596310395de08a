//! Owns the telling of records: why a tick scaled or did not, what would have had to be different, what
//! happened around it, and the making of a test from it. It measures, scales and keeps nothing: a tick that
//! is tried again runs in a world that reaches nothing.

pub mod around;
pub mod fixture;
pub mod logs;
mod scene;
mod search;
mod show;
mod story;
pub mod table;
pub mod time;
mod ways;

pub use scene::{Scene, remembered};
pub(crate) use search::literals;
pub use show::show;
pub use story::{Explanation, Question, Stretch, explain, of_scale_lines};
pub use ways::Way;

use crate::pipeline::Record;

/// Whether a limit that pipelines share held the pipeline back at this tick: what the others had then is in no
/// record of it, so the tick cannot be replayed.
#[must_use]
pub fn is_limited(record: &Record) -> bool {
    record.reasons.iter().any(|reason| reason.guard == "limit")
}
