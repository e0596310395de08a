//! Owns the arguments that several commands share: the script, its pipelines, what it may reach, the log.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::switch;
use crate::reach::{Bounds, HostPattern};
use crate::state::StateArg;

/// Where the script is.
#[derive(Clone, Debug, Args)]
pub struct ScriptArg {
    /// The script: a .rhai file, a folder of them (each a unit of its own), or - for standard input; for
    /// `run` also state:, the one that `push` put there
    #[arg(value_name = "SCRIPT", env = "AUTOSCALER_SCRIPT")]
    pub script: PathBuf,
}

/// Whose state.
#[derive(Clone, Debug, Default, Args)]
pub struct FindArgs {
    /// The worker that runs this script [default: the only one there is state of]
    #[arg(long = "script", value_name = "FILE", env = "AUTOSCALER_SCRIPT")]
    pub script: Option<PathBuf>,
    /// The worker whose state is kept here: a folder, redis://…, or `redis` for the URL in REDIS_URL
    #[arg(long, value_name = "STORE", env = "AUTOSCALER_STATE", hide_env_values = true, value_parser = StateArg::parse)]
    pub state: Option<StateArg>,
}

impl FindArgs {
    /// The state, for reading.
    ///
    /// # Errors
    /// There is none, or there are several: then they are listed; or it cannot be read.
    pub async fn look(&self) -> Result<crate::state::Found, String> {
        let script = self.script.as_deref().filter(|script| !script.as_os_str().is_empty());
        crate::state::look(&self.state.clone().unwrap_or_default(), script).await
    }
}

/// Which pipelines.
#[derive(Clone, Debug, Default, Args)]
pub struct OnlyArg {
    /// Only these pipelines: names or globs such as `web*`, separated by commas; in a folder with or
    /// without the name of the file
    #[arg(long, value_name = "NAME,…", env = "AUTOSCALER_ONLY", value_delimiter = ',')]
    pub only: Vec<String>,
}

/// What scripts may reach. Native backends are not bounded: what they reach is written in their settings.
#[derive(Clone, Debug, Default, Args)]
pub struct ReachArgs {
    /// Hosts that scripts may reach by `http` and `redis`, such as `hooks.slack.com`, `*.example.com`
    /// or `127.0.0.1:6379`; all where it is not given
    #[arg(long, value_name = "HOST,…", env = "AUTOSCALER_ALLOW_NET", value_delimiter = ',', value_parser = host)]
    pub allow_net: Option<Vec<HostPattern>>,
    /// Environment variables that scripts may read: names, or beginnings such as `APP_*`; all where it
    /// is not given
    #[arg(long, value_name = "NAME,…", env = "AUTOSCALER_ALLOW_ENV", value_delimiter = ',')]
    pub allow_env: Option<Vec<String>>,
    /// Let scripts run programs (`measure::command`, `scale::command`, `notify::command`)
    #[arg(long, env = "AUTOSCALER_ALLOW_RUN", value_parser = switch)]
    pub allow_run: bool,
}

impl ReachArgs {
    /// The same as bounds.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        Bounds {
            hosts: self.allow_net.as_ref().map(|hosts| hosts.as_slice().into()),
            variables: self.allow_env.as_ref().map(|names| names.iter().map(|name| name.trim().into()).collect()),
            programs: self.allow_run,
        }
    }
}

fn host(text: &str) -> Result<HostPattern, String> {
    HostPattern::parse(text).map_err(|why| format!("`{text}` {why}"))
}

/// How the log is written.
#[derive(Clone, Debug, Args)]
pub struct LogArgs {
    /// How the log is written, on standard error; under DYNO the default is logfmt without time or colour
    #[arg(long, value_name = "FORMAT", env = "AUTOSCALER_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What the log tells: error, warn, info, debug, trace, off, or a filter such as `autoscaler=debug`
    #[arg(long, value_name = "LEVEL", env = "AUTOSCALER_LOG", default_value = "info")]
    pub log: String,
}

/// The forms of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Pretty,
    /// One JSON object a line
    Json,
    /// key=value
    Logfmt,
}
