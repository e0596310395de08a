//! Owns the arguments of `simulate`: scripts, policies by name, loads, and what is told of the app.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::switch;
use crate::simulate::{AppKind, Durations, Faults, Signal};
use crate::state::StateArg;

/// `simulate`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "What the scores are: docs/simulating.md. The app is described in the script, \
    `simulate: #{ rate_per_dyno: 10, service_ms: 100, boot_seconds: 60, signal: \"utilization\" }` of a pipeline, \
    or by the flags of those names; flags win.")]
pub struct SimulateArgs {
    /// Scripts whose policies are simulated
    #[arg(value_name = "SCRIPT")]
    pub scripts: Vec<PathBuf>,
    /// The load: a file `seconds,rate_per_s` with a fixed step, or synthetic:SHAPE,seed=1 where SHAPE is
    /// diurnal, spike, ramp, noise or flash-crowd, or from-state (from-state:PIPELINE) for what a worker recorded;
    /// may be given several times
    #[arg(long, value_name = "FILE", env = "AUTOSCALER_TRACE", required = true)]
    pub trace: Vec<String>,
    /// Policies by name, without a script: threshold-consec, threshold-avg5m, hpa, target-tracking, kpa, queue-time,
    /// p95-response, react, reg, adapt, erlang, seasonal, steady
    #[arg(long, value_name = "NAME,…", env = "AUTOSCALER_POLICY", value_delimiter = ',')]
    pub policy: Vec<String>,
    /// The pipeline of the script, where it has several
    #[arg(long, value_name = "NAME", env = "AUTOSCALER_PIPELINE")]
    pub pipeline: Option<String>,
    /// The state folder whose records `--trace from-state` reads [default: that of the script, else the only one]
    #[arg(long, value_name = "DIR", env = "AUTOSCALER_STATE", value_parser = StateArg::parse)]
    pub state: Option<StateArg>,
    /// The first time of `--trace from-state`, such as 30d, 2h, 'yesterday 03:12' or 2026-12-24T03:12
    #[arg(long, value_name = "TIME", default_value = "7d", allow_hyphen_values = true)]
    pub since: String,
    /// All settings in one word: bar scales the trace so that its 99.9th percentile is 25 dynos' worth and
    /// sets 10 requests/s and 100 ms a dyno, a boot of 60 s, 2 warm-up days and bounds of 1 to 100
    #[arg(long, value_name = "NAME", env = "AUTOSCALER_PRESET")]
    pub preset: Option<PresetArg>,
    /// Print JSON: an array of scores
    #[arg(long, env = "AUTOSCALER_JSON", value_parser = switch)]
    pub json: bool,
    /// Write a page about it: charts with the reason of every scale, scores, a comparison; as a file that ends
    /// with .svg the charts alone
    #[arg(long, value_name = "FILE", env = "AUTOSCALER_REPORT")]
    pub report: Option<PathBuf>,
    /// Draw load, dynos and demand in a few lines; done on a terminal without being asked
    #[arg(long, env = "AUTOSCALER_CHART", value_parser = switch)]
    pub chart: bool,
    /// The seed of everything that is drawn
    #[arg(long, value_name = "N", env = "AUTOSCALER_SEED", default_value_t = 1)]
    pub seed: u64,
    /// Use the first N days of the trace, smoothed and scaled as a whole before
    #[arg(long, value_name = "N", env = "AUTOSCALER_DAYS")]
    pub days: Option<f64>,
    /// Do not score the first N days [default: 0]
    #[arg(long, value_name = "N", env = "AUTOSCALER_WARMUP_DAYS")]
    pub warmup_days: Option<f64>,
    /// Replace each rate by the mean over so many seconds about it
    #[arg(long, value_name = "SECONDS", env = "AUTOSCALER_SMOOTH_SECONDS")]
    pub smooth_seconds: Option<f64>,
    /// Mend a trace with gaps, times out of order and unusable lines, and say what was mended
    #[arg(long, env = "AUTOSCALER_REPAIR", value_parser = switch)]
    pub repair: bool,
    /// What goes wrong, such as missing:1%,scale-fails:2%,slow-boot:5%; also outage, stuck, doubled, slow-work
    #[arg(long, value_name = "FAULTS", env = "AUTOSCALER_FAULTS")]
    pub faults: Option<Faults>,
    /// Simulate single requests instead of a flow: slower, to check the flow against
    #[arg(long, env = "AUTOSCALER_EXACT", value_parser = switch)]
    pub exact: bool,
    /// web turns requests away behind 10 s of backlog, queue keeps every job [default: web]
    #[arg(long, value_name = "APP", env = "AUTOSCALER_APP", value_parser = app)]
    pub app: Option<AppKind>,
    /// How the work of single requests or jobs varies: constant, exponential, lognormal [default: exponential]
    #[arg(long, value_name = "LAW", env = "AUTOSCALER_DURATIONS", value_parser = durations)]
    pub durations: Option<Durations>,
    /// Requests that one dyno completes per second
    #[arg(long, value_name = "RATE", env = "AUTOSCALER_RATE_PER_DYNO")]
    pub rate_per_dyno: Option<f64>,
    /// Milliseconds of work of one request, on average [default: 1000 / rate per dyno]
    #[arg(long, value_name = "MS", env = "AUTOSCALER_SERVICE_MS")]
    pub service_ms: Option<f64>,
    /// Seconds until a new dyno takes load [default: 60]
    #[arg(long, value_name = "SECONDS", env = "AUTOSCALER_BOOT_SECONDS")]
    pub boot_seconds: Option<f64>,
    /// What the measurement is: arrival_rate, utilization, concurrency, queue, queue_age, queue_time_p95,
    /// response_time_p95 or response_time
    #[arg(long, value_name = "SIGNAL", env = "AUTOSCALER_SIGNAL", value_parser = signal)]
    pub signal: Option<Signal>,
    /// The objective: a request that waits longer is late [default: 0.4]
    #[arg(long, value_name = "SECONDS", env = "AUTOSCALER_SLO_WAIT_SECONDS")]
    pub slo_wait_seconds: Option<f64>,
    /// The objective: demand is the fewest dynos at which so many percent are late [default: 5]
    #[arg(long, value_name = "PERCENT", env = "AUTOSCALER_SLO_PERCENT")]
    pub slo_percent: Option<f64>,
    /// The price of a dyno for a month, to reckon money
    #[arg(long, value_name = "PRICE", env = "AUTOSCALER_DYNO_PRICE_PER_MONTH")]
    pub dyno_price_per_month: Option<f64>,
}

/// Settings in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PresetArg {
    /// Those in which the policies of the literature were compared
    Bar,
}

fn signal(text: &str) -> Result<Signal, String> {
    Signal::named(text).ok_or_else(|| format!("there are {}", Signal::NAMES.join(", ")))
}

fn app(text: &str) -> Result<AppKind, String> {
    AppKind::named(text).ok_or_else(|| "write web or queue".into())
}

fn durations(text: &str) -> Result<Durations, String> {
    Durations::named(text).ok_or_else(|| "write constant, exponential or lognormal".into())
}
