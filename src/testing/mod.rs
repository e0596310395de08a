//! Owns tests of scripts: a [`Suite`] is the tests of one script and its pipelines, a [`Trial`] what one
//! test has, a [`Bench`] one pipeline in a pretended world on a clock of its own. The tick is the very
//! same code as the worker's; nothing outside is reached.

mod bench;
pub mod properties;
mod recorded;
mod said;
mod suite;
mod trial;

pub use bench::{Bench, START};
pub use recorded::Recorded;
pub use suite::{BUDGET, Fault, RELOAD_TIME, Suite, Test, Verdict};
pub use trial::Trial;
