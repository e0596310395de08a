//! Owns the arguments of the commands that look back: `explain`, `history`, `pin`, `replay`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::switch;
use crate::explain::fixture::Expectation;
use crate::pipeline::Decided;
use crate::state::StateArg;

/// Where records are found.
#[derive(Clone, Debug, Default, Args)]
pub struct RecordsArgs {
    /// The script of the worker, a .rhai file or a folder of them
    #[arg(long, value_name = "SCRIPT", env = "AUTOSCALER_SCRIPT")]
    pub script: Option<PathBuf>,
    /// Where the worker keeps its state: a folder, redis://…, or `redis` for the URL in REDIS_URL
    /// [default: the folder of --script, else the only one there is]
    #[arg(long, value_name = "STORE", env = "AUTOSCALER_STATE", hide_env_values = true, value_parser = StateArg::parse)]
    pub state: Option<StateArg>,
}

/// `explain`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    autoscaler explain web                                  the newest tick, and the last scale\n  \
    autoscaler explain web --at 03:12                       the tick at that time of day, in the pipeline's zone\n  \
    autoscaler explain web --at 'yesterday 03:12' --why-not up\n  \
    heroku logs -n 1500 | autoscaler explain web - --script autoscale.rhai\n  \
    autoscaler once autoscale.rhai --json | autoscaler explain web - --script autoscale.rhai\n\n\
    A log holds the records of all ticks where the worker runs with `--log debug`; of one at `info` the scales \
    are told. Exit codes: 0 it is told, 1 there is no such pipeline or no record at that time, 2 wrong usage.")]
pub struct ExplainArgs {
    /// The pipeline; may be left out where there is only one
    #[arg(value_name = "PIPELINE")]
    pub pipeline: Option<String>,
    /// Read records from this log, - for standard input, instead of the worker's state
    #[arg(value_name = "LOG")]
    pub log: Option<PathBuf>,
    /// The tick at or before this time, such as 03:12, 'yesterday 03:12', 2026-12-24T03:12 or -2h [default: the
    /// newest]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub at: Option<String>,
    /// Only what would have made it go up, or down
    #[arg(long, value_name = "DIRECTION")]
    pub why_not: Option<Direction>,
    /// Print JSON
    #[arg(long, env = "AUTOSCALER_JSON", value_parser = switch)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub records: RecordsArgs,
}

/// A direction of scaling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Direction {
    /// More dynos
    Up,
    /// Fewer dynos
    Down,
}

impl From<Direction> for Decided {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Up => Self::Up,
            Direction::Down => Self::Down,
        }
    }
}

/// `history`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    autoscaler history web --since 2h                       a table; ticks that held are one line\n  \
    autoscaler history web --since 'yesterday 18:00' --until 'yesterday 20:00'\n  \
    autoscaler history web --since 24h --csv > web.csv\n  \
    autoscaler history --json | jq '.[] | select(.outcome == \"scaled\")'")]
pub struct HistoryArgs {
    /// The pipeline [default: all]
    #[arg(value_name = "PIPELINE")]
    pub pipeline: Option<String>,
    /// Read records from this log, - for standard input, instead of the worker's state
    #[arg(value_name = "LOG")]
    pub log: Option<PathBuf>,
    /// From this time on, such as 2h, 03:12, 'yesterday 03:12' or 2026-12-24T03:12
    #[arg(long, value_name = "TIME", default_value = "2h", allow_hyphen_values = true)]
    pub since: String,
    /// Before this time [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// Print JSON: an array of records, oldest first
    #[arg(long, env = "AUTOSCALER_JSON", value_parser = switch, conflicts_with = "csv")]
    pub json: bool,
    /// Print CSV: one line a tick, times in UTC
    #[arg(long, env = "AUTOSCALER_CSV", value_parser = switch)]
    pub csv: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub records: RecordsArgs,
}

/// `pin`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    autoscaler pin web --at 03:12 --expect '>= 6' --script autoscale.rhai\n  \
    autoscaler pin web --at 'yesterday 03:12' --expect hold --print\n  \
    heroku logs -n 1500 | autoscaler pin web - --at 03:12 --expect up --script autoscale.rhai\n\n\
    The test is added to the end of the script, since the tests of the script itself run before a saved version \
    goes live. While it fails, a running worker stays at the version that it has.")]
pub struct PinArgs {
    /// The pipeline
    #[arg(value_name = "PIPELINE")]
    pub pipeline: String,
    /// Read records from this log, - for standard input, instead of the worker's state
    #[arg(value_name = "LOG")]
    pub log: Option<PathBuf>,
    /// The tick at or before this time, such as 03:12, 'yesterday 03:12' or 2026-12-24T03:12
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub at: String,
    /// What is expected then: '>= 6', '== 3', '< 4' dynos, or the decision up, down, hold
    #[arg(long, value_name = "EXPECTATION", value_parser = Expectation::parse, allow_hyphen_values = true)]
    pub expect: Expectation,
    /// Print the test, and leave the script as it is
    #[arg(long)]
    pub print: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub records: RecordsArgs,
}

/// `replay`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    autoscaler replay new.rhai --state ~/.local/state/autoscaler/autoscale.rhai-0123abcd\n  \
    autoscaler replay new.rhai --script autoscale.rhai --since 30d\n  \
    autoscaler replay new.rhai --json | jq '.[].new.scalings'\n\n\
    What is recorded was measured with the dynos of the running script: a replay tells what would have been decided \
    on it, and not how the app would have been with other dynos; for that there is `autoscaler simulate`. \
    More: docs/replaying.md.")]
pub struct ReplayArgs {
    /// The new script
    #[arg(value_name = "SCRIPT")]
    pub new: PathBuf,
    /// Read records from this log, - for standard input, instead of the worker's state
    #[arg(value_name = "LOG")]
    pub log: Option<PathBuf>,
    /// Only this pipeline [default: all that are in the script and in the records]
    #[arg(long, value_name = "NAME", env = "AUTOSCALER_PIPELINE")]
    pub pipeline: Option<String>,
    /// From this time on, such as 30d, 2h, 03:12, 'yesterday 03:12' or 2026-12-24T03:12
    #[arg(long, value_name = "TIME", default_value = "7d", allow_hyphen_values = true)]
    pub since: String,
    /// Before this time [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// Print JSON: an array, one object for each pipeline
    #[arg(long, env = "AUTOSCALER_JSON", value_parser = switch)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub records: RecordsArgs,
}
