//! Owns the arguments of the commands that talk to a running worker: levers, `status`, going back and trying.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};

use super::values::{duration, switch};
use crate::state::StateArg;

/// Which worker.
#[derive(Clone, Debug, Default, Args)]
pub struct WorkerArgs {
    /// The worker that runs this script; without it and --state the only one that there is
    #[arg(long = "script", value_name = "FILE", env = "AUTOSCALER_SCRIPT")]
    pub script: Option<PathBuf>,
    /// The worker whose state is here: a folder, redis://…, or `redis` for the URL in REDIS_URL
    #[arg(long, value_name = "STORE", env = "AUTOSCALER_STATE", hide_env_values = true, value_parser = StateArg::parse)]
    pub state: Option<StateArg>,
}

/// Which pipelines.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("whose").required(true).multiple(false))]
pub struct WhoseArgs {
    /// The pipeline
    #[arg(value_name = "NAME", group = "whose")]
    pub name: Option<String>,
    /// Every pipeline
    #[arg(long, group = "whose")]
    pub all: bool,
}

/// For how long, and why.
#[derive(Clone, Debug, Default, Args)]
pub struct WhyArgs {
    /// Let go by itself after so long, such as 30m or 2h; else it holds until somebody lets go
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Why, for those who find it later
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `pause`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    autoscaler pause web --for 2h --reason \"database migration\"\n  \
    autoscaler pause --all\n\n\
    A paused pipeline measures and holds, whatever its bounds are.")]
pub struct PauseArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub whose: WhoseArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub why: WhyArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub worker: WorkerArgs,
}

/// `resume`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    autoscaler resume web\n  \
    autoscaler resume --all\n\n\
    Lets go of the pause and of the count that was set. Scale-in and scale-out stay switched as they are.")]
pub struct ResumeArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub whose: WhoseArgs,
    /// Why, for those who find it later
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub worker: WorkerArgs,
}

/// `set`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    autoscaler set web 5 --for 1h\n  \
    autoscaler set web 12 --beyond-bounds --for 30m --reason \"launch\"\n\n\
    The count is gone to at the next tick and kept, whatever is measured; `autoscaler resume NAME` lets go of it. \
    It stays inside the bounds of the script unless --beyond-bounds lifts them.")]
pub struct SetArgs {
    /// The pipeline
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Dynos in all
    #[arg(value_name = "DYNOS")]
    pub dynos: u32,
    /// The bounds of the script do not count meanwhile
    #[arg(long)]
    pub beyond_bounds: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub why: WhyArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub worker: WorkerArgs,
}

/// Whether a direction is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Not until it is switched on again
    Off,
    /// Again
    On,
}

/// `scale-in`, `scale-out`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    autoscaler scale-in off web --for 4h --reason \"sale\"\n  \
    autoscaler scale-out off --all\n  \
    autoscaler scale-in on web\n\n\
    With scale-in off nothing is taken away, not even above the maximum; with scale-out off nothing is added but up to \
    a minimum that the script writes.")]
pub struct SwitchArgs {
    /// Off or on
    pub switch: Switch,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub whose: WhoseArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub why: WhyArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub worker: WorkerArgs,
}

/// `status`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    autoscaler status\n  \
    autoscaler status web\n  \
    autoscaler status --json | jq '.pipelines[] | {name, mode, dynos}'\n\n\
    Without a running worker it tells what the state folder knows. Exit codes: 0 the worker runs; 1 it does not, or \
    there is nothing to tell; 2 wrong usage.")]
pub struct StatusArgs {
    /// Only this pipeline
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Print JSON
    #[arg(long, env = "AUTOSCALER_JSON", value_parser = switch)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub worker: WorkerArgs,
}

/// Which script of a folder.
#[derive(Clone, Debug, Default, Args)]
pub struct UnitArg {
    /// The script of a folder: its file's name without `.rhai`
    #[arg(long, value_name = "UNIT")]
    pub unit: Option<String>,
}

/// `rollback`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    autoscaler rollback\n  \
    autoscaler rollback --unit shop\n\n\
    Histories, cooldowns and memory stay. The earlier generation runs until the file is saved again.")]
pub struct RollbackArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub unit: UnitArg,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub worker: WorkerArgs,
}

/// `try`.
#[derive(Clone, Debug, Args)]
#[command(
    group = ArgGroup::new("what").required(true).multiple(false),
    after_help = "Examples:\n  \
    autoscaler try new.rhai --for 2h    run it in place of the worker's script; then that one comes back\n  \
    autoscaler try --confirm            keep it: it is written over the worker's script\n  \
    autoscaler try --revert             end it now\n\n\
    The new script must load and pass its own tests. Saving the worker's script, or a restart, ends the trial too. Its \
    imports are those of the worker's script."
)]
pub struct TryArgs {
    /// The script to try
    #[arg(value_name = "SCRIPT", group = "what")]
    pub file: Option<PathBuf>,
    /// Keep the script that is being tried
    #[arg(long, group = "what")]
    pub confirm: bool,
    /// End the trial now
    #[arg(long, group = "what")]
    pub revert: bool,
    /// It ends by itself after so long, such as 30m or 2h
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, default_value = "1h")]
    pub duration: Duration,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub unit: UnitArg,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub worker: WorkerArgs,
}
