//! Owns the arguments of the commands that work on an app: `run`, `once`, `demo`; and `gate`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::{duration, switch};
use super::{LogArgs, OnlyArg, ReachArgs, ScriptArg};
use crate::state::{Keep, StateArg};

/// `run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub script: ScriptArg,
    /// Do everything but scale
    #[arg(long, env = "AUTOSCALER_DRY_RUN", value_parser = switch)]
    pub dry_run: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub only: OnlyArg,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub reach: ReachArgs,
    /// Refuse to start on a script that does not load, instead of running its last good version
    #[arg(long, env = "AUTOSCALER_STRICT_START", value_parser = switch)]
    pub strict_start: bool,
    /// Listen here for HTTP: log drains (POST /logs) and health checks (GET /health); such as 0.0.0.0:8080
    #[arg(long, value_name = "HOST:PORT", env = "AUTOSCALER_LISTEN")]
    pub listen: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub keep: KeepArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub log: LogArgs,
}

/// Megabytes of records in a file.
const IN_FILE_MB: u64 = 500;

/// Megabytes of records in Redis, whose memory is scarce, and shared with a queue as often as not.
const IN_REDIS_MB: u64 = 10;

/// Where state is kept, and for how long.
#[derive(Clone, Debug, Args)]
pub struct KeepArgs {
    /// Where state is kept: a folder, redis://…, `redis` for the URL in REDIS_URL, or `memory`, which ends with the
    /// process [default: a folder of the script's own under ~/.local/state/autoscaler]
    #[arg(long, value_name = "STORE", env = "AUTOSCALER_STATE", hide_env_values = true, value_parser = StateArg::parse)]
    pub state: Option<StateArg>,
    /// Records are kept for so long, such as 12h or 30d
    #[arg(long, value_name = "DURATION", env = "AUTOSCALER_KEEP", default_value = "30d", value_parser = duration)]
    pub keep: Duration,
    /// The oldest records go while all together take more than so many megabytes [default: 500, in Redis 10]
    #[arg(long, value_name = "MB", env = "AUTOSCALER_KEEP_MB",
        value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub keep_mb: Option<u64>,
}

impl KeepArgs {
    /// For how long records are kept.
    #[must_use]
    pub fn keep(&self) -> Keep {
        let default = if self.state().is_redis() { IN_REDIS_MB } else { IN_FILE_MB };
        Keep { age: self.keep, bytes: self.keep_mb.unwrap_or(default) * 1_000_000 }
    }

    /// Where.
    #[must_use]
    pub fn state(&self) -> StateArg {
        self.state.clone().unwrap_or_default()
    }
}

/// `push`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    autoscaler push autoscale.rhai --state redis            to the Redis of REDIS_URL\n  \
    autoscaler run state: --state redis                     the worker that runs it, and follows\n\n\
    The script is signed with AUTOSCALER_SCRIPT_KEY, which the worker has too: it runs nothing else. Exit codes: 0 \
    it is published, 1 it has an error, a test of it fails, or it cannot be published, 2 wrong usage.")]
pub struct PushArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub script: ScriptArg,
    /// The state of the worker: redis://…, `redis` for the URL in REDIS_URL, or a folder
    /// [default: the folder `pushed` under ~/.local/state/autoscaler]
    #[arg(long, value_name = "STORE", env = "AUTOSCALER_STATE", hide_env_values = true, value_parser = StateArg::parse)]
    pub state: Option<StateArg>,
}

/// `once`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Exit codes: 0 the tick was made (a measurement that fails holds, and is told); 1 the script has an \
    error, its decision fails, the dynos cannot be counted, or a scale fails; 2 wrong usage."
)]
pub struct OnceArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub script: ScriptArg,
    /// Print JSON: an array of decision records
    #[arg(long, env = "AUTOSCALER_JSON", value_parser = switch)]
    pub json: bool,
    /// Scale and notify for real
    #[arg(long, env = "AUTOSCALER_ACT", value_parser = switch)]
    pub act: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub only: OnlyArg,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub reach: ReachArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub log: LogArgs,
}

/// `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// The script that scales the embedded app; written to a temporary file when not given and not
    /// found at scripts/demo.rhai
    #[arg(value_name = "SCRIPT", env = "AUTOSCALER_DEMO_SCRIPT")]
    pub script: Option<PathBuf>,
    /// End by itself after so long, such as 60s or 5m
    #[arg(long = "for", value_name = "DURATION", env = "AUTOSCALER_DEMO_FOR", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Plain lines even on a terminal
    #[arg(long, env = "AUTOSCALER_DEMO_PLAIN", value_parser = switch)]
    pub plain: bool,
}

/// `heartbeat`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    autoscaler heartbeat --listen 0.0.0.0:$PORT             the database and the Redis of DATABASE_URL and REDIS_URL\n  \
    autoscaler heartbeat --database-url sqlite:///srv/app.db --redis-url \"\" --dir /srv/uploads\n\n\
    A token that whoever asks must send (`Authorization: Bearer …`) is in AUTOSCALER_HEARTBEAT_TOKEN.")]
pub struct HeartbeatArgs {
    /// Where it answers, at /heroku-autoscale/measurement/
    #[arg(long, value_name = "HOST:PORT", env = "AUTOSCALER_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// The database that is asked: postgres://… or sqlite:PATH; empty for none [default: the variable DATABASE_URL]
    #[arg(long, value_name = "URL", env = "AUTOSCALER_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The Redis that is asked; empty for none [default: the variable REDIS_URL]
    #[arg(long, value_name = "URL", env = "AUTOSCALER_REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,
    /// The folder whose disk is written to and read
    #[arg(long, value_name = "FOLDER", env = "AUTOSCALER_DIR")]
    pub dir: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub log: LogArgs,
}

/// `gate`, which workers start: nothing in the environment may change what it does.
#[derive(Clone, Debug, Args)]
pub struct GateArgs {
    /// The script
    #[arg(value_name = "SCRIPT")]
    pub script: PathBuf,
}
