//! Owns programs that a script names (`measure::command` …): the settings they share, and the live
//! runner. No shell ever looks at what is written.

mod live;
mod settings;

pub use live::Runner;
pub(crate) use settings::{COMMAND, Command, ENVIRONMENT, TIMEOUT};
