//! Owns the arguments of `records`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::FindArgs;
use super::values::{duration, switch};

/// `records`.
#[derive(Clone, Debug, Args)]
pub struct RecordedArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: RecordedCommand,
}

/// What can be done with records.
#[derive(Clone, Debug, Subcommand)]
pub enum RecordedCommand {
    /// Print the records of ticks as JSON, oldest first, also while the worker runs
    Export(ExportArgs),
}

/// `records export`.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// Only this pipeline
    #[arg(value_name = "PIPELINE", env = "AUTOSCALER_PIPELINE")]
    pub pipeline: Option<String>,
    /// How far back, such as 2h or 30d
    #[arg(long, value_name = "DURATION", env = "AUTOSCALER_SINCE", default_value = "30d", value_parser = duration)]
    pub since: Duration,
    /// One record a line instead of an array
    #[arg(long, env = "AUTOSCALER_JSONL", value_parser = switch)]
    pub jsonl: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub find: FindArgs,
}
