//! Owns the arguments of `doctor`.

use clap::Args;

use super::values::switch;
use super::{OnlyArg, ReachArgs, ScriptArg};
use crate::state::StateArg;

/// What `doctor` does, for its help: the command's own line is the first of it.
pub(super) const ABOUT: &str = "Look for what will go wrong, before it does: the key and what it may do, apps, process types and their \
        sizes, other autoscalers, measured URLs, Redis and its queues, mail, clocks, and whether state outlives a \
        restart here.\n\n\
        It reads only, and scales nothing. Run it where the worker runs, with the same variables. Functions of the \
        script are not called: `autoscaler once` does that.";

/// `doctor`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "Examples:\n  \
        autoscaler doctor scripts/autoscale.rhai             every check, with what to do\n  \
        autoscaler doctor scripts/autoscale.rhai --notify    a test message too\n  \
        autoscaler doctor scripts/autoscale.rhai --json      for a report to support\n\n\
        Exit codes: 0 nothing fails (there may be warnings), 1 a check fails or the script does not load, 2 wrong usage.")]
pub struct DoctorArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub script: ScriptArg,
    /// Print JSON: an array of checks
    #[arg(long, env = "AUTOSCALER_JSON", value_parser = switch)]
    pub json: bool,
    /// Send a test message to everybody who is told of events
    #[arg(long, env = "AUTOSCALER_NOTIFY", value_parser = switch)]
    pub notify: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub only: OnlyArg,
    /// Where the worker keeps its state: a folder, redis://…, `redis` for the URL in REDIS_URL, or `memory`
    #[arg(long, value_name = "STORE", env = "AUTOSCALER_STATE", hide_env_values = true, value_parser = StateArg::parse)]
    pub state: Option<StateArg>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub reach: ReachArgs,
}
