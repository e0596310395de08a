//! Owns replays: a new script over the recorded measurements of a running one, tick by tick, and where the two
//! decide differently. The tick is the worker's very own in a world that reaches nothing. It does not pretend to
//! know how the app would have been with other dynos: that is what [`crate::simulate`] asks.

mod scene;
mod show;
mod told;

pub use scene::Replayer;
pub use show::show;
pub use told::{CAVEAT, Difference, Replay, Side, Totals};
